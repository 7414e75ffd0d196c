"""Indicators that disagree are told, with how much."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effauto.budget import parse_budget
from effauto.cost.indicators import correlate, poor_proxies, scattered_zeros, tau
from effauto.resources import RESOURCES, exactly


def recipe(**values):
    names = {"flops": "inference.flops", "latency": "inference.latency", "size": "model.size",
             "parameters": "model.parameters", "memory": "inference.memory"}  # fmt: skip
    return {names[n]: exactly(float(v), RESOURCES[names[n]].unit) for n, v in values.items()}


AGREEING = [recipe(flops=n, latency=n * n) for n in range(1, 7)]
DISAGREEING = [recipe(flops=n, latency=(n * 3) % 7) for n in range(1, 7)]


def test_tau_is_one_for_the_same_order_and_minus_one_for_the_reverse():
    assert tau([1, 2, 3], [10, 20, 90]) == 1
    assert tau([1, 2, 3], [3, 2, 1]) == -1
    assert tau([1, 1, 1], [1, 2, 3]) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_tau_is_the_textbooks(pairs):
    agree = ties_one = ties_other = all_pairs = 0
    for (a, b), (c, d) in itertools.combinations(pairs, 2):
        all_pairs += 1
        sign = (a > c) - (a < c), (b > d) - (b < d)
        agree += sign[0] * sign[1]
        ties_one += not sign[0]
        ties_other += not sign[1]
    scale = ((all_pairs - ties_one) * (all_pairs - ties_other)) ** 0.5
    found = tau([a for a, _ in pairs], [b for _, b in pairs])
    assert found == (pytest.approx(agree / scale) if scale else None)


def test_tau_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    one, other = [3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8, 1, 8]
    assert tau(one, other) == pytest.approx(stats.kendalltau(one, other).statistic)


def test_only_what_every_recipe_tells_is_ranked():
    found = correlate([*AGREEING, recipe(flops=9, latency=99, size=1)])
    assert found.names == ("inference.flops", "inference.latency")
    assert found.recipes == 7
    assert found.taus["inference.flops", "inference.latency"] == 1


def test_a_limit_on_a_poor_proxy_is_told_with_its_correlation():
    budget = parse_budget(["inference.flops<=3"])
    (told,) = poor_proxies(budget, DISAGREEING)
    assert "inference.flops is a poor proxy of inference.latency here: over 6 recipes" in told
    expected = tau([1, 2, 3, 4, 5, 6], [3, 6, 2, 5, 1, 4])
    assert f"(Kendall) is {expected:.2f}" in told


@pytest.mark.parametrize(
    ("limits", "recipes"),
    [
        (["inference.flops<=3"], AGREEING),  # it ranks them as latency does
        (["inference.flops<=3"], DISAGREEING[:4]),  # too few to judge by
        (["inference.latency<=3s"], DISAGREEING),  # what is meant itself
        (["inference.flops<=3", "inference.latency<=3s"], DISAGREEING),  # both
    ],
)
def test_nothing_is_said_where_nothing_is_wrong(limits, recipes):
    assert poor_proxies(parse_budget(limits), recipes) == []


def test_zeros_among_the_weights_cut_neither_latency_nor_memory():
    recipes = [recipe(latency=1 + n % 2, memory=5) for n in range(6)]
    told = scattered_zeros([6, 5, 4, 3, 2, 1], recipes)
    assert "cut neither latency nor memory" in told
    assert "over 6 recipes: -0.26 with inference.latency)" in told
    assert "inference.memory" not in told  # all have the same: there is nothing to rank
    assert "rank correlation" not in scattered_zeros([1, 2], recipes[:2])
