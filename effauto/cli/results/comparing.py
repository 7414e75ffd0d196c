"""``effauto results compare``, ``methods`` and ``stats``: what all results together tell."""

from __future__ import annotations

from typing import Any

import click

from effauto.cli.filters import db_option, filters, opened, wanted_trials
from effauto.cli.output import format_option, print_json, print_table

_NO_PAIR = (
    "No two trials differ by one method only. 'effauto plan' measures such pairs at the end of its"
    " search; 'effauto methods matrix' shows what is foretold."
)


@click.command(epilog="Example: effauto results compare shipped-12 shipped-40")
@click.argument("a")
@click.argument("b")
@click.option("--forced", is_flag=True, help="Compare times of different settings too.")
@db_option
@format_option
def compare(a: str, b: str, forced: bool, db: str | None, form: str) -> None:
    """Compare the recipes of trials A and B, paired by seed where both were repeated."""
    from effauto.report.comparing import COLUMNS, heading, row
    from effauto.store.comparison import compare as compared

    with opened(db) as store:
        found = compared(store, a, b, forced=forced)
    if form == "json":
        print_json(found.to_json())
        return
    for line in heading(found):
        click.echo(line)
    print_table(COLUMNS, [row(difference) for difference in found.differences])
    if found.left_out:
        click.echo(f"Left out: {found.left_out}. --forced compares them all the same.", err=True)


@click.command(epilog="Example: effauto results methods --task sst2")
@filters
@format_option
def methods(db: str | None, form: str, limit: int | None, **given: Any) -> None:
    """Tell what each method does: every recipe beside itself without the method.

    Medians over all pairs of trials of one task, model, target setting and seed: points of quality
    (± half the width of their middle half), and what costs are multiplied by.
    """
    from effauto.report.comparing import EFFECTS, effect_row, effect_titles
    from effauto.store.marginal import by_method, marginals
    from effauto.store.seen import metrics, seen

    wanted = wanted_trials(**given)
    with opened(db) as store:
        qualities = metrics(store, wanted)
        found = marginals(seen(store, wanted, [*qualities, *EFFECTS]))
    if form == "json":
        print_json([marginal.to_json() for marginal in found])
        return
    table = by_method(found)
    if not table:
        click.echo(_NO_PAIR)
        return
    rows = [effect_row(name, table[name], qualities) for name in sorted(table)]
    print_table(effect_titles(qualities), rows[:limit])


@click.command(epilog="Example: effauto results stats --format json")
@db_option
@format_option
def stats(db: str | None, form: str) -> None:
    """Count what the database holds, and what came with effauto."""
    from effauto.report.comparing import counted
    from effauto.store.statistics import statistics

    with opened(db) as store:
        found = statistics(store)
    if form == "json":
        print_json([one.to_json() for one in found])
        return
    print_table(("", *(one.origin for one in found)), counted(found))
