"""Where a transformer's attention heads are, and the same attention with fewer of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from effauto import EffautoError

# What transformers' models call an attention's core, its projections in and the one out. The
# forward passes of these take the number of heads from the shapes.
NAMES = (
    ("self", ("query", "key", "value"), "output.dense"),
    ("", ("q_lin", "k_lin", "v_lin"), "out_lin"),
    ("", ("q_proj", "k_proj", "v_proj"), "o_proj"),
)


@dataclass(frozen=True)
class Attention:
    """``inputs`` are the linear projections to queries, keys and values, ``output`` the one after.

    A head is a key, a value and the queries that share them, so that queries may be more.
    """

    inputs: tuple[Any, Any, Any]
    output: Any
    heads: int


def attentions(body: nn.Module, layers: nn.Module) -> list[Attention]:
    """Each attention once, from the input on; raise EffautoError if there are none to prune."""
    found = list(attentions_in(layers))
    if not found:
        raise EffautoError(
            f"head-pruning finds no separate query, key and value projections in "
            f"{type(body).__name__}, so it cannot take heads out; leave it out of the recipe"
        )
    if any(attention.heads < 2 for attention in found):
        raise EffautoError(
            f"head-pruning needs two heads with keys of their own, and {type(body).__name__} "
            "has one for all queries; leave it out of the recipe"
        )
    return found


def attentions_in(layers: nn.Module) -> Iterator[Attention]:
    """Each attention that can be cut, or none."""
    for parent in layers.modules():
        for core_name, names, output_name in NAMES:
            try:
                core = parent.get_submodule(core_name)
                query, key, value = map(core.get_submodule, names)
                output = parent.get_submodule(output_name)
            except AttributeError:
                continue
            if all(isinstance(part, nn.Linear) for part in (query, key, value, output)):
                yield Attention((query, key, value), output, _heads(core, key))


def _heads(core: Any, key: Any) -> int:
    width = getattr(core, "attention_head_size", None) or core.head_dim
    return int(key.out_features // width)


def keep_heads(attention: Attention, heads: Tensor) -> None:
    """Cut the projections, in place, to these heads."""
    for linear in attention.inputs:
        rows = _numbers(heads, linear.out_features // attention.heads)
        linear.weight = _part(linear.weight, rows, 0)
        if linear.bias is not None:
            linear.bias = _part(linear.bias, rows, 0)
        linear.out_features = len(rows)
    columns = _numbers(heads, attention.output.in_features // attention.heads)
    attention.output.weight = _part(attention.output.weight, columns, 1)
    attention.output.in_features = len(columns)


def _numbers(heads: Tensor, width: int) -> Tensor:
    """The places of the numbers of these heads, each ``width`` wide."""
    return (heads[:, None] * width + torch.arange(width, device=heads.device)).flatten()


def _part(parameter: nn.Parameter, places: Tensor, dimension: int) -> nn.Parameter:
    kept = parameter.detach().index_select(dimension, places.to(parameter.device))
    return nn.Parameter(kept, requires_grad=parameter.requires_grad)
