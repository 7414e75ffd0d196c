"""Which pieces of a row are hidden from a masked language model, and what stands in their place."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from effauto.execution.encoding import FIRST_PIECE_ONLY, Pieces
from effauto.traits import HIDDEN

Numbers = NDArray[np.int64]
# (a row, how many of its pieces, generator) -> the places of these, or of a few more or less
Choose = Callable[[Pieces, int, random.Random], Sequence[int]]


def single_pieces(row: Pieces, count: int, generator: random.Random) -> list[int]:
    """Each piece alike; the first, with which every row begins, is never hidden."""
    return generator.sample(range(1, len(row.sides[0])), count)


@dataclass(frozen=True)
class Masking:
    """A share ``rate`` of the pieces is to be foretold; ``choose`` tells which.

    Of these the share ``marked`` is replaced by the mask and ``swapped`` by a piece drawn at
    random; the rest stays as it is (Devlin et al. 2019, section 3.1).
    """

    rate: float = HIDDEN
    marked: float = 0.8
    swapped: float = 0.1
    choose: Choose = single_pieces

    def places(self, row: Pieces, generator: random.Random) -> Sequence[int]:
        """Where the row's hidden pieces are: one at least, if it has any beside its first."""
        able = len(row.sides[0]) - 1
        if able < 1:
            return ()
        return self.choose(row, min(able, max(1, round(self.rate * able))), generator)

    def applied(
        self, numbers: Numbers, rows: Sequence[Pieces], mask: int, vocabulary: int
    ) -> tuple[Numbers, Numbers]:
        """(batch, tokens) pieces to read and to foretell, -100 where nothing is asked.

        Drawn by torch's generator, which a training seeds.
        """
        generator = random.Random(int(torch.randint(2**62, ()).item()))
        read, targets = numbers.copy(), np.full_like(numbers, FIRST_PIECE_ONLY)
        for place, row in enumerate(rows):
            for hidden in self.places(row, generator):
                piece = row.sides[0][hidden]
                targets[place, hidden] = piece
                read[place, hidden] = self._shown(piece, mask, vocabulary, generator)
        return read, targets

    def _shown(self, piece: int, mask: int, vocabulary: int, generator: random.Random) -> int:
        drawn = generator.random()
        if drawn < self.marked:
            return mask
        return generator.randrange(vocabulary) if drawn < self.marked + self.swapped else piece
