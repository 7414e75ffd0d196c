"""The replay benchmark in small: searchers on a table of measured trials, against its clock."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def replay():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import replay

        yield replay
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def trials():
    return sorted((BENCHMARKS / "measured").glob("trials*.jsonl"))


@pytest.fixture(scope="module")
def replay_tables(replay):
    import replay_tables

    return replay_tables


@pytest.fixture(scope="module")
def tables(replay_tables, trials):
    return replay_tables.tables(trials)


def test_there_are_tables_of_several_tasks_with_limits_that_some_keep(tables):
    assert len({table.name for table in tables}) >= 4
    for table in tables:
        kept = [table.kept(row) for row in table.whole.values()]
        assert any(kept)
        assert not all(kept)


def test_what_is_known_of_a_table_leaves_its_task_out(replay_tables, trials, tables):
    known = replay_tables.history(trials, tables[0].name)
    assert known
    assert tables[0].fingerprint not in {trial.fingerprint for trial in known}


@pytest.mark.slow
@pytest.mark.parametrize("searcher", ["warm", "cold", "random", "expert"])
def test_a_searcher_finds_something_within_the_clock(
    replay, replay_tables, trials, tables, searcher
):
    table = tables[-1]
    runs = {
        "warm": lambda: replay.effauto(table, replay_tables.history(trials, table.name), 0),
        "cold": lambda: replay.effauto(table, [], 0),
        "random": lambda: replay.rival(table, "random", 0),
        "expert": lambda: replay.expert(table),
    }
    found = runs[searcher]().to_json()
    assert found["lacks"] == sorted(found["lacks"], reverse=True)
    assert found["volume"] == sorted(found["volume"])
    assert 0 <= found["lacks"][-1] < 0.2
    assert found["trials"] >= 1
    if searcher in ("warm", "cold"):
        assert found["illegal"] == 0
        tried = [row for _, row in runs[searcher]().ended]
        assert len(tried) == len({(row.candidate, row.fidelity) for row in tried})
