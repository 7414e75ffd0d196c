"""By how much a point is expected to enlarge what a front dominates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from effauto.planner.trials.enlarging import BELOW, MARGIN, Volume, least
from effauto.resources import Figure

COSTS = st.lists(st.integers(0, 6), min_size=2, max_size=2)
POINTS = st.lists(st.tuples(COSTS, st.integers(0, 9)), min_size=1, max_size=5)


def volume_of(points):
    return Volume(
        np.array([costs for costs, _ in points], dtype=float),
        np.array([quality for _, quality in points], dtype=float),
    )


def certainly(quality):
    """The improvement of a quality that is known."""
    return lambda best: max(0.0, quality - best)


def dominated(points, worst, lowest):
    """What points dominate up to the worst costs and the lowest quality, summed cell by cell."""
    edges = [
        sorted({*(p[0][axis] for p in points if p[0][axis] < worst[axis]), worst[axis]})
        for axis in (0, 1)
    ]
    total = 0.0
    for x, next_x in zip(edges[0], edges[0][1:], strict=False):
        for y, next_y in zip(edges[1], edges[1][1:], strict=False):
            best = max((q for (a, b), q in points if a <= x and b <= y), default=lowest)
            total += (next_x - x) * (next_y - y) * (best - lowest)
    return total


@given(POINTS, COSTS, st.integers(0, 12))
def test_it_is_the_volume_that_a_certain_quality_adds(points, costs, quality):
    front = volume_of(points)
    worst = front.costs.max(axis=0) + math.log(MARGIN)
    lowest = float(front.qualities.min()) - BELOW
    assume(quality >= lowest)
    before = dominated(points, worst, lowest)
    after = dominated([*points, (costs, quality)], worst, lowest)
    assert front.gain(np.array(costs, dtype=float), certainly(quality)) == pytest.approx(
        after - before
    )


@given(POINTS, COSTS, st.integers(0, 12), st.integers(0, 3))
def test_less_cost_and_more_quality_never_gain_less(points, costs, quality, by):
    front, place = volume_of(points), np.array(costs, dtype=float)
    gain = front.gain(place, certainly(quality))
    assert front.gain(place - by, certainly(quality)) >= gain - 1e-9
    assert front.gain(place, certainly(quality + by)) >= gain - 1e-9


@given(POINTS)
def test_what_was_tried_adds_nothing(points):
    front = volume_of(points)
    for costs, quality in points:
        assert front.gain(np.array(costs, dtype=float), certainly(quality)) == 0.0


def test_more_of_what_is_wanted_costs_less():
    figures = {
        "model.size": Figure(8.0, "byte", 8.0, 8.0),
        "inference.throughput": Figure(8.0, "1/s", 8.0, 8.0),
    }
    assert least("model.size", figures) == pytest.approx(math.log(8))
    assert least("inference.throughput", figures) == pytest.approx(-math.log(8))
