"""``effauto run``: carry a plan out."""

from __future__ import annotations

from pathlib import Path

import click

from effauto.cli.app import App
from effauto.cli.options import database, price_options, pue_option, tell_option
from effauto.cli.output import format_option, print_json


@click.command(epilog="Example: effauto run plan.json --output model/")
@click.argument("plan", type=click.Path(path_type=Path))
@click.argument("data", required=False)
@click.option("--output", required=True, type=click.Path(path_type=Path), help="The new folder.")
@price_options
@pue_option
@click.option("--seed", type=int, help="Instead of the plan's.")
@database
@tell_option
@format_option
@click.pass_obj
def run(
    app: App,
    plan: Path,
    data: str | None,
    output: Path,
    price: tuple[str, ...],
    country: str | None,
    pue: float,
    seed: int | None,
    db: str | None,
    tell: tuple[str, ...],
    form: str,
) -> int:
    """Train the recipe of PLAN on all its data, save the model, reload it and measure it.

    DATA replaces the plan's own data: the same task, elsewhere. The exit code is 0 only if every
    limit of the plan's budget was met.
    """
    from effauto.cost import Place, parse_prices
    from effauto.errors import Infeasible
    from effauto.listener import Several
    from effauto.planner.answers.plan_file import read_plan
    from effauto.planner.running.run import run_plan
    from effauto.report.progress import terminal_listener

    others = app.plugins.listeners(tell)
    with terminal_listener() as listener:
        outcome = run_plan(
            read_plan(plan),
            output,
            app.plugins,
            source=data,
            store=db,
            prices=parse_prices(price) if price else None,
            place=Place(country, (pue,) * 3) if country or pue > 1 else None,
            seed=seed,
            listener=Several(listener, others),
        )
    if form == "json":
        print_json(outcome.to_json())
    else:
        from effauto.report.outcome import print_outcome

        print_outcome(outcome)
    return 0 if outcome.all_met else Infeasible.exit_code
