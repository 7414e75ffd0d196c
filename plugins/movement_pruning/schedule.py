"""How many weights stay at each moment of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .masks import masks

if TYPE_CHECKING:
    from effauto import Moment, TaskModel

# Shares of the steps before the first and after the last weight goes.
WARM_UP, COOL_DOWN = 0.1, 0.2


def share_kept(progress: float, sparsity: float) -> float:
    """1 at first, 1 - ``sparsity`` at last, on a cubic between (Sanh et al. 2020, equation 7)."""
    pruned = (progress - WARM_UP) / (1.0 - WARM_UP - COOL_DOWN)
    left = 1.0 - min(1.0, max(0.0, pruned))
    return 1.0 - sparsity * (1.0 - left**3)


def prune_gradually(model: TaskModel, moment: Moment, *, sparsity: float) -> None:
    share = share_kept(moment.step / moment.steps, sparsity)
    if share < 1.0:
        for mask in masks(model):
            mask.keep(share)
