"""``effauto results export`` and ``import``: share what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from effauto.cli.filters import db_option, filters, opened, wanted_trials
from effauto.errors import InputError


@click.command("export", epilog="Example: effauto results export results.jsonl --anonymise")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@filters
@click.option(
    "--anonymise", is_flag=True, help="Leave out names of tasks, folders and computers, and errors."
)
@click.option("--shipped", is_flag=True, help="Also what came with effauto.")
def export(
    file: Path,
    anonymise: bool,
    shipped: bool,
    db: str | None,
    limit: int | None,
    **given: Any,
) -> None:
    """Write trials into FILE, by its name JSON Lines (.jsonl) or Parquet (.parquet).

    No text of any data set is in it, for none is stored.
    """
    from effauto.store.bundle import export_results

    if file.suffix not in (".jsonl", ".parquet"):
        raise InputError(f"{file} must end in .jsonl or .parquet, which says how it is written")
    wanted = wanted_trials(**given)
    with opened(db) as store:
        count = export_results(
            store, file, wanted, limit=limit, anonymous=anonymise, shipped=shipped
        )
    click.echo(f"{count} trials are in {file}.")


@click.command(
    "import", epilog="Example: effauto results import colleague.jsonl --source colleague"
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--source", default="", help="Who measured them; otherwise the file's name.")
@click.option("--skip-invalid", is_flag=True, help="Leave invalid rows out, and import the rest.")
@db_option
def import_(file: Path, source: str, skip_invalid: bool, db: str | None) -> None:
    """Add the trials of FILE, a bundle that 'export' made; what is known is passed over."""
    from effauto.store import open_store
    from effauto.store.bundle import import_results

    store = open_store(db)
    try:
        found = import_results(store, file, source=source, skip_invalid=skip_invalid)
    finally:
        store.close()
    for number, reason in found.refused:
        click.echo(f"Row {number} was left out: {reason}.", err=True)
    click.echo(f"{found.added} trials were added; {found.known} were known already.")
