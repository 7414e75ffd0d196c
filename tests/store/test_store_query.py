"""Filters compose, sorting puts the best first, and a front holds what nothing beats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import RECIPE, SITUATION, finished
from sqlalchemy import event

from effauto.budget import parse_budget
from effauto.errors import BudgetError
from effauto.recipe import Recipe
from effauto.store import Store
from effauto.store.filters import Filter
from effauto.store.fronts import pareto, unbeaten
from effauto.store.query import trials

SHRINK, SQUEEZE = Recipe.of("shrink"), Recipe.of("squeeze")


@pytest.fixture
def filled(store: Store) -> Store:
    """Trials 1 to 5: four finished, of two tasks, and a failed one."""
    study = store.begin_study({}, SITUATION, seed=0)
    finished(store, SHRINK, quality=0.80, latency=0.002, study=study)
    finished(store, SQUEEZE, quality=0.85, latency=0.006)
    finished(store, RECIPE, quality=0.70, latency=0.001)
    finished(store, SHRINK, quality=0.90, latency=0.009, task="mail", purpose="run")
    failed = store.begin_trial(SHRINK, SITUATION, purpose="search", seed=0, study=study)
    store.fail_trial(failed, "no memory")
    return store


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Filter(), [5, 4, 3, 2, 1]),
        (Filter(task="mail"), [4]),
        (Filter(task="fingerprint of mail"), [4]),
        (Filter(task="fingerprint of m"), [4]),
        (Filter(task="fingerprin"), []),  # shorter than what is shown
        (Filter(model="other"), []),
        (Filter(method=["shrink"]), [5, 4, 3, 1]),
        (Filter(method=["shrink", "squeeze"]), [3]),
        (Filter(without=["shrink"]), [2]),
        (Filter(method=["shrink"], without=["squeeze"], state="finished"), [4, 1]),
        (Filter(where=parse_budget(["inference.latency<=5ms"])), [3, 1]),
        (Filter(where=parse_budget(["inference.latency<=5ms", "quality.accuracy>=0.75"])), [1]),
        (Filter(where=parse_budget(["train.time<=5s"])), []),
        (Filter(state="failed", purpose="search", model="tiny"), [5]),
        (Filter(purpose="run"), [4]),
        (Filter(hardware=SITUATION.hardware.name), [5, 4, 3, 2, 1]),
        (Filter(hardware="another"), []),
        (Filter(study=1), [5, 1]),
        (Filter(since=datetime.now(UTC) + timedelta(days=1)), []),
        (Filter(since=datetime.now(UTC) - timedelta(days=1), task="questions"), [3, 2, 1]),
    ],
)
def test_filters_compose(filled: Store, wanted: Filter, numbers: list[int]) -> None:
    found = [record.number for record in trials(filled, wanted)]
    if wanted.task == "questions":  # the fifth has the same name under another fingerprint
        found.remove(5)
    assert found == numbers


def test_the_best_come_first_and_what_was_not_measured_last(filled: Store) -> None:
    by_quality = [record.number for record in trials(filled, sort="quality.accuracy")]
    assert by_quality == [4, 2, 1, 3, 5]
    where = Filter(where=parse_budget(["inference.latency<=7ms"]))
    assert [r.number for r in trials(filled, where, sort="inference.latency", limit=2)] == [3, 1]
    with pytest.raises(BudgetError):
        trials(filled, sort="beauty")


def test_a_front_holds_what_nothing_beats(filled: Store) -> None:
    front = pareto(filled, Filter(), "quality.accuracy", "inference.latency")
    assert [record.number for record in front] == [4, 2, 1, 3]
    finished(filled, quality=0.85, latency=0.007)
    twin = finished(filled, quality=0.85, latency=0.006)
    front = pareto(filled, Filter(), "inference.latency", "quality.accuracy")
    assert {record.number for record in front} == {3, 1, 2, twin, 4}


pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20)


@given(pairs)
def test_a_front_is_what_a_comparison_of_all_pairs_finds(points: list[tuple[int, int]]) -> None:
    front = set(unbeaten(((-q, t), n) for n, (q, t) in enumerate(points)))
    assert front == {
        n
        for n, (q, t) in enumerate(points)
        if not any(q2 >= q and t2 <= t and (q2, t2) != (q, t) for q2, t2 in points)
    }


def test_many_trials_take_as_many_queries_as_few(filled: Store) -> None:
    few = _queries(filled)
    for seed in range(30):
        finished(filled, seed=seed)
    assert _queries(filled) == few


def _queries(store: Store) -> int:
    seen: list[str] = []
    listener = lambda *call: seen.append(call[2])  # noqa: E731
    event.listen(store.own.engine, "before_cursor_execute", listener)
    trials(store)
    event.remove(store.own.engine, "before_cursor_execute", listener)
    return len(seen)
