"""``effauto results accuracy``: how well costs were foretold."""

from __future__ import annotations

from typing import Any

import click

from effauto.cli.filters import filters, opened, wanted_trials
from effauto.cli.output import print_json, print_table

_NO_PAIRS = "No trial has both a foretold and a measured figure; 'effauto run' makes one."


@click.command(epilog="Example: effauto results accuracy --by method --resource train.time")
@filters
@click.option(
    "--by",
    type=click.Choice(["resource", "method", "machine"]),
    default="resource",
    show_default=True,
    help="What trials are grouped by.",
)
@click.option("--resource", "resources", multiple=True, metavar="NAME", help="Of this one only.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
)
def accuracy(
    db: str | None, by: str, resources: tuple[str, ...], form: str, limit: int | None, **given: Any
) -> None:
    """Tell how far what was foretold lay from what was measured, and which trials worst."""
    from effauto.report.accuracy import accuracies, as_csv, as_json, row, titles
    from effauto.resources import resource_named
    from effauto.store.query import trials

    named, wanted = [resource_named(name).name for name in resources], wanted_trials(**given)
    with opened(db) as store:
        found = accuracies(trials(store, wanted, limit=limit), by, named)
    if form == "json":
        print_json(as_json(found))
    elif form == "csv":
        click.echo(as_csv(found), nl=False)
    elif found:
        print_table(titles(by), [row(one, by) for one in found])
    else:
        click.echo(_NO_PAIRS)
