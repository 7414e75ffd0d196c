"""How long the inputs of a task are, and what padding makes of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise

# Word pieces are padded to a multiple of this.
PAD_TO = 8
# Longer inputs count as this long: few models read more, and a plan keeps one number a step.
LONGEST = 1024


@dataclass(frozen=True)
class Lengths:
    """How many inputs are padded to 8, 16, 24 … word pieces, each on its own."""

    counts: tuple[int, ...]

    @classmethod
    def of(cls, tokens: Iterable[float]) -> Lengths:
        """From the word pieces of each input; one of none is padded like one of one."""
        found = Counter(max(1, math.ceil(min(count, LONGEST) / PAD_TO)) for count in tokens)
        return cls(tuple(found[step] for step in range(1, max(found) + 1)))

    def cut(self, most: float) -> Lengths:
        """The same inputs, each cut to ``most`` word pieces."""
        last = max(1, math.ceil(most / PAD_TO))
        if len(self.counts) <= last:
            return self
        return Lengths((*self.counts[: last - 1], sum(self.counts[last - 1 :])))

    @property
    def mean(self) -> float:
        return self._mean_of(lambda length: length)

    @property
    def unevenness(self) -> float:
        """The mean square over the squared mean."""
        return self._mean_of(lambda length: length * length) / self.mean**2

    @property
    def median(self) -> float:
        """The length of the input in the middle, the longer one of two."""
        middle = self.inputs // 2
        return next(
            float(PAD_TO * step)
            for step, reached in enumerate(accumulate(self.counts), 1)
            if reached > middle
        )

    @property
    def longest(self) -> float:
        return float(PAD_TO * len(self.counts))

    @property
    def spread(self) -> float:
        """The longest less the shortest."""
        shortest = next(step for step, count in enumerate(self.counts, 1) if count)
        return self.longest - PAD_TO * shortest

    @property
    def inputs(self) -> int:
        return sum(self.counts)

    def longest_of(self, inputs: float) -> float:
        """The mean of the longest of so many inputs, drawn at random."""
        reached = [math.pow(below / self.inputs, inputs) for below in accumulate(self.counts)]
        new = (after - before for before, after in pairwise([0.0, *reached]))
        return sum(PAD_TO * step * share for step, share in enumerate(new, 1))

    def _mean_of(self, of: Callable[[float], float]) -> float:
        weighed = (of(PAD_TO * step) * count for step, count in enumerate(self.counts, 1))
        return sum(weighed) / self.inputs
