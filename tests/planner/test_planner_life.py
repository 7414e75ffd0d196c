"""One training and all requests together: the expected volume can change the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_planner_results import result

from effauto import api
from effauto.budget import parse_budget
from effauto.cost import Place, parse_prices
from effauto.cost.account import Tariff
from effauto.cost.breakeven import DAY
from effauto.cost.life import Use, life_figures, parse_use
from effauto.errors import BudgetError, ModelError
from effauto.hardware import this_machine
from effauto.model import find_model
from effauto.planner.answers.instant import instant
from effauto.planner.answers.plan_file import read_plan, write_plan
from effauto.planner.candidates.pool import few
from effauto.planner.results import choose
from effauto.preference import parse_preference
from effauto.resources import exactly

TARIFF = Tariff(this_machine(), parse_prices(["1EUR/hour", "1EUR/GB-month"]), Place())


def used(name, *, energy, latency, per_second, tariff=TARIFF):
    """A result whose life follows from its training energy (J) and its latency (s)."""
    use = Use(per_second, 30 * DAY)
    made = result(name, 0.9, latency=latency)
    made.measured["train.energy"] = exactly(energy, "joule")
    return replace(made, derived=lambda figures: life_figures(figures, use, tariff))


@pytest.mark.parametrize(("a_day", "wanted"), [(1, "cheap"), (1e7, "fast")])
def test_the_expected_volume_flips_the_choice(a_day, wanted):
    rate = a_day / DAY
    cheap = used("cheap", energy=10.0, latency=0.05, per_second=rate)
    fast = used("fast", energy=1e5, latency=0.001, per_second=rate)
    best = choose([cheap, fast], parse_budget([]), "accuracy",
                  parse_preference("quality,life.energy"))  # fmt: skip
    assert best.candidate.recipe.steps[0].method == wanted


def test_money_counts_machine_electricity_and_storage():
    figures = result("x", 0.9, latency=0.01, size=2e9).measured | {
        "train.energy": exactly(100.0, "joule"), "train.cost": exactly(5.0, "EUR"),
    }  # fmt: skip
    found = life_figures(figures, Use(1.0, 60 * DAY), TARIFF)
    hours = 60 * 24 * 0.01
    assert found["life.cost"].value == pytest.approx(5.0 + hours + 2 * 2)
    watts = TARIFF.hardware.watts.value
    assert found["life.energy"].value == pytest.approx(100.0 + 60 * DAY * 0.01 * watts)
    assert found["life.cost"].unit == "EUR"


def test_without_a_use_or_its_figures_nothing_is_told():
    figures = result("x", 0.9).measured
    assert life_figures(figures, Use(1.0), TARIFF) == {}
    known = figures | {"train.energy": exactly(1.0, "joule")}
    assert life_figures(known, None, TARIFF) == {}
    assert set(life_figures(known, Use(1.0), TARIFF)) == {"life.energy"}


@given(st.floats(1, 1e6), st.floats(1, 1e6), st.floats(1e-4, 1), st.floats(1e-4, 1),
       st.floats(1e-9, 1e3))  # fmt: skip
def test_the_choice_is_that_of_the_break_even(one, other, fast, slow, rate):
    rivals = [used("a", energy=one, latency=fast, per_second=rate),
              used("b", energy=other, latency=slow, per_second=rate)]  # fmt: skip
    prefer = parse_preference("quality,life.energy")
    best = choose(rivals, parse_budget([]), "accuracy", prefer)
    lives = [rival.projected()["life.energy"].value for rival in rivals]
    assert best.projected()["life.energy"].value == min(lives)


def plan(folder, **more):
    return api.plan(folder, model="bag-of-words", **more)


def test_an_instant_plan_flips_with_the_volume(situation):
    try:
        find_model("minilm")
    except ModelError as error:
        pytest.skip(str(error))
    plans = []
    for a_day in (1, 1e9):
        known = situation(model="minilm", prefer=parse_preference("life.energy"),
                          use=Use(a_day / DAY), hardware="laptop-2core")  # fmt: skip
        pool = few(known.oracle, known.usable)
        plans.append(instant(known, [c for c in pool if c.model == "minilm"]))
    seldom, often = plans
    assert seldom.recipe != often.recipe
    assert seldom.estimate["train.energy"].value < often.estimate["train.energy"].value
    assert often.estimate["inference.latency"].value < seldom.estimate["inference.latency"].value


def test_volume_and_life_are_in_the_plan_and_its_run(task_folder, tmp_path, cli):
    pytest.importorskip("effauto.bundled.random_subset", reason="a rival is needed")
    path = tmp_path / "plan.json"
    found = plan(task_folder, requests="1000/day", lifetime="30days", prices=["1EUR/hour"])
    write_plan(found, path)
    assert read_plan(path) == found
    assert found.use == Use(1000 / DAY, 30 * DAY)
    assert str(found.prefer) == "quality,life.cost"
    assert found.ledger.volume.per_second == pytest.approx(1000 / DAY)
    assert {"life.energy", "life.cost"} <= set(found.estimate)
    told = cli("explain", path).stdout
    assert "life.cost" in told
    assert "pays in" in told
    outcome = api.run(path, tmp_path / "model")
    assert outcome.measurement["life.cost"].unit == "EUR"


def test_a_limit_on_life_is_kept_or_explained(task_folder):
    within = plan(task_folder, requests="1e6/day", budget="life.energy<=100kWh")
    assert within.status == "feasible"
    beyond = plan(task_folder, requests="1e9/day", budget="life.energy<=1J")
    assert beyond.status == "infeasible"


@pytest.mark.parametrize(("asked", "message"), [
    ({"budget": "life.energy<=1kWh"}, "give --requests"),
    ({"prefer": "life.energy"}, "give --requests"),
    ({"prefer": "life.cost", "requests": "1/s"}, "needs prices"),
    ({"budget": "life.cost<=1EUR", "requests": "1/s"}, "needs a price"),
    ({"requests": "1/s", "lifetime": "3 apples"}, "lifetime takes a quantity in s"),
])  # fmt: skip
def test_what_life_needs_is_told(task_folder, asked, message):
    with pytest.raises(BudgetError, match=message):
        plan(task_folder, **asked)


def test_a_use_reads_as_it_is_written():
    assert parse_use(None, "1year") is None
    assert parse_use("86400/day", "30days") == Use(1.0, 30 * DAY)
    assert parse_use("864000/day", "1year") == Use(10.0)
