"""What was tried so far, brought to full scale, so that candidates can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from effauto.budget import Budget, Limit
from effauto.planner.candidate import Candidate
from effauto.resources import QUALITY, SHARES, Figure, Figures

# What a repeat on the same machine may differ by: a limit on time must be kept with this to spare.
NOISE_RESERVE = {"train.time": 1.1, "inference.latency": 1.1, "inference.throughput": 1.1}
# Half a standard error of the quality: closer candidates are a tie.
TIE = 0.5


@dataclass
class Result:
    """One finished trial. ``foretold`` is uncorrected, at the trial's scale and at full scale.

    ``gradients`` tells whether its training computes any; ``gain`` is the quality that all of the
    data is expected to add.
    """

    candidate: Candidate
    fidelity: float
    seed: int
    measured: Figures
    foretold: Figures
    foretold_full: Figures
    trial: int | None = None
    gradients: bool = True
    gain: float = field(default=0.0, compare=False)

    def quality(self, metric: str) -> float:
        """Measured quality and what more data is expected to add."""
        return self.measured[QUALITY + metric].value + self.gain

    def projected(self) -> dict[str, Figure]:
        """Each cost, brought to full scale by the ratio foretold; the quality with its gain."""
        return {
            name: self._gained(figure) if name.startswith(QUALITY) else self._full(name, figure)
            for name, figure in self.measured.items()
        }

    def _gained(self, figure: Figure) -> Figure:
        value, low, high = (
            min(1.0, share + self.gain) for share in (figure.value, figure.low, figure.high)
        )
        return replace(figure, value=value, low=low, high=high)

    def _full(self, name: str, figure: Figure) -> Figure:
        here, full = self.foretold.get(name), self.foretold_full.get(name)
        if self.fidelity >= 1 or here is None or full is None or here.value <= 0:
            return figure
        return figure.scaled(full.value / here.value)


def keeps(result: Result, budget: Budget, *, reserve: bool) -> list[Limit]:
    """The limits that the result, at full scale, breaks; ``reserve`` leaves room for noise."""
    figures = result.projected()
    return budget.broken({n: _unlucky(n, f) if reserve else f.value for n, f in figures.items()})


def _unlucky(name: str, figure: Figure) -> float:
    """What a repeat may come to: shares by half a standard error, times by a tenth."""
    if name.startswith(SHARES):
        return figure.value - TIE * deviation(figure)
    factor = NOISE_RESERVE.get(name, 1.0)
    return figure.value / factor if name == "inference.throughput" else figure.value * factor


def latest(results: Iterable[Result]) -> list[Result]:
    """For each candidate its result at the largest scale."""
    best: dict[str, Result] = {}
    for result in results:
        other = best.get(result.candidate.key)
        if other is None or result.fidelity >= other.fidelity:
            best[result.candidate.key] = result
    return list(best.values())


def choose(results: Sequence[Result], budget: Budget, metric: str) -> Result | None:
    """The best result that keeps every limit; of those within noise of it, the cheapest.

    None if every result breaks a limit. One whose quality was not measured is never chosen.
    """
    tried = [result for result in latest(results) if QUALITY + metric in result.measured]
    for reserve in (True, False):
        allowed = [result for result in tried if not keeps(result, budget, reserve=reserve)]
        if allowed:
            best = max(allowed, key=lambda result: result.quality(metric))
            margin = TIE * standard_error(best, metric)
            ties = [r for r in allowed if r.quality(metric) >= best.quality(metric) - margin]
            return min(ties, key=expense)
    return None


def standard_error(result: Result, metric: str) -> float:
    """Of the measured quality, from its 80 % range."""
    return max(1e-4, deviation(result.measured[QUALITY + metric]))


def deviation(figure: Figure) -> float:
    """A standard deviation, from the 80 % range of a normal distribution."""
    return (figure.high - figure.low) / 2 / 1.2816


def expense(result: Result) -> float:
    """One number to break ties, at full scale."""
    return expense_of(result.projected())


def expense_of(figures: Figures) -> float:
    """Training time, latency and size, as logarithms, added up."""
    return sum(
        math.log(max(figures[name].value, 1e-9))
        for name in ("train.time", "inference.latency", "model.size")
        if name in figures
    )


def front(results: Sequence[Result], metric: str, resources: Sequence[str]) -> list[Result]:
    """Those that no other beats in quality and in every resource."""
    tried = latest(results)
    points = [_point(result, metric, resources) for result in tried]
    return [
        result
        for result, point in zip(tried, points, strict=True)
        if not any(_dominates(other, point) for other in points)
    ]


def _point(result: Result, metric: str, resources: Sequence[str]) -> tuple[float, ...]:
    figures = result.projected()
    costs = [figures[name].value if name in figures else math.inf for name in resources]
    return (-result.quality(metric), *costs)


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other
