"""Guards: the worst class, and loyalty to the untouched model, are measured and kept."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from test_planner_results import result

from effauto import api
from effauto.budget import parse_budget, parse_guard
from effauto.errors import BudgetError
from effauto.execution.judge import worst_class
from effauto.planner.candidate import Candidate
from effauto.planner.results import choose
from effauto.planner.trials.loyalty import LOYALTY, compare
from effauto.recipe import Recipe
from effauto.resources import Figure, exactly
from effauto.store import open_store
from effauto.store.query import trials
from effauto.task.examples import Examples

CLASSES = ("a", "b", "c")


def examples(targets, kind="text-classification"):
    return Examples(kind, tuple((str(n),) for n in range(len(targets))), tuple(targets))


def test_the_worst_class_is_the_one_whose_rows_are_answered_worst():
    truth = [0] * 10 + [1] * 10 + [2] * 10
    found = [0] * 9 + [1] + [1] * 6 + [0] * 4 + [2] * 10
    figure = worst_class(CLASSES, examples(truth), found)["guard.worst_class"]
    assert figure.value == 0.6
    assert figure.low < 0.6 < figure.high
    assert figure.note == "'b', 10 rows"


def test_a_class_of_few_rows_says_nothing():
    truth, found = [0] * 10 + [1] * 4, [0] * 10 + [0] * 4
    assert worst_class(CLASSES, examples(truth), found)["guard.worst_class"].value == 1.0
    assert worst_class(CLASSES, examples([0, 1, 2]), [0, 0, 0]) == {}


def test_of_tags_the_worst_class_is_by_words():
    truth = [(0, 1, 1), (1, 1, 1), (0, 0, 0), (0, 0, 0)]
    found = [(0, 1, 1), (1, 1, 0), (0, 0, 0), (0, 0, 0)]
    figure = worst_class(CLASSES, examples(truth, "token-classification"), found)
    assert figure["guard.worst_class"].value == 0.8


def guarded(name, quality, worst, *, answers=(), **more):
    made = result(name, quality, **more)
    made.measured["guard.worst_class"] = Figure(worst, "1", worst, worst, "measured")
    return replace(made, answers=answers)


def test_of_two_as_good_the_one_with_the_worse_worst_class_is_rejected():
    untouched = guarded("untouched", 0.9, 0.80, seconds=100.0)
    fair = guarded("fair", 0.9, 0.79, seconds=50.0)
    unfair = guarded("unfair", 0.9, 0.60, seconds=5.0)
    tried = [untouched, fair, unfair]
    free, guards = parse_budget([]), parse_budget([], ["worst-class>=-2%"])
    assert choose(tried, free, "accuracy") is unfair
    assert choose(tried, guards.against(untouched.projected()), "accuracy") is fair


def test_loyalty_is_the_share_of_answers_that_are_the_baselines():
    untouched = result("untouched", 0.9)
    baseline = Candidate("m")
    base = replace(untouched, candidate=baseline, answers=(0, 1, 2, 2))
    like = replace(result("like", 0.9), answers=(0, 1, 2, 0))
    silent = result("silent", 0.9)
    assert compare([like, silent], baseline) == []
    assert compare([like, base, silent], baseline) == [like, base]
    assert like.measured[LOYALTY].value == 0.75
    assert base.measured[LOYALTY].value == base.measured[LOYALTY].low == 1.0
    assert LOYALTY not in silent.measured
    assert compare([like, base], baseline) == []
    larger = replace(base, fidelity=2.0, answers=(0, 1, 1, 1))
    assert compare([like, base, larger], baseline) == [like, base, larger]
    assert like.measured[LOYALTY].value == 0.5
    budget = parse_budget([], ["loyalty>=70%"])
    assert choose([like, silent], budget, "accuracy") is None


@pytest.mark.parametrize(("text", "limit"), [
    ("worst-class>=-2%", "guard.worst_class>=baseline-2%"),
    ("worst-class >= 80%", "guard.worst_class>=80%"),
    ("loyalty>=0.95", "guard.loyalty>=0.95"),
])  # fmt: skip
def test_a_guard_is_a_limit(text, limit):
    assert parse_guard(text) == limit
    assert parse_budget([], [text]) == parse_budget([limit])


@pytest.mark.parametrize(
    "text", ["", "loyalty", "worst-class<=2%", "best-class>=1%", "loyalty>=--1%"]
)
def test_what_is_no_guard_is_told(text):
    with pytest.raises(BudgetError, match="is no guard; write worst-class>=-2%"):
        parse_guard(text)


@pytest.fixture(scope="module")
def searched(task_folder, tmp_path_factory):
    database = tmp_path_factory.mktemp("guarded") / "results.db"
    plan = api.plan(
        task_folder, model="bag-of-words", search_time=60, max_trials=4, store=str(database),
        guard=["worst-class>=-5%", "loyalty>=80%"],
    )  # fmt: skip
    store = open_store(database)
    found = trials(store)
    store.close()
    return plan, found


def test_guards_are_measured_in_every_trial_and_stored(searched):
    plan, found = searched
    assert len(found) == 4
    for record in found:
        assert {"guard.worst_class", "guard.loyalty"} <= set(record.measured)
        assert record.measured["guard.loyalty"].note.startswith("60 answers, beside bag-of-words")
    (untouched,) = [record for record in found if not record.recipe.steps]
    assert untouched.value("guard.loyalty") == 1.0
    assert {limit.resource for limit in plan.budget} == {"guard.worst_class", "guard.loyalty"}
    worst = untouched.value("guard.worst_class")
    limit = plan.budget.limit_on("guard.worst_class")
    assert limit == pytest.approx(worst - 0.05)
    assert not plan.budget.broken({n: f.value for n, f in plan.measurement.items()})


def test_guards_are_shown_and_survive_a_file(searched, cli, tmp_path):
    from effauto.planner.answers.plan_file import read_plan, write_plan

    plan, _ = searched
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan
    told = cli("explain", tmp_path / "plan.json").stdout
    assert "guard.loyalty" in told
    assert "guard.worst_class>=baseline-5% (" in " ".join(told.split())


def test_a_run_judges_the_worst_class_and_leaves_loyalty_open(searched, tmp_path):
    plan, _ = searched
    outcome = api.run(plan, tmp_path / "model")
    assert "guard.worst_class" in outcome.measurement
    (verdict,) = outcome.to_json()["budget"]
    assert verdict["resource"] == "guard.worst_class"
    assert json.dumps(verdict)


def test_an_instant_plan_says_that_guards_were_not_checked(task_folder):
    plan = api.plan(task_folder, model="bag-of-words",
                    guard=["worst-class>=-2%", "loyalty>=95%"])  # fmt: skip
    assert plan.status == "feasible"
    text = " ".join(plan.notes)
    assert "guard.worst_class>=baseline-2% was not checked" in text
    assert "guard.loyalty>=0.95 was not checked: only a trial" in text


def test_a_guard_that_nothing_tried_keeps_is_told(situation):
    from effauto.planner.answers.chosen import chosen

    known = situation("guard.loyalty>=99%", search_time=60.0)
    tried = replace(result("x", 0.9), candidate=Candidate("bag-of-words", Recipe.of("near-dedup")))
    tried.measured[LOYALTY] = exactly(0.5, "1")
    spent = {"trials": 1, "failed": 0, "seconds": 1.0, "energy": 0.0}
    plan = chosen(known, [tried], [tried.candidate], spent, interrupted=False)
    assert plan.status == "infeasible"
    assert any("guard.loyalty>=0.99" in reason for reason in plan.infeasible["reasons"])
