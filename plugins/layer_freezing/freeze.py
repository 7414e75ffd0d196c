"""Which parts of a model stay as they were pretrained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch import nn

from . import frozen_layers

if TYPE_CHECKING:
    from effauto import TaskModel

# What transformers' models call the norm that follows the last layer, where there is one.
FINAL_NORMS = ("norm", "final_norm", "ln_f", "final_layer_norm", "final_layernorm")


def freeze_lower(model: TaskModel, share: float) -> TaskModel:
    """Freeze the body but for its upper layers and the norm after the last.

    Layers that share weights count as one.
    """
    layers = [layer for layer in model.layers if any(True for _ in layer.parameters())]
    model.encoder.requires_grad_(False)
    for part in (*layers[frozen_layers(len(layers), share) :], *_final_norms(model)):
        part.requires_grad_(True)
    return model


def _final_norms(model: TaskModel) -> Iterator[nn.Module]:
    within = set(model.layers.modules())
    for name, module in model.encoder.named_modules():
        after = module not in within and "embed" not in name
        if after and name.rpartition(".")[2] in FINAL_NORMS:
            yield module
