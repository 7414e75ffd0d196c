"""Train with an eye on held-out rows, and go back to the weights that did best on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .heldout import held_out, judge, without

if TYPE_CHECKING:
    from effauto import Context, Examples, Moment, TaskModel, Training

    Fit = Callable[[TaskModel, Examples, Training, Context], TaskModel]


def fit_best(
    model: TaskModel,
    examples: Examples,
    training: Training,
    context: Context,
    *,
    fit: Fit,
    criterion: str,
    holdout: float,
    patience: int,
) -> TaskModel:
    """Train by ``fit`` on the rows that are not held out; stop, and go back, by the others.

    ``examples`` stay whole, so that whatever knows rows by their numbers still does.
    """
    held = held_out(examples.labels, holdout, context.seed)
    score = partial(
        judge, examples=examples.select(held), training=training, context=context, by=criterion
    )
    watch = Watch(score, patience)
    order = partial(without, held=frozenset(held), order=training.order)
    watched = replace(training, order=order, after_step=(*training.after_step, watch))
    model = fit(model, examples, watched, context)
    watch.go_back()
    return model.eval()


@dataclass
class Watch:
    """Judges the model at the end of each epoch; ends training after ``patience`` in vain.

    ``score`` is the higher the better.
    """

    score: Callable[[TaskModel], float]
    patience: int
    best: float = float("-inf")
    waited: int = 0
    kept: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def __call__(self, model: TaskModel, moment: Moment) -> bool:
        if not moment.ends_epoch:
            return False
        score = self.score(model)
        self.waited += 1
        if score > self.best:
            self.best, self.waited = score, 0
            self.kept = [(tensor, tensor.detach().clone()) for tensor in changing(model)]
        return self.waited >= self.patience

    @torch.no_grad()
    def go_back(self) -> None:
        """Give the model its best weights."""
        for tensor, best in self.kept:
            tensor.copy_(best)


def changing(model: TaskModel) -> list[Tensor]:
    """What training changes: trained parameters, and buffers."""
    return [*(p for p in model.parameters() if p.requires_grad), *model.buffers()]
