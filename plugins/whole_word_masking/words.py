"""The words of a row as ranges of pieces, and some of them drawn."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from effauto import Pieces


def words_of(row: Pieces) -> list[range]:
    """The places of each word's pieces; of one that was cut off, those that are left."""
    starts = [place for place in row.words if place >= 0]
    return [range(*ends) for ends in pairwise([*starts, row.length])]


def whole_words(row: Pieces, count: int, generator: random.Random) -> list[int]:
    """Words in random order, of which each is taken that still fits into ``count`` pieces.

    If none fits, the shortest is taken all the same.
    """
    words = words_of(row)
    if not words:  # nothing but pieces that stand for no text
        return generator.sample(range(1, row.length), count)
    taken: list[int] = []
    for word in generator.sample(words, len(words)):
        if len(taken) + len(word) <= count:
            taken += word
    return taken or min(map(list, words), key=len)
