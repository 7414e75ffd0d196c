"""Plans from what is known: at once, without torch, and honest about what cannot be had."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from effauto import api
from effauto.errors import BudgetError, IllegalRecipe, InputError, ModelError
from effauto.model import find_model

HEAVY = {"torch", "transformers", "smac", "sklearn", "scipy", "ConfigSpace", "onnxruntime"}
PROGRAM = f"""
import json, sys, time
from effauto.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    found = {{"code": end.code or 0, "heavy": sorted({HEAVY!r} & set(sys.modules))}}
    print(json.dumps(found | {{"cpu": time.process_time()}}), file=sys.stderr)
"""


def effauto(*arguments):
    """Run the command line in a process of its own; return its answer, and what it took."""
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    return ran.stdout, json.loads(ran.stderr.splitlines()[-1])


@pytest.fixture(scope="module")
def minilm():
    try:
        find_model("minilm")
    except ModelError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("minilm")
def test_the_answer_comes_without_torch():
    answer, took = effauto("plan", "--search-time", "0", "--format", "json")
    assert took["code"] == 0
    assert took["heavy"] == []
    plan = json.loads(answer)
    assert plan["status"] == "feasible"
    assert plan["search"]["trials"] == 0
    assert plan["measurement"] == {}
    assert plan["alternatives"]
    assert any("foretold only" in note for note in plan["notes"])


@pytest.mark.timing
@pytest.mark.usefixtures("minilm")
def test_the_answer_comes_within_three_seconds_of_cpu():
    asked = [effauto("plan", "--search-time", "0")[1] for _ in range(3)]
    assert min(took["cpu"] for took in asked) < 3


def test_a_tight_budget_is_kept_by_what_is_foretold(task_folder):
    limits = ["model.size<=25MiB", "inference.latency<=3ms"]
    plan = api.plan(task_folder, budget=limits)
    assert plan.status == "feasible"
    assert not plan.budget.broken({name: f.value for name, f in plan.estimate.items()})


def test_an_impossible_budget_is_told_with_its_least_relaxation(task_folder, cli):
    limits = ["--budget", "model.size<=1KiB", "--budget", "inference.latency<=0.001ms"]
    told = cli("plan", task_folder, "--model", "bag-of-words", *limits, "--format", "json")
    assert told.exit_code == 3
    plan = json.loads(told.stdout)
    assert plan["status"] == "infeasible"
    assert {limit["resource"] for limit in plan["infeasible"]["binding"]} == {
        "model.size",
        "inference.latency",
    }
    reasons = " ".join(plan["infeasible"]["reasons"])
    assert "model.size<=1KiB cannot be met: the smallest recipe, bag-of-words" in reasons
    assert "relaxing to model.size<=" in reasons
    relaxed = [f"{limit['resource']}<={limit['limit']}{limit['unit']}"
               for limit in plan["infeasible"]["relaxed"]]  # fmt: skip
    assert api.plan(task_folder, model="bag-of-words", budget=relaxed).status == "feasible"


def test_an_impossible_budget_is_known_before_anything_is_searched(task_folder, cli):
    told = cli("plan", task_folder, "--model", "bag-of-words", "--search-time", "10min",
               "--budget", "model.size<=1byte")  # fmt: skip
    assert told.exit_code == 3
    assert "Nothing fits this budget" in told.stdout
    assert "model.size<=" in told.stdout


def test_a_given_recipe_is_costed(task_folder):
    plan = api.plan(task_folder, model="bag-of-words", recipe="random-subset")
    assert [step.method for step in plan.recipe.steps] == ["random-subset"]
    assert plan.recipe.settings["random-subset"] == {"share": 0.5}
    assert plan.alternatives == ()


def test_a_given_recipe_that_is_illegal_is_refused(task_folder):
    with pytest.raises(IllegalRecipe, match="there is no method 'magic'"):
        api.plan(task_folder, model="bag-of-words", recipe="magic")


def test_the_same_question_has_the_same_answer(task_folder):
    def figures():
        plan = api.plan(task_folder, budget="model.size<=25MiB")
        return plan.model, plan.recipe, plan.order, {n: f.value for n, f in plan.estimate.items()}

    assert figures() == figures()


def test_money_needs_a_price(task_folder):
    with pytest.raises(BudgetError, match="needs a price to reckon with"):
        api.plan(task_folder, budget="train.cost<=2EUR")
    plan = api.plan(task_folder, budget="train.cost<=2EUR", prices=["1EUR/hour"], country="DEU")
    assert plan.estimate["train.cost"].unit == "EUR"
    assert plan.to_json()["place"]["country"] == "DEU"


def test_a_plan_can_be_made_for_a_machine_one_does_not_have(task_folder):
    plan = api.plan(task_folder, hardware="raspberry-pi-5")
    assert plan.hardware.origin == "profile"
    with pytest.raises(InputError, match="is not this machine, so nothing can be tried on it"):
        api.plan(task_folder, hardware="raspberry-pi-5", search_time=5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"search_time": -1}, "the search cannot take -1"),
        ({"search_time": float("nan")}, "the search cannot take nan"),
        ({"max_trials": 0}, "a search of 0 trials finds nothing"),
        ({"seed": -1}, "a seed lies between 0 and"),
        ({"search_time": "4 apples"}, "search.time takes a quantity in s"),
        ({"budget": "quality.f1>=0.5"}, "the metric of this task is accuracy"),
    ],
)
def test_what_cannot_be_asked_is_refused(task_folder, wrong, message):
    with pytest.raises(InputError, match=message):
        api.plan(task_folder, model="bag-of-words", **wrong)


@pytest.mark.parametrize(
    ("given", "budget", "seconds"),
    [
        (None, [], 7.0),
        (None, ["search.time<=2min"], 120.0),
        ("4min", ["search.time<=2min"], 120.0),
        ("1min", ["search.time<=2min"], 60.0),
        ("0", ["search.time<=2min"], 0.0),
        (30, [], 30.0),
    ],
)
def test_the_search_keeps_to_the_tighter_of_two_times(given, budget, seconds):
    from effauto.budget import parse_budget

    assert api.search_seconds(given, parse_budget(budget), 7.0) == seconds


def test_explaining_a_plan_gives_its_reasons(task_folder, cli, tmp_path):
    path = tmp_path / "plan.json"
    made = cli("plan", task_folder, "--search-time", "0", "--recipe", "random-subset + near-dedup",
               "--model", "bag-of-words", "--output", path)  # fmt: skip
    assert made.exit_code == 0
    told = cli("explain", path)
    assert told.exit_code == 0
    assert "Order: " in told.stdout
    assert "Ruled out:" in told.stdout
    assert max(map(len, told.stdout.splitlines())) <= 80
