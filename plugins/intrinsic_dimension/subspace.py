"""A training that moves all weights of a body, but in a random subspace of few dimensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from effauto import Context, Examples, TaskModel, Training

    Fit = Callable[[TaskModel, Examples, Training, Context], TaskModel]

MakeOptimizer = Callable[[list[dict[str, Any]], float], torch.optim.Optimizer]


class Projection:
    """A sparse random matrix of orthonormal columns, (numbers of all ``shapes``, dimension).

    A row has one entry, in a random column and of random sign; the same for the same seed.
    """

    def __init__(self, shapes: Sequence[torch.Size], dimension: int, seed: int) -> None:
        chance = torch.Generator().manual_seed(seed)
        self.shapes = list(shapes)
        self.places = [  # beyond the dimension stand the columns with the other sign
            torch.randint(2 * dimension, (size.numel(),), generator=chance, dtype=torch.int32)
            for size in shapes
        ]
        entries = torch.zeros(dimension)
        for place in self.places:
            entries += torch.bincount(place % dimension, minlength=dimension)
        self.scale = entries.clamp(min=1.0).rsqrt()

    def to(self, device: torch.device) -> Projection:
        self.places = [place.to(device) for place in self.places]
        self.scale = self.scale.to(device)
        return self

    def spread(self, coordinates: Tensor) -> list[Tensor]:
        """The matrix times ``coordinates``, (dimension,), one tensor a shape."""
        scaled = coordinates * self.scale
        signed = torch.cat([scaled, -scaled])
        return [
            signed.index_select(0, place).view(size)
            for place, size in zip(self.places, self.shapes, strict=True)
        ]

    def gather(self, numbers: Sequence[Tensor | None]) -> Tensor:
        """The matrix transposed times ``numbers``, one tensor a shape, None for zeros."""
        signed = torch.zeros(2, len(self.scale), device=self.scale.device)
        for place, part in zip(self.places, numbers, strict=True):
            if part is not None:
                signed.view(-1).index_add_(0, place, part.flatten().to(signed.dtype))
        return (signed[0] - signed[1]) * self.scale


def fit_in_subspace(
    model: TaskModel,
    examples: Examples,
    training: Training,
    context: Context,
    *,
    fit: Fit,
    dimension: int,
) -> TaskModel:
    """Train by ``fit``, its optimizer given coordinates in the place of the body's weights."""
    body = [p for p in model.encoder.parameters() if p.requires_grad]
    projection = Projection([p.shape for p in body], dimension, context.seed).to(body[0].device)
    make = partial(subspace_optimizer, make=training.optimizer, body=body, projection=projection)
    return fit(model, examples, replace(training, optimizer=make), context)


def subspace_optimizer(
    groups: list[dict[str, Any]],
    learning_rate: float,
    *,
    make: MakeOptimizer,
    body: Sequence[Tensor],
    projection: Projection,
) -> torch.optim.Optimizer:
    """What ``make`` makes, for coordinates and for what is not of the body.

    Before a step the coordinates get their gradient from the body's, after it the body follows.
    """
    coordinates = nn.Parameter(torch.zeros_like(projection.scale))
    last = coordinates.detach().clone()
    moved = {id(parameter) for parameter in body}
    others = [
        group | {"params": [p for p in group["params"] if id(p) not in moved]} for group in groups
    ]
    others.append({"params": [coordinates], "weight_decay": 0.0})
    optimizer = make([group for group in others if group["params"]], learning_rate)

    def before(*_: Any) -> None:
        coordinates.grad = projection.gather([parameter.grad for parameter in body])
        for parameter in body:
            parameter.grad = None

    @torch.no_grad()
    def after(*_: Any) -> None:
        for parameter, step in zip(body, projection.spread(coordinates - last), strict=True):
            parameter.add_(step)
        last.copy_(coordinates)

    optimizer.register_step_pre_hook(before)
    optimizer.register_step_post_hook(after)
    return optimizer
