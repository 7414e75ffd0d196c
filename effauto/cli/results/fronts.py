"""``effauto results pareto`` and ``best``: what is worth having among what was measured."""

from __future__ import annotations

from typing import Any

import click

from effauto.cli.filters import filters, opened, wanted_trials
from effauto.cli.output import format_option, print_json
from effauto.cli.results.shown import print_trials, warn_of_mixture
from effauto.errors import Infeasible

AS_GOOD = 5


@click.command(epilog="Example: effauto results pareto quality.accuracy inference.latency")
@click.argument("x")
@click.argument("y")
@filters
@format_option
def pareto(x: str, y: str, db: str | None, form: str, limit: int | None, **given: Any) -> None:
    """List the trials that none beats in one resource without losing in the other."""
    from effauto.resources import resource_named
    from effauto.store.fronts import pareto as front_of

    wanted, resources = wanted_trials(**given), [resource_named(name).name for name in (x, y)]
    with opened(db) as store:
        front = front_of(store, wanted, *resources)[:limit]
    if form == "json":
        print_json([record.to_json() for record in front])
        return
    columns = ["id", "task", "model", "recipe", *resources]
    print_trials(front, columns, filtered=any(given.values()))
    warn_of_mixture(front, resources)


@click.command(epilog="Example: effauto results best --task sst2 --budget 'inference.latency<=5ms'")
@filters
@click.option(
    "--budget", "limits", multiple=True, metavar="LIMIT", help="To be kept; may be repeated."
)
@click.option("--prefer", metavar="GOALS", help="As for a plan: quality:1%,inference.latency.")
@format_option
def best(
    limits: tuple[str, ...],
    prefer: str | None,
    db: str | None,
    form: str,
    limit: int | None,
    **given: Any,
) -> None:
    """Show the best trial within a budget, of those as good the cheapest: no search is made."""
    from effauto.budget import parse_budget
    from effauto.planner.knowledge.known import best_known
    from effauto.preference import parse_preference

    wanted = wanted_trials(**given)
    preference = parse_preference(prefer) if prefer else None
    with opened(db) as store:
        known = best_known(store, wanted, parse_budget(limits), preference)
    if known.best is None:
        raise Infeasible(
            "No trial at full scale keeps this budget; see what there is with 'effauto results "
            "list', or search: effauto plan"
        )
    if form == "json":
        print_json(known.best.to_json() | {"as_good": [r.id for r in known.as_good[1:]]})
        return
    print_trials(known.as_good[: limit or AS_GOOD], (), filtered=True)
    click.echo(
        f"The first is the cheapest of {len(known.as_good)} as good; see 'effauto results show "
        f"{known.best.id}'.",
        err=True,
    )
    if known.mixture:
        click.echo(f"These do not compare: {known.mixture}.", err=True)
