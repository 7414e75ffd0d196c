"""When nothing fits: which limits bind, and the least that would have to give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from effauto.budget import Budget, Limit
from effauto.quantities import show
from effauto.resources import Figures

# A relaxed limit is this much kinder than the figure, so that rounding it for print cannot hurt.
SLACK = 1.02
# What having the least, or most, of a resource is called.
_BEST = {"time": "fastest", "latency": "fastest", "throughput": "fastest", "size": "smallest"}


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
class Infeasibility:
    """Why no candidate meets a budget, and the budget nearest to it that one, ``nearest``, does."""

    bounds: tuple[Bound, ...]
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
            "nearest": self.nearest,
            "relaxed": self.relaxed.to_json(),
            "reasons": list(self.sentences),
        }


def explain_infeasible(candidates: Mapping[str, Figures], budget: Budget) -> Infeasibility:
    """Explain why none of ``candidates`` (name → figures) meets ``budget``.

    The smallest relaxation is that of the candidate whose worst excess, as a factor, is least. A
    figure that a candidate lacks counts as infinitely far off. Raises ValueError without
    candidates or limits.
    """
    if not candidates or not budget.limits:
        raise ValueError(
            "only a budget with limits, and candidates to judge by it, can be explained"
        )
    bounds = tuple(_bound(limit, candidates) for limit in budget)
    nearest = min(candidates, key=lambda name: _distances(candidates[name], budget))
    relaxed = _relaxed(candidates[nearest], budget)
    return Infeasibility(bounds, nearest, relaxed, _sentences(bounds, nearest, budget, relaxed))


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


def _distances(figures: Figures, budget: Budget) -> tuple[float, float]:
    missed = [max(0.0, _distance(limit, figures)) for limit in budget]
    return max(missed), sum(missed)


def _relaxed(figures: Figures, budget: Budget) -> Budget:
    return Budget(tuple(_loosened(limit, figures) for limit in budget))


def _loosened(limit: Limit, figures: Figures) -> Limit:
    figure = figures.get(limit.resource)
    if figure is None or limit.met(figure.value):
        return limit
    return replace(limit, limit=figure.value / SLACK if limit.at_least else figure.value * SLACK)


def _sentences(
    bounds: tuple[Bound, ...], nearest: str, budget: Budget, relaxed: Budget
) -> tuple[str, ...]:
    sentences = [bound.sentence for bound in bounds if not bound.met and math.isfinite(bound.value)]
    sentences += [
        f"{bound.limit} cannot be met: no recipe tells its {bound.limit.resource}"
        for bound in bounds
        if math.isnan(bound.value)
    ]
    if not sentences:
        limits = " and ".join(str(limit) for limit in budget)
        sentences.append(f"each limit can be met alone, but no recipe meets {limits} together")
    eased = [new for old, new in zip(budget, relaxed, strict=True) if new != old]
    if eased:
        wanted = " and ".join(str(limit) for limit in eased)
        sentences.append(f"relaxing to {wanted} would let {nearest} fit")
    return tuple(sentences)
