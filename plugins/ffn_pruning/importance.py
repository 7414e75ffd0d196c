"""How much each neuron of an inner layer matters."""

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

from .inner import Inner, matrix

if TYPE_CHECKING:
    from effauto import Context, TaskModel


def magnitudes(inner: Inner) -> Tensor:
    """(neurons,): the norm of the weights out of each neuron times those of the weights into it."""
    score: Tensor = torch.linalg.vector_norm(matrix(inner.down).detach(), dim=0)
    for up in inner.ups:
        score = score * torch.linalg.vector_norm(matrix(up).detach(), dim=1)
    return score


def sensitivities(
    model: TaskModel, found: Sequence[Inner], context: Context, rows: int
) -> list[Tensor]:
    """For each inner layer, (neurons,): E |Σ a · ∂L/∂a|, the sum over a row's tokens.

    It is by how much, to first order, a row's loss would change without the neuron, whose number
    is a (Molchanov et al. 2017, equation 7); on at most ``rows`` training rows.
    """
    examples, training = context.examples, replace(Training(), padding="longest")
    chosen = random.Random(context.seed).sample(range(len(examples)), min(rows, len(examples)))
    encoded = encode_training(model, examples, training, context)
    scores = [torch.zeros(inner.width, device=context.device) for inner in found]
    model.eval()
    for start in range(0, len(chosen), training.batch_size):
        some = chosen[start : start + training.batch_size]
        batch = collate(some, encoded, examples, training, context)
        with gated(found) as gates, context.counting("importance", batch.tokens):
            loss = training.loss(model, batch) * len(some)
            felt = torch.autograd.grad(loss, [gate for _, gate in gates])
        for (place, _), gradient in zip(gates, felt, strict=True):
            scores[place] += gradient.abs().sum(dim=0)
        context.report("judging neurons", (start + len(some)) / len(chosen))
    return scores


@contextmanager
def gated(found: Sequence[Inner]) -> Iterator[list[tuple[int, Tensor]]]:
    """Put a gate of (rows, neurons), open at 1, on each number; its gradient is Σ a · ∂L/∂a."""
    gates: list[tuple[int, Tensor]] = []
    hooks = [
        inner.down.register_forward_pre_hook(partial(_gate, gates, place))
        for place, inner in enumerate(found)
    ]
    try:
        yield gates
    finally:
        for hook in hooks:
            hook.remove()


def _gate(
    gates: list[tuple[int, Tensor]], place: int, module: nn.Module, inputs: tuple[Tensor]
) -> tuple[Tensor]:
    (numbers,) = inputs
    gate = torch.ones(len(numbers), numbers.shape[-1], device=numbers.device, requires_grad=True)
    gates.append((place, gate))
    return (numbers * gate[:, None, :],)
