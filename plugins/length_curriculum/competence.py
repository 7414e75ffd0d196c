"""Which rows may be read when: a share of the shortest that grows with training."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence


def competence(progress: float, start: float, pacing: float) -> float:
    """The share of rows admitted at ``progress`` (0 to 1): the root schedule of Platanios et al.

    It is ``start`` at 0, and 1 from the progress ``pacing`` on (their equation 7 with p = 2).
    """
    if progress >= pacing:
        return 1.0
    return math.sqrt(progress / pacing * (1 - start**2) + start**2)


def by_competence(
    lengths: Sequence[int],
    epoch: int,
    epochs: int,
    generator: random.Random,
    *,
    start: float,
    pacing: float,
) -> list[int]:
    """As many rows as there are, each drawn from the shortest that are admitted at its place.

    None is drawn again while an admitted one waits, so that an epoch with all admitted is a
    plain shuffled one.
    """
    rows = generator.sample(range(len(lengths)), len(lengths))
    shortest = sorted(rows, key=lengths.__getitem__)
    waiting: list[int] = []
    admitted = 0
    order = []
    for place in range(len(rows)):
        share = competence((epoch + place / len(rows)) / epochs, start, pacing)
        wanted = max(1, math.ceil(share * len(rows)))
        waiting += shortest[admitted:wanted]
        admitted = wanted
        waiting = waiting or shortest[:admitted]
        order.append(_draw(waiting, generator))
    return order


def _draw(rows: list[int], generator: random.Random) -> int:
    chosen = generator.randrange(len(rows))
    rows[chosen], rows[-1] = rows[-1], rows[chosen]
    return rows.pop()
