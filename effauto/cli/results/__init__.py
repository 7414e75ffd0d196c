"""``effauto results``: what was tried, and how it turned out."""

from __future__ import annotations

import click

from effauto.cli.results.accuracies import accuracy
from effauto.cli.results.comparing import compare, methods, stats
from effauto.cli.results.fronts import best, pareto
from effauto.cli.results.listing import list_trials, show_trial
from effauto.cli.results.sharing import export, import_


@click.group()
def results() -> None:
    """List, show, compare and share what was measured."""


for _command in (
    list_trials, show_trial, best, pareto, compare, methods, accuracy, stats, export, import_
):  # fmt: skip
    results.add_command(_command)
