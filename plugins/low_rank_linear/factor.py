"""Put two thin linear layers in the place of each wide one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D  # GPT-2's layer, its matrix transposed

from . import rank_of

if TYPE_CHECKING:
    from effauto import TaskModel

# (weight of (outputs, inputs), rank) -> (outputs, rank) and (rank, inputs)
Factors = Callable[[Tensor, int], tuple[Tensor, Tensor]]


def factor(model: TaskModel, share: float, how: Factors) -> TaskModel:
    """Factor the layers' matrices in place; one that is too thin to gain stays, as do head and
    embeddings."""
    for owner, name, weight, bias in list(linears(model.layers)):
        outputs, inputs = weight.shape
        rank = rank_of(outputs, inputs, share)
        if rank >= 1:
            outer, inner = how(weight.detach(), rank)
            setattr(owner, name, in_two(outer, inner, bias))
    return model


def linears(layers: nn.Module) -> Iterator[tuple[nn.Module, str, Tensor, nn.Parameter | None]]:
    """Each linear layer: who owns it, under which name, its (outputs, inputs) weight, its bias."""
    for owner in layers.modules():
        for name, child in owner.named_children():
            if isinstance(child, nn.Linear):
                yield owner, name, child.weight, child.bias
            elif isinstance(child, Conv1D):
                yield owner, name, child.weight.T, child.bias


def factors(weight: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The two matrices whose product comes nearest to ``weight``, alike in size."""
    left, values, right = torch.linalg.svd(weight.float(), full_matrices=False)
    root = values[:rank].sqrt()
    outer, inner = left[:, :rank] * root, root[:, None] * right[:rank]
    return outer.contiguous(), inner.contiguous()


def unfilled(weight: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Places for the numbers of both, to be loaded."""
    outputs, inputs = weight.shape
    return torch.empty(outputs, rank), torch.empty(rank, inputs)


def in_two(outer: Tensor, inner: Tensor, bias: nn.Parameter | None) -> nn.Sequential:
    """x ↦ outer · (inner · x) + bias."""
    return nn.Sequential(linear(inner, None), linear(outer, bias))


def linear(weight: Tensor, bias: nn.Parameter | None) -> nn.Linear:
    outputs, inputs = weight.shape
    made = nn.Linear(inputs, outputs, bias=bias is not None, device="meta")
    made.weight = nn.Parameter(weight)
    if bias is not None:
        made.bias = bias
    return made
