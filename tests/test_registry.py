"""The knowledge that ships: only what commands here measured, each row saying where it is from."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from effauto.store.filters import Filter
from effauto.store.query import trials
from effauto.store.record import Store
from effauto.store.session import open_shipped

ROOT = Path(__file__).resolve().parents[1]
REGISTRY = ROOT / "registry.db"
SOURCE = ROOT / "benchmarks" / "measured" / "trials.jsonl"


@pytest.fixture
def shipped():
    database = open_shipped(REGISTRY)
    assert database is not None
    store = Store(database)
    yield store
    store.close()


def test_it_holds_what_was_measured_and_nothing_else(shipped):
    source = [json.loads(line) for line in SOURCE.read_text(encoding="utf-8").splitlines()]
    found = trials(shipped, Filter())
    assert len(found) == len(source) > 0
    assert {record.recipe.key for record in found} == {entry["recipe_key"] for entry in source}


def test_each_trial_says_where_it_is_from(shipped):
    for record in trials(shipped, Filter()):
        assert record.state == "finished"
        assert record.purpose in ("search", "run")
        assert record.hardware
        assert record.versions["torch"]
        assert all(version.version for version in record.methods.values())
        assert f"quality.{record.task_traits.metric}" in record.measured


def test_no_text_or_path_of_a_user_is_in_it():
    with sqlite3.connect(f"file:{REGISTRY}?mode=ro", uri=True) as connection:
        dump = "\n".join(connection.iterdump())
    assert "/root/" not in dump
    assert "/home/" not in dump
    assert str(ROOT) not in dump


def test_claims_have_a_source(shipped):
    with sqlite3.connect(f"file:{REGISTRY}?mode=ro", uri=True) as connection:
        rows = connection.execute("select method, text, source, checked from claim").fetchall()
    assert rows
    assert all(all(cell.strip() for cell in row) for row in rows)
