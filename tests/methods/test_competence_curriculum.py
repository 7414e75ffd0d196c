"""competence-curriculum: how rare texts are, and when they are read."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from running import refusals, run
from saving import predictor_of
from topics import examples_of

from effauto import Training

plugin = pytest.importorskip("effauto.bundled.competence_curriculum", reason="it is not here")
order = pytest.importorskip("effauto.bundled.competence_curriculum.order")
rarity = pytest.importorskip("effauto.bundled.competence_curriculum.rarity")
METHOD = plugin.CompetenceCurriculum()
DEFAULTS = {name: knob.default for name, knob in METHOD.knobs.items()}
RARE = [random.Random(7).random() for _ in range(200)]


def test_rarity_is_minus_the_log_probability_of_the_words():
    inputs = [("the cat",), ("The dog", "the the"), ("",)]
    found = rarity.rarities(inputs)
    the, once = -math.log(4 / 6), -math.log(1 / 6)
    assert found == pytest.approx([the + once, 3 * the + once, 0.0])
    mean = rarity.rarities(inputs, mean=True)
    assert mean == pytest.approx([(the + once) / 2, (3 * the + once) / 4, 0.0])


@pytest.mark.parametrize("power", [1, 2])
def test_competence_is_that_of_the_paper(power):
    """Its power grows evenly from that of the start to one at the pacing."""
    values = [order.competent(step / 10, 0.1, 0.5, power) for step in range(11)]
    assert values[0] == pytest.approx(0.1)
    assert values[5:] == [1.0] * 6
    steps = [b**power - a**power for a, b in pairwise(values[:6])]
    assert steps == pytest.approx([steps[0]] * 5)


def orders(epochs, **setting):
    return [
        order.by_rarity([1] * 200, epoch, epochs, random.Random(epoch), difficulty=RARE, **setting)
        for epoch in range(epochs)
    ]


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize(
    "setting", [{"power": 2, "start": 0.1, "pacing": 0.5}, {"power": 1, "start": 0.4, "pacing": 1}]
)
def test_no_row_is_read_before_the_model_is_competent(epochs, setting):
    ranked = sorted(RARE)
    read = [row for rows in orders(epochs, **setting) for row in rows]
    for step, row in enumerate(read):
        share = order.competent(step / len(read), power=setting["power"], start=setting["start"],
                                pacing=setting["pacing"])  # fmt: skip
        assert RARE[row] <= ranked[min(199, int(share * 200))]


def test_epochs_are_as_long_as_before_and_end_with_a_plain_one():
    found = orders(3, power=2, start=0.1, pacing=0.5)
    assert [len(rows) for rows in found] == [200] * 3
    assert len(set(found[0])) < 150
    assert len(set(found[1][100:])) == 100
    assert sorted(found[2]) == list(range(200))


def test_common_words_come_first(surroundings):
    context = surroundings(examples_of("text-classification", 90))
    training = METHOD.train(Training(epochs=1), {**DEFAULTS, "pacing": 1.0}, context)
    rows = training.order([1] * 90, 0, 1, random.Random(0))
    rare = rarity.rarities(context.examples.inputs)
    early, late = ([rare[row] for row in part] for part in (rows[:30], rows[-30:]))
    assert sum(early) < 0.8 * sum(late)


@pytest.mark.slow
def test_a_model_learns_in_this_order(surroundings):
    context = surroundings(examples_of("text-classification", 90))
    given = Training(epochs=5, learning_rate=3e-3, batch_size=8)
    training = METHOD.train(given, DEFAULTS, context)
    model = training.fit(context.untouched(), context.examples, training, context)
    found = predictor_of(model, context).predict_indices(context.examples.inputs)
    right = sum(a == b for a, b in zip(found, context.examples.targets, strict=True))
    assert right > 75


@pytest.mark.parametrize("kind", ["pair-classification", "token-classification"])
def test_it_stands_in_a_recipe(source, tmp_path, kind):
    ran = run({METHOD.name: {}, "bitfit": {}, "dynamic-padding": {}}, source, tmp_path, kind)
    assert ran.measured["train.flops"] > 0


def test_one_order_stands_in_a_recipe(source):
    (reason,) = refusals({METHOD.name: {}, "length-curriculum": {}}, source)
    assert "slot 'order'" in reason


def test_the_cost_does_not_change(work):
    assert METHOD.cost(work, DEFAULTS) == work
