"""Options that choose among trials, and the database that has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from effauto.store import Store
    from effauto.store.filters import Filter

db_option = click.option(
    "--db", metavar="PATH|URL", help="The database; otherwise EFFAUTO_DB or the user's own."
)
_FILTERS = (
    click.option(
        "--task", metavar="NAME", help="Of this task: its name or fingerprint (or 12 digits)."
    ),
    click.option("--model", metavar="NAME", help="Of this model."),
    click.option("--hardware", metavar="NAME", help="Measured on this machine."),
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


def filters(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that :func:`wanted_trials` reads, ``--limit`` and ``--db``."""
    for option in reversed(_FILTERS):
        command = option(command)
    return db_option(command)


def wanted_trials(**given: Any) -> Filter:
    """What the options ask for; raise InputError for what cannot be read."""
    from effauto.report.wanted import wanted

    return wanted(**given)


@contextmanager
def opened(db: str | None) -> Iterator[Store]:
    """The results, closed when the block ends; one that was named must be there."""
    from effauto.store import open_store

    store = open_store(db, create=db is None)
    try:
        yield store
    finally:
        store.close()
