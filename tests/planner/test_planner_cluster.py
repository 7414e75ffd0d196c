"""Searches on a dask cluster: as many trials at once as workers, none lost with a worker."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import psutil
import pytest
from sample_plugins import NAPS
from watching import Watcher, most_at_once

from effauto import api
from effauto.errors import InputError
from effauto.store import open_store
from effauto.store.query import trials


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
