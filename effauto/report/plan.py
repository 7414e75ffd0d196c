"""A plan in the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from effauto.planner.answers.plan import Alternative, Plan
from effauto.planner.knowledge.prior import UNKNOWN
from effauto.quantities import show
from effauto.recipe import Recipe
from effauto.report.bought import print_bought
from effauto.report.ledger import print_ledger, summary
from effauto.report.values import range_of, value_of
from effauto.resources import QUALITY

# What a reader wants first; the rest is in the JSON.
_SHOWN = (
    "train.time",
    "train.memory",
    "train.energy",
    "train.cost",
    "train.labels",
    "inference.latency",
    "inference.throughput",
    "inference.memory",
    "model.size",
    "life.energy",
    "life.cost",
    "guard.worst_class",
    "guard.loyalty",
)


def print_plan(plan: Plan, console: Console | None = None) -> None:
    """Print the answer in a sentence, then its figures, its rivals and its cost."""
    console = console or Console()
    console.print(Text(answer(plan), style="bold"))
    for step in plan.recipe.steps:
        console.print(Text(f"  {step.method}{setting(step.setting)}"))
    if plan.prefer.goals:
        console.print(Text(plan.prefer.sentence))
    console.print(_figures(plan))
    if plan.infeasible:
        for sentence in plan.infeasible["reasons"]:
            console.print(Text(sentence))
    elif plan.others:
        console.print(_others(plan))
    for sentence in summary(plan.ledger) if plan.ledger else ():
        console.print(Text(sentence))
    for note in plan.notes:
        console.print(Text(f"Note: {note}", style="dim"))
    search = plan.search
    if search["trials"]:
        spent = (
            f"{search['trials']} trials ({search['failed']} failed) in {search['seconds']:.0f} s"
        )
        console.print(Text(f"The search: {spent}, about {show(search['energy'], 'joule')}."))


def print_explanation(plan: Plan, console: Console | None = None) -> None:
    """Print the plan, its ledger, why the recipe has its order, and what was ruled out."""
    console = console or Console()
    print_plan(plan, console)
    print_bought(plan.bought, console)
    if plan.ledger:
        print_ledger(plan.ledger, console)
    for reason in plan.order:
        console.print(Text(f"Order: {reason}."))
    if plan.ruled_out:
        console.print(Text("Ruled out:", style="bold"))
    for refusal in plan.ruled_out:
        console.print(Text(f"  {refusal.sentence}"))


def answer(plan: Plan) -> str:
    """The plan in one sentence."""
    what = describe(plan.model, plan.recipe)
    if plan.status == "infeasible" or plan.infeasible:
        return f"Nothing fits this budget. Nearest to it comes {what}."
    quality = plan.estimate.get(QUALITY + plan.task.metric)
    how_good = ""
    if quality is not None:
        how_good = f": {plan.task.metric} about {quality.value:.3f}"
        how_good += f" ({quality.low:.3f} to {quality.high:.3f})"
        if quality.note == UNKNOWN:
            how_good = "; nothing is known yet of its quality"
    begun = "So far, for" if plan.status == "interrupted" else "For"
    return f"{begun} {plan.task_name}, take {what}{how_good}."


def describe(model: str, recipe: Recipe) -> str:
    """A model and a recipe in words."""
    methods = [step.method for step in recipe.steps]
    if not methods:
        return f"{model}, untouched"
    return f"{model} with {', '.join(methods)}"


def setting(values: dict[str, str | int | float | bool]) -> str:
    """The knobs of a step in brackets; nothing for one that has none."""
    shown = [f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items()]
    return f" ({', '.join(shown)})" if shown else ""


def worth_showing(plan: Plan) -> list[str]:
    """The resources that a reader wants first, then those that are limited."""
    limits = [limit.resource for limit in plan.budget]
    names = dict.fromkeys((QUALITY + plan.task.metric, *_SHOWN, *limits))
    return [name for name in names if name in plan.estimate]


def _figures(plan: Plan) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in ("At full scale", "Foretold", "80 % range", "In the search", "Limit"):
        table.add_column(column, justify="left" if column == "At full scale" else "right")
    limits = {limit.resource: limit for limit in plan.budget}
    for name in worth_showing(plan):
        figure, measured = plan.estimate[name], plan.measurement.get(name)
        table.add_row(
            Text(name),
            value_of(name, figure),
            range_of(name, figure),
            value_of(name, measured),
            show(limits[name].limit, limits[name].unit) if name in limits else "",
        )
    return table


def _others(plan: Plan) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Instead", overflow="fold")
    columns = (QUALITY + plan.task.metric, "inference.latency", "model.size", "train.time")
    for column in columns:
        table.add_column(column.partition(".")[2], justify="right")
    for other in plan.others[:10]:
        table.add_row(Text(describe(other.model, other.recipe)), *_cells(other, columns))
    return table


def _cells(other: Alternative, columns: tuple[str, ...]) -> list[str]:
    return [value_of(name, other.figures.get(name)) for name in columns]
