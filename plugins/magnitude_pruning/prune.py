"""Set the smallest weights of the layers to zero."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from effauto import TaskModel


def prune(model: TaskModel, sparsity: float, scope: str) -> None:
    """Zero ``sparsity`` of the layers' matrices, in place.

    ``scope`` is ``matrix`` (the same share of each) or ``global`` (the smallest of all).
    """
    weights = list(matrices(model.layers))
    with torch.no_grad():
        for group in [weights] if scope == "global" else [[weight] for weight in weights]:
            limit = threshold(group, sparsity)
            for weight in group:
                weight[weight.abs() <= limit] = 0.0


def matrices(layers: nn.Module) -> Iterator[Tensor]:
    """The weights that layers multiply with: no bias, no norm, no table of embeddings."""
    for module in layers.modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and weight.ndim == 2 and not isinstance(module, nn.Embedding):
            yield weight


def threshold(weights: Iterable[Tensor], sparsity: float) -> float:
    """The magnitude up to which a share ``sparsity`` of all the numbers lies."""
    magnitudes = torch.cat([weight.detach().abs().flatten() for weight in weights])
    count = round(sparsity * magnitudes.numel())
    return float(magnitudes.kthvalue(count).values) if count else -1.0
