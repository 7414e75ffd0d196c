"""Budgets: what can be written, what cannot, and what they forbid."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effauto.budget import Budget, Limit, RelativeLimit, parse_budget, parse_limit
from effauto.errors import BudgetError
from effauto.quantities import CURRENCIES
from effauto.resources import RESOURCES, Figure, exactly

GOOD = {
    "train.time<=10min": 600.0,
    "train.time <= 2h": 7200.0,
    " train.time<=90 s ": 90.0,
    "inference.latency<=5ms": 5e-3,
    "inference.latency<=250µs": 2.5e-4,
    "inference.throughput>=200/s": 200.0,
    "inference.throughput>=12000/min": 200.0,
    "model.size<=25MiB": 25 * 2**20,
    "model.size<=25MB": 25e6,
    "train.memory<=4GiB": 4 * 2**30,
    "train.energy<=0.1kWh": 3.6e5,
    "train.energy<=50kJ": 5e4,
    "train.carbon<=0.2kg": 200.0,
    "train.labels<=500": 500.0,
    "train.flops<=2PFLOP": 2e15,
    "train.flops<=1e15": 1e15,
    "model.parameters<=10e6": 1e7,
    "quality.accuracy>=0.9": 0.9,
    "quality.accuracy>=90%": 0.9,
    "search.time<=15min": 900.0,
}


@pytest.mark.parametrize(("text", "value"), GOOD.items())
def test_limits_are_kept_in_si_units_or_bytes(text, value):
    limit = parse_limit(text)
    assert limit.limit == pytest.approx(value)
    assert limit.met(value)
    assert limit.excess(value) == pytest.approx(1)


@pytest.mark.parametrize("currency", CURRENCIES)
def test_money_keeps_its_currency(currency):
    assert parse_limit(f"train.cost<=2.50 {currency}") == Limit("train.cost", 2.5, currency)


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)
def test_the_examples_of_each_resource_can_be_written(resource):
    sign = ">=" if resource.higher_is_better else "<="
    for example in resource.examples.split(", "):
        assert parse_limit(f"{resource.name}{sign}{example}").limit > 0


BAD = {
    "train.speed<=3": r"'train.speed' is no resource; did you mean .*Known: train.time .*quality",
    "quality.<=0.9": "is no limit",
    "train.time<=3GiB": "train.time takes a quantity in s .*such as 10min, 2h; '3GiB' is none",
    "train.time<=10": "takes a quantity in s",
    "train.labels<=5s": "takes a plain number",
    "inference.latency<=5m": "takes a quantity in s",
    "model.size<=lots": "'lots' is none",
    "model.size<=": "is no limit",
    "model.size": "write RESOURCE<=QUANTITY",
    "": "is no limit",
    "model.size>=1MiB": "less model.size is better, so write model.size<=1MiB",
    "model.size=1MiB": "so write model.size<=1MiB",
    "inference.throughput<=5/s": "more inference.throughput is better, so write",
    "model.size<=0MiB": "'0MiB' must be more than zero and finite",
    "model.size<=-1MiB": "must be more than zero and finite",
    "train.time<=1e999s": "must be more than zero and finite",
    "train.time<=inf s": "must be more than zero|takes a quantity",
    "train.time<=nan s": "must be more than zero|takes a quantity",
    "quality.accuracy>=1.1": "a quality lies between 0 and 1",
    "quality.accuracy>=0": "must be more than zero",
    "train.cost<=2": r"is no sum of money; write a number and one of EUR, USD",
    "train.cost<=2XYZ": "is no sum of money",
    "train.cost<=-2EUR": "must be more than zero",
    "train.cost<=1.2.3EUR": "takes a quantity in money",
    "train.cost<=infEUR": "is no sum of money",
}


@pytest.mark.parametrize(("text", "message"), BAD.items())
def test_what_is_no_limit_is_told_in_one_sentence(text, message):
    with pytest.raises(BudgetError, match=message) as caught:
        parse_limit(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("power", ["9**9**9", "9^9^9", "(9**9)**(9**9) s", "1e9**1e9"])
def test_no_sum_is_computed_that_would_not_end(power):
    start = time.process_time()
    with pytest.raises(BudgetError):
        parse_limit(f"train.flops<={power}")
    assert time.process_time() - start < 1


@given(st.text() | st.sampled_from(sorted(RESOURCES)).flatmap(lambda name: st.builds(
    "{}{}{}".format, st.just(name), st.sampled_from(["<=", ">="]), st.text(max_size=20)
)))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_limit_or_a_budget_error(text):
    try:
        limit = parse_limit(text)
    except BudgetError:
        return
    assert 0 < limit.limit < float("inf")


LIMITS = st.sampled_from(sorted(RESOURCES)).flatmap(
    lambda name: st.builds(
        Limit,
        st.just(name),
        st.floats(1e-9, 1e18),
        st.just("EUR" if RESOURCES[name].unit == "money" else RESOURCES[name].unit),
    )
)


@given(st.lists(LIMITS).map(tuple).map(Budget))
def test_a_budget_survives_json_both_ways(budget):
    assert Budget.from_json(json.loads(json.dumps(budget.to_json()))) == budget


@pytest.mark.parametrize(
    "wrong",
    [
        {"resource": "train.speed", "limit": 1.0, "unit": "s"},
        {"resource": "train.time", "limit": -1.0, "unit": "s"},
        {"resource": "train.time", "limit": float("nan"), "unit": "s"},
        {"resource": "train.time", "limit": 1.0, "unit": "byte"},
        {"resource": "train.cost", "limit": 1.0, "unit": "money"},
    ],
)
def test_json_may_not_say_what_text_could_not(wrong):
    with pytest.raises(BudgetError):
        Budget.from_json([wrong])


BUDGET = parse_budget(["train.time<=10s", "inference.throughput>=100/s", "model.size<=1MiB"])


def test_a_missing_or_undefined_value_meets_no_limit():
    size, rate, slow = BUDGET.limits[2], BUDGET.limits[1], BUDGET.limits[0]
    assert BUDGET.broken({}) == list(BUDGET)
    values = {"train.time": 10.0, "inference.throughput": 99.0, "model.size": float("nan")}
    assert BUDGET.broken(values) == [rate, size]
    assert BUDGET.broken(values | {"train.time": float("inf")}) == [slow, rate, size]
    good = {"train.time": 1.0, "inference.throughput": 1e3, "model.size": 0.0}
    assert BUDGET.broken(good) == []


def test_only_what_even_the_kind_end_breaks_is_surely_broken():
    figures = {
        "train.time": Figure(50, "s", 9, 60),
        "inference.throughput": Figure(50, "1/s", 1, 99),
    }
    assert [limit.resource for limit in BUDGET.surely_broken(figures)] == ["inference.throughput"]


def test_the_tightest_of_two_limits_counts():
    budget = parse_budget(["train.time<=10s", "train.time<=5s", "inference.throughput>=1/s",
                           "inference.throughput>=2/s"])  # fmt: skip
    assert budget.limit_on("train.time") == 5
    assert budget.limit_on("inference.throughput") == 2
    assert budget.limit_on("model.size") is None


def test_phases_are_told_apart():
    assert [limit.resource for limit in BUDGET.of_phases("train", "model")] == [
        "train.time",
        "model.size",
    ]


@given(st.floats(1e-6, 1e12), st.floats(1e-6, 1e12))
def test_excess_is_above_one_exactly_where_a_limit_is_not_met(limit, value):
    for resource, unit in (("model.size", "byte"), ("inference.throughput", "1/s")):
        made = Limit(resource, limit, unit)
        assert (made.excess(value) <= 1) == made.met(value)


@pytest.mark.parametrize("text", ["train.time<=10min", "model.size<=25MiB", "train.cost<=2EUR"])
def test_a_limit_reads_as_it_was_written(text):
    assert str(parse_limit(text)) == text


RELATIVE = {
    "quality.accuracy>=baseline-1%": (0.8, 0.79),
    "quality.accuracy>=baseline - 0.01": (0.8, 0.79),
    "quality.macro_f1>=baseline+2%": (0.8, 0.82),
    "quality.accuracy>=0.95x": (0.8, 0.76),
    "inference.latency<=0.5x": (0.01, 0.005),
    "inference.latency<=.5×": (0.01, 0.005),
    "inference.latency<=baseline": (0.01, 0.01),
    "inference.latency<=baseline-20%": (0.01, 0.008),
    "inference.latency<=baseline+2ms": (0.01, 0.012),
    "inference.throughput>=2x": (100.0, 200.0),
    "train.time<=baseline+10%": (60.0, 66.0),
    "train.cost<=0.1 x": (3.0, 0.3),
    "model.size<=baseline-1MiB": (2.0**21, 2.0**20),
}


@pytest.mark.parametrize(("text", "figures"), RELATIVE.items())
def test_limits_may_be_relative_to_the_baseline(text, figures):
    before, after = figures
    budget = parse_budget([text])
    (relative,) = budget.relative
    baseline = {relative.resource: exactly(before, "u")}
    (limit,) = budget.against(baseline)
    assert limit.limit == pytest.approx(after)
    assert limit.unit == "u"
    assert relative.text in str(limit)
    assert budget.against({}) == budget
    assert budget.against(baseline).as_asked() == budget


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)
def test_every_resource_that_a_baseline_has_may_be_limited_by_it(resource):
    text = f"{resource.name}{'>=' if resource.higher_is_better else '<='}0.5x"
    if resource.name.startswith("search."):
        with pytest.raises(BudgetError, match="no baseline is searched for; write a quantity"):
            parse_budget([text])
    else:
        assert parse_budget([text]).relative[0].times == 0.5


BAD_RELATIVE = {
    "inference.latency<=0x": "must be more than zero",
    "inference.latency<=-1x": "takes a quantity in s",
    "inference.latency<=baseline-100%": "nothing of the baseline's figure would be left",
    "inference.latency<=baseline-2GiB": "takes a quantity in s",
    "inference.latency<=baseline-": "write baseline, or as in baseline-1%",
    "inference.latency<=baseline--1ms": "write baseline, or as in baseline-1%",
    "inference.latency<=baselines": "write baseline, or as in baseline-1%",
    "inference.latency>=0.5x": "less inference.latency is better, so write inference.latency<=0.5x",
    "quality.accuracy>=baseline-200%": "a quality lies between 0 and 1",
    "quality.accuracy>=baseline-9**9**9": "takes a plain number",
    "train.cost<=baseline-2EUR": "write a share of the baseline's cost",
}


@pytest.mark.parametrize(("text", "message"), BAD_RELATIVE.items())
def test_what_is_not_relative_to_a_baseline_is_told_in_one_sentence(text, message):
    with pytest.raises(BudgetError, match=message) as caught:
        parse_budget([text])
    assert "\n" not in str(caught.value)


def test_where_there_is_no_baseline_none_is_named():
    with pytest.raises(BudgetError, match="there is no baseline here"):
        parse_limit("model.size<=0.5x")


TEXTS = st.sampled_from(sorted(name for name in RESOURCES if not name.startswith("search.")))


@given(TEXTS, st.sampled_from(["<=", ">="]), st.sampled_from(["", "baseline", "baseline-", "1x"]),
       st.text(max_size=12))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_any_relative_text_is_a_limit_or_a_budget_error(name, sign, start, text):
    try:
        budget = parse_budget([f"{name}{sign}{start}{text}"])
    except BudgetError:
        return
    unit = RESOURCES[name].unit
    baseline = {name: exactly(7.0, "EUR" if unit == "money" else unit)}
    (limit,) = budget.against(baseline)
    assert 0 < limit.limit < float("inf")
    for whole in (budget, budget.against(baseline)):
        assert Budget.from_json(json.loads(json.dumps(whole.to_json()))).as_asked() == budget


@given(TEXTS, st.floats(0.01, 100), st.floats(1e-6, 1e9), st.floats(1e-6, 1e9))
def test_a_factor_is_met_by_what_is_so_many_times_the_baselines(name, factor, base, value):
    sign = ">=" if RESOURCES[name].higher_is_better else "<="
    (limit,) = parse_budget([f"{name}{sign}{factor:.4f}x"]).against({name: exactly(base, "s")})
    wanted = float(f"{factor:.4f}") * base
    assert limit.met(value) == (value >= wanted if limit.at_least else value <= wanted)


def test_json_of_a_relative_limit_must_be_of_its_resource():
    (wrong,) = parse_budget(["model.size<=0.5x"]).to_json()
    with pytest.raises(BudgetError, match=r"is no limit on 'train\.time'"):
        Budget.from_json([wrong | {"resource": "train.time"}])
    with pytest.raises(BudgetError, match="by a baseline"):
        Budget.from_json([wrong | {"text": "model.size<=1MiB"}])
    assert isinstance(Budget.from_json([wrong]).relative[0], RelativeLimit)
