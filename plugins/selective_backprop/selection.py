"""A loss of the rows that have the largest ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor

from effauto import row_losses, rows_at

if TYPE_CHECKING:
    from effauto import Batch, Context, Examples, TaskModel, Training

    Loss = Callable[[TaskModel, Batch], Tensor]
    Fit = Callable[[TaskModel, Examples, Training, Context], TaskModel]


def fit_selected(
    model: TaskModel,
    examples: Examples,
    training: Training,
    context: Context,
    *,
    fit: Fit,
    share: float,
) -> TaskModel:
    """Train by ``fit`` with whatever loss is due, on selected rows."""
    loss = partial(largest, loss=training.loss, share=share)
    return fit(model, examples, replace(training, loss=loss), context)


def largest(model: TaskModel, batch: Batch, *, loss: Loss, share: float) -> Tensor:
    """``loss`` on the ``share`` of the batch, rounded up, with the largest cross-entropies."""
    count = math.ceil(share * len(batch.rows))
    places = row_losses(model, batch).topk(count).indices.sort().values
    return loss(model, rows_at(batch, places))
