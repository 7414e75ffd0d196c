"""``effauto explain``: why this recipe, and what else was thought of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from effauto.cli.app import App
from effauto.cli.options import database

if TYPE_CHECKING:
    from effauto.planner.answers.plan import Plan


@click.command(epilog="Example: effauto explain plan.json --why-not METHOD")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--measure",
    metavar="TIME",
    help="Try the recipe without each of its methods, in so much time: what does each buy?",
)
@database
@click.option(
    "--output", type=click.Path(path_type=Path), help="Also write the plan, as explained."
)
@click.option(
    "--indicators",
    is_flag=True,
    help="Parameters, FLOPs, memory, time, energy and size side by side, and how they disagree.",
)
@click.option(
    "--why-not",
    metavar="METHOD",
    help="Only tell why the plan is without this method: the rule, the trial or the estimate.",
)
@click.pass_obj
def explain(
    app: App,
    plan: Path,
    measure: str | None,
    db: str | None,
    output: Path | None,
    indicators: bool,
    why_not: str | None,
) -> None:
    """Tell why PLAN is what it is: what each method buys, its ledger, its order, its rivals, and
    what was ruled out.
    """
    from effauto.planner.answers.plan_file import check_writable, read_plan, write_plan

    found = read_plan(plan)
    if why_not:
        from effauto.planner.answers import why_not as reasons

        for sentence in reasons.why_not(found, why_not, app.plugins, db):
            click.echo(sentence)
        return
    if output:
        check_writable(output)
    if measure:
        found = _measured(found, measure, app, db)
    if output:
        write_plan(found, output)
    if indicators:
        from effauto.report.indicators import print_indicators

        print_indicators(found)
        return
    from effauto.report.plan import print_explanation

    print_explanation(found)


def _measured(found: Plan, time: str, app: App, db: str | None) -> Plan:
    from effauto.planner.answers.explaining import measure_bought
    from effauto.quantities import parse_quantity
    from effauto.report.progress import terminal_listener
    from effauto.resources import RESOURCES

    seconds, _ = parse_quantity(time, RESOURCES["search.time"])
    with terminal_listener() as listener:
        return measure_bought(found, app.plugins, seconds, db, listener)
