"""Which weights of a body are trained, and a training that leaves the others as they are."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from effauto import collate, encode_training

if TYPE_CHECKING:
    from effauto import Context, Examples, Moment, TaskModel, Training

    Fit = Callable[[TaskModel, Examples, Training, Context], TaskModel]

Named = Mapping[str, Tensor]


def fit_sparsely(
    model: TaskModel,
    examples: Examples,
    training: Training,
    context: Context,
    *,
    fit: Fit,
    share: float,
    samples: int,
) -> TaskModel:
    """Choose the weights once, then train them, and the head, by ``fit``."""
    chosen = highest(fisher(model, examples, training, context, samples), share)
    body = dict(model.encoder.named_parameters())
    before = {name: body[name].detach().clone() for name in chosen}
    hooks = [
        body[name].register_hook(partial(torch.mul, mask))  # type: ignore[no-untyped-call]
        for name, mask in chosen.items()
    ]
    watch = partial(put_back, chosen=chosen, before=before)
    model = fit(
        model, examples, replace(training, after_step=(watch, *training.after_step)), context
    )
    for hook in hooks:
        hook.remove()
    return model


def fisher(
    model: TaskModel, examples: Examples, training: Training, context: Context, samples: int
) -> dict[str, Tensor]:
    """Mean squared gradient of the loss of one row, for each weight that may be trained.

    That is the empirical Fisher information (Sung et al. 2021).
    """
    encoded = encode_training(model, examples, training, context)
    rows = random.Random(context.seed).sample(range(len(examples)), min(samples, len(examples)))
    body = {name: p for name, p in model.encoder.named_parameters() if p.requires_grad}
    squares = {name: torch.zeros_like(parameter) for name, parameter in body.items()}
    single = replace(training, padding="longest")
    model.eval()
    for place, row in enumerate(rows):
        batch = collate([row], encoded, examples, single, context)
        model.zero_grad()
        with context.counting("fisher", batch.tokens):
            training.loss(model, batch).backward()  # type: ignore[no-untyped-call]
        for name, parameter in body.items():
            if parameter.grad is not None:
                squares[name] += parameter.grad**2 / len(rows)
        context.report("choosing weights", (place + 1) / len(rows))
    model.zero_grad()
    return squares


def highest(scores: Named, share: float) -> dict[str, Tensor]:
    """Masks, true at the ``share`` of all numbers with the highest scores; one at least."""
    flat = torch.cat([score.flatten() for score in scores.values()])
    kept = flat.topk(max(1, round(share * len(flat)))).indices
    chosen = torch.zeros_like(flat, dtype=torch.bool).index_fill_(0, kept, True)
    parts = torch.split(chosen, [score.numel() for score in scores.values()])
    return {
        name: part.view_as(score) for part, (name, score) in zip(parts, scores.items(), strict=True)
    }


@torch.no_grad()
def put_back(model: TaskModel, moment: Moment, *, chosen: Named, before: Named) -> None:
    """Undo what an optimizer did to the other weights, decay for instance."""
    body = dict(model.encoder.named_parameters())
    for name, mask in chosen.items():
        body[name].copy_(torch.where(mask, body[name], before[name]))
