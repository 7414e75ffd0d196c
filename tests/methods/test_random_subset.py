"""random-subset: how many rows of each class, and which."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from effauto.task.examples import Examples

plugin = pytest.importorskip("effauto.bundled.random_subset", reason="this plugin is not here")
METHOD = plugin.RandomSubset()
LABELS = (0,) * 100 + (1,) * 40 + (2,) * 3


@pytest.fixture
def examples() -> Examples:
    inputs = tuple((f"row {number}",) for number in range(len(LABELS)))
    return Examples("text-classification", inputs, LABELS)


def test_each_class_keeps_its_share(examples, context):
    kept = METHOD.prepare(examples, {"share": 0.25}, context)
    assert Counter(kept.labels) == {0: 25, 1: 10, 2: 1}
    assert set(kept.inputs) <= set(examples.inputs)
    assert len(set(kept.inputs)) == len(kept)


def test_a_smaller_share_is_part_of_a_larger_one(examples, context):
    shares = [set(METHOD.prepare(examples, {"share": s}, context).inputs) for s in (0.1, 0.4, 1.0)]
    assert shares[0] < shares[1] < shares[2] == set(examples.inputs)


def test_another_seed_draws_other_rows(examples, context):
    drawn = METHOD.prepare(examples, {"share": 0.2}, context)
    assert drawn == METHOD.prepare(examples, {"share": 0.2}, context)
    assert drawn != METHOD.prepare(examples, {"share": 0.2}, replace(context, seed=1))


def test_tagged_sentences_are_drawn_too(context):
    inputs = tuple((f"w{number}", "x") for number in range(10))
    tagged = Examples("token-classification", inputs, ((0, 1),) * 10)
    assert len(METHOD.prepare(tagged, {"share": 0.5}, context)) == 5


def test_cost_scales_examples_and_labels_and_no_request(work):
    cost = METHOD.cost(work, {"share": 0.25})
    assert cost.examples == pytest.approx(work.examples / 4, rel=0.02)  # whole rows of a class
    assert cost.labels == cost.examples
    assert (cost.request_tokens, cost.layers) == (work.request_tokens, work.layers)
