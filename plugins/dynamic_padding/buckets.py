"""Batches of rows of like length."""

from __future__ import annotations

import random
from collections.abc import Sequence

# As many batches are sorted together as transformers' LengthGroupedSampler sorts, but an epoch
# has two pools at least, so that batches differ from epoch to epoch.
POOL_BATCHES = 50
FEWEST_POOLS = 2


def pool_batches(rows: float, size: float) -> float:
    """How many batches of ``size`` are sorted by length together."""
    return min(POOL_BATCHES, max(1.0, rows // (size * FEWEST_POOLS)))


def by_length(
    order: list[int], lengths: Sequence[int], size: int, generator: random.Random
) -> list[list[int]]:
    """Cut the order into pools, sort each by length, cut it into batches, and shuffle these.

    Pools keep their place, so a coarse order of the examples is kept.
    """
    pool = size * int(pool_batches(len(order), size))
    batches: list[list[int]] = []
    for start in range(0, len(order), pool):
        rows = sorted(order[start : start + pool], key=lengths.__getitem__)
        cut = [rows[first : first + size] for first in range(0, len(rows), size)]
        generator.shuffle(cut)
        batches += cut
    return batches
