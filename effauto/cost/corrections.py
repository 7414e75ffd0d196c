"""What measurements teach about estimates: by which factor a resource is foretold wrongly."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from effauto.cost.ranges import Range

# Pairs that weigh as much as knowing nothing, and the least spread (log) that is believed.
PRIOR_PAIRS = 3
LEAST_SPREAD = 0.04


@dataclass(frozen=True)
class Correction:
    """Multiply by ``factor``; ``below`` and ``above`` are the spread around that, as logarithms.

    ``pairs`` is on how many pairs of foretold and measured it rests.
    """

    factor: float
    below: float
    above: float
    pairs: int

    def of(self, raw: Range) -> Range:
        """The range moved, and as much narrower or wider as the pairs can justify."""
        if raw.low <= 0:
            return raw.scaled(self.factor)
        trust = _trust(self.pairs)
        below = (1 - trust) * math.log(raw.value / raw.low) + trust * self.below
        above = (1 - trust) * math.log(raw.high / raw.value) + trust * self.above
        value = raw.value * self.factor
        return Range(value * math.exp(-below), value, value * math.exp(above))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Correction:
        return cls(**{key: data[key] for key in cls.__dataclass_fields__})


def learn_corrections(pairs: Iterable[tuple[str, float, float]]) -> dict[str, Correction]:
    """Learn from (resource, foretold, measured), where ``foretold`` was itself not corrected.

    The factor is the median ratio, drawn towards 1 while pairs are few; pairs with a number that
    is not positive and finite are left out.
    """
    ratios: dict[str, list[float]] = defaultdict(list)
    for resource, foretold, measured in pairs:
        if 0 < foretold < math.inf and 0 < measured < math.inf:
            ratios[resource].append(math.log(measured / foretold))
    return {resource: _correction(found) for resource, found in ratios.items()}


def _correction(log_ratios: list[float]) -> Correction:
    shift = _trust(len(log_ratios)) * median(log_ratios)
    rest = sorted(ratio - shift for ratio in log_ratios)
    return Correction(
        factor=math.exp(shift),
        below=max(LEAST_SPREAD, -_quantile(rest, 0.1)),
        above=max(LEAST_SPREAD, _quantile(rest, 0.9)),
        pairs=len(log_ratios),
    )


def _trust(pairs: int) -> float:
    return pairs / (pairs + PRIOR_PAIRS)


def _quantile(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
