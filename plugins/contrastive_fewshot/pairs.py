"""Pairs of texts of one class and of two, and what the network should find between them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from effauto import Batch, TaskModel


def paired_rows(
    lengths: Sequence[int],
    epoch: int,
    epochs: int,
    generator: random.Random,
    *,
    labels: Sequence[int],
    pairs: int,
) -> list[int]:
    """Row numbers, each two of which are a pair, in random order.

    Each row leads ``pairs`` pairs with another of its class and as many with one of another; a
    kind of pair that a row has no partner for is left out.
    """
    own, rest = _partners(labels)
    found: list[tuple[int, int]] = []
    for row, label in enumerate(labels):
        others = [other for other in own[label] if other != row]
        for partners in (others, rest[label]):
            if partners:
                found += [(row, other) for other in generator.choices(partners, k=pairs)]
    generator.shuffle(found)
    return [row for pair in found for row in pair]


def _partners(labels: Sequence[int]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """For each class the rows that are of it, and those that are not."""
    own: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        own[label].append(row)
    rest = {
        label: [row for other, rows in own.items() if other != label for row in rows]
        for label in own
    }
    return own, rest


def cosine_loss(model: TaskModel, batch: Batch) -> Tensor:
    """Mean squared error of the cosine of a pair's features against 1 or 0, of one class or two.

    Rows at even places are paired with those that follow them.
    """
    features = model.features(**batch.inputs).float()
    alike = batch.targets[0::2] == batch.targets[1::2]
    cosines = functional.cosine_similarity(features[0::2], features[1::2])
    return functional.mse_loss(cosines, alike.to(cosines.dtype))
