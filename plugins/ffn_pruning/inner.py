"""Where a transformer's inner layers are, and the same with fewer neurons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D  # GPT-2's layer, its matrix transposed

from effauto import EffautoError

# What transformers' models call the matrices into an inner layer, and the one out of it.
NAMES = (
    (("intermediate.dense",), "output.dense"),
    (("lin1",), "lin2"),
    (("gate_proj", "up_proj"), "down_proj"),
    (("c_fc",), "c_proj"),
    (("fc1",), "fc2"),
    (("dense_h_to_4h",), "dense_4h_to_h"),
)


@dataclass(frozen=True)
class Inner:
    """An inner layer of ``width`` neurons: the matrices into it, and the one out of it."""

    ups: tuple[nn.Module, ...]
    down: nn.Module
    width: int


def inner_layers(body: nn.Module, layers: nn.Module) -> list[Inner]:
    """Each inner layer once, from the input on; raise EffautoError if there are none to prune."""
    found = list(inner_layers_in(layers))
    if found:
        return found
    raise EffautoError(
        f"ffn-pruning finds no plain inner layers in {type(body).__name__}, so it cannot take "
        "neurons out; leave it out of the recipe"
    )


def inner_layers_in(layers: nn.Module) -> Iterator[Inner]:
    """Each inner layer that can be cut, or none."""
    for parent in layers.modules():
        for names, down_name in NAMES:
            try:
                ups = tuple(parent.get_submodule(name) for name in names)
                down = parent.get_submodule(down_name)
            except AttributeError:
                continue
            if all(isinstance(part, nn.Linear | Conv1D) for part in (*ups, down)):
                yield Inner(ups, down, matrix(down).shape[1])


def matrix(layer: nn.Module) -> Tensor:
    """The weights of a layer as (outputs, inputs)."""
    assert isinstance(layer.weight, Tensor)
    return layer.weight.T if isinstance(layer, Conv1D) else layer.weight


def keep_neurons(inner: Inner, neurons: Tensor) -> None:
    """Cut the matrices, in place, to these neurons."""
    for up in inner.ups:
        _cut(up, "weight", neurons, 1 if isinstance(up, Conv1D) else 0)
        if up.bias is not None:
            _cut(up, "bias", neurons, 0)
        setattr(up, "nf" if isinstance(up, Conv1D) else "out_features", len(neurons))
    _cut(inner.down, "weight", neurons, 0 if isinstance(inner.down, Conv1D) else 1)
    setattr(inner.down, "nx" if isinstance(inner.down, Conv1D) else "in_features", len(neurons))


def _cut(layer: nn.Module, name: str, places: Tensor, dimension: int) -> None:
    parameter = getattr(layer, name)
    kept = parameter.detach().index_select(dimension, places.to(parameter.device))
    setattr(layer, name, nn.Parameter(kept, requires_grad=parameter.requires_grad))
