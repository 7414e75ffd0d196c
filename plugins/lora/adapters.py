"""Put low-rank adapters into a transformer's body, and merge them into its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import TaskModel

# What transformers' models call the projections to queries and values, or to all three at once.
ATTENTION = (
    ("query", "value"),
    ("q_proj", "v_proj"),
    ("q_lin", "v_lin"),
    ("query_proj", "value_proj"),
    ("qkv_proj",),
    ("query_key_value",),
    ("Wqkv",),
    ("c_attn",),
)


def add_adapters(model: TaskModel, targets: str, rank: int, scale: float) -> TaskModel:
    """Freeze the body and give it adapters; the body stays the object it was.

    ``scale`` is LoRA's alpha over its rank. Raises EffautoError if the targets are not found.
    """
    from peft import LoraConfig, inject_adapter_in_model
    from transformers.pytorch_utils import Conv1D  # GPT-2's layer, its matrix transposed

    chosen = targets if targets == "all-linear" else attention_projections(model.encoder)
    config = LoraConfig(
        r=rank,
        lora_alpha=scale * rank,
        target_modules=chosen,
        fan_in_fan_out=any(isinstance(part, Conv1D) for part in model.encoder.modules()),
    )
    inject_adapter_in_model(config, model.encoder)
    return model


def attention_projections(body: nn.Module) -> list[str]:
    """The last parts of the names of the body's query and value projections."""
    present = {name.rpartition(".")[2] for name, _ in body.named_modules()}
    for names in ATTENTION:
        if present.issuperset(names):
            return list(names)
    raise EffautoError(
        f"lora finds no query and value projections in {type(body).__name__}; "
        "set its knob targets to all-linear"
    )


def merge_adapters(model: TaskModel) -> TaskModel:
    """Add each adapter to its weights and put the plain layer back."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    body = model.encoder
    for name, layer in list(body.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            layer.merge(safe_merge=True)
            body.set_submodule(name, layer.get_base_layer())
    del body.peft_config
    body.requires_grad_(True)
    return model
