"""Learning curves: how much better a recipe gets with all of the data.

Error falls as a power of the number of examples (Hestness et al. 2017, "Deep Learning Scaling is
Predictable, Empirically": exponents of 0.07 to 0.35; small tasks reach 0.5).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from effauto.planner.results import Result
from effauto.resources import QUALITY

# What an untold curve may rise by at best, and how much above the mean of the told ones.
HOPEFUL, ABOVE = 0.45, 0.15
# Pairs that weigh as much as the belief that more data change nothing.
DOUBT = 1.0


@dataclass
class Curves:
    """Exponents learnt from recipes that were tried at two scales, apart for each kind of training.

    Whether gradients are computed is what sets curves apart: features that stay frozen gain less.
    """

    metric: str
    exponents: dict[bool, list[float]] = field(default_factory=dict)

    def learn(self, results: Sequence[Result]) -> None:
        """Learn from all results, and set the gain that each may expect at full scale."""
        self.exponents = {}
        for small, large in _pairs(results):
            fall = math.log(self._error(small) / self._error(large))
            exponent = fall / math.log(large.fidelity / small.fidelity)
            self.exponents.setdefault(small.gradients, []).append(exponent)
        for result in results:
            result.gain = self._gain(result, self._expected(result.gradients))

    def potential(self, result: Result) -> float:
        """The quality that the result might, with luck, have at full scale."""
        told = self.exponents.get(result.gradients)
        exponent = fmean(told) + ABOVE if told else HOPEFUL
        return self._quality(result) + self._gain(result, max(0.0, exponent))

    def _expected(self, gradients: bool) -> float:
        told = self.exponents.get(gradients, [])
        return max(0.0, sum(told) / (len(told) + DOUBT))

    def _gain(self, result: Result, exponent: float) -> float:
        error = 1 - self._quality(result)
        return float(error - error * min(1.0, result.fidelity) ** exponent)

    def _error(self, result: Result) -> float:
        return max(0.005, 1 - self._quality(result))

    def _quality(self, result: Result) -> float:
        return result.measured[QUALITY + self.metric].value


def _pairs(results: Iterable[Result]) -> list[tuple[Result, Result]]:
    """The same candidate at its smallest and its largest scale."""
    tried: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda result: result.fidelity):
        tried.setdefault(result.candidate.key, []).append(result)
    return [(t[0], t[-1]) for t in tried.values() if t[0].fidelity < t[-1].fidelity]
