"""Layers that are passed several times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import TaskModel


class Again(GradientCheckpointingLayer):  # type: ignore[misc]  # transformers is not typed
    """Another pass through a layer, whose weights are listed, moved and saved where it stands.

    Hooks on the layer are for its own pass; this one may have others.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = (layer,)  # in a tuple it is no part of this module

    def forward(self, *inputs: Any, **more: Any) -> Any:
        return self.layer[0].forward(*inputs, **more)


def groups(model: TaskModel, repeats: int) -> list[list[nn.Module]]:
    """The layers in groups of neighbours; the last may be smaller."""
    layers = list(model.layers)
    return [layers[start : start + repeats] for start in range(0, len(layers), repeats)]


def merge(group: Sequence[nn.Module]) -> None:
    """Give the first layer of the group the mean of all their weights."""
    with torch.no_grad():
        for name, parameter in group[0].named_parameters():
            alike = tuple(layer.get_parameter(name) for layer in group)
            parameter.copy_(torch.stack(alike).mean(dim=0))


def share(model: TaskModel, repeats: int) -> TaskModel:
    """Pass the first layer of each group instead of the others.

    Raises EffautoError if the body's layers differ in kind.
    """
    kinds = set(getattr(model.config, "layer_types", None) or ("alike",))
    if len(kinds) > 1:
        raise EffautoError(
            f"layer-sharing needs layers of one kind, and those of {type(model.encoder).__name__} "
            f"are {', '.join(sorted(kinds))}; leave it out of the recipe"
        )
    blocks = model.layers
    for place in range(len(blocks)):
        if place % repeats:
            blocks[place] = Again(blocks[place - place % repeats])
    model.config.use_cache = False  # a layer's keys are kept under its number, now used twice
    return model
