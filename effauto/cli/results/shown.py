"""How trials are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from effauto.cli.output import print_table

if TYPE_CHECKING:
    from effauto.store import TrialRecord

_ANYTHING = "No results yet. 'effauto plan DATA' keeps every trial of its search here."
_NO_MATCH = "No trial passes these filters; leave some out, or see all: effauto results list"


def print_trials(records: Sequence[TrialRecord], columns: Sequence[str], *, filtered: bool) -> None:
    """A table of them, or a sentence if there are none."""
    from effauto.report.trials import row, titles, usual_columns

    if not records:
        click.echo(_NO_MATCH if filtered else _ANYTHING)
        return
    columns = columns or usual_columns(records)
    print_table(titles(columns), [row(record, columns) for record in records])


def warn_of_mixture(records: Sequence[TrialRecord], resources: Sequence[str]) -> None:
    """Say on stderr if these figures were not measured in one place."""
    from effauto.store.setting import mixture

    if resources and len({record.fingerprint for record in records}) > 1:
        click.echo(
            "These come from several tasks, so their figures do not compare; narrow them with"
            " --task.",
            err=True,
        )
    elif found := mixture((record.setting for record in records), resources):
        click.echo(f"These do not compare: {found}.", err=True)
