"""Measurements correct estimates, the more the more there are."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import LAPTOP, WORK

from effauto.cost import Correction, estimate, learn_corrections
from effauto.cost.corrections import LEAST_SPREAD

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
