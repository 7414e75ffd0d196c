"""Measurements correct estimates, the more the more there are."""

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import LAPTOP, WORK

from effauto.cost import Correction, estimate, learn_corrections
from effauto.cost.corrections import LEAST_PAIRS, LEAST_SPREAD, Pair
from effauto.cost.ranges import Range

positive = st.floats(1e-6, 1e12)
pairs = st.tuples(st.sampled_from(["train.time", "model.size"]), positive, positive)


def test_few_pairs_are_half_believed():
    learned = learn_corrections([("train.time", 1.0, 4.0)] * 3)["train.time"]
    assert learned.factor == pytest.approx(2.0)
    assert learned.pairs == 3


def test_many_pairs_are_believed_and_narrow_the_range():
    corrections = learn_corrections([("train.time", 1.0, 2.0)] * 300)
    raw = estimate(WORK, LAPTOP)["train.time"]
    corrected = estimate(WORK, LAPTOP, corrections=corrections)["train.time"]
    assert corrected.value == pytest.approx(2 * raw.value, rel=0.02)
    assert corrected.tier == "corrected"
    assert corrected.high / corrected.low < raw.high / raw.low
    assert corrected.high / corrected.value >= math.exp(LEAST_SPREAD * 0.99)


def test_too_few_pairs_leave_the_range_as_foretold():
    raw = Range(2.0, 4.0, 12.0)
    few = [("train.time", 1.0, 2.0)] * (LEAST_PAIRS - 1)
    corrected = learn_corrections(few)["train.time"].of(raw)
    assert corrected.high / corrected.low == pytest.approx(raw.high / raw.low)
    enough = learn_corrections([*few, few[0]])["train.time"].of(raw)
    assert enough.high / enough.low < raw.high / raw.low


def test_the_range_covers_new_trials_like_the_old():
    draw = random.Random(0)
    inside = total = 0
    for _ in range(300):
        ratios = [math.exp(draw.gauss(0.3, 0.4)) for _ in range(31)]
        *old, new = [("train.time", 1.0, ratio) for ratio in ratios]
        found = learn_corrections(old)["train.time"].of(Range(1.0, 1.0, 1.0))
        inside += found.low <= new[2] <= found.high
        total += 1
    assert 0.73 < inside / total < 0.9


def test_a_method_has_a_factor_of_its_own_beside_the_machines():
    plain = [Pair("train.time", 1.0, 2.0) for _ in range(300)]
    slower = [Pair("train.time", 1.0, 6.0, frozenset({"slow"})) for _ in range(200)]
    learned = learn_corrections([*plain, *slower])["train.time"]
    assert learned.factor == pytest.approx(2.0, rel=0.1)
    assert learned.of_recipe(["slow"]).factor == pytest.approx(6.0, rel=0.2)
    assert learned.of_recipe([]) == learned
    once = learn_corrections([*plain, slower[0]])["train.time"]
    assert 2.0 < once.of_recipe(["slow"]).factor < 3.0


def test_methods_that_come_together_share_what_is_left():
    both = frozenset({"a", "b"})
    plain = [Pair("train.time", 1.0, 1.0) for _ in range(400)]
    learned = learn_corrections([*plain, *[Pair("train.time", 1.0, 4.0, both)] * 300])["train.time"]
    assert learned.of_recipe(both).factor == pytest.approx(4.0, rel=0.2)


def test_a_recipe_with_an_unseen_method_keeps_the_wider_range():
    learned = learn_corrections([("train.time", 1.0, 2.0)] * 300)["train.time"]
    raw = Range(0.5, 1.0, 3.0)
    seen, unseen = learned.of(raw), learned.of_recipe(["new"]).of(raw)
    assert unseen.value == seen.value
    assert unseen.low < seen.low
    assert unseen.high > seen.high


def test_scattered_pairs_widen_the_range():
    scattered = [("model.size", 1.0, ratio) for ratio in (0.2, 0.5, 1.0, 2.0, 5.0)] * 20
    raw = estimate(WORK, LAPTOP)["model.size"]
    corrected = estimate(WORK, LAPTOP, corrections=learn_corrections(scattered))["model.size"]
    assert corrected.high / corrected.low > 2 * raw.high / raw.low


def test_what_follows_time_follows_its_correction():
    corrections = learn_corrections([("train.time", 1.0, 2.0)] * 300)
    raw = estimate(WORK, LAPTOP)
    corrected = estimate(WORK, LAPTOP, corrections=corrections)
    ratio = corrected["train.time"].value / raw["train.time"].value
    for resource in ("train.energy", "train.carbon"):
        assert corrected[resource].value == pytest.approx(ratio * raw[resource].value)
    assert corrected["train.flops"] == raw["train.flops"]


def test_energy_has_its_own_correction_and_is_not_corrected_twice():
    both = learn_corrections([("train.time", 1.0, 2.0), ("train.energy", 1.0, 2.0)] * 3000)
    raw = estimate(WORK, LAPTOP)
    corrected = estimate(WORK, LAPTOP, corrections=both)
    ratio = corrected["train.energy"].value / raw["train.energy"].value
    assert ratio == pytest.approx(2.0, rel=0.01)


def test_labels_are_known_not_foretold():
    corrections = learn_corrections([("train.labels", 1.0, 2.0)] * 300)
    assert estimate(WORK, LAPTOP, corrections=corrections)["train.labels"].value == WORK.labels


@given(st.lists(pairs, max_size=30))
def test_any_pairs_give_whole_ranges(found):
    for resource, figure in estimate(WORK, LAPTOP, corrections=learn_corrections(found)).items():
        assert 0 <= figure.low <= figure.value <= figure.high, resource


def test_unusable_pairs_are_left_out():
    nothing = [("train.time", 0.0, 1.0), ("train.time", 1.0, math.nan), ("a", math.inf, 1.0)]
    assert learn_corrections(nothing) == {}


def test_corrections_survive_json():
    learned = learn_corrections([("train.time", 1.0, 4.0)])["train.time"]
    assert Correction.from_json(json.loads(json.dumps(learned.to_json()))) == learned
