"""When nothing fits: which limits bind, alone or together, and the least that would do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from effauto.budget import Budget, Limit
from effauto.quantities import show
from effauto.resources import Figures

# A relaxed limit is this much kinder than the figure, so that rounding it for print cannot hurt.
SLACK = 1.02
# More ways out than a reader weighs are left out, and so are larger knots of limits.
MOST_RELAXATIONS, MOST_TOGETHER = 4, 4
# What having the least, or most, of a resource is called.
_BEST = {"time": "fastest", "latency": "fastest", "throughput": "fastest", "size": "smallest"}

# Of each limit, the logarithm of the factor by which it is missed; 0 if it is met.
Distances = tuple[float, ...]


@dataclass(frozen=True)
class Bound:
    """One limit, the candidate that comes closest to it, and what that one needs.

    ``met`` tells whether some candidate keeps this limit, taken alone.
    """

    limit: Limit
    candidate: str
    value: float
    met: bool

    @property
    def sentence(self) -> str:
        best = _BEST.get(self.limit.resource.partition(".")[2], "most frugal")
        verb = "reaches" if self.limit.at_least else "needs"
        needed = show(self.value, self.limit.unit)
        return f"{self.limit} cannot be met: the {best} recipe, {self.candidate}, {verb} {needed}"


@dataclass(frozen=True)
class Relaxation:
    """A budget that ``least`` meets and no smaller easing would; ``chosen`` is the best in it."""

    budget: Budget
    least: str
    chosen: str

    def to_json(self) -> dict[str, Any]:
        return {"budget": self.budget.to_json(), "least": self.least, "chosen": self.chosen}


@dataclass(frozen=True)
class Infeasibility:
    """Why no candidate meets a budget, and the budgets nearest to it that one does.

    ``conflicts`` are the smallest sets of limits that no candidate meets together; of the
    ``relaxations``, none eases every limit at least as much as another, and the first, which lets
    ``nearest`` fit, has the least worst factor.
    """

    bounds: tuple[Bound, ...]
    conflicts: tuple[tuple[Limit, ...], ...]
    relaxations: tuple[Relaxation, ...]
    nearest: str
    relaxed: Budget
    sentences: tuple[str, ...]

    @property
    def binding(self) -> tuple[Limit, ...]:
        """The limits that no candidate meets."""
        return tuple(bound.limit for bound in self.bounds if not bound.met)

    def to_json(self) -> dict[str, Any]:
        return {
            "binding": Budget(self.binding).to_json(),
            "conflicts": [Budget(limits).to_json() for limits in self.conflicts],
            "nearest": self.nearest,
            "relaxed": self.relaxed.to_json(),
            "relaxations": [relaxation.to_json() for relaxation in self.relaxations],
            "reasons": list(self.sentences),
        }


def explain_infeasible(
    candidates: Mapping[str, Figures], budget: Budget, worth: Mapping[str, float] | None = None
) -> Infeasibility:
    """Explain why none of ``candidates`` (name → figures) meets ``budget``.

    The smallest relaxation is that of the candidate whose worst excess, as a factor, is least. A
    figure that a candidate lacks counts as infinitely far off. ``worth`` tells which candidate
    would be chosen of those that then fit: the one with most. Raises ValueError without candidates
    or limits.
    """
    if not candidates or not budget.limits:
        raise ValueError(
            "only a budget with limits, and candidates to judge by it, can be explained"
        )
    bounds = tuple(_bound(limit, candidates) for limit in budget)
    far = {name: _distances(figures, budget) for name, figures in candidates.items()}
    near = _smallest(far)
    nearest = near[0] if near else min(far, key=lambda name: _size(far[name]))
    relaxations = tuple(
        _relaxation(name, candidates, budget, worth or {}) for name in near[:MOST_RELAXATIONS]
    )
    relaxed = _relaxed(candidates[nearest], budget)
    conflicts = _conflicts(far, budget)
    told = [*_reasons(bounds, conflicts), *_ways_out(relaxations, budget)]
    return Infeasibility(bounds, conflicts, relaxations, nearest, relaxed, tuple(told))


def _bound(limit: Limit, candidates: Mapping[str, Figures]) -> Bound:
    best = min(candidates, key=lambda name: _distance(limit, candidates[name]))
    figure = candidates[best].get(limit.resource)
    value = figure.value if figure else math.nan
    return Bound(limit, best, value, _distance(limit, candidates[best]) <= 0)


def _distance(limit: Limit, figures: Figures) -> float:
    """The logarithm of the factor by which the limit is missed; 0 or less if it is met."""
    figure = figures.get(limit.resource)
    if figure is None:
        return math.inf
    excess = limit.excess(figure.value)
    return math.log(excess) if excess > 0 else -math.inf


def _distances(figures: Figures, budget: Budget) -> Distances:
    return tuple(max(0.0, _distance(limit, figures)) for limit in budget)


def _size(distances: Distances) -> tuple[float, float]:
    return max(distances), sum(distances)


def _smallest(far: Mapping[str, Distances]) -> list[str]:
    """One name for each point of the Pareto front, the least worst factor first."""
    front: dict[Distances, str] = {}
    for name in sorted(far, key=lambda name: _size(far[name])):
        point = far[name]
        beaten = any(all(a <= b for a, b in zip(o, point, strict=True)) for o in front)
        if not beaten and math.isfinite(max(point)):
            front[point] = name
    return list(front.values())


def _conflicts(far: Mapping[str, Distances], budget: Budget) -> tuple[tuple[Limit, ...], ...]:
    """The smallest sets of limits of which every candidate breaks one."""
    broken = {frozenset(n for n, d in enumerate(point) if d > 0) for point in far.values()}
    found: list[frozenset[int]] = []
    for size in range(1, min(MOST_TOGETHER, len(budget.limits)) + 1):
        for limits in map(frozenset, combinations(range(len(budget.limits)), size)):
            smaller = any(other <= limits for other in found)
            if not smaller and all(limits & candidate for candidate in broken):
                found.append(limits)
    return tuple(tuple(budget.limits[n] for n in sorted(limits)) for limits in found)


def _relaxation(
    least: str, candidates: Mapping[str, Figures], budget: Budget, worth: Mapping[str, float]
) -> Relaxation:
    relaxed = _relaxed(candidates[least], budget)
    fitting = [
        name
        for name, figures in candidates.items()
        if not relaxed.broken({resource: figure.value for resource, figure in figures.items()})
    ]
    chosen = max([least, *fitting], key=lambda name: worth.get(name, -math.inf))
    return Relaxation(relaxed, least, chosen)


def _relaxed(figures: Figures, budget: Budget) -> Budget:
    return Budget(tuple(_loosened(limit, figures) for limit in budget))


def _loosened(limit: Limit, figures: Figures) -> Limit:
    figure = figures.get(limit.resource)
    if figure is None or limit.met(figure.value):
        return limit
    eased = figure.value / SLACK if limit.at_least else figure.value * SLACK
    return replace(limit, limit=eased, text="")


def _reasons(bounds: Sequence[Bound], conflicts: Sequence[Sequence[Limit]]) -> list[str]:
    sentences = [bound.sentence for bound in bounds if not bound.met and math.isfinite(bound.value)]
    sentences += [
        f"{bound.limit} cannot be met: no recipe tells its {bound.limit.resource}"
        for bound in bounds
        if math.isnan(bound.value)
    ]
    together = [" and ".join(map(str, limits)) for limits in conflicts if len(limits) > 1]
    sentences += [
        f"each limit can be met alone, but no recipe meets {limits} together" for limits in together
    ]
    return sentences


def _ways_out(relaxations: Iterable[Relaxation], budget: Budget) -> Iterator[str]:
    way = "relaxing to"
    for relaxation in relaxations:
        eased = [str(new) for old, new in zip(budget, relaxation.budget, strict=True) if new != old]
        least, chosen = relaxation.least, relaxation.chosen
        then = f"; {chosen} would then be chosen" if chosen != least else ""
        yield f"{way} {' and '.join(eased)} would let {least} fit{then}"
        way = "or relaxing to"
