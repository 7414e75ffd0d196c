"""Spans of words, drawn until so many pieces are hidden."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from effauto import Pieces


def length(mean: float, longest: int, generator: random.Random) -> int:
    """Words of a span: geometric, as in Joshi et al. 2020, section 3.1, and no longer than that."""
    drawn = 1 + int(math.log(1.0 - generator.random()) / math.log(1.0 - 1.0 / mean))
    return min(longest, drawn)


def spans(
    row: Pieces, count: int, generator: random.Random, *, mean: float, longest: int
) -> list[int]:
    """Places of spans that begin at random words, cut once ``count`` pieces are hidden."""
    starts = [place for place in row.words if place >= 0]
    if not starts:  # nothing but pieces that stand for no text
        return generator.sample(range(1, row.length), count)
    ends = [*starts[1:], row.length]
    hidden: set[int] = set()
    for first in generator.sample(range(len(starts)), len(starts)):
        last = min(len(starts), first + length(mean, longest, generator)) - 1
        for place in range(starts[first], ends[last]):
            if len(hidden) == count:
                return sorted(hidden)
            hidden.add(place)
    return sorted(hidden)
