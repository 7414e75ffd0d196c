"""What a run measured, in the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from effauto.planner.running.outcome import Outcome
from effauto.report.values import value_of, written


def print_outcome(outcome: Outcome, console: Console | None = None) -> None:
    """Print what was foretold beside what was measured, and which limits were kept."""
    console = console or Console()
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in ("Resource", "Foretold", "Measured", "Limit", "Met"):
        table.add_column(column, justify="left" if column == "Resource" else "right")
    verdicts = {limit["resource"]: limit for limit in outcome.to_json()["budget"]}
    for name, figure in sorted(outcome.measurement.items()):
        foretold, verdict = outcome.plan.estimate.get(name), verdicts.get(name)
        table.add_row(
            Text(name),
            value_of(name, foretold),
            value_of(name, figure),
            written(name, verdict["limit"], verdict["unit"]) if verdict else "",
            ("yes" if verdict["met"] else "NO") if verdict else "",
        )
    console.print(table)
    console.print(Text(f"The model is in {outcome.folder}; effauto.load({str(outcome.folder)!r})"))
    for guard in outcome.plan.budget.of_phases("guard"):
        if guard not in outcome.budget:
            console.print(Text(f"{guard} was not checked: a run trains no untouched model."))
    if not outcome.all_met:
        console.print(Text("Not every limit was met.", style="bold"))
