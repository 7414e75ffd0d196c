"""How long the inputs of a task are, and what padding makes of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

# Word pieces are padded to a multiple of this.
PAD_TO = 8
# Longer inputs count as this long: few models read more, and a plan keeps one number a step.
LONGEST = 1024


@dataclass(frozen=True)
class Padded:
    """What is computed for an input: ``mean`` word pieces, and their ``square``, both means."""

    mean: float
    square: float

    @property
    def unevenness(self) -> float:
        """The mean square over the squared mean."""
        return self.square / self.mean**2 if self.mean else 1.0


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
    def inputs(self) -> int:
        return sum(self.counts)

    def _mean_of(self, of: Callable[[float], float]) -> float:
        weighed = (of(PAD_TO * step) * count for step, count in enumerate(self.counts, 1))
        return sum(weighed) / self.inputs

    def longest_of(self, inputs: float, among: float = 0.0) -> float:
        """The mean of the longest of so many, drawn from ``among`` such inputs (0: from these)."""
        return longest_of(self.counts, inputs, among or self.inputs).mean

    def alone(self) -> Padded:
        """Each input is padded on its own."""
        return Padded(self.mean, self._mean_of(lambda length: length * length))


Counts = tuple[int, ...]


@lru_cache(maxsize=4096)
def longest_of(counts: Counts, inputs: float, among: float) -> Padded:
    """The longest of ``inputs`` drawn, none twice, from ``among`` inputs of such lengths."""
    below = _reached(counts, among)
    return _moments([_none_above(reached, among, min(inputs, among)) for reached in below])


@lru_cache(maxsize=4096)
def in_pools(counts: Counts, inputs: float, pool: float, size: float, among: float) -> Padded:
    """What is computed for ``inputs`` drawn from ``among`` inputs of such lengths.

    They are parted into pools at random; each of these is sorted and cut into batches of ``size``,
    which are padded. Batches of a pool as large as a batch are random, those of one pool sorted.
    """
    below = _reached(counts, among)
    if min(pool, inputs) >= among:
        return _sorted(below, among, size)
    total = square = 0.0
    for drawn, times in _parts(inputs, min(pool, inputs)):
        for first, last in _batches(drawn, size):
            shares = [_is_below(last, drawn, reached, among) for reached in below]
            found = _moments(shares)
            total += times * (last - first) * found.mean
            square += times * (last - first) * found.square
    return Padded(total / inputs, square / inputs)


def _sorted(below: list[float], inputs: float, size: float) -> Padded:
    """All are sorted, so that each batch ends at a known place."""
    size = min(max(1.0, size), inputs)
    ends = [size * (reached // size) for reached in below]
    ends[-1] = inputs
    shares = [end / inputs for end in ends]
    return _moments(shares)


def _reached(counts: Counts, inputs: float) -> list[float]:
    """How many of ``inputs`` such inputs have at most each length."""
    times = inputs / sum(counts)
    return [times * count for count in accumulate(counts)]


def _moments(reached: list[float]) -> Padded:
    """From the probabilities that a length is at most 8, 16, 24 …"""
    shares = [after - before for before, after in pairwise([0.0, *reached])]
    lengths = [PAD_TO * step for step in range(1, len(shares) + 1)]
    mean = sum(length * share for length, share in zip(lengths, shares, strict=True))
    square = sum(length**2 * share for length, share in zip(lengths, shares, strict=True))
    return Padded(mean, square)


def _parts(inputs: float, pool: float) -> Iterator[tuple[float, float]]:
    """(inputs of a pool, how many pools there are of that size)."""
    whole = max(1.0, inputs // pool)
    yield min(pool, inputs), whole
    if (rest := inputs - whole * pool) > 1e-9:
        yield rest, 1.0


# More batches than this in a pool are counted together, for lengths differ little between them.
MOST_BATCHES = 64


def _batches(pool: float, size: float) -> Iterator[tuple[float, float]]:
    """The places in a sorted pool where each batch begins and ends."""
    size = max(size, 1.0, pool / MOST_BATCHES)
    start = 0.0
    while start < pool - 1e-9:
        yield start, min(pool, start + size)
        start += size


def _none_above(below: float, among: float, drawn: float) -> float:
    """Whether all that are drawn are among the ``below`` shortest: a ratio of binomials."""
    if below >= among - 1e-9:
        return 1.0
    if drawn > below:
        return 0.0
    ways = math.lgamma(below + 1) - math.lgamma(below - drawn + 1)
    return math.exp(ways - math.lgamma(among + 1) + math.lgamma(among - drawn + 1))


def _is_below(place: float, drawn: float, below: float, among: float) -> float:
    """Whether, of ``drawn`` sorted, the one at ``place`` (from 1) is among the ``below`` shortest.

    So are at least that many of them, which is hypergeometric; nearly normal if many are drawn.
    """
    if place >= drawn:
        return _none_above(below, among, drawn)
    if drawn >= among:
        return 1.0 if below >= place - 1e-9 else 0.0
    share = below / among
    spread = drawn * share * (1 - share) * (among - drawn) / max(1.0, among - 1)
    if spread <= 0:
        return 1.0 if drawn * share >= place - 1e-9 else 0.0
    return 0.5 * math.erfc((place - 0.5 - drawn * share) / math.sqrt(2 * spread))
