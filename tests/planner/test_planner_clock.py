"""What a search may cost is time on its clock."""

from __future__ import annotations

import math

import pytest

from effauto.cost import parse_prices
from effauto.errors import BudgetError
from effauto.planner.clock import Clock
from effauto.planner.planner import affordable


def test_money_buys_seconds_of_this_machine(situation):
    known = situation("search.cost<=6EUR", prices=parse_prices(["3600EUR/hour"]))
    assert affordable(known) == pytest.approx(6.0)


def test_electricity_counts(situation):
    prices = parse_prices(["3600EUR/hour", "1000EUR/kWh"])
    assert affordable(situation("search.cost<=6EUR", prices=prices)) < 5.99


def test_without_a_limit_the_clock_alone_counts(situation):
    assert affordable(situation("search.time<=6min")) == math.inf


def test_a_cost_needs_a_price(situation):
    with pytest.raises(BudgetError, match="needs a price to reckon with"):
        situation("search.cost<=6EUR")


def test_earlier_runs_count():
    clock = Clock(100.0)
    clock.before = 40.0
    assert 59 < clock.left <= 60
    clock.limit = 30.0
    assert clock.left < 0
