"""A loss of the rows that are easy enough for where training stands."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from effauto import row_losses, rows_at

if TYPE_CHECKING:
    from effauto import Batch, Context, Examples, Moment, TaskModel, Training

    Loss = Callable[[TaskModel, Batch], Tensor]
    Fit = Callable[[TaskModel, Examples, Training, Context], TaskModel]

# Losses of the latest rows, among which the threshold is set: they fall as training goes on.
LATEST = 512


def fit_paced(
    model: TaskModel,
    examples: Examples,
    training: Training,
    context: Context,
    *,
    fit: Fit,
    warmup: float,
    start: float,
    pacing: float,
) -> TaskModel:
    """Train by ``fit`` with whatever loss is due, on rows that count."""
    pace = Pace(training.loss, warmup, start, pacing)
    watched = (*training.after_step, pace.move_on)
    return fit(model, examples, replace(training, loss=pace, after_step=watched), context)


@dataclass
class Pace:
    """A loss that counts rows at most as hard as a threshold (Kumar et al. 2010).

    The threshold is the quantile of the latest losses that grows from ``start``, when the share
    ``warmup`` of the training is done, to 1 at ``pacing``. Before and after, all rows count.
    """

    loss: Loss
    warmup: float
    start: float
    pacing: float
    done: float = 0.0
    latest: deque[float] = field(default_factory=lambda: deque(maxlen=LATEST))

    def __call__(self, model: TaskModel, batch: Batch) -> Tensor:
        if self.admitted >= 1.0:
            return self.loss(model, batch)
        losses = row_losses(model, batch)
        self.latest.extend(losses.tolist())
        threshold = torch.tensor(self.latest).quantile(self.admitted)
        # a step without any row would still decay weights
        threshold = threshold.to(losses).clamp(min=losses.min())
        return self.loss(model, rows_at(batch, (losses <= threshold).nonzero().flatten()))

    def move_on(self, model: TaskModel, moment: Moment) -> None:
        self.done = moment.step / moment.steps

    @property
    def admitted(self) -> float:
        """The share of rows that count now."""
        if not self.warmup <= self.done < self.pacing:
            return 1.0
        progress = (self.done - self.warmup) / (self.pacing - self.warmup)
        return self.start + (1.0 - self.start) * progress
