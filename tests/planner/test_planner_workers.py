"""Searches with several workers: nothing twice, nothing lost, the best kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import psutil
import pytest
from ConfigSpace import ConfigurationSpace
from sample_plugins import PROLOGUE, ROWS
from test_planner_searched import Searching
from test_planner_strategy import measured

from effauto import api
from effauto.errors import InputError
from effauto.listener import Listener
from effauto.planner.candidates.pool import few
from effauto.planner.candidates.space import build_space
from effauto.planner.search import Search
from effauto.planner.trials.opening import opening
from effauto.planner.trials.strategy import Strategy
from effauto.store import open_store
from effauto.store.query import trials

NAPS = """
import time

class Naps(Method):
    name, summary, stage = "naps", "Sleeps first.", "data"
    def prepare(self, data, setting, context):
        time.sleep(3)
        return data

@hookimpl
def register_methods():
    return [Naps()]
"""


def known_search(seed):
    """A search in one dimension that was told of a valley."""
    search = Search(ConfigurationSpace(seed=seed, space={"x": (0.0, 1.0)}), seed=seed)
    for configuration in search.space.sample_configuration(12):
        search.tell(configuration, {"cost": (configuration["x"] - 0.3) ** 2})
    return search


def test_what_is_under_way_waits_until_it_is_told():
    search = known_search(0)
    asked = search.ask()
    other = search.space.sample_configuration()
    search.begin(other)
    assert list(search.history.pending.values()) == [asked, other]
    search.give_up(asked)
    search.tell(other, {"cost": 0.01})
    assert not search.history.pending
    assert other not in [search.ask() for _ in range(5)]


def test_proposals_spread_while_others_are_under_way():
    def spread(*, under_way: bool) -> float:
        search, found = known_search(1), []
        for _ in range(6):
            asked = search.ask()
            found.append(asked["x"])
            if not under_way:
                search.give_up(asked)
        return max(found) - min(found)

    assert spread(under_way=True) > spread(under_way=False)


@pytest.mark.usefixtures("more_methods")
@pytest.mark.parametrize("workers", [1, 3])
def test_nothing_is_tried_twice_while_it_is_under_way(situation, workers):
    known = situation()
    known.request = replace(known.request, search_time=600.0)
    made = Strategy(known, build_space(known.usable, 0),
                    opening(known, few(known.oracle, known.usable))[0], 0)  # fmt: skip
    flying, begun = [], []
    for _ in range(15):
        while len(flying) < workers and (trial := made.next(500.0)):
            assert trial.candidate not in [other.candidate for other in flying]
            made.begin(trial)
            flying.append(trial)
            begun.append((trial.candidate, trial.fidelity))
        if not flying:
            break
        landed = flying.pop(0)
        made.tell(measured(made, landed.candidate, landed.fidelity))
    assert len(begun) >= 8
    assert len(set(begun)) == len(begun)


class Watcher(Listener):
    """Notes what each worker began and ended."""

    def __init__(self, place=0, told=None):
        self.place, self.told = place, [] if told is None else told

    def of_worker(self, place, workers):
        return Watcher(place, self.told)

    def started(self, number, candidate, fidelity, seconds):
        self.told.append(("began", self.place, number))

    def ended(self, result, best, time_left):
        self.told.append(("ended", self.place, result.trial))


def most_at_once(told):
    busy = [0]
    for what, _, _ in told:
        busy.append(busy[-1] + (1 if what == "began" else -1))
    return max(busy)


@pytest.fixture(scope="module")
def two(task_folder, tmp_path_factory):
    """A search of two workers: the plan, what each did, and the trials in the store."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "rows.py").write_text(PROLOGUE + ROWS)
    database, watcher = folder / "results.db", Watcher()
    plan = api.plan(task_folder, model="bag-of-words", search_time=120, max_trials=5, workers=2,
                    store=str(database), listener=watcher, plugins_dirs=[folder])  # fmt: skip
    store = open_store(database)
    records = trials(store)
    store.close()
    return plan, watcher.told, records


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two workers need two cores")
def test_two_workers_try_two_recipes_at_once(two):
    plan, told, records = two
    assert plan.status == "feasible"
    assert plan.search["trials"] == len(records) == 5
    assert most_at_once(told) == 2
    assert {place for _, place, _ in told} == {0, 1}
    assert [number for what, _, number in told if what == "began"] == [1, 2, 3, 4, 5]
    assert {record.state for record in records} == {"finished"}
    tried = [(record.recipe, record.fidelity) for record in records]
    assert len(set(tried)) == len(tried)
    assert plan.hardware.threads <= max(1, plan.hardware.cores)
    assert plan.hardware.name.endswith("1 of 2 parts")


