"""Training dynamics: what probes answer about every row after each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

if TYPE_CHECKING:
    from effauto import Context

LEARNING_RATE = 5e-3
# The spread of logits that a probe starts with: enough to tell starts apart, soon forgotten.
START = 0.1
# An epoch is so many steps, however many rows there are, so that dynamics look alike; but a
# batch has a few rows at least.
STEPS, FEWEST_ROWS = 50, 8


@dataclass(frozen=True)
class Dynamics:
    """Arrays of (probes, epochs, rows).

    ``gold`` is the probability of a row's own class, ``right`` whether that was the likeliest,
    ``error`` the Euclidean length of probabilities minus one-hot label.
    """

    gold: NDArray[Any]
    right: NDArray[Any]
    error: NDArray[Any]


def record(
    features: NDArray[Any], labels: Sequence[int], probes: int, epochs: int, context: Context
) -> Dynamics:
    """Train softmax heads by Adam, each from another start, and ask them after each epoch."""
    inputs, targets = torch.from_numpy(features), torch.tensor(labels)
    found = []
    for probe in range(probes):
        context.report("charting the data", probe / probes)
        generator = torch.Generator().manual_seed(context.seed * probes + probe)
        found.append(_one(inputs, targets, len(context.classes), epochs, generator, context))
    return Dynamics(*(np.stack(kind) for kind in zip(*found, strict=True)))


def _one(
    inputs: Tensor,
    targets: Tensor,
    classes: int,
    epochs: int,
    generator: torch.Generator,
    context: Context,
) -> tuple[NDArray[Any], ...]:
    start = torch.randn(classes, inputs.shape[1], generator=generator)
    weights = (start * START / inputs.shape[1] ** 0.5).requires_grad_()
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.Adam([weights, bias], lr=LEARNING_RATE)
    batch_size = max(FEWEST_ROWS, len(targets) // STEPS)
    answers = []
    for _ in range(epochs):
        with context.counting("probe training", len(targets)):
            shuffled = torch.randperm(len(targets), generator=generator)
            for rows in torch.split(shuffled, batch_size):
                logits = nn.functional.linear(inputs[rows], weights, bias)
                nn.functional.cross_entropy(logits, targets[rows]).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                optimizer.zero_grad()
            with torch.no_grad():
                answers.append(_judged(nn.functional.linear(inputs, weights, bias), targets))
    return tuple(np.stack(kind) for kind in zip(*answers, strict=True))


def _judged(logits: Tensor, targets: Tensor) -> tuple[NDArray[Any], ...]:
    given = logits.softmax(dim=-1)
    gold = given[torch.arange(len(targets)), targets]
    wanted = nn.functional.one_hot(targets, given.shape[1])
    error = (given - wanted).norm(dim=-1)
    return gold.numpy(), (given.argmax(dim=-1) == targets).numpy(), error.numpy()
