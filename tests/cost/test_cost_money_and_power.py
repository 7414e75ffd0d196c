"""Prices are one currency's; carbon says where its intensity is from."""

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import LAPTOP, T4, WORK

from effauto.budget import parse_budget
from effauto.cost import Place, Prices, estimate, parse_prices
from effauto.cost.energy import grids, spent
from effauto.cost.ranges import Range
from effauto.errors import BudgetError, InputError
from effauto.machine import Rate


def test_prices_are_read():
    prices = parse_prices(["0.5EUR/hour", " .30 EUR / kWh", "0.02EUR/label"])
    assert prices == Prices(hour=0.5, kwh=0.3, label=0.02, currency="EUR")
    assert parse_prices(["0.02USD/GB-month"]) == Prices(gb_month=0.02, currency="USD")
    assert parse_prices([]) == Prices()


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (["cheap"], "is no price; write a price as"),
        (["0.5EUR/day"], "is no price"),
        (["-1EUR/hour"], "is no price"),
        (["1e3EUR/hour"], "is no price"),
        (["1EUR/GB"], "is no price"),
        (["1XYZ/hour"], "the currencies are EUR"),
        (["1EUR/hour", "1USD/kWh"], "EUR and USD"),
        (["1EUR/hour", "2EUR/h"], "two prices for one hour"),
        (["9" * 400 + "EUR/hour"], "no finite price"),
    ],
)
def test_wrong_prices_are_refused(texts, complaint):
    with pytest.raises(BudgetError, match=complaint):
        parse_prices(texts)


@given(st.lists(st.text(max_size=30), max_size=3))
def test_any_text_is_a_price_or_refused(texts):
    with contextlib.suppress(BudgetError):
        prices = parse_prices(texts)
        assert min(prices.hour, prices.kwh, prices.label) >= 0


def test_a_limit_on_cost_needs_a_price_in_its_currency():
    budget = parse_budget(["train.cost<=2EUR"])
    Prices(hour=1.0, currency="EUR").require_for(budget)
    Prices().require_for(parse_budget(["train.time<=1h"]))
    with pytest.raises(BudgetError, match="needs a price"):
        Prices().require_for(budget)
    with pytest.raises(BudgetError, match="in USD, differ"):
        Prices(hour=1.0, currency="USD").require_for(budget)


def test_cost_is_hours_electricity_and_labels():
    prices = Prices(hour=3600.0, kwh=0.0, label=2.0, currency="USD")
    figures = estimate(WORK, LAPTOP, prices=prices)
    expected = figures["train.time"].value + 2.0 * WORK.labels
    assert figures["train.cost"].value == pytest.approx(expected)
    assert figures["train.cost"].unit == "USD"


def test_energy_is_power_times_time():
    figures = estimate(WORK, LAPTOP)
    expected = LAPTOP.watts.value * figures["train.time"].value
    assert figures["train.energy"].value == pytest.approx(expected)
    assert "model" in figures["train.energy"].note


def test_storage_is_paid_by_the_size_and_the_month():
    prices = parse_prices(["0.02EUR/GB-month"])
    assert prices.of_storage(Range(1e9, 2e9, 4e9)) == Range(0.02, 0.04, 0.08)


def test_modelled_energy_names_its_assumptions():
    desk = replace(LAPTOP, origin="detected", threads=2, memory_bytes=8 << 30, watts=Rate(9, 4, 27))
    note = estimate(WORK, desk)["train.energy"].note
    assert note == (
        "modelled: 9 W (4 to 27), from 2 busy threads at 2 to 12 W, 0% to all of 8GiB at "
        "0.3725 W/GB; there is no power counter here"
    )
    assert LAPTOP.sources["watts"] in estimate(WORK, LAPTOP)["train.energy"].note


def test_a_counter_is_believed_and_what_it_leaves_out_is_modelled():
    energy, tier, note = spent({"counter.RAPL": 50.0}, 10.0, LAPTOP)
    memory = 0.3725 * LAPTOP.memory_bytes / 1e9
    assert (energy.low, tier) == (50.0, "measured")
    assert energy.high == pytest.approx(50.0 + 10 * memory)
    assert note.startswith("counter: RAPL 50J")
    assert "modelled: 0% to all of" in note
    beside_a_gpu, _, note = spent({"counter.NVML": 50.0}, 10.0, T4)
    assert beside_a_gpu.low == pytest.approx(50.0 + 10 * 2.0 * T4.threads)
    assert "busy threads" in note


def test_a_phase_too_short_for_its_counter_is_never_nothing():
    energy, tier, note = spent({"counter.NVML": 0.0}, 0.5, T4)
    assert 0 < energy.low < energy.value
    assert tier == "calibrated"
    assert note.startswith("modelled: ")
    assert note.endswith("too short a phase for NVML")


def test_the_building_takes_its_share():
    own = estimate(WORK, LAPTOP, place=Place("DEU"))["train.carbon"]
    rented = estimate(WORK, LAPTOP, place=Place("DEU", (1.5, 1.5, 1.5)))["train.carbon"]
    assert rented.value == pytest.approx(1.5 * own.value)
    assert own.note.endswith("PUE 1 (a machine of one's own)")
    assert rented.note.endswith("PUE 1.5")


def test_carbon_follows_the_country():
    france = estimate(WORK, LAPTOP, place=Place("FRA"))["train.carbon"]
    poland = estimate(WORK, LAPTOP, place=Place("POL"))["train.carbon"]
    anywhere = estimate(WORK, LAPTOP)["train.carbon"]
    assert 5 < poland.value / france.value < 20
    assert anywhere.high / anywhere.low > poland.high / poland.low
    assert "France 2023" in france.note


def test_the_table_of_countries_is_sane():
    union = (
        "AUT BEL BGR HRV CYP CZE DNK EST FIN FRA DEU GRC HUN IRL ITA LVA LTU LUX MLT NLD POL PRT "
        "ROU SVK SVN ESP SWE"
    )
    elsewhere = "USA GBR CHE JPN CHN IND"  # whose currencies prices may be in
    assert set(f"{union} {elsewhere}".split()) <= set(grids())
    for code, grid in grids().items():
        assert len(code) == 3
        assert 10 < grid.grams_per_kwh < 1300
        assert 2019 <= grid.year <= 2026
        assert grid.source


def test_wrong_places_are_refused():
    with pytest.raises(InputError, match=r"'Germany'; known: .*DEU"):
        Place("Germany")
    with pytest.raises(InputError, match="a PUE rises"):
        Place(pue=(0.5, 1.0, 1.2))
