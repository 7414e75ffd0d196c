"""A plan as a cell of a notebook shows it: the answer, its figures, and its front as a picture.

A picture and not a chart, since notebooks do not run the scripts of a page that they do not trust.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from effauto.planner.answers.plan import Plan
from effauto.report.page.points import Point, points_of
from effauto.report.page.render import TEMPLATES, environment
from effauto.report.page.tables import figure_rows
from effauto.report.plan import answer, setting
from effauto.report.values import written
from effauto.resources import QUALITY

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 260, 62, 404, 28, 218
# Beyond this factor between the ends of an axis, it counts in powers.
DECADES = 30.0


@dataclass(frozen=True)
class Spot:
    """A recipe's place in pixels, the ends of its quality's range, and what it is."""

    x: float
    y: float
    low: float
    high: float
    chosen: bool
    told: str


@dataclass(frozen=True)
class Front:
    """Two figures of the answer and its alternatives, laid out; all places in pixels."""

    x: str
    y: str
    spots: Sequence[Spot]
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    top: int = TOP
    bottom: int = BOTTOM


@dataclass(frozen=True)
class Axis:
    """From the values of a resource to places between two ends."""

    name: str
    unit: str
    first: float
    last: float
    least: float
    most: float

    @classmethod
    def of(cls, name: str, unit: str, values: Sequence[float], ends: tuple[float, float]) -> Axis:
        least, most = min(values), max(values)
        spread = (most - least) or abs(most) or 1.0
        if least > 0 and most > DECADES * least:
            return cls(name, unit, *ends, least / 1.3, most * 1.3)
        return cls(name, unit, *ends, least - spread / 12, most + spread / 12)

    @property
    def powers(self) -> bool:
        return self.least > 0 and self.most > DECADES * self.least

    def place(self, value: float) -> float:
        if self.powers:
            share = math.log(value / self.least) / math.log(self.most / self.least)
        else:
            share = (value - self.least) / (self.most - self.least)
        return round(self.first + share * (self.last - self.first), 1)

    def ticks(self) -> list[tuple[float, str]]:
        """At a tenth, the middle and nine tenths of the axis."""
        shares = (0.1, 0.5, 0.9)
        if self.powers:
            values = [self.least * (self.most / self.least) ** share for share in shares]
        else:
            values = [self.least + share * (self.most - self.least) for share in shares]
        return [(self.place(value), written(self.name, value, self.unit)) for value in values]


def as_html(plan: Plan) -> str:
    """The plan as a piece of HTML, all text escaped; raise MissingExtra without jinja2."""
    template = environment(TEMPLATES).get_template("notebook.html")
    return template.render(
        sentence=answer(plan),
        steps=[f"{step.method}{setting(step.setting)}" for step in plan.recipe.steps],
        rows=figure_rows(plan),
        front=front(plan),
        notes=plan.notes,
    )


def front(plan: Plan) -> Front | None:
    """The quality against a limited figure, else the latency; None without something to compare."""
    y = QUALITY + plan.task.metric
    limited = [limit.resource for limit in plan.budget if limit.resource != y]
    for x in (*limited, "inference.latency", "model.size"):
        points = [point for point in points_of(plan) if {x, y} <= point.figures.keys()]
        if len(points) > 1:
            return _laid_out(points, x, y)
    return None


def _laid_out(points: Sequence[Point], x: str, y: str) -> Front:
    across = [point.figures[x] for point in points]
    up = [point.figures[y] for point in points]
    x_axis = Axis.of(x, across[0].unit, [figure.value for figure in across], (LEFT, RIGHT))
    ends = [end for figure in up for end in (figure.low, figure.high)]
    y_axis = Axis.of(y, up[0].unit, ends, (BOTTOM, TOP))
    spots = [
        Spot(
            x=x_axis.place(one.value),
            y=y_axis.place(other.value),
            low=y_axis.place(other.low),
            high=y_axis.place(other.high),
            chosen=point.kind == "chosen",
            told=f"{point.name}: {written(y, other.value, other.unit)},"
            f" {written(x, one.value, one.unit)}",
        )
        for point, one, other in zip(points, across, up, strict=True)
    ]
    spots.sort(key=lambda spot: spot.chosen)
    return Front(x, y, spots, x_axis.ticks(), y_axis.ticks())
