"""A loss that keeps experts equally busy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .experts import Routed

if TYPE_CHECKING:
    from collections.abc import Callable

    from effauto import Batch, TaskModel


@dataclass(frozen=True)
class Balanced:
    """The loss, and ``weight`` times how unevenly experts were chosen, a mean over layers."""

    loss: Callable[[TaskModel, Batch], Tensor]
    weight: float

    def __call__(self, model: TaskModel, batch: Batch) -> Tensor:
        loss = self.loss(model, batch)
        layers = [module for module in model.modules() if isinstance(module, Routed)]
        found = [layer.balance for layer in layers if layer.balance is not None]
        return loss + self.weight * torch.stack(found).mean() if found else loss
