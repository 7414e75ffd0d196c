"""One search of a tiny task whose name is a script, drawn once as a page."""

from __future__ import annotations

import os

import pytest
from drawn_page import NAME, Drawn

from effauto.budget import parse_budget
from effauto.cli.app import App
from effauto.planner.answers.plan_file import write_plan
from effauto.planner.planner import make_plan
from effauto.planner.request import DataRequest, Request


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    pytest.importorskip("plotly", reason="pip install 'effauto[report]'")
    from effauto.cli.report import write_report

    folder = tmp_path_factory.mktemp("report")
    data = folder / NAME
    data.mkdir()
    rows = [f"{'good' if n % 2 else 'bad'} word{n % 9} number {n},{n % 2}" for n in range(240)]
    (data / "train.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    db = str(folder / "results.db")
    asked = {
        "budget": parse_budget(("model.size<=1MiB", "inference.latency<=1s")),
        "search_time": 60.0,
        "max_trials": 3,
        "store": db,
    }
    app = App((), ())
    plan = make_plan(Request(DataRequest(str(data)), "bag-of-words", **asked), app.plugins)
    write_plan(plan, folder / "plan.json")
    write_report(plan, folder / "plan.html", app, db)
    return Drawn(plan, folder / "plan.json", db, folder / "plan.html")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is; without one its tests are skipped."""
    from shutil import which

    found = os.environ.get("CHROMIUM") or which("chromium") or which("chromium-browser")
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    return found
