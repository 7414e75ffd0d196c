"""The page's tables: figures beside their limits, and what each method bought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from effauto.budget import Budget, Limit
from effauto.planner.answers.plan import Plan
from effauto.report.bought import cell, known
from effauto.report.page.points import Point, best_point
from effauto.report.plan import worth_showing
from effauto.report.values import meaning, range_of, value_of, written
from effauto.resources import Figures


@dataclass(frozen=True)
class Row:
    """One resource: what it means, its figures as text, its limit, and whether that is kept."""

    resource: str
    meaning: str
    foretold: str
    spread: str
    measured: str
    limit: str
    kept: bool | None
    note: str


@dataclass(frozen=True)
class Table:
    """Cells as text; the first of each row is its heading."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str


def figure_rows(plan: Plan) -> list[Row]:
    """What the plan foretells at full scale, beside what its search measured."""
    limits = {limit.resource: limit for limit in plan.budget}
    return [
        _row(name, plan.estimate, plan.measurement, limits.get(name))
        for name in worth_showing(plan)
    ]


def study_rows(points: Sequence[Point], metric: str, budget: Budget) -> list[Row]:
    """What was measured of the best trial of a study."""
    best = best_point(points, metric)
    limits = {limit.resource: limit for limit in budget}
    figures = best.figures if best else {}
    return [_row(name, {}, figures, limits.get(name)) for name in sorted(figures)]


def _row(name: str, foretold: Figures, measured: Figures, limit: Limit | None) -> Row:
    judged = foretold.get(name) or measured[name]
    return Row(
        resource=name,
        meaning=meaning(name, judged.unit).meaning,
        foretold=value_of(name, foretold.get(name)),
        spread=range_of(name, judged),
        measured=value_of(name, measured.get(name)),
        limit=written(name, limit.limit, limit.unit) if limit else "",
        kept=limit.met(judged.value) if limit else None,
        note=judged.note,
    )


def bought_table(plan: Plan) -> Table | None:
    """A line for each method, and how all this is known; None if no method can be left out."""
    told = [one for one in plan.bought if one.figures]
    if not told:
        return None
    names = list(dict.fromkeys(name for one in told for name in one.figures))
    rows = [
        [one.method, *(cell(n, one.figures[n]) if n in one.figures else "" for n in names)]
        for one in told
    ]
    return Table(["Method", *names], rows, known(told))