def test_more_workers_than_cores_are_refused(task_folder):
    with pytest.raises(InputError, match="too few for 999 workers"):
        api.plan(task_folder, model="bag-of-words", search_time=5, workers=999)
    with pytest.raises(InputError, match=r"a cluster .* brings its own"):
        api.plan(task_folder, search_time=5, workers=2, dask="tcp://nowhere:1")


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_of_two_workers(task_folder, tmp_path):
    searching = Searching(task_folder, tmp_path / "own.db", "--workers", "2")
    started = searching.wait_for(3)
    searching.process.send_signal(signal.SIGINT)
    answer, told = searching.process.communicate(timeout=30)
    plan = json.loads(answer)
    assert searching.process.returncode == 130
    assert plan["status"] == "interrupted"
    assert plan["search"]["trials"] >= 2  # the third may be in the store and not yet told
    assert plan["measurement"]["quality.accuracy"]["value"] > 0
    assert "Traceback" not in told
    assert psutil.wait_procs(started, timeout=5)[1] == []
    store = open_store(tmp_path / "own.db")
    assert {record.state for record in trials(store)} <= {"finished", "interrupted"}
    store.close()


@pytest.mark.slow
def test_one_worker_and_two_come_to_the_same_within_noise(task_folder, tmp_path):
    found = [
        api.plan(task_folder, model="bag-of-words", search_time=180, max_trials=6, workers=workers,
                 store=str(tmp_path / f"{workers}.db"))
        for workers in (1, 2)
    ]  # fmt: skip
    one, two = (plan.measurement["quality.accuracy"] for plan in found)
    assert one.low <= two.high
    assert two.low <= one.high


@contextmanager
def cluster(folder, workers):
    """A scheduler and so many workers on this machine: its address, and their processes."""
    begin = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    port = 20000 + os.getpid() % 20000
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    address = f"tcp://127.0.0.1:{port}"
    processes = [subprocess.Popen([*begin, *options], cwd=folder, stderr=subprocess.DEVNULL)]
    for _ in range(workers):
        begin = [sys.executable, "-m", "distributed.cli.dask_worker", address]
        options = ["--nthreads", "1", "--no-dashboard", "--no-nanny"]
        processes.append(
            subprocess.Popen([*begin, *options], cwd=folder, stderr=subprocess.DEVNULL)
        )
    try:
        wait_for_workers(address, workers)
        yield address, processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_for_workers(address, workers):
    from distributed import Client

    with Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)


class Breaking(Watcher):
    """Kills a process once so many trials have ended, while others are under way."""

    def __init__(self, victim, after):
        super().__init__()
        self.victim, self.after = victim, after

    def of_worker(self, place, workers):
        self.place = place
        return self

    def ended(self, result, best, time_left):
        super().ended(result, best, time_left)
        if len([what for what, *_ in self.told if what == "ended"]) == self.after:
            time.sleep(0.5)
            self.victim.kill()


def search_on(address, folder, database, listener, **more):
    plan = api.plan(folder, model="bag-of-words", search_time=120, dask=address,
                    store=str(database), listener=listener, **more)  # fmt: skip
    store = open_store(database)
    records = trials(store)
    store.close()
    return plan, records


@pytest.mark.slow
def test_a_cluster_tries_as_many_at_once_as_it_has_workers(task_folder, tmp_path):
    watcher = Watcher()
    with cluster(tmp_path, 2) as (address, _):
        plan, records = search_on(address, task_folder, tmp_path / "own.db", watcher, max_trials=5)
    assert plan.status == "feasible"
    assert [record.state for record in records] == ["finished"] * 5
    assert most_at_once(watcher.told) == 2
    assert "guard.loyalty" in records[0].measured


def kill_the_busy(workers):
    """Wait until one of these dask workers has a trial going, and kill it."""
    while True:
        for worker in workers:
            process = psutil.Process(worker.pid)
            if any(child.children() for child in process.children()):
                worker.kill()
                return
        time.sleep(0.05)


@pytest.mark.slow
def test_a_lost_worker_of_a_cluster_costs_no_trial(task_folder, tmp_path, write):
    folder = write(naps=NAPS)
    with cluster(tmp_path, 2) as (address, processes):
        killer = threading.Thread(target=kill_the_busy, args=(processes[1:],))
        killer.start()
        plan, records = search_on(address, task_folder, tmp_path / "own.db", Watcher(),
                                  recipe="naps", plugins_dirs=[folder])  # fmt: skip
        killer.join()
        assert [worker.poll() is None for worker in processes[1:]].count(False) == 1
    assert (plan.search["trials"], plan.search["failed"]) == (1, 0)
    assert [record.state for record in records] == ["finished"]


@pytest.mark.slow
def test_without_its_scheduler_a_search_keeps_what_it_has(task_folder, tmp_path):
    with cluster(tmp_path, 2) as (address, processes):
        breaking = Breaking(processes[0], after=2)
        plan, records = search_on(address, task_folder, tmp_path / "own.db", breaking,
                                  max_trials=50)  # fmt: skip
    assert plan.status == "interrupted"
    assert plan.search["trials"] >= 2
    states = [record.state for record in records]
    assert set(states) == {"finished", "interrupted"}
    assert all(r.error for r in records if r.state == "interrupted")


def test_no_scheduler_is_told_at_once(task_folder, monkeypatch):
    monkeypatch.setattr("effauto.execution.cluster.CONNECT_SECONDS", 1.0)
    with pytest.raises(InputError, match=r"there is no dask scheduler at 'tcp://127\.0\.0\.1:1'"):
        api.plan(task_folder, model="bag-of-words", search_time=5, dask="tcp://127.0.0.1:1")
