"""How much the loss feels gates on what modules read: by that, structures are pruned."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from effauto.execution.batches import collate, encode_training
from effauto.execution.training import Training

if TYPE_CHECKING:
    from effauto.execution.context import Context
    from effauto.model.transformer import TaskModel

Gates = Sequence[tuple[nn.Module, int]]
_Opened = list[tuple[int, Tensor]]


def gate_gradients(
    model: TaskModel, gates: Gates, context: Context, rows: int, telling: str
) -> list[Tensor]:
    """For each module with its number of gates, (gates,): the sum over rows of |∂L/∂gate|.

    The gates, open at 1, scale equal parts of the module's input; a row's tokens share them. It is
    by how much, to first order, a row's loss would change without that part; on at most ``rows``
    training rows, drawn by the context's seed. ``telling`` is what progress is reported as.
    """
    examples, training = context.examples, replace(Training(), padding="longest")
    chosen = random.Random(context.seed).sample(range(len(examples)), min(rows, len(examples)))
    encoded = encode_training(model, examples, training, context)
    scores = [torch.zeros(count, device=context.device) for _, count in gates]
    model.eval()
    for start in range(0, len(chosen), training.batch_size):
        some = chosen[start : start + training.batch_size]
        batch = collate(some, encoded, examples, training, context)
        with _gated(gates) as opened, context.counting("importance", batch.tokens):
            loss = training.loss(model, batch) * len(some)
            felt = torch.autograd.grad(loss, [gate for _, gate in opened])
        for (place, _), gradient in zip(opened, felt, strict=True):
            scores[place] += gradient.abs().sum(dim=0)
        context.report(telling, (start + len(some)) / len(chosen))
    return scores


@contextmanager
def _gated(gates: Gates) -> Iterator[_Opened]:
    """Put a gate of (rows, count) on what each module reads; they are listed as they are used."""
    opened: _Opened = []
    hooks = [
        module.register_forward_pre_hook(partial(_open, opened, place, count))
        for place, (module, count) in enumerate(gates)
    ]
    try:
        yield opened
    finally:
        for hook in hooks:
            hook.remove()


def _open(
    opened: _Opened, place: int, count: int, module: nn.Module, inputs: tuple[Tensor]
) -> tuple[Tensor]:
    (states,) = inputs
    gate = torch.ones(len(states), count, device=states.device, requires_grad=True)
    opened.append((place, gate))
    parts = states.view(*states.shape[:-1], count, -1)
    return ((parts * gate[:, None, :, None]).flatten(-2),)
