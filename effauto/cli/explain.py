"""``effauto explain``: why this recipe, and what else was thought of."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: effauto explain plan.json")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--indicators",
    is_flag=True,
    help="Parameters, FLOPs, memory, time, energy and size side by side, and how they disagree.",
)
def explain(plan: Path, indicators: bool) -> None:
    """Tell why PLAN is what it is: its ledger, its order, its rivals, and what was ruled out."""
    from effauto.planner.plan_file import read_plan

    found = read_plan(plan)
    if indicators:
        from effauto.report.indicators import print_indicators

        print_indicators(found)
        return
    from effauto.report.plan import print_explanation

    print_explanation(found)
