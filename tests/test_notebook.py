"""A plan in a notebook: for people, with nothing in it that is markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import effauto
from effauto.planner.answers.plan import Plan

interactive = pytest.importorskip("IPython.core.interactiveshell")
pytest.importorskip("plotly", reason="pip install 'effauto[report]'")
NAME = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def shell() -> Any:
    return interactive.InteractiveShell.instance()


@pytest.fixture(scope="module")
def plan(shell: Any, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("notebook") / NAME
    folder.mkdir()
    rows = [f"{'good' if n % 2 else 'bad'} word{n % 9} number {n},{n % 2}" for n in range(240)]
    (folder / "train.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    return effauto.plan(folder, budget="inference.latency<=1s")


def test_html_has_the_answer_the_figures_and_the_front(shell: Any, plan: Plan) -> None:
    shown = shell.display_formatter.format(plan)[0]["text/html"]
    assert "inference.latency" in shown
    assert "1s ✓" in shown
    assert shown.count("<circle") >= 2
    assert NAME not in shown
    assert "<script" not in shown


def test_text_is_that_of_the_terminal(shell: Any, plan: Plan) -> None:
    shown = shell.display_formatter.format(plan)[0]["text/plain"]
    assert shown.startswith(f"For {Path(plan.task_name).name}, take ")
    assert "At full scale" in shown
