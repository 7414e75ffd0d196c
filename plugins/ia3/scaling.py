"""Put scaling vectors into a transformer's body, and merge them into its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import TaskModel

# What transformers' models call the projections to keys and values, or to queries too at once
# (scaling a query and a key is one and the same), and the matrix that ends the inner layer.
KEYS_VALUES = (
    ("key", "value"),
    ("k_proj", "v_proj"),
    ("k_lin", "v_lin"),
    ("key_proj", "value_proj"),
    ("attn.k", "attn.v"),
    ("query_key_value",),
    ("Wqkv",),
    ("c_attn",),
)
INNER = ("mlp.down_proj", "mlp.c_proj", "mlp.Wo", "dense_4h_to_h", "lin2", "fc2", "output.dense")


def add_scaling(model: TaskModel) -> TaskModel:
    """Freeze the body and give it vectors of ones; the body stays the object it was.

    Raises EffautoError if what they scale is not found.
    """
    from peft import IA3Config, inject_adapter_in_model
    from transformers.pytorch_utils import Conv1D  # GPT-2's layer, its matrix transposed

    attention, inner = scaled_layers(model.encoder)
    config = IA3Config(
        target_modules=attention + inner,
        feedforward_modules=inner,
        fan_in_fan_out=any(isinstance(part, Conv1D) for part in model.encoder.modules()),
    )
    inject_adapter_in_model(config, model.encoder)
    return model


def scaled_layers(body: nn.Module) -> tuple[list[str], list[str]]:
    """Full names of the layers whose outputs, and of those whose inputs, are scaled."""
    names = [name for name, module in body.named_modules() if not list(module.children())]
    for endings in KEYS_VALUES:
        attention = [n for n in names if n.endswith(tuple(f".{end}" for end in endings))]
        if attention:
            break
    inner = [
        name
        for name in names
        if name.endswith(tuple(f".{end}" for end in INNER)) and "attention" not in name
    ]
    if not attention or not inner:
        raise EffautoError(
            f"ia3 finds no keys and values, or no inner layers, in {type(body).__name__}; "
            "adapt it by a method that trains other weights"
        )
    return attention, inner


def merge_scaling(model: TaskModel) -> TaskModel:
    """Scale the weights themselves and put the plain layers back."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    body = model.encoder
    for name, layer in list(body.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            layer.merge(safe_merge=True)
            body.set_submodule(name, layer.get_base_layer())
    del body.peft_config
    body.requires_grad_(True)
    return model
