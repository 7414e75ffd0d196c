"""Which rows may be read when: those below the quantile that the model is competent for."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence


def competent(progress: float, start: float, pacing: float, power: float) -> float:
    """The share of rows admitted at ``progress``, 0 to 1 (Platanios et al. 2019).

    A ``power`` of 1 is their linear competence, 2 the root.
    """
    if progress >= pacing:
        return 1.0
    return float((progress / pacing * (1 - start**power) + start**power) ** (1 / power))


def by_rarity(
    lengths: Sequence[int],
    epoch: int,
    epochs: int,
    generator: random.Random,
    *,
    difficulty: Sequence[float],
    power: float,
    start: float,
    pacing: float,
) -> list[int]:
    """As many rows as there are, each drawn from the admitted at its place, with replacement.

    From where all are admitted, rows come in a shuffled order without replacement.
    """
    rows = len(lengths)
    easiest = sorted(range(rows), key=difficulty.__getitem__)
    shuffled = iter(generator.sample(range(rows), rows))
    order = []
    for place in range(rows):
        share = competent((epoch + place / rows) / epochs, start, pacing, power)
        admitted = max(1, math.ceil(share * rows))
        order.append(next(shuffled) if share >= 1 else easiest[generator.randrange(admitted)])
    return order
