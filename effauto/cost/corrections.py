"""What measurements teach about estimates: by which factor a resource is foretold wrongly.

A machine has its factor, and each method a deviation from it, both drawn towards none while pairs
are few. Ranges are conformal: quantiles of what fits to other pairs left over (Vovk, Gammerman and
Shafer 2005, "Algorithmic Learning in a Random World"), which cover new trials like the old ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, NamedTuple

from effauto.cost.ranges import Range

# Pairs that weigh as much as knowing nothing: of a machine, and of a method on it. The second errs
# least on the shipped trials when each task is foretold from the others.
PRIOR_PAIRS, PRIOR_METHOD_PAIRS = 3, 16
# The share of trials left out below a range, and above it: 80 % lie within.
TAIL = 0.1
# Fewer pairs have no such quantiles (1 / TAIL - 1), so ranges stay as they were foretold.
LEAST_PAIRS = 9
# The least spread (log) that is believed.
LEAST_SPREAD = 0.04
FOLDS, SWEEPS = 10, 8


class Pair(NamedTuple):
    """A figure foretold without corrections, what was then measured, and the recipe's methods."""

    resource: str
    foretold: float
    measured: float
    methods: frozenset[str] = frozenset()

    @property
    def log_ratio(self) -> float:
        return math.log(self.measured / self.foretold)

    @property
    def usable(self) -> bool:
        return 0 < self.foretold < math.inf and 0 < self.measured < math.inf


@dataclass(frozen=True)
class Correction:
    """Multiply by ``factor``; ``below`` and ``above`` are the spread around that, as logarithms.

    ``pairs`` is on how many pairs of foretold and measured it rests; ``methods`` has the logarithm
    of each seen method's own factor. One that is not ``known`` is of a recipe with unseen methods.
    """

    factor: float
    below: float
    above: float
    pairs: int
    methods: Mapping[str, float] = field(default_factory=dict)
    known: bool = True

    def of(self, raw: Range) -> Range:
        """The range moved, and as narrow or wide as enough pairs found it; else as it was."""
        moved = raw.scaled(self.factor)
        if self.pairs < LEAST_PAIRS or raw.low <= 0:
            return moved
        low, high = moved.value * math.exp(-self.below), moved.value * math.exp(self.above)
        if self.known:
            return Range(low, moved.value, high)
        return Range(min(low, moved.low), moved.value, max(high, moved.high))

    def of_recipe(self, methods: Iterable[str]) -> Correction:
        """The same with the factors of these methods, of which some may never have been seen."""
        deviation, known = 0.0, True
        for method in methods:
            known = known and method in self.methods
            deviation += self.methods.get(method, 0.0)
        if known and not deviation:
            return self
        factor = self.factor * math.exp(deviation)
        return Correction(factor, self.below, self.above, self.pairs, self.methods, known)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Correction:
        return cls(**{key: data[key] for key in cls.__dataclass_fields__ if key in data})


def learn_corrections(
    pairs: Iterable[Pair | tuple[str, float, float]],
) -> dict[str, Correction]:
    """Learn from (resource, foretold, measured, methods), ``foretold`` itself not corrected.

    The factor is the median ratio; pairs with a number that is not positive and finite are left
    out.
    """
    found: dict[str, list[Pair]] = defaultdict(list)
    for pair in (Pair(*given) for given in pairs):
        if pair.usable:
            found[pair.resource].append(pair)
    return {resource: _correction(theirs) for resource, theirs in found.items()}


@dataclass(frozen=True)
class _Fit:
    shift: float
    methods: Mapping[str, float]

    def log_factor(self, pair: Pair) -> float:
        return self.shift + sum(self.methods.get(method, 0.0) for method in pair.methods)


def _correction(pairs: Sequence[Pair]) -> Correction:
    fit = _fit(pairs)
    below, above = _spread(pairs) if len(pairs) >= LEAST_PAIRS else (0.0, 0.0)
    return Correction(
        factor=math.exp(fit.shift),
        below=max(LEAST_SPREAD, below),
        above=max(LEAST_SPREAD, above),
        pairs=len(pairs),
        methods=fit.methods,
    )


def _fit(pairs: Sequence[Pair]) -> _Fit:
    """The machine's factor and each method's, in turn, of what the others leave (backfitting)."""
    trust = len(pairs) / (len(pairs) + PRIOR_PAIRS)
    left = [pair.log_ratio for pair in pairs]
    places: dict[str, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        for method in sorted(pair.methods):
            places[method].append(place)
    shift, own = 0.0, dict.fromkeys(places, 0.0)
    for _ in range(SWEEPS):
        moved = trust * (median(left) + shift) - shift
        left, shift = [value - moved for value in left], shift + moved
        for method, using in places.items():
            whole = sum(left[place] for place in using) + len(using) * own[method]
            moved = whole / (len(using) + PRIOR_METHOD_PAIRS) - own[method]
            own[method] += moved
            for place in using:
                left[place] -= moved
    return _Fit(shift, own)


def _spread(pairs: Sequence[Pair]) -> tuple[float, float]:
    """How far below and above pairs lie from what the others foretell of them."""
    folds = min(FOLDS, len(pairs))
    left = []
    for fold in range(folds):
        fit = _fit([pair for n, pair in enumerate(pairs) if n % folds != fold])
        left += [pair.log_ratio - fit.log_factor(pair) for pair in pairs[fold::folds]]
    left.sort()
    rank = math.floor(TAIL * (len(left) + 1) + 1e-9)
    return -left[rank - 1], left[-rank]
