"""Those who are told what happens: all of it, and at no cost to the search if they fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sample_tasks import topic_rows

import effauto
from effauto.errors import InputError
from effauto.listener import Listener, Several


class Written(Listener):
    """Keeps the names of what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def note(self, sentence: str) -> None:
        self.told.append(sentence)

    def planned(self, plan: Any) -> None:
        self.told.append("planned")


class Down(Listener):
    name = "far-away"

    def planned(self, plan: Any) -> None:
        raise ConnectionError("the server\nis down")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "topics"
    folder.mkdir()
    rows = "\n".join(json.dumps(row) for row in topic_rows(120))
    (folder / "train.jsonl").write_text(rows, encoding="utf-8")
    return folder


def test_one_that_fails_is_told_no_more_and_stops_nothing() -> None:
    first, last = Written(), Written()
    several = Several(first, [Down(), last])
    several.planned(None)
    several.planned(None)
    assert first.told == ["planned", "far-away is told no more: the server is down", "planned"]
    assert last.told == ["planned", "planned"]


def test_one_that_fails_is_told_no_more_of_any_worker() -> None:
    first = Written()
    several = Several(first, [Down()])
    for _ in range(3):
        several.of_worker(0, 1).planned(None)
    assert len([told for told in first.told if "no more" in told]) == 1


def test_an_unknown_name_is_refused_before_any_work(data: Path) -> None:
    with pytest.raises(InputError, match="nobody is called 'nonsense'"):
        effauto.plan(data, tell=["nonsense"])


LACKING = """
from effauto import Listener, hookimpl


class Lacking(Listener):
    name = "lacking"
    packages = {"no_such_package": "bench"}


@hookimpl
def register_listeners():
    yield Lacking()
"""


def test_one_that_lacks_its_package_is_refused_before_any_work(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "lacking.py").write_text(LACKING, encoding="utf-8")
    with pytest.raises(InputError, match=r"needs the package no_such_package: pip install") as told:
        effauto.plan(data, tell=["lacking"], plugins_dirs=[folder])
    assert "lacking cannot be told: it needs" in str(told.value)


@pytest.mark.slow
def test_mlflow_holds_the_search_the_plan_and_the_run(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="pip install 'effauto[mlflow]'")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)
    store = str(tmp_path / "results.db")
    asked: dict[str, Any] = {"model": "bag-of-words", "search_time": 60, "max_trials": 3}
    plan = effauto.plan(data, store=store, tell=["mlflow"], **asked)
    outcome = effauto.run(plan, tmp_path / "model", store=store, tell=["mlflow"])

    client = mlflow.MlflowClient()
    place = client.get_experiment_by_name("effauto").experiment_id
    runs = {run.data.tags["mlflow.runName"]: run for run in client.search_runs([place])}
    planned, ran = runs["plan for topics"], runs["run of topics"]
    trials = [r for r in runs.values() if r.data.tags.get("mlflow.parentRunId")]
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert {r.data.tags["mlflow.parentRunId"] for r in trials} == {planned.info.run_id}
    assert all(r.data.metrics["quality.accuracy"] > 0 for r in trials)
    size = outcome.measurement["model.size"].value
    assert ran.data.metrics["model.size"] == pytest.approx(size)
    assert ran.data.tags["effauto.folder"] == str(tmp_path / "model")
    assert [one.path for one in client.list_artifacts(planned.info.run_id)] == ["plan.json"]
    noted = {one.path for one in client.list_artifacts(ran.info.run_id)}
    assert "recipe.json" in noted
