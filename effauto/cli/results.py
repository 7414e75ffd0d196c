"""``effauto results``: what was tried, and how it turned out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from effauto.cli.filters import db_option, filters, opened, wanted_trials
from effauto.cli.output import format_option, print_json, print_table

if TYPE_CHECKING:
    from effauto.store import TrialRecord

TABLE_ROWS = 50
_ANYTHING = "No results yet. 'effauto plan DATA' keeps every trial of its search here."
_NO_PAIRS = "No trial has both a foretold and a measured figure; 'effauto run' makes one."
_NO_MATCH = "No trial passes these filters; leave some out, or see all: effauto results list"


@click.group()
def results() -> None:
    """List, show and compare what was measured."""


@results.command("list", epilog="Example: effauto results list --where 'model.size<=25MiB'")
@filters
@click.option("--sort", metavar="RESOURCE", help="Best first by what was measured of it.")
@click.option("--columns", metavar="NAME,…", default="", help="Of the table or CSV.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
)
def list_trials(
    db: str | None, form: str, columns: str, sort: str | None, limit: int | None, **given: Any
) -> None:
    """List trials, newest first, failed ones too."""
    from effauto.report.trials import as_csv, check_columns
    from effauto.store.query import trials

    chosen = check_columns([name.strip() for name in columns.split(",") if name.strip()])
    wanted = wanted_trials(**given)
    room = limit or (TABLE_ROWS + 1 if form == "table" else None)
    with opened(db) as store:
        found = trials(store, wanted, sort=sort, limit=room)
    if form == "json":
        print_json([record.to_json() for record in found])
    elif form == "csv":
        click.echo(as_csv(found, chosen), nl=False)
    else:
        shown = found if limit else found[:TABLE_ROWS]
        _print_trials(shown, chosen, filtered=any(given.values()))
        if len(shown) < len(found):
            click.echo(f"These are the first {TABLE_ROWS}; --limit shows more.", err=True)


@results.command("show", epilog="Example: effauto results show 12 --format json")
@click.argument("trial_id", metavar="ID")
@db_option
@format_option
def show_trial(trial_id: str, db: str | None, form: str) -> None:
    """Show all that is known of one trial."""
    from effauto.report.trials import describe, figures
    from effauto.store.query import trial

    with opened(db) as store:
        record = trial(store, trial_id)
    if form == "json":
        print_json(record.to_json())
        return
    for label, text in describe(record):
        click.echo(f"{label:11} " + text.replace("\n", f"\n{'':11} "))
    click.echo()
    print_table(("Resource", "Foretold", "Measured"), figures(record))


@results.command(epilog="Example: effauto results pareto quality.accuracy inference.latency")
@click.argument("x")
@click.argument("y")
@filters
@format_option
def pareto(x: str, y: str, db: str | None, form: str, limit: int | None, **given: Any) -> None:
    """List the trials that none beats in one resource without losing in the other."""
    from effauto.resources import resource_named
    from effauto.store.query import pareto as front_of
    from effauto.store.query import trials

    wanted, resources = wanted_trials(**given), [resource_named(name).name for name in (x, y)]
    with opened(db) as store:
        front = front_of(trials(store, wanted), *resources)[:limit]
    if form == "json":
        print_json([record.to_json() for record in front])
        return
    columns = ["id", "task", "model", "recipe", *resources]
    _print_trials(front, columns, filtered=any(given.values()))
    _warn_of_mixture(front)


@results.command(epilog="Example: effauto results accuracy --by method --resource train.time")
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


def _print_trials(
    records: Sequence[TrialRecord], columns: Sequence[str], *, filtered: bool
) -> None:
    from effauto.report.trials import row, titles, usual_columns

    if not records:
        click.echo(_NO_MATCH if filtered else _ANYTHING)
        return
    columns = columns or usual_columns(records)
    print_table(titles(columns), [row(record, columns) for record in records])


def _warn_of_mixture(records: Sequence[TrialRecord]) -> None:
    settings = {(record.fingerprint, record.hardware) for record in records}
    if len(settings) > 1:
        click.echo(
            "These come from several tasks or machines, so their figures do not compare;"
            " narrow them with --task.",
            err=True,
        )
