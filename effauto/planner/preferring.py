"""Goals in their order, applied to anything that has figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from effauto.preference import Goal, Preference
from effauto.resources import Figure, Figures

T = TypeVar("T")
# Half a standard error of a share: closer ones are a tie.
TIE = 0.5


def preferred(
    rivals: Sequence[T],
    figures: Callable[[T], Figures],
    preference: Preference,
    metric: str,
) -> list[T]:
    """Those of ``rivals`` among which the goals, one after the other, see no difference.

    One that lacks a figure is out as soon as a goal asks for it, unless all lack it.
    """
    left = list(rivals)
    for goal in preference.complete:
        name = goal.named(metric)
        known = [(rival, figures(rival)[name]) for rival in left if name in figures(rival)]
        if known:
            left = _as_good_as_the_best(known, goal)
    return left


def _as_good_as_the_best(known: Sequence[tuple[T, Figure]], goal: Goal) -> list[T]:
    sign = 1.0 if goal.higher_is_better else -1.0
    best = max((figure for _, figure in known), key=lambda figure: sign * figure.value)
    least = sign * best.value - _margin(best, goal)
    return [rival for rival, figure in known if sign * figure.value >= least]


def _margin(best: Figure, goal: Goal) -> float:
    """How far from the best a figure may be, in its unit; a hair more, for rounding's sake."""
    hair = 1e-9 * max(abs(best.value), 1e-9)
    if goal.tolerance is None:
        return hair + TIE * max(1e-4, best.deviation) if goal.in_points else 0.0
    return hair + goal.tolerance * (1.0 if goal.in_points else abs(best.value))


def expense_of(figures: Figures) -> float:
    """Training time, latency and size, as logarithms, added up: one number to break ties."""
    return sum(
        math.log(max(figures[name].value, 1e-9))
        for name in ("train.time", "inference.latency", "model.size")
        if name in figures
    )
