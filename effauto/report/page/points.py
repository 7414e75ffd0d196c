"""Recipes as points: what a chart of the page shows, as plain JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from effauto.budget import Budget, Limit
from effauto.planner.answers.plan import Plan
from effauto.recipe import Recipe
from effauto.report.plan import describe, setting
from effauto.report.values import range_of, value_of
from effauto.resources import Figure, Figures
from effauto.store import TrialRecord

Kind = Literal["chosen", "alternative", "tried"]
PHASES = ("train", "inference", "model", "quality", "life", "guard")


@dataclass(frozen=True)
class Point:
    """A recipe with its figures; ``share`` of the data is what it was tried on, 0 if on none.

    ``broken`` are the limits that its figures break, as text.
    """

    id: str
    name: str
    kind: Kind
    share: float
    figures: Figures
    broken: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        figures = {
            name: {
                "value": figure.value,
                "low": figure.low,
                "high": figure.high,
                "text": _text(name, figure),
            }
            for name, figure in self.figures.items()
        }
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "share": self.share,
            "figures": figures,
            "broken": list(self.broken),
        }


def _text(name: str, figure: Figure) -> str:
    spread = "" if figure.low == figure.high else f" ({range_of(name, figure)})"
    return value_of(name, figure) + spread


def spelt_out(model: str, recipe: Recipe) -> str:
    """A model and its recipe, with every setting."""
    steps = [f"{step.method}{setting(step.setting)}" for step in recipe.steps]
    return f"{model}: {' + '.join(steps)}" if steps else describe(model, recipe)


def points_of(plan: Plan) -> list[Point]:
    """The answer and its alternatives, at full scale."""
    best = spelt_out(plan.model, plan.recipe)
    broken = _said(plan.estimate, plan.budget)
    found = [Point("chosen", best, "chosen", plan.fidelity, plan.estimate, broken)]
    for number, other in enumerate(plan.others, 1):
        name, broken = spelt_out(other.model, other.recipe), _said(other.figures, plan.budget)
        found.append(
            Point(f"other-{number}", name, "alternative", other.fidelity, other.figures, broken)
        )
    return found


def points_tried(trials: Sequence[TrialRecord], budget: Budget) -> list[Point]:
    """Each trial that finished, as it was measured on its share of the data."""
    return [
        Point(
            f"trial-{trial.id}",
            spelt_out(trial.model.name, trial.recipe),
            "tried",
            trial.fidelity,
            trial.measured,
            _said(trial.measured, budget),
        )
        for trial in trials
        if trial.state == "finished"
    ]


def best_point(points: Sequence[Point], metric: str) -> Point | None:
    """The point of the best quality among those that break no limit."""
    kept = [point for point in points if not point.broken and metric in point.figures]
    return max(kept, key=lambda point: point.figures[metric].value, default=None)


def broken_by(figures: Figures, budget: Budget) -> Iterator[Limit]:
    """The limits that the figures break; what a figure is missing for is left open."""
    judged = budget.of_phases(*PHASES)
    for limit in judged.broken({name: figure.value for name, figure in figures.items()}):
        if limit.resource in figures:
            yield limit


def _said(figures: Figures, budget: Budget) -> tuple[str, ...]:
    return tuple(map(str, broken_by(figures, budget)))
