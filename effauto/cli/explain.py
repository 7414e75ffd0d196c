"""``effauto explain``: why this recipe, and what else was thought of."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: effauto explain plan.json")
@click.argument("plan", type=click.Path(path_type=Path))
def explain(plan: Path) -> None:
    """Tell why PLAN is what it is: its order, its rivals, and what was ruled out."""
    from effauto.planner.plan_file import read_plan
    from effauto.report.plan import print_explanation

    print_explanation(read_plan(plan))
