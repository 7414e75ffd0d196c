"""Plans carry their ledger, and warn of numbers that are not what is meant."""

from __future__ import annotations

import json

import pytest

from effauto import api
from effauto.errors import PlanError
from effauto.planner.answers.accounts import ledger_of
from effauto.planner.answers.plan_file import plan_from_json
from effauto.planner.candidate import Candidate
from effauto.recipe import Recipe


@pytest.fixture
def planned(task_folder, cli, tmp_path):
    """Plan at once for the task; return the exit code, what was printed and the JSON."""

    def planned(*options, model="bag-of-words"):
        path = tmp_path / "plan.json"
        told = cli("plan", task_folder, "--model", model, "--search-time", "0", "--output", path,
                   *options)  # fmt: skip
        return told, json.loads(path.read_text()), path

    return planned


def test_a_plan_has_its_ledger_and_explains_it(planned, cli):
    told, plan, path = planned("--recipe", "random-subset", "--price", "1EUR/hour",
                               "--requests", "1e6/day")  # fmt: skip
    ledger = plan["ledger"]
    assert ledger["ratios"]["D"] == pytest.approx(0.5)
    assert ledger["plan"]["name"] == "bag-of-words: random-subset"
    assert ledger["baseline"]["name"] == "bag-of-words: untouched"
    assert {"data", "finetune", "tune", "infer"} <= set(ledger["plan"]["phases"])
    assert {found["unit"] for found in ledger["break_even"]} == {"joule", "EUR"}
    assert ledger["volume"]["per_second"] == pytest.approx(1e6 / 86400)
    printed = " ".join(told.stdout.split())
    assert "Beside bag-of-words: untouched: E ×1, D ×0.5, H ×1" in printed
    assert "1M requests a day keep" in printed
    explained = cli("explain", path)
    assert explained.exit_code == 0
    assert "infer: one" in explained.stdout
    assert max(map(len, explained.stdout.splitlines())) <= 80


def test_a_plan_without_a_ledger_is_read_as_before(planned, cli):
    _, plan, path = planned()
    del plan["ledger"]
    path.write_text(json.dumps(plan))
    assert plan_from_json(plan).ledger is None
    assert cli("explain", path).exit_code == 0


def test_a_broken_ledger_is_a_plan_error(planned):
    _, plan, _ = planned()
    plan["ledger"]["plan"]["phases"]["tune"] = {"seconds": "long"}
    with pytest.raises(PlanError, match="is no whole plan"):
        plan_from_json(plan)


def test_the_search_is_charged_to_the_plan(situation):
    known = situation(search_time=0.0)
    best = Candidate("bag-of-words", Recipe.of("random-subset"))
    search = {"trials": 3, "failed": 0, "seconds": 20.0, "energy": 150.0}
    found = ledger_of(known, best, known.oracle.foretell(best), [], search)
    assert (found.plan.phases["tune"].seconds, found.plan.phases["tune"].joules) == (20.0, 150.0)
    assert found.plan.runs > 1
    assert found.baseline.phases["tune"].seconds == 0
    assert any(one.searched for one in found.break_even)


def test_the_target_is_the_limit_on_quality(situation):
    known = situation("quality.accuracy>=90%")
    best = Candidate("bag-of-words")
    figures = dict(known.oracle.foretell(best)) | {"quality.accuracy": _quality(0.95)}
    target = ledger_of(known, best, figures, [], {"seconds": 0.0, "energy": 0.0}).target
    assert (target.quality, target.of) == (0.9, "the budget")
    assert [one.name for one in target.reached] == ["bag-of-words: untouched"]
    poor = figures | {"quality.accuracy": _quality(0.85)}
    assert not ledger_of(known, best, poor, [], {"seconds": 0.0, "energy": 0.0}).target.reached


def _quality(value):
    from effauto.resources import exactly

    return exactly(value, "1", "closed-form")


def test_a_plan_for_nothing_has_no_ledger(planned):
    told, plan, _ = planned("--budget", "model.size<=1byte", "--requests", "5/s")
    assert told.exit_code == 3
    assert plan["ledger"] is None
    assert plan["infeasible"]["conflicts"][0][0]["resource"] == "model.size"
    assert plan["infeasible"]["relaxations"][0]["chosen"]


def test_a_wrong_number_of_requests_is_refused(planned, cli, task_folder):
    told = cli("plan", task_folder, "--search-time", "0", "--requests", "many")
    assert told.exit_code == 2
    assert "write 1e6/day or 20/s" in told.stderr


def test_a_poor_proxy_is_warned_of(task_folder, tiny_model):
    plan = api.plan(task_folder, model=str(tiny_model), budget="model.parameters<=3e6")
    assert any("model.parameters is a poor proxy of inference.latency" in n for n in plan.notes)
    assert not any("poor proxy" in note for note in api.plan(task_folder).notes)


def test_zeros_are_said_to_save_no_time(task_folder, tiny_model):
    plan = api.plan(task_folder, model=str(tiny_model), recipe="magnitude-pruning")
    assert any("cut neither latency nor memory" in note for note in plan.notes)


@pytest.mark.usefixtures("more_methods")
def test_indicators_stand_side_by_side(planned, cli):
    _, _, path = planned()
    told = cli("explain", path, "--indicators")
    assert told.exit_code == 0
    assert "Kendall's rank correlation over these" in told.stdout
    assert "FLOP/rq" in told.stdout
    assert max(map(len, told.stdout.splitlines())) <= 80
