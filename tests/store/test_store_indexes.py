"""What users and the planner ask is answered by indexes: no table of figures is read through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from samples import finished
from sqlalchemy import event

from effauto.budget import parse_budget
from effauto.planner.knowledge.known import best_known
from effauto.store import Store
from effauto.store.filters import Filter
from effauto.store.fronts import pareto
from effauto.store.qualities import qualities
from effauto.store.query import trials
from effauto.store.seen import seen

WHERE = parse_budget(["inference.latency<=5ms"])
QUESTIONS: dict[str, Callable[[Store], Any]] = {
    "list": lambda store: trials(store, limit=50),
    "filtered": lambda store: trials(
        store, Filter(task="questions", method=("shrink",), without=("lora",), where=WHERE), limit=9
    ),
    "best first": lambda store: trials(store, sort="quality.accuracy", limit=9),
    "best": lambda store: best_known(store, Filter(task="questions"), WHERE),
    "pareto of everything": lambda store: pareto(
        store, Filter(), "quality.accuracy", "inference.latency"
    ),
    "pareto": lambda store: pareto(
        store, Filter(task="questions"), "quality.accuracy", "inference.latency"
    ),
    "warm start": qualities,
    "methods": lambda store: seen(store, Filter(task="questions"), ["model.size"]),
}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", QUESTIONS)
def test_no_table_of_figures_is_scanned(store: Store, name: str) -> None:
    finished(store)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(store.own.engine, "before_cursor_execute")
    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    QUESTIONS[name](store)
    event.remove(store.own.engine, "before_cursor_execute", listen)
    assert asked
    with store.own.engine.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row[3] for row in plan]
            scanned = [step for step in steps if step.startswith("SCAN") and "USING" not in step]
            big = ("measurement", "trial_method", "artefact")
            assert not [s for s in scanned if s.split()[1].startswith(big)], (statement, steps)
