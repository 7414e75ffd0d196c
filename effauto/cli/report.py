"""``effauto report``: a plan, or a study, as a page to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from effauto.cli.app import App
from effauto.cli.options import database

if TYPE_CHECKING:
    from effauto.planner.answers.plan import Plan
    from effauto.report.page.page import Page
    from effauto.store import Store, TrialRecord


@click.command(epilog="Example: effauto report plan.json --output plan.html")
@click.argument("plan", metavar="PLAN|STUDY")
@database
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The page; otherwise the plan's name, or study-N, with .html.",
)
@click.pass_obj
def report(app: App, plan: str, db: str | None, output: Path | None) -> None:
    """Draw PLAN, or the study of that number, as one page that opens in any browser.

    The page needs no network. It shows the trials of the plan's search as far as they are in the
    results database.
    """
    from effauto.report.page.render import require_report, write_page

    require_report()
    if plan.isascii() and plan.isdigit() and len(plan) < 19 and not Path(plan).exists():
        page, name = _of_study(int(plan), db), Path(f"study-{plan}.html")
    else:
        page, name = _of_file(Path(plan), app, db), Path(plan).with_suffix(".html")
    write_page(page, output or name)
    click.echo(output or name)


def write_report(plan: Plan, path: Path, app: App, db: str | None) -> None:
    """Write the page of a plan that was just made."""
    from effauto.report.page.render import write_page

    write_page(_of_plan(plan, app, db), path)


def _of_file(path: Path, app: App, db: str | None) -> Page:
    from effauto.planner.answers.plan_file import read_plan

    return _of_plan(read_plan(path), app, db)


def _of_plan(plan: Plan, app: App, db: str | None) -> Page:
    from effauto.report.page.page import page_of_plan
    from effauto.store import open_store

    store = open_store(db)
    try:
        return page_of_plan(plan, app.plugins.methods(), _trials(store, plan))
    finally:
        store.close()


def _trials(store: Store, plan: Plan) -> Sequence[TrialRecord]:
    """Those of the plan's search; another database may call another study by that number."""
    from effauto.store.filters import Filter
    from effauto.store.query import trials

    number = plan.search.get("study")
    if not isinstance(number, int):
        return ()
    found = trials(store, Filter(study=number))
    return [trial for trial in found if trial.fingerprint == plan.fingerprint]


def _of_study(number: int, db: str | None) -> Page:
    from effauto.report.page.page import page_of_study
    from effauto.store import open_store
    from effauto.store.filters import Filter
    from effauto.store.query import trials
    from effauto.store.studies import study

    store = open_store(db, create=db is None)
    try:
        return page_of_study(study(store, number), trials(store, Filter(study=number)))
    finally:
        store.close()
