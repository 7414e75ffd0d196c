"""What was tried so far, brought to full scale, so that candidates can be compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from effauto.budget import Budget, Limit
from effauto.planner.candidate import Candidate
from effauto.planner.preferring import TIE, expense_of, preferred
from effauto.preference import Preference
from effauto.resources import QUALITY, SHARES, Figure, Figures, resource_named

# What a repeat on the same machine may differ by: a limit on time must be kept with this to spare.
NOISE_RESERVE = {"train.time": 1.1, "inference.latency": 1.1, "inference.throughput": 1.1}

QUALITY_FIRST = Preference()
Derive = Callable[[Figures], Figures]


@dataclass
class Result:
    """One finished trial. ``foretold`` is uncorrected, at the trial's scale and at full scale.

    ``gradients`` tells whether its training computes any; ``gain`` is the quality that all of the
    data is expected to add; ``answers`` are those to the validation rows, if they were kept;
    ``derived`` tells what follows from figures at full scale.
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
    derived: Derive = field(default=lambda figures: {}, compare=False, repr=False)
    answers: tuple[int, ...] = field(default=(), compare=False, repr=False)

    def quality(self, metric: str) -> float:
        """Measured quality and what more data is expected to add."""
        return self.measured[QUALITY + metric].value + self.gain

    def projected(self) -> dict[str, Figure]:
        """Each cost, brought to full scale by the ratio foretold; the quality with its gain."""
        figures = {
            name: self._gained(figure) if name.startswith(QUALITY) else self._full(name, figure)
            for name, figure in self.measured.items()
        }
        return figures | dict(self.derived(figures))

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
        return figure.value - TIE * figure.deviation
    factor = NOISE_RESERVE.get(name, 1.0)
    return figure.value / factor if name == "inference.throughput" else figure.value * factor


def latest(results: Iterable[Result]) -> list[Result]:
    """For each candidate its result at the largest scale: the mean, if it was repeated there."""
    found: dict[str, list[Result]] = {}
    for result in results:
        runs = found.setdefault(result.candidate.key, [])
        if runs and result.fidelity > runs[0].fidelity:
            runs.clear()
        if not runs or result.fidelity == runs[0].fidelity:
            runs.append(result)
    return [pooled(runs) for runs in found.values()]


def pooled(runs: Sequence[Result]) -> Result:
    """The mean of the same trial with several seeds; what was measured twice with one counts once.

    Ranges are not narrower for it: seeds do not tell how a quality varies with the rows judged.
    """
    by_seed = list({result.seed: result for result in runs}.values())
    if len(by_seed) == 1:
        return by_seed[0]
    shared = set.intersection(*(set(result.measured) for result in by_seed))
    figures = {
        name: _mean([result.measured[name] for result in by_seed])
        for name in by_seed[0].measured
        if name in shared
    }
    return replace(by_seed[-1], measured=figures, gain=fmean(r.gain for r in by_seed))


def _mean(figures: Sequence[Figure]) -> Figure:
    value, low, high = (
        fmean(numbers) for numbers in zip(*((f.value, f.low, f.high) for f in figures), strict=True)
    )
    note = f"mean of {len(figures)} seeds"
    notes = ", ".join(filter(None, (figures[-1].note, note)))
    return replace(figures[-1], value=value, low=low, high=high, note=notes)


def choose(
    results: Sequence[Result],
    budget: Budget,
    metric: str,
    preference: Preference = QUALITY_FIRST,
) -> Result | None:
    """The most preferred result that keeps every limit; of those as good, the cheapest.

    Without goals the best quality is preferred, and what lies within its noise is as good. None if
    every result breaks a limit. One whose quality was not measured is never chosen.
    """
    tried = [result for result in latest(results) if QUALITY + metric in result.measured]
    figures = {id(result): result.projected() for result in tried}
    for reserve in (True, False):
        allowed = [result for result in tried if not keeps(result, budget, reserve=reserve)]
        if allowed:
            ties = preferred(allowed, lambda result: figures[id(result)], preference, metric)
            return min(ties, key=lambda result: expense_of(figures[id(result)]))
    return None


def front(results: Sequence[Result], metric: str, resources: Sequence[str]) -> list[Result]:
    """Those that no other beats in quality and in every resource."""
    tried = latest(results)
    points = [_point(result, metric, resources) for result in tried]
    return [
        result
        for result, point in zip(tried, points, strict=True)
        if not any(dominates(other, point) for other in points)
    ]


def _point(result: Result, metric: str, resources: Sequence[str]) -> tuple[float, ...]:
    figures = result.projected()
    return (-result.quality(metric), *(loss(figures, name) for name in resources))


def loss(figures: Figures, resource: str) -> float:
    """The value, or its negative if more is better; infinite if there is none."""
    if resource not in figures:
        return math.inf
    value = figures[resource].value
    return -value if resource_named(resource).higher_is_better else value


def dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether ``one`` is nowhere more and somewhere less."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other
