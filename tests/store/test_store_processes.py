"""Processes that die, and processes that write at once, lose nothing."""

from __future__ import annotations

import multiprocessing
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

from samples import (
    RECIPE,
    SITUATION,
    die_in_the_middle,
    finished,
    import_all,
    measured,
    write_many,
)

from effauto.store import Store, open_store
from effauto.store.bundle import export_results
from effauto.store.filters import Filter
from effauto.store.process import Process, this_process
from effauto.store.query import trial, trials

spawn = multiprocessing.get_context("spawn")


def test_a_killed_process_loses_only_the_trial_that_ran(url: str) -> None:
    victim = spawn.Process(target=die_in_the_middle, args=(url, 7))
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    store = open_store(url)
    *finished, last = reversed(trials(store))
    assert [record.seed for record in finished] == list(range(7))
    assert all(record.state == "finished" for record in finished)
    assert all(record.measured == measured() for record in finished)
    assert (last.state, last.seed, last.measured) == ("interrupted", 7, {})
    assert store.resume_study({"data": "questions"}) == last.study
    assert store.resume_study({"data": "questions"}) is None, "it is worked on now"
    store.close()


def test_eight_processes_write_at_once(url: str) -> None:
    writers = [spawn.Process(target=write_many, args=(url, 100 * n, 8)) for n in range(8)]
    for writer in writers:  # none has made the database yet
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 8
    store = open_store(url)
    found = trials(store)
    assert sorted(record.seed for record in found) == [
        100 * n + k for n in range(8) for k in range(8)
    ]
    assert len({record.number for record in found}) == 64
    assert all(record.measured == measured() for record in found)
    store.close()


def test_the_same_bundle_imported_by_several_at_once_is_there_once(
    store: Store, url: str, tmp_path: Path
) -> None:
    other = open_store(tmp_path / "other.db")
    for seed in range(300):
        finished(other, seed=seed)
    bundle = tmp_path / "results.jsonl"
    export_results(other, bundle, Filter())
    other.close()
    importers = [spawn.Process(target=import_all, args=(url, str(bundle))) for _ in range(3)]
    for importer in importers:
        importer.start()
    for importer in importers:
        importer.join(120)
    assert [importer.exitcode for importer in importers] == [0] * 3
    assert sorted(record.seed for record in trials(store)) == list(range(300))


def test_a_living_process_is_left_alone(store: Store) -> None:
    number = store.begin_trial(RECIPE, SITUATION, purpose="search", seed=0)
    store.beat(number)
    assert store.reap() == 0
    assert trial(store, number).state == "running"


def test_which_processes_are_alive() -> None:
    now, me = datetime.now(UTC), this_process()
    assert me.alive(now)
    assert not Process(me.process_id, me.process_started - 60, me.host).alive(now), "number reused"
    assert not Process(2**22 + 1, me.process_started, me.host).alive(now)
    elsewhere = Process(1, 0.0, "another host")
    assert elsewhere.alive(now - timedelta(hours=1))
    assert not elsewhere.alive(now - timedelta(days=2))
