"""``effauto plan``: ask which methods to combine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from effauto.cli.app import App
from effauto.cli.options import (
    check_from_scratch,
    data_request,
    database,
    hardware_option,
    price_options,
    pue_option,
    task_options,
    tell_option,
)
from effauto.cli.output import format_option, print_json
from effauto.errors import EffautoError, Infeasible, Interrupted

if TYPE_CHECKING:
    from effauto.planner.answers.plan import Plan

SEARCH_SECONDS = 240.0
_EPILOG = """\b
Examples:
  effauto plan
  effauto plan data/ --budget 'model.size<=25MiB' --search-time 0
  effauto plan reviews.csv --column text=body --budget 'inference.latency<=0.5x'
  effauto plan data/ --prefer quality:1%,model.size --guard 'worst-class>=-2%'
  effauto plan data/ --requests 1e6/day --workers 2
  effauto plan corpus/ --task language-modeling --from-scratch --budget 'train.time<=30min'
  effauto plan data/ --report plan.html
"""


@click.command(epilog=_EPILOG)
@click.argument("data", required=False)
@task_options
@click.option(
    "--model",
    default="minilm",
    show_default=True,
    help="minilm, bag-of-words, a folder, or a name on the Hugging Face hub.",
)
@click.option(
    "--from-scratch",
    is_flag=True,
    help="Train a new model on plain text: its size is chosen, too (--task language-modeling).",
)
@click.option(
    "--budget", multiple=True, metavar="LIMIT", help="Such as 'train.time<=10min'; repeatable."
)
@click.option(
    "--guard",
    multiple=True,
    metavar="LIMIT",
    help="Such as 'worst-class>=-2%' against the untouched model, or 'loyalty>=95%'; repeatable.",
)
@click.option(
    "--prefer",
    metavar="GOALS",
    help="Such as 'quality:1%,inference.latency': the fastest within a point of the best.",
)
@click.option(
    "--recipe",
    metavar="RECIPE",
    help="Cost and try this one only: names joined by '+', 'untouched', or a plan's JSON list.",
)
@click.option(
    "--search-time",
    show_default="4min",
    metavar="TIME",
    help="How long to try recipes; 0 answers at once from what is known.",
)
@click.option(
    "--pareto",
    multiple=True,
    metavar="RESOURCE",
    help="Search for the front of quality and this resource, such as model.size; repeatable.",
)
@click.option("--max-trials", type=click.IntRange(min=1), help="Try no more recipes than this.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Try so many recipes at once here, each on its part of the cores, or on a GPU of its own.",
)
@click.option(
    "--dask", metavar="ADDRESS", help="Try recipes on the workers of this dask scheduler."
)
@hardware_option
@price_options
@pue_option
@click.option(
    "--requests",
    metavar="RATE",
    help="Such as 1e6/day: prefer what is cheap to train and to serve so many together.",
)
@click.option(
    "--lifetime",
    default="1year",
    show_default=True,
    metavar="TIME",
    help="How long the model will be asked so often.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on with this search if it was cut off.")
@database
@click.option("--output", type=click.Path(path_type=Path), help="Also write the plan here.")
@click.option(
    "--report", type=click.Path(path_type=Path), help="Also draw it as a page, such as plan.html."
)
@tell_option
@format_option
@click.pass_obj
def plan(
    app: App,
    /,
    data: str | None,
    budget: tuple[str, ...],
    search_time: str | None,
    requests: str | None,
    output: Path | None,
    report: Path | None,
    form: str,
    **given: Any,
) -> int:
    """Say which methods to combine for DATA, what that costs, and how good it is.

    DATA is a JSON Lines, CSV, TSV or Parquet file, a folder with train, validation and test files,
    or a data set on the Hugging Face hub; for a language model also text files. Without it, the
    built-in demo is used.
    """
    from effauto.api import search_seconds
    from effauto.budget import parse_budget
    from effauto.cli.report import write_report
    from effauto.cost import Place, parse_prices
    from effauto.cost.life import parse_use
    from effauto.listener import Several
    from effauto.planner.answers.plan_file import check_writable, write_plan
    from effauto.planner.planner import make_plan
    from effauto.planner.request import Request
    from effauto.preference import Preference, parse_preference
    from effauto.recipe import Recipe
    from effauto.report.page.render import require_report
    from effauto.report.progress import terminal_listener

    check_from_scratch(given["kind"], given["from_scratch"])
    limits = parse_budget(budget, given["guard"])
    request = Request(
        data=data_request(data, given, given["seed"]),
        model=given["model"],
        budget=limits,
        prefer=Preference() if given["prefer"] is None else parse_preference(given["prefer"]),
        recipe=None if given["recipe"] is None else Recipe.parse(given["recipe"]),
        search_time=search_seconds(search_time, limits, SEARCH_SECONDS),
        max_trials=given["max_trials"],
        seed=given["seed"],
        hardware=given["hardware"],
        prices=parse_prices(given["price"]),
        place=Place(given["country"], (given["pue"],) * 3),
        store=given["db"],
        plugin_folders=tuple(app.plugins.folders),
        resume=given["resume"],
        workers=given["workers"],
        dask=given["dask"],
        use=parse_use(requests, given["lifetime"]),
        pareto=given["pareto"],
    )
    for path in filter(None, (output, report)):
        check_writable(path)
    if report:
        require_report()
    others = app.plugins.listeners(given["tell"])
    with terminal_listener() as listener:
        found = make_plan(request, app.plugins, Several(listener, others))
    if output:
        write_plan(found, output)
    if report:
        write_report(found, report, app, given["db"])
    _show(found, form)
    return exit_code(found)


def _show(found: Plan, form: str) -> None:
    if form == "json":
        print_json(found.to_json())
        return
    from effauto.report.plan import print_plan

    print_plan(found)


def exit_code(found: Plan) -> int:
    """0 for a plan that meets the budget; what its error would have, for one that does not."""
    errors: dict[str, type[EffautoError]] = {"infeasible": Infeasible, "interrupted": Interrupted}
    return errors[found.status].exit_code if found.status in errors else 0
