"""self-paced: which rows count at which point of a training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from running import refusals, run
from saving import predictor_of
from topics import examples_of

from effauto import Moment, Training, collate, encode_training

plugin = pytest.importorskip("effauto.bundled.self_paced", reason="this plugin is not here")
pacing = pytest.importorskip("effauto.bundled.self_paced.pace")
rows = pytest.importorskip("effauto.bundled.self_paced.rows")
METHOD = plugin.SelfPaced()
KINDS = ["text-classification", "pair-classification", "token-classification"]


def counted(model, batch):
    """Stands for a loss: the rows that count."""
    return batch.rows


@pytest.fixture
def batches(surroundings):
    """A model and two batches of twenty rows."""

    def batches(kind):
        context = surroundings(examples_of(kind, 40))
        model = context.untouched().eval()
        if kind == "pair-classification":
            model.pair_separately()
        encoded = encode_training(model, context.examples, Training(), context)
        return model, [
            collate(list(places), encoded, context.examples, Training(), context)
            for places in (range(20), range(20, 40))
        ]

    return batches


def test_the_share_grows_between_warm_up_and_pacing():
    pace = pacing.Pace(counted, 0.1, 0.4, 0.6)
    found = []
    for step in range(11):
        found.append(pace.admitted)
        pace.move_on(None, Moment(step + 1, 10, 0, ends_epoch=False))
    assert found[:1] + found[6:] == [1.0] * 6
    assert found[1:6] == pytest.approx([0.4, 0.52, 0.64, 0.76, 0.88])


@pytest.mark.parametrize("kind", KINDS)
def test_rows_count_whose_loss_is_below_the_threshold(batches, kind):
    model, (first, second) = batches(kind)
    pace = pacing.Pace(counted, 0.1, 0.5, 1.0, done=0.1)
    losses = [rows.row_losses(model, batch).numpy() for batch in (first, second)]
    easy = np.argsort(losses[0])[:10]
    assert set(pace(model, first)) == set(easy.tolist())
    both = np.concatenate(losses)
    pace.done = 0.55
    below = losses[1] <= np.quantile(both, 0.75)
    assert pace(model, second) == tuple(np.flatnonzero(below) + 20)


def test_the_easiest_row_counts_in_a_hard_batch(batches):
    model, (batch, _) = batches("text-classification")
    pace = pacing.Pace(counted, 0.1, 0.5, 1.0, done=0.1)
    pace.latest.extend([0.0] * 500)
    (row,) = pace(model, batch)
    assert row == int(rows.row_losses(model, batch).argmin())


def test_all_rows_count_without_being_asked_before_and_after(batches):
    model, (batch, _) = batches("text-classification")
    for done in (0.0, 0.05, 0.7, 0.9):
        pace = pacing.Pace(counted, 0.1, 0.5, 0.7, done=done)
        assert pace(model, batch) == batch.rows
        assert not pace.latest


def test_wrong_labels_count_later(surroundings):
    """Once a model knows the topics, rows with wrong labels are those above the threshold."""
    context = surroundings(examples_of("text-classification", 40))
    model = context.untouched().eval()
    encoded = encode_training(model, context.examples, Training(), context)
    batch = collate(list(range(40)), encoded, context.examples, Training(), context)
    features = model.features(**batch.inputs).detach()
    scaled = (features - features.mean(0)) / features.std(0)
    weights = torch.linalg.lstsq(scaled, torch.eye(3)[batch.targets]).solution.T
    with torch.no_grad():
        model.head.weight.copy_(30 * weights / features.std(0))
        model.head.bias.copy_(-model.head.weight @ features.mean(0))
    batch.targets[:4] = (batch.targets[:4] + 1) % 3
    pace = pacing.Pace(counted, 0.1, 0.6, 1.0, done=0.1)
    assert not set(pace(model, batch)) & {0, 1, 2, 3}


@pytest.mark.slow
def test_a_model_learns(surroundings):
    context = surroundings(examples_of("text-classification", 90))
    given = Training(epochs=6, learning_rate=3e-3, batch_size=8)
    training = METHOD.train(given, {"start": 0.5, "pacing": 0.7}, context)
    model = training.fit(context.untouched(), context.examples, training, context)
    found = predictor_of(model, context).predict_indices(context.examples.inputs)
    right = sum(a == b for a, b in zip(found, context.examples.targets, strict=True))
    assert right > 75


@pytest.mark.parametrize("partners", [{"bitfit": {}}, {"layer-drop": {}, "distillation": {}}])
def test_it_stands_in_a_recipe(source, tmp_path, partners):
    ran = run({METHOD.name: {}, **partners}, source, tmp_path)
    assert ran.measured["train.flops"] > 0


def test_two_choices_within_a_batch_are_refused(source):
    (reason,) = refusals({METHOD.name: {}, "selective-backprop": {}}, source)
    assert "slot 'batch-selection'" in reason


def test_costs_say_what_asking_adds_and_choosing_saves(work):
    cost = METHOD.cost(work, {"start": 0.5, "pacing": 0.6})
    assert cost.forward_passes == pytest.approx(3 * (1 + 0.5 * 0.75))
    assert cost.backward_passes == pytest.approx(3 * (0.5 + 0.5 * 0.75))
    starts = [METHOD.cost(work, {"start": s, "pacing": 0.6}) for s in (0.3, 0.6, 0.9)]
    total = [c.forward_passes + 2 * c.backward_passes for c in starts]
    assert total == sorted(total)
