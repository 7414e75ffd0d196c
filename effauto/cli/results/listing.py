"""``effauto results list`` and ``show``: trials, and one of them closely."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from effauto.cli.filters import db_option, filters, opened, wanted_trials
from effauto.cli.output import format_option, print_json, print_table
from effauto.cli.results.shown import print_trials, warn_of_mixture
from effauto.errors import InputError

TABLE_ROWS = 50


@click.command("list", epilog="Example: effauto results list --where 'model.size<=25MiB'")
@filters
@click.option("--sort", metavar="RESOURCE", help="Best first by what was measured of it.")
@click.option("--columns", metavar="NAME,…", default="", help="Of the table or file.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "markdown", "parquet"]),
    default="table",
    show_default=True,
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write here (for parquet)."
)
def list_trials(
    db: str | None,
    form: str,
    columns: str,
    sort: str | None,
    limit: int | None,
    output: Path | None,
    **given: Any,
) -> None:
    """List trials, newest first, failed ones too."""
    from effauto.report.trials import as_csv, as_markdown, check_columns, write_parquet
    from effauto.store.query import trials

    if (form == "parquet") != (output is not None):
        raise InputError("--format parquet and --output FILE go together")
    chosen = check_columns([name.strip() for name in columns.split(",") if name.strip()])
    wanted = wanted_trials(**given)
    room = limit or (TABLE_ROWS + 1 if form == "table" else None)
    with opened(db) as store:
        found = trials(store, wanted, sort=sort, limit=room)
    if form == "json":
        print_json([record.to_json() for record in found])
    elif form == "csv":
        click.echo(as_csv(found, chosen), nl=False)
    elif form == "markdown":
        click.echo(as_markdown(found, chosen), nl=False)
    elif output is not None:
        write_parquet(output, found, chosen)
        click.echo(f"{len(found)} trials are in {output}.", err=True)
    else:
        shown = found if limit else found[:TABLE_ROWS]
        print_trials(shown, chosen, filtered=any(given.values()))
        warn_of_mixture(shown, [sort] if sort else [])
        if len(shown) < len(found):
            click.echo(f"These are the first {TABLE_ROWS}; --limit shows more.", err=True)


@click.command("show", epilog="Example: effauto results show 12 --format json")
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
