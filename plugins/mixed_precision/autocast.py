"""Compute a training's losses under torch's autocast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from effauto import Batch, Context, Examples, TaskModel, Training

    Fit = Callable[[TaskModel, Examples, Training, Context], TaskModel]


def fit_in_bfloat16(
    model: TaskModel, examples: Examples, training: Training, context: Context, *, fit: Fit
) -> TaskModel:
    """Train by ``fit``, whichever loss ``training`` has by now, in bfloat16 where that is safe."""
    inner = training.loss

    def loss(model: TaskModel, batch: Batch) -> torch.Tensor:
        with torch.autocast(torch.device(context.device).type, dtype=torch.bfloat16):
            return inner(model, batch)

    return fit(model, examples, replace(training, loss=loss), context)
