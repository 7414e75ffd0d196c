"""``effauto estimate``: what one recipe costs, before it is tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from effauto.cli.app import App
from effauto.cli.options import (
    data_request,
    database,
    hardware_option,
    price_options,
    task_options,
)
from effauto.cli.output import format_option, print_json, print_table
from effauto.quantities import show

if TYPE_CHECKING:
    from effauto.planner.forecast import Forecast


@click.command(epilog="Example: effauto estimate data/ --recipe untouched --tier traced")
@click.argument("data", required=False)
@task_options
@click.option("--model", default="minilm", show_default=True, help="As for 'effauto plan'.")
@click.option(
    "--recipe", default="untouched", show_default=True, help="Names joined by '+', or a JSON list."
)
@click.option(
    "--tier",
    type=click.Choice(["closed", "traced", "pilot"]),
    default="closed",
    show_default=True,
    help="By formula, by following the real code without numbers, or by a few real steps.",
)
@hardware_option
@price_options
@click.option("--seed", type=int, default=0, show_default=True)
@database
@format_option
@click.pass_obj
def estimate(app: App, /, data: str | None, tier: Any, form: str, **given: Any) -> None:
    """Foretell what a recipe costs on DATA, by the way you name and by every cheaper one.

    Nothing is trained to its end. Of each figure the lower and the upper end are given too, an
    80 % range.
    """
    from effauto.cost import Place, parse_prices
    from effauto.planner.forecast import forecast
    from effauto.planner.request import Request
    from effauto.recipe import Recipe
    from effauto.report.progress import terminal_listener

    request = Request(
        data=data_request(data, given, given["seed"]),
        model=given["model"],
        recipe=Recipe.parse(given["recipe"]),
        seed=given["seed"],
        hardware=given["hardware"],
        prices=parse_prices(given["price"]),
        place=Place(given["country"]),
        store=given["db"],
        plugin_folders=tuple(app.plugins.folders),
    )
    with terminal_listener() as listener:
        found = forecast(request, app.plugins, tier, listener)
    if form == "json":
        print_json(found.to_json())
    else:
        _show(found)


def _show(found: Forecast) -> None:
    click.echo(f"{found.candidate}\n")
    print_table(("Resource", "Way", "Low", "Foretold", "High", "Tier"), _rows(found))
    for note in found.notes:
        click.echo(f"Note: {note}")


def _rows(found: Forecast) -> Iterator[tuple[str, ...]]:
    for name in found.tiers["closed"]:
        for way, figures in found.tiers.items():
            if name in figures:
                figure = figures[name]
                shown = (
                    show(value, figure.unit) for value in (figure.low, figure.value, figure.high)
                )
                yield name, way, *shown, figure.tier
