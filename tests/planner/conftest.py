"""A task in a folder, and what the planner knows of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sample_plugins import PROLOGUE, ROWS
from sample_tasks import topic_rows

from effauto.budget import parse_budget
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.pool import few
from effauto.planner.candidates.space import build_space
from effauto.planner.request import DataRequest, Request
from effauto.planner.situation import Situation, understand
from effauto.planner.trials.opening import opening
from effauto.planner.trials.strategy import Strategy
from effauto.plugins import load_plugins
from effauto.store import open_store


@pytest.fixture(scope="session")
def task_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 rows to train on, 60 to validate and 60 to test."""
    folder = tmp_path_factory.mktemp("task")
    for number, (split, rows) in enumerate((("train", 240), ("validation", 60), ("test", 60))):
        lines = [json.dumps(row) for row in topic_rows(rows, seed=number)]
        (folder / f"{split}.jsonl").write_text("\n".join(lines))
    return folder


@pytest.fixture
def situation(task_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Situation]]:
    """What the planner understands of a request for the task, by default with a bag of words."""
    store = open_store(tmp_path / "results.db")

    def situation(*budget: str, model: str | Path = "bag-of-words", **more: object) -> Situation:
        data = DataRequest(str(task_folder))
        request = Request(data, str(model), parse_budget(budget), **more)  # type: ignore[arg-type]
        return understand(request, load_plugins(), store)

    yield situation
    store.close()


@pytest.fixture(scope="session")
def methods_of_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of methods that change the rows, also for a bag of words."""
    folder = tmp_path_factory.mktemp("methods")
    (folder / "rows.py").write_text(PROLOGUE + ROWS)
    return folder


@pytest.fixture
def more_methods(methods_of_rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those, beside what is installed."""
    monkeypatch.setenv("EFFAUTO_PLUGINS_DIR", str(methods_of_rows))


@pytest.fixture
def strategy(situation: Callable[..., Situation]) -> Callable[..., Strategy]:
    """A strategy for a search of so many seconds."""

    def strategy(
        seconds: float = 600.0, portfolio: list[Candidate] | None = None, **request: Any
    ) -> Strategy:
        known = situation(**request)
        known.request = replace(known.request, search_time=seconds)  # no trial is run here
        first, _ = opening(known, few(known.oracle, known.usable))
        first = first if portfolio is None else portfolio
        return Strategy(known, build_space(known.usable, 0), first, 0)

    return strategy
