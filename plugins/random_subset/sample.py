"""A stratified sample of rows."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence


def stratified(labels: Sequence[int], share: float, seed: int) -> list[int]:
    """Row numbers, ascending: ``share`` of each class, and at least one row of it.

    With the same seed a smaller share is part of a larger one.
    """
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        rows_of[label].append(row)
    kept: list[int] = []
    for label, rows in rows_of.items():
        random.Random(f"{seed}/{label}").shuffle(rows)
        kept += rows[: max(1, round(share * len(rows)))]
    return sorted(kept)
