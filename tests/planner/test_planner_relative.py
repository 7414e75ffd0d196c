"""Limits relative to the untouched baseline: foretold at once, measured once it was tried."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_planner_results import result

from effauto import api
from effauto.budget import parse_budget
from effauto.model import BAG_OF_WORDS
from effauto.planner.answers.plan_file import read_plan
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.pool import few
from effauto.planner.candidates.space import build_space
from effauto.planner.results import choose
from effauto.planner.trials.opening import opening
from effauto.planner.trials.strategy import Strategy
from effauto.recipe import Recipe
from effauto.store import open_store
from effauto.store.query import trials

LIMITS = ("train.labels<=0.6x", "quality.accuracy>=baseline-30%")


def test_an_instant_plan_takes_the_baseline_as_foretold(task_folder, cli, tmp_path):
    path = tmp_path / "plan.json"
    told = cli("plan", task_folder, "--model", "bag-of-words", "--search-time", "0", "--output",
               path, *(part for limit in LIMITS for part in ("--budget", limit)))  # fmt: skip
    assert told.exit_code == 0
    plan = read_plan(path)
    untouched = api.plan(task_folder, model="bag-of-words", recipe="untouched").estimate
    labels, quality = plan.budget
    assert labels.limit == pytest.approx(0.6 * untouched["train.labels"].value)
    assert quality.limit == pytest.approx(untouched["quality.accuracy"].value - 0.3)
    assert plan.estimate["train.labels"].value <= labels.limit
    assert plan.recipe.steps
    assert "train.labels<=0.6x (144): by bag-of-words: untouched, as foretold" in told.stdout
    assert json.loads(path.read_text())["budget"][0] == {
        "resource": "train.labels", "limit": labels.limit, "unit": "1", "text": LIMITS[0],
    }  # fmt: skip
    assert "train.labels<=0.6x (144)" in cli("explain", path).stdout


def test_a_plan_with_relative_limits_can_be_run(task_folder, cli, tmp_path):
    path = tmp_path / "plan.json"
    cli("plan", task_folder, "--model", "bag-of-words", "--search-time", "0", "--output", path,
        "--budget", LIMITS[0])  # fmt: skip
    told = cli("run", path, "--output", tmp_path / "model", "--format", "json")
    assert told.exit_code == 0
    (verdict,) = json.loads(told.stdout)["budget"]
    assert (verdict["text"], verdict["met"]) == (LIMITS[0], True)
    table = cli("run", path, "--output", tmp_path / "model").stdout
    assert "yes" in next(line for line in table.splitlines() if line.startswith("train.labels"))


@pytest.fixture(scope="module")
def searched(task_folder, tmp_path_factory):
    """The plan of a search, and what its trial of the untouched model measured."""
    database = tmp_path_factory.mktemp("relative") / "results.db"
    plan = api.plan(task_folder, model="bag-of-words", budget=LIMITS, search_time=60,
                    max_trials=4, store=str(database))  # fmt: skip
    store = open_store(database)
    (untouched,) = [record for record in trials(store) if not record.recipe.steps]
    store.close()
    return plan, untouched.measured


def test_a_search_takes_the_baseline_as_measured(searched):
    searched, baseline = searched
    labels, quality = searched.budget
    assert labels.text == LIMITS[0]
    assert labels.limit == pytest.approx(0.6 * 240)
    assert quality.limit == pytest.approx(baseline["quality.accuracy"].value - 0.3)
    assert any("as measured on 100% of the data" in note for note in searched.notes)
    assert not searched.budget.broken({n: f.value for n, f in searched.measurement.items()})


def test_what_no_recipe_reaches_is_told_by_the_written_limit(task_folder, cli):
    told = cli("plan", task_folder, "--model", "bag-of-words", "--search-time", "0",
               "--budget", "model.size<=0.001x")  # fmt: skip
    assert told.exit_code == 3
    assert "model.size<=0.001x (" in " ".join(told.stdout.split())
    assert "relaxing to model.size<=" in " ".join(told.stdout.split())


def test_limits_move_with_what_is_measured_of_the_baseline(situation):
    known = situation("inference.latency<=0.5x", "model.size<=1GiB")
    known.request = replace(known.request, search_time=600.0)
    made = Strategy(known, build_space(known.usable, 0), [], 0)
    tried = [_told(known, Candidate("bag-of-words", Recipe.of("random-subset")), 0.01),
             _told(known, Candidate("bag-of-words"), 0.03)]  # fmt: skip
    for one in tried:
        made.tell(one)
    (limit,) = known.budget.of_phases("inference")
    assert limit.limit == pytest.approx(0.015)
    history = made.surrogate.search.history
    assert history.constraints["inference.latency"] == pytest.approx(0.015)
    assert [history.kept(told) for told in history.told] == [True, False]
    assert choose(tried, known.budget, "accuracy") is tried[0]


def _told(situation, candidate, latency):
    from test_planner_strategy import measured

    from effauto.resources import exactly

    class Made:
        pass

    made = Made()
    made.situation = situation
    found = measured(made, candidate, 1.0)
    found.measured["inference.latency"] = exactly(latency, "s")
    return found


@given(st.floats(0.2, 3), st.lists(st.tuples(st.floats(0, 1), st.floats(1e-4, 1)), min_size=1))
def test_what_is_chosen_keeps_the_relative_limit(factor, rivals):
    results = [result(f"r{n}", q, latency=lat, spread=0) for n, (q, lat) in enumerate(rivals)]
    base = results[0].projected()
    budget = parse_budget([f"inference.latency<={factor:.3f}x"]).against(base)
    best = choose(results, budget, "accuracy")
    within = [r for r in results if r.measured["inference.latency"].value
              <= float(f"{factor:.3f}") * base["inference.latency"].value]  # fmt: skip
    assert (best is None) == (not within)
    assert best is None or best in within


def test_the_untouched_model_and_a_bag_of_words_are_always_tried(situation, tiny_model):
    known = situation("inference.latency<=1us", "model.size<=1KiB", model=tiny_model)
    known.request = replace(known.request, search_time=600.0)
    first, _ = opening(known, few(known.oracle, known.usable))
    assert {Candidate(str(tiny_model)), Candidate(BAG_OF_WORDS)} <= set(first)


def test_metrics_of_other_tasks_are_refused_also_where_they_are_relative(task_folder, cli):
    told = cli("plan", task_folder, "--model", "bag-of-words", "--search-time", "0",
               "--budget", "quality.macro_f1>=baseline")  # fmt: skip
    assert told.exit_code == 2
    assert "the metric of this task is accuracy" in told.stderr
