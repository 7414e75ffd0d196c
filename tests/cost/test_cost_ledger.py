"""A ledger adds up: (E · D + what is done once) · H is what a recipe costs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from shapes import LAPTOP, LINEAR, WORK

from effauto.cost import Place, estimate, parse_prices
from effauto.cost.account import NOTHING, TRAINING, Spent, Tariff, account
from effauto.cost.breakeven import break_even, parse_rate
from effauto.cost.ledger import Ledger, Reached, Target, at_volume, paying
from effauto.errors import InputError

PRICES = parse_prices(["1EUR/hour", "0.3EUR/kWh", "0.05EUR/label", "0.02EUR/GB-month"])
TARIFF = Tariff(LAPTOP, PRICES, Place("DEU"))
HALVED = ("data", WORK.on_share(0.5))
SMALLER = ("compress", replace(HALVED[1], host_seconds=HALVED[1].host_seconds + 30.0))


def accounted(*steps, name="a", tune=NOTHING, untouched=WORK):
    work = steps[-1][1] if steps else untouched
    figures = estimate(work, LAPTOP, prices=PRICES, place=Place("DEU"))
    return account(name, untouched, steps, figures, TARIFF, tune)


def ledger(volume=None):
    plan = accounted(HALVED, SMALLER, name="small", tune=Spent(0.0, 60.0, 900.0, 0.1))
    base = accounted(name="untouched")
    target = Target(0.9, "the budget", (Reached("small", plan.training),))
    found = Ledger(plan, base, "EUR", target, paying(plan, [base], "EUR"))
    return at_volume(found, volume) if volume else found


@pytest.mark.parametrize("steps", [(), (HALVED,), (HALVED, SMALLER)])
def test_the_factors_multiply_to_the_whole(steps):
    found = accounted(*steps, tune=Spent(0.0, 60.0, 900.0, 0.1))
    figures = estimate(steps[-1][1] if steps else WORK, LAPTOP, prices=PRICES, place=Place("DEU"))
    once = found.training.seconds - found.phases["finetune"].seconds
    passes = found.example.seconds * found.examples
    assert found.training.seconds == pytest.approx(figures["train.time"].value)
    assert found.training.joules == pytest.approx(figures["train.energy"].value)
    assert found.training.money == pytest.approx(figures["train.cost"].value)
    assert found.training.flops == pytest.approx(figures["train.flops"].value)
    assert (passes + once) * found.runs == pytest.approx(found.total.seconds)


def test_each_stage_is_charged_what_it_adds_once():
    found = accounted(HALVED, SMALLER)
    assert found.phases["compress"].seconds == pytest.approx(30 * _reference_core(), rel=1e-6)
    assert found.phases["compress"].flops == 0
    assert found.phases["data"].money == pytest.approx(0.05 * 0.5 * WORK.labels)
    assert found.phases["data"].seconds == 0
    assert found.phases["design"] == found.phases["pretrain"] == NOTHING


def _reference_core():
    """Seconds here of a second of the reference core."""
    idle = replace(LINEAR, host_seconds=1.0)
    more = estimate(replace(idle, host_seconds=2.0), LAPTOP)["train.time"].value
    return more - estimate(idle, LAPTOP)["train.time"].value


def test_half_the_data_is_half_of_d_and_none_of_e():
    base, half = accounted(), accounted(HALVED)
    assert half.examples == pytest.approx(base.examples / 2)
    assert half.token_passes == pytest.approx(half.examples * WORK.train_tokens)
    assert half.example.seconds == pytest.approx(base.example.seconds, rel=0.01)


def test_a_bag_of_words_has_an_account_too():
    found = accounted(untouched=LINEAR)
    assert found.phases["finetune"].seconds > 0
    assert found.examples == LINEAR.examples


def test_the_search_is_effautos_own_row():
    found = ledger()
    assert found.plan.phases["tune"] == Spent(0.0, 60.0, 900.0, 0.1)
    assert found.plan.runs == pytest.approx(1 + 60 / found.plan.training.seconds)
    assert found.baseline.runs == 1
    assert found.ratios["D"] == pytest.approx(0.5)
    assert {found.searched for found in found.break_even} == {True, False}
    assert {found.unit for found in found.break_even} == {"joule", "EUR"}


amounts = st.floats(1e-3, 1e9)


@given(amounts, amounts, amounts, amounts)
def test_at_the_break_even_both_have_cost_the_same(ours, theirs, our_request, their_request):
    found = break_even("b", "joule", (ours, theirs), (our_request, their_request))
    at = {
        n: (ours + n * our_request, theirs + n * their_request) for n in (0.0, found.requests, 1e30)
    }
    if found.pays == "always":
        assert all(a <= b for a, b in at.values())
    elif found.pays == "never":
        assert all(a >= b for a, b in at.values())
    else:
        assume(abs(their_request - our_request) > 1e-6 * our_request)
        assert at[found.requests][0] == pytest.approx(at[found.requests][1], rel=1e-3)
        cheaper_at_first = ours < theirs
        assert (found.pays == "until") == cheaper_at_first


def test_where_it_pays_is_said_in_a_sentence():
    dearer = break_even("b", "EUR", (10.0, 4.0), (0.1, 0.4), searched=True)
    assert dearer.sentence == "Against b it pays in EUR, the search included, from 20 requests on"
    assert "up to 20 requests" in break_even("b", "joule", (4, 10), (0.4, 0.1)).sentence
    assert "at no number" in break_even("b", "joule", (5, 4), (1, 1)).sentence
    assert "from the first" in break_even("b", "joule", (4, 4), (1, 1)).sentence


def test_a_volume_is_told_in_days_and_money():
    found = ledger(volume=10.0)
    volume = found.volume
    assert volume.busy == pytest.approx(10 * found.plan.request.seconds)
    assert volume.money == pytest.approx(10 * 30 * 86400 * found.plan.request.money)
    assert volume.storage == pytest.approx(found.plan.storage)
    assert found.plan.storage > 0
    dearer = break_even("b", "joule", (10.0, 4.0), (0.1, 0.4))
    assert volume.days(dearer) == pytest.approx(20 / 10 / 86400)


@pytest.mark.parametrize("volume", [None, 3.0])
def test_a_ledger_survives_json(volume):
    found = ledger(volume)
    assert Ledger.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert set(found.plan.phases) >= {*TRAINING, "tune", "infer"}


@pytest.mark.parametrize(
    ("text", "rate"), [("1e6/day", 1e6 / 86400), ("20/s", 20), ("5 / hour", 5 / 3600)]
)
def test_rates_are_read(text, rate):
    assert parse_rate(text) == pytest.approx(rate)


@pytest.mark.parametrize("text", ["1e6", "-3/s", "0/s", "abc", "1/kg", "9**9**9/s", "", "nan/s"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(InputError, match="requests"):
        parse_rate(text)
