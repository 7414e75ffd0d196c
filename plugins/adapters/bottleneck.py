"""Bottlenecks, and where in a transformer's blocks they go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from effauto import EffautoError

if TYPE_CHECKING:
    from effauto import TaskModel

# What transformers' models call the last matrix of the attention, and of the feed-forward part.
ATTENTION = (
    "attention.output.dense",
    "attention.out_lin",
    "self_attn.o_proj",
    "self_attn.out_proj",
    "attn.c_proj",
    "attn.Wo",
    "attention.attn.o",
    "attention.dense",
)
FEEDFORWARD = (
    "output.dense",
    "ffn.lin2",
    "mlp.down_proj",
    "mlp.c_proj",
    "mlp.Wo",
    "fc2",
    "mlp.dense_4h_to_h",
)


class Bottleneck(nn.Module):
    """x + up(gelu(down(x))); ``up`` starts at zero, so that at first nothing is changed."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, inner)
        self.up = nn.Linear(inner, width)
        nn.init.normal_(self.down.weight, std=0.01)
        for start in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(start)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.as_tensor(self.up(nn.functional.gelu(self.down(x))))


def add_adapters(
    model: TaskModel, layers: Sequence[nn.Module], inner: int, *, both: bool
) -> TaskModel:
    """Follow the feed-forward part of each of these ``layers``, and the attention if ``both``.

    An adapter sees what the part would add to the residual stream (Houlsby et al. 2019).
    Raises EffautoError if a layer has no such parts.
    """
    width = int(model.config.hidden_size)
    for layer in layers:
        for names in (ATTENTION, FEEDFORWARD) if both else (FEEDFORWARD,):
            _follow(layer, _ending(layer, names), Bottleneck(width, inner))
    return model


def _ending(layer: nn.Module, names: tuple[str, ...]) -> str:
    present = {name for name, _ in layer.named_modules()}
    for name in names:
        if name in present:
            return name
    raise EffautoError(
        f"adapters find no place in {type(layer).__name__}: it has none of {', '.join(names)}; "
        "adapt it by a method that trains its own weights"
    )


def _follow(layer: nn.Module, name: str, adapter: Bottleneck) -> None:
    place = layer.get_submodule(name)
    here = next(place.parameters(), adapter.up.weight)
    layer.set_submodule(name, nn.Sequential(place, adapter.to(here.device)))
