"""With resources named beside quality, the alternatives are the front of all of them."""

from __future__ import annotations

import json

import pytest

from effauto import api
from effauto.errors import BudgetError, InputError

COSTS = ("model.size", "inference.throughput")


def points(plan):
    """Errors and costs of the alternatives, all to be minimised."""
    return [
        (
            -other.figures["quality.accuracy"].value,
            other.figures["model.size"].value,
            -other.figures["inference.throughput"].value,
        )
        for other in plan.alternatives
    ]


def beaten(point, others):
    return any(
        all(a <= b for a, b in zip(other, point, strict=True)) and other != point
        for other in others
    )


@pytest.mark.parametrize("budget", [(), ("model.size<=1MiB",)])
def test_an_instant_plan_has_the_front_of_what_is_foretold(task_folder, budget):
    plan = api.plan(task_folder, pareto=COSTS, budget=budget)
    found = points(plan)
    assert found
    assert not any(beaten(point, found) for point in found)
    if budget:
        assert all(other.figures["model.size"].value <= 2**20 for other in plan.alternatives)


def test_a_searched_plan_has_the_front_of_what_was_measured(task_folder, cli):
    told = cli("plan", task_folder, "--model", "bag-of-words", "--search-time", "12s",
               "--max-trials", "6", "--format", "json",
               "--pareto", "model.size", "--pareto", "inference.throughput")  # fmt: skip
    assert told.exit_code == 0
    plan = json.loads(told.stdout)
    found = [
        (
            -other["figures"]["quality.accuracy"]["value"],
            other["figures"]["model.size"]["value"],
            -other["figures"]["inference.throughput"]["value"],
        )
        for other in plan["alternatives"]
    ]
    assert found
    assert not any(beaten(point, found) for point in found)


def test_only_costs_of_a_recipe_can_be_weighed(task_folder):
    with pytest.raises(InputError, match=r"search.time is no cost of a recipe"):
        api.plan(task_folder, pareto=["search.time"])
    with pytest.raises(BudgetError, match="'beauty' is no resource"):
        api.plan(task_folder, pareto=["beauty"])
    with pytest.raises(InputError, match=r"train.cost is not foretold here"):
        api.plan(task_folder, pareto=["train.cost"])
