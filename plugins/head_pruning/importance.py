"""How much the loss feels each attention head."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from effauto import Training, collate, encode_training

from .attention import Attention

if TYPE_CHECKING:
    from effauto import Context, TaskModel


def importance(
    model: TaskModel, found: Sequence[Attention], context: Context, rows: int
) -> list[Tensor]:
    """For each attention, (heads,): E |∂L/∂ξ|, ξ being a gate on the head's output, open at 1.

    Michel et al. 2019, equation 2, on at most ``rows`` training rows. Before training the head of
    the model is random, so what is felt is how far the features that it will read would move.
    """
    examples, training = context.examples, replace(Training(), padding="longest")
    chosen = random.Random(context.seed).sample(range(len(examples)), min(rows, len(examples)))
    encoded = encode_training(model, examples, training, context)
    scores = [torch.zeros(attention.heads, device=context.device) for attention in found]
    model.eval()
    for start in range(0, len(chosen), training.batch_size):
        some = chosen[start : start + training.batch_size]
        batch = collate(some, encoded, examples, training, context)
        with gated(found) as gates, context.counting("importance", batch.tokens):
            loss = training.loss(model, batch) * len(some)
            felt = torch.autograd.grad(loss, [gate for _, gate in gates])
        for (place, _), gradient in zip(gates, felt, strict=True):
            scores[place] += gradient.abs().sum(dim=0)
        context.report("judging heads", (start + len(some)) / len(chosen))
    return scores


@contextmanager
def gated(found: Sequence[Attention]) -> Iterator[list[tuple[int, Tensor]]]:
    """Put a gate of (rows, heads) on each head's output; gates are listed as they are used."""
    gates: list[tuple[int, Tensor]] = []
    hooks = [
        attention.output.register_forward_pre_hook(partial(_gate, gates, place, attention.heads))
        for place, attention in enumerate(found)
    ]
    try:
        yield gates
    finally:
        for hook in hooks:
            hook.remove()


def _gate(
    gates: list[tuple[int, Tensor]],
    place: int,
    heads: int,
    module: nn.Module,
    inputs: tuple[Tensor],
) -> tuple[Tensor]:
    (states,) = inputs
    gate = torch.ones(len(states), heads, device=states.device, requires_grad=True)
    gates.append((place, gate))
    opened = gate.repeat_interleave(states.shape[-1] // heads, dim=-1)
    return (states * opened[:, None, :],)
