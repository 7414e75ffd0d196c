"""length-curriculum: which rows are read when."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from topics import examples_of

from effauto import Training

plugin = pytest.importorskip("effauto.bundled.length_curriculum", reason="this plugin is not here")
competence = pytest.importorskip("effauto.bundled.length_curriculum.competence")
METHOD = plugin.LengthCurriculum()
LENGTHS = random.Random(0).choices(range(3, 60), k=200)


def orders(epochs, start, pacing):
    return [
        competence.by_competence(
            LENGTHS, epoch, epochs, random.Random(epoch), start=start, pacing=pacing
        )
        for epoch in range(epochs)
    ]


def test_competence_grows_as_a_root_from_start_to_one():
    """Its square grows by the same amount in each step (Platanios et al. 2019, equation 7)."""
    values = [competence.competence(step / 10, 0.2, 0.5) for step in range(11)]
    assert values[0] == pytest.approx(0.2)
    assert values[5:] == [1.0] * 6
    steps = [b**2 - a**2 for a, b in pairwise(values[:6])]
    assert steps == pytest.approx([steps[0]] * 5)


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize(("start", "pacing"), [(0.02, 0.1), (0.2, 0.5), (0.5, 1.0)])
def test_no_row_is_read_before_it_is_admitted(epochs, start, pacing):
    ranked = sorted(LENGTHS)
    read = [row for order in orders(epochs, start, pacing) for row in order]
    for step, row in enumerate(read):
        admitted = competence.competence(step / len(read), start, pacing) * len(LENGTHS)
        assert LENGTHS[row] <= ranked[min(len(LENGTHS) - 1, int(admitted))]


def test_epochs_are_as_long_as_before_and_end_with_a_plain_one():
    found = orders(3, 0.2, 0.5)
    assert [len(order) for order in found] == [200] * 3
    assert len(set(found[0])) < 200
    assert sorted(found[2]) == list(range(200))
    assert found[2] != sorted(found[2], key=LENGTHS.__getitem__)


def test_short_rows_come_first(context):
    training = METHOD.train(Training(epochs=1), {"start": 0.1, "pacing": 1.0}, context)
    (order,) = [training.order(LENGTHS, 0, 1, random.Random(0))]
    early, late = order[:50], order[-50:]
    assert sum(LENGTHS[row] for row in early) < 0.7 * sum(LENGTHS[row] for row in late)


def test_a_model_learns_in_this_order(surroundings):
    context = surroundings(examples_of("text-classification", 90))
    training = METHOD.train(
        Training(epochs=4, learning_rate=3e-3, batch_size=8), {"start": 0.2, "pacing": 0.5}, context
    )
    model = training.fit(context.untouched(), context.examples, training, context)
    from saving import predictor_of

    found = predictor_of(model, context).predict_indices(context.examples.inputs)
    right = sum(a == b for a, b in zip(found, context.examples.targets, strict=True))
    assert right > 75
