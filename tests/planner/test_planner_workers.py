"""Searches with several workers: nothing twice, nothing lost, the best kept."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import psutil
import pytest
from ConfigSpace import ConfigurationSpace
from test_planner_searched import Searching
from test_planner_strategy import measured
from watching import Watcher, most_at_once

from effauto import api
from effauto.errors import InputError
from effauto.planner.candidates.pool import few
from effauto.planner.candidates.space import build_space
from effauto.planner.search import Search
from effauto.planner.trials.opening import opening
from effauto.planner.trials.strategy import Strategy
from effauto.store import open_store
from effauto.store.query import trials


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


@pytest.fixture(scope="module")
def two(task_folder, methods_of_rows, tmp_path_factory):
    """A search of two workers: the plan, what each did, and the trials in the store."""
    database, watcher = tmp_path_factory.mktemp("two") / "results.db", Watcher()
    plan = api.plan(
        task_folder, model="bag-of-words", search_time=120, max_trials=5, workers=2,
        store=str(database), listener=watcher, plugins_dirs=[methods_of_rows],
    )  # fmt: skip
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
