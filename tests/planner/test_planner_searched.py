"""Searches for real: in time, blind to the test split, never losing a trial."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from misbehaving import PLUGIN

from effauto import api
from effauto.hardware.cache import cache_folder
from effauto.listener import Listener
from effauto.store import open_store
from effauto.store.query import trials

TRIALS = 6


class Watcher(Listener):
    """Notes what happens, and reads every file of the study whenever a trial starts."""

    def __init__(self):
        self.notes, self.started_with, self.ended_with, self.read = [], [], [], ""

    def note(self, sentence):
        self.notes.append(sentence)

    def started(self, number, candidate, fidelity, seconds):
        self.started_with.append((candidate, fidelity))
        for path in (cache_folder() / "studies").rglob("*.jsonl"):
            self.read += f"{path.name}\n{path.read_text()}"

    def ended(self, result, best, time_left):
        self.ended_with.append((result, best))


@pytest.fixture(scope="module")
def search(task_folder, methods_of_rows, tmp_path_factory):
    """A search of a few trials: the plan, who watched it, and the database."""
    watcher, database = Watcher(), tmp_path_factory.mktemp("search") / "results.db"
    plan = api.plan(
        task_folder, model="bag-of-words", search_time=120, max_trials=TRIALS,
        store=str(database), listener=watcher, plugins_dirs=[methods_of_rows],
    )  # fmt: skip
    return plan, watcher, database


def test_the_plan_is_what_was_measured(search):
    plan, watcher, _ = search
    assert plan.status == "feasible"
    assert plan.measurement["quality.accuracy"].value > 0.8
    assert plan.measurement["quality.accuracy"].tier == "measured"
    assert {"train.time", "inference.latency", "model.size"} <= set(plan.measurement)
    assert set(plan.measurement) - {"train.cpu_time"} <= set(plan.estimate)
    _, best = watcher.ended_with[-1]
    assert best.candidate.model == plan.model
    assert dict(best.candidate.recipe.settings).keys() == plan.recipe.settings.keys()
    assert plan.alternatives


def test_no_more_trials_are_run_than_were_allowed(search):
    plan, watcher, _ = search
    assert plan.search["trials"] == len(watcher.started_with) == TRIALS
    assert plan.search["failed"] == 0
    assert 0 < plan.search["seconds"] < 120
    assert plan.search["energy"] > 0


def test_doing_nothing_is_tried_and_nothing_twice(search):
    _, watcher, _ = search
    assert () in [candidate.recipe.steps for candidate, _ in watcher.started_with]
    assert len(set(watcher.started_with)) == TRIALS


def test_every_trial_is_in_the_store(search):
    plan, _, database = search
    store = open_store(database)
    records = trials(store)
    store.close()
    assert len(records) == TRIALS
    assert {(r.state, r.purpose, r.study) for r in records} == {
        ("finished", "search", plan.search["study"])
    }
    for record in records:
        assert {"quality.accuracy", "model.size", "train.time"} <= set(record.measured)
        assert "train.time" in record.foretold


def test_the_search_never_sees_the_test_split(search, task_folder):
    _, watcher, _ = search
    assert "train.jsonl" in watcher.read
    assert "validation.jsonl" in watcher.read
    rows = [json.loads(line)["text"] for line in (task_folder / "test.jsonl").open()]
    assert not [text for text in rows if f'"{text}"' in watcher.read]


def test_nothing_is_left_in_the_cache(search):
    assert list((cache_folder() / "studies").iterdir()) == []


@pytest.fixture
def misbehaving(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "misbehaving.py").write_text(PLUGIN)
    return tmp_path / "plugins"


@pytest.mark.slow
@pytest.mark.timing
def test_the_demo_can_be_searched_in_seconds(cli):
    told = cli("plan", "--model", "bag-of-words", "--search-time", "15s", "--format", "json")
    assert told.exit_code == 0
    search = json.loads(told.stdout)["search"]
    assert search["trials"] >= 1
    assert search["seconds"] < 15 + 3


@pytest.mark.slow
@pytest.mark.timing
def test_the_clock_is_kept_even_by_a_trial_that_hangs(task_folder, misbehaving):
    seconds = 12
    plan = api.plan(
        task_folder, model="bag-of-words", recipe="hangs", search_time=seconds,
        plugins_dirs=[misbehaving],
    )  # fmt: skip
    assert plan.search["seconds"] < seconds + 4
    assert plan.search["failed"] == plan.search["trials"] <= 1
    assert any("foretold only" in note for note in plan.notes)


def test_a_trial_that_fails_is_kept(task_folder, misbehaving, tmp_path, cli):
    told = cli("--plugins-dir", misbehaving, "plan", task_folder, "--model", "bag-of-words",
               "--recipe", "crashes", "--format", "json", "--search-time", "60s")  # fmt: skip
    plan = json.loads(told.stdout)
    assert (plan["search"]["trials"], plan["search"]["failed"]) == (1, 1)
    assert "failed: died of SIGSEGV" in told.stderr
    store = open_store(tmp_path / "results.db")
    (record,) = trials(store)
    store.close()
    assert (record.state, record.measured) == ("failed", {})
    assert record.error.startswith("Crashed: died of SIGSEGV")


class Searching:
    """A search in a process of its own, by the command line."""

    def __init__(self, folder: Path, database: Path, *more: str) -> None:
        self.database = database
        command = [sys.executable, "-m", "effauto", "plan", str(folder), "--model", "bag-of-words",
                   "--search-time", "5min", "--format", "json", "--db", str(database)]  # fmt: skip
        self.process = subprocess.Popen(
            [*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait_for(self, count: int) -> list[psutil.Process]:
        """Wait until so many trials have finished; return the processes it started."""
        while self.finished() < count:
            assert self.process.poll() is None, self.process.communicate()[1]
            time.sleep(0.1)
        return psutil.Process(self.process.pid).children(recursive=True)

    def finished(self) -> int:
        if not self.database.exists():
            return 0
        address = f"file:{self.database}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            try:
                query = "SELECT count(*) FROM trial WHERE state = 'finished'"
                return int(connection.execute(query).fetchone()[0])
            except sqlite3.OperationalError:  # not made yet
                return 0


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_plan_so_far(task_folder, tmp_path):
    searching = Searching(task_folder, tmp_path / "own.db")
    started = searching.wait_for(2)
    searching.process.send_signal(signal.SIGINT)
    answer, told = searching.process.communicate(timeout=30)
    plan = json.loads(answer)
    assert searching.process.returncode == 130
    assert plan["status"] == "interrupted"
    assert plan["search"]["trials"] >= 2
    assert plan["measurement"]["quality.accuracy"]["value"] > 0
    assert "Traceback" not in told
    assert psutil.wait_procs(started, timeout=5)[1] == []


@pytest.mark.slow
def test_a_killed_search_loses_nothing_and_goes_on(task_folder, tmp_path):
    database = tmp_path / "own.db"
    searching = Searching(task_folder, database)
    started = searching.wait_for(2)
    os.kill(searching.process.pid, signal.SIGKILL)
    searching.process.communicate()
    assert psutil.wait_procs(started, timeout=10)[1] == []
    kept = searching.finished()
    watcher = Watcher()
    plan = api.plan(
        task_folder, model="bag-of-words", search_time=300, max_trials=kept + 2,
        store=str(database), resume=True, listener=watcher,
    )  # fmt: skip
    assert f"going on with study 1: {kept} trials are kept" in watcher.notes
    assert (plan.search["study"], plan.search["trials"]) == (1, kept + 2)
    assert searching.finished() == kept + 2
    store = open_store(database)
    records = trials(store)
    store.close()
    done = [(r.recipe, r.fidelity) for r in records if r.state == "finished"]
    assert len(set(done)) == len(done)
    assert {record.study for record in records} == {1}
    assert list((cache_folder() / "studies").iterdir()) == []


def test_there_may_be_nothing_to_go_on_with(search, task_folder):
    _, _, database = search
    watcher = Watcher()
    plan = api.plan(
        task_folder, model="bag-of-words", search_time=60, max_trials=1, seed=7,
        store=str(database), resume=True, listener=watcher,
    )  # fmt: skip
    assert "there is no unfinished study of this request: a new one begins" in watcher.notes
    assert plan.search["trials"] == 1
