"""Indicators of efficiency side by side, and how alike they rank a plan's recipes."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from effauto.cost.indicators import INDICATORS, Correlations, correlate
from effauto.planner.answers.plan import Plan
from effauto.quantities import show
from effauto.recipe import Recipe
from effauto.report.plan import setting
from effauto.resources import Figures

_SHORT = {
    "model.parameters": "Numbers",
    "train.flops": "FLOP",
    "inference.flops": "FLOP/rq",
    "train.memory": "Mem",
    "inference.memory": "Mem/rq",
    "train.time": "Time",
    "train.energy": "Energy",
    "inference.latency": "Latency",
    "model.size": "Size",
}


def print_indicators(plan: Plan, console: Console | None = None) -> None:
    """Print each indicator of the plan and its alternatives, and Kendall's tau between them."""
    console = console or Console()
    recipes = _recipes(plan)
    console.print(_values(list(recipes.values())))
    for number, name in enumerate(recipes, 1):
        console.print(Text(f"{number}. {name}"))
    if len(recipes) < 3:
        console.print(Text("With fewer than three recipes there is nothing to rank."))
        return
    found = correlate(list(recipes.values()))
    console.print(Text(f"\nKendall's rank correlation over these {found.recipes} recipes:"))
    console.print(_taus(found))


def _recipes(plan: Plan) -> dict[str, Figures]:
    found = {_named(plan.model, plan.recipe): plan.estimate}
    for other in plan.alternatives:
        found.setdefault(_named(other.model, other.recipe), other.figures)
    return found


def _named(model: str, recipe: Recipe) -> str:
    steps = [f"{step.method}{setting(step.setting)}" for step in recipe.steps]
    return f"{model}: {' + '.join(steps) or recipe}"


def _values(recipes: list[Figures]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    for name in INDICATORS:
        table.add_column(_SHORT[name], justify="right", no_wrap=True)
    for number, figures in enumerate(recipes, 1):
        cells = [
            show(figures[name].value, figures[name].unit) if name in figures else ""
            for name in INDICATORS
        ]
        table.add_row(str(number), *cells)
    return table


def _taus(found: Correlations) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    for name in found.names[:-1]:
        table.add_column(_SHORT[name], justify="right", no_wrap=True)
    for row, name in enumerate(found.names[1:], 1):
        table.add_row(_SHORT[name], *(_tau(found, name, other) for other in found.names[:row]))
    return table


def _tau(found: Correlations, one: str, other: str) -> str:
    tau = found.taus[one, other]
    return "" if tau is None else f"{tau:.2f}"
