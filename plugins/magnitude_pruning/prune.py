"""Set the smallest weights of the layers to zero."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D  # GPT-2's layer, its matrix transposed

if TYPE_CHECKING:
    from effauto import TaskModel


@torch.no_grad()
def prune(model: TaskModel, sparsity: float, scope: str) -> None:
    """Zero ``sparsity`` of the layers' matrices, in place.

    ``scope`` is ``matrix`` (the same share of each), ``global`` (the smallest of all) or ``2:4``
    (of each four inputs of an output the two smallest, whatever ``sparsity`` says).
    """
    products = list(_products(model.layers))
    if scope == "2:4":
        for module in products:
            keep_two_of_four(module.weight.T if isinstance(module, Conv1D) else module.weight)
        return
    weights = [module.weight for module in products]
    for group in [weights] if scope == "global" else [[weight] for weight in weights]:
        limit = threshold(group, sparsity)
        for weight in group:
            weight[weight.abs() <= limit] = 0.0


def _products(layers: nn.Module) -> Iterator[Any]:
    """What layers multiply with: no bias, no norm, no table of embeddings."""
    for module in layers.modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and weight.ndim == 2 and not isinstance(module, nn.Embedding):
            yield module


def threshold(weights: Iterable[Tensor], sparsity: float) -> float:
    """The magnitude up to which a share ``sparsity`` of all the numbers lies."""
    magnitudes = torch.cat([weight.detach().abs().flatten() for weight in weights])
    count = round(sparsity * magnitudes.numel())
    return float(magnitudes.kthvalue(count).values) if count else -1.0


def keep_two_of_four(weight: Tensor) -> None:
    """The pattern that sparse tensor cores read (Mishra et al. 2021); a remainder stays whole.

    ``weight`` is (outputs, inputs).
    """
    fours = torch.unflatten(weight[:, : weight.shape[1] // 4 * 4], 1, (-1, 4))
    smallest = fours.abs().argsort(dim=-1, stable=True)[..., :2]
    fours.scatter_(-1, smallest, 0.0)
