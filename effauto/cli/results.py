"""``effauto results``: what was tried, and how it turned out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from effauto.cli.output import format_option, print_json, print_table
from effauto.errors import InputError

if TYPE_CHECKING:
    from effauto.store import Store, TrialRecord
    from effauto.store.filters import Filter

TABLE_ROWS = 50
_AGES = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_ANYTHING = "No results yet. 'effauto plan DATA' keeps every trial of its search here."
_NO_MATCH = "No trial passes these filters; leave some out, or see all: effauto results list"

db_option = click.option(
    "--db", metavar="PATH|URL", help="The database; otherwise EFFAUTO_DB or the user's own."
)
_FILTERS = (
    click.option("--task", metavar="NAME", help="Of this task: its name or fingerprint."),
    click.option("--model", metavar="NAME", help="Of this model."),
    click.option("--method", metavar="NAME", multiple=True, help="With it; may be repeated."),
    click.option("--without", metavar="NAME", multiple=True, help="Without it; may be repeated."),
    click.option(
        "--where",
        metavar="LIMIT",
        multiple=True,
        help="Measured to be so, as 'inference.latency<=5ms'; may be repeated.",
    ),
    click.option("--since", metavar="DATE|AGE", help="Begun since: 2026-01-31, 12h, 7d, 4w."),
    click.option("--state", type=click.Choice(["running", "finished", "interrupted", "failed"])),
    click.option("--purpose", type=click.Choice(["search", "run", "benchmark"])),
    click.option("--limit", type=click.IntRange(min=1), help="At most so many trials."),
)


def _filters(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_FILTERS):
        command = option(command)
    return db_option(command)


@click.group()
def results() -> None:
    """List, show and compare what was measured."""


@results.command("list", epilog="Example: effauto results list --where 'model.size<=25MiB'")
@_filters
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
    wanted = _wanted(**given)
    room = limit or (TABLE_ROWS + 1 if form == "table" else None)
    with _opened(db) as store:
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

    with _opened(db) as store:
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
@_filters
@format_option
def pareto(x: str, y: str, db: str | None, form: str, limit: int | None, **given: Any) -> None:
    """List the trials that none beats in one resource without losing in the other."""
    from effauto.resources import resource_named
    from effauto.store.query import pareto as front_of
    from effauto.store.query import trials

    wanted, resources = _wanted(**given), [resource_named(name).name for name in (x, y)]
    with _opened(db) as store:
        front = front_of(trials(store, wanted), *resources)[:limit]
    if form == "json":
        print_json([record.to_json() for record in front])
        return
    columns = ["id", "task", "model", "recipe", *resources]
    _print_trials(front, columns, filtered=any(given.values()))
    _warn_of_mixture(front)


def _wanted(where: Sequence[str], since: str | None, **given: Any) -> Filter:
    from effauto.budget import parse_budget
    from effauto.store.filters import Filter

    return Filter(where=parse_budget(where), since=_moment(since) if since else None, **given)


def _moment(text: str) -> datetime:
    """``7d`` ago, or the start of a day, or a moment, in local time unless it says otherwise."""
    age = re.fullmatch(r"([0-9]{1,4})([hdw])", text.strip())
    if age:
        return datetime.now(UTC) - int(age[1]) * _AGES[age[2]]
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            f"--since {text!r} is no date and no age; write 2026-01-31, or 7d for the last week"
        ) from None


@contextmanager
def _opened(db: str | None) -> Iterator[Store]:
    from effauto.store import open_store

    store = open_store(db, create=db is None)
    try:
        yield store
    finally:
        store.close()


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
