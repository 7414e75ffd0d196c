"""Both halves: the body is tuned on pairs, and the head fitted to what it then makes of texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from .head import fit_head
from .pairs import cosine_loss, paired_rows

if TYPE_CHECKING:
    from effauto import Context, Examples, TaskModel, Training

    Fit = Callable[[TaskModel, Examples, Training, Context], TaskModel]


def fit_fewshot(
    model: TaskModel,
    examples: Examples,
    training: Training,
    context: Context,
    *,
    fit: Fit,
    pairs: int,
) -> TaskModel:
    """Tune by ``fit`` on one round of pairs, then solve for the head (Tunstall et al. 2022)."""
    tuning = replace(
        training,
        epochs=1,
        batch_size=max(2, training.batch_size // 2 * 2),  # a pair is not parted
        padding="longest",
        order=partial(paired_rows, labels=examples.labels, pairs=pairs),
        loss=cosine_loss,
    )
    model = fit(model, examples, tuning, context)
    fit_head(model, examples, training, context)
    return model.eval()
