"""early-stopping: what is held out, when it ends, and which weights stay."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
import torch
from running import run
from saving import predictor_of
from topics import examples_of

from effauto import ModelTraits, Moment, TaskTraits, Training

plugin = pytest.importorskip("effauto.bundled.early_stopping", reason="this plugin is not here")
best = pytest.importorskip("effauto.bundled.early_stopping.best")
heldout = pytest.importorskip("effauto.bundled.early_stopping.heldout")
METHOD = plugin.EarlyStopping()
SETTING = {"criterion": "loss", "holdout": 0.2, "patience": 1, "longer": 2.0}
KINDS = ["text-classification", "pair-classification", "token-classification"]


def test_a_share_of_each_class_is_held_out():
    labels = [0] * 50 + [1] * 20 + [2]
    held = heldout.held_out(labels, 0.2, seed=0)
    assert Counter(labels[row] for row in held) == {0: 10, 1: 4}
    assert held == heldout.held_out(labels, 0.2, seed=0) != heldout.held_out(labels, 0.2, seed=1)
    assert len(heldout.held_out([0, 1, 2], 0.1, seed=0)) == 1


@pytest.fixture
def trained(surroundings):
    """Train with these scores for the epochs; which rows were read, states and the model."""

    def trained(given, patience):
        context = surroundings(examples_of("text-classification", 30))
        read, states = set(), []
        seen = iter(given)

        def loss(model, batch):
            read.update(batch.rows)
            return model(**batch.inputs).square().mean()

        def remember(model, moment):
            if moment.ends_epoch:
                states.append(model.head.weight.detach().clone())

        training = METHOD.train(
            Training(epochs=3, loss=loss, after_step=(remember,)),
            {**SETTING, "patience": patience},
            context,
        )
        with pytest.MonkeyPatch.context() as patch:  # scores to choose are the point here
            patch.setattr(best, "judge", lambda model, **rest: next(seen))
            model = training.fit(context.untouched(), context.examples, training, context)
        return read, states, model, context

    return trained


@pytest.mark.parametrize(
    ("given", "patience", "epochs", "kept"),
    [
        ([1, 2, 3, 4, 5, 6], 1, 6, 5),
        ([1, 3, 2, 9, 9, 9], 1, 3, 1),
        ([1, 3, 2, 4, 3, 3], 2, 6, 3),
        ([5, 5, 5, 5, 5, 5], 2, 3, 0),
    ],
)
def test_it_ends_when_patience_does_and_keeps_the_best(trained, given, patience, epochs, kept):
    _, states, model, _ = trained(given, patience)
    assert len(states) == epochs
    assert torch.equal(model.head.weight, states[kept])
    assert not model.training


def test_held_out_rows_are_never_trained_on(trained):
    read, _, _, context = trained([1, 2, 3, 4, 5, 6], 1)
    held = set(heldout.held_out(context.examples.labels, 0.2, context.seed))
    assert len(held) == 6
    assert read == set(range(30)) - held


def test_an_order_is_kept_without_them():
    def backwards(lengths, epoch, epochs, generator):
        return list(range(len(lengths)))[::-1]

    rest = random.Random(0)
    found = heldout.without([1] * 5, 0, 1, rest, held=frozenset({3, 0}), order=backwards)
    assert found == [4, 2, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_judgement_is_that_of_answers(surroundings, kind):
    context = surroundings(examples_of(kind, 17))
    model = context.untouched()
    model.train()
    model.encoder.eval()
    asked = {"examples": context.examples, "training": Training(batch_size=4), "context": context}
    right = heldout.judge(model, by="accuracy", **asked)
    loss = heldout.judge(model, by="loss", **asked)
    assert model.training
    assert not model.encoder.training
    found = predictor_of(model.eval(), context).predict_indices(context.examples.inputs)
    pairs = [
        pair
        for ours, wanted in zip(found, context.examples.targets, strict=True)
        for pair in (
            zip(ours, wanted, strict=True) if isinstance(ours, tuple) else [(ours, wanted)]
        )
    ]
    assert right == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    total = count = 0.0
    encoding = context.encoding(model)
    for text, target in zip(context.examples.inputs, context.examples.targets, strict=True):
        (row,) = encoding.encode([text], 128)
        arrays = {k: torch.from_numpy(v) for k, v in encoding.collate([row]).items()}
        odds = model(**arrays).log_softmax(-1).detach()[0]
        for place, tag in zip(row.words, target, strict=True) if row.words else [(None, target)]:
            total += float(odds[tag] if place is None else odds[place, tag])
            count += 1
    assert loss == pytest.approx(total / count, rel=1e-4)


@pytest.mark.parametrize("partner", [{"bitfit": {}}, {"layer-drop": {}, "distillation": {}}])
def test_it_stands_in_a_recipe(source, tmp_path, partner):
    setting = {**SETTING, "criterion": "accuracy"}
    ran = run({"length-curriculum": {}, METHOD.name: setting, **partner}, source, tmp_path)
    assert ran.measured["train.labels"] == 48  # held-out rows are paid for


def test_few_rows_cannot_be_spared():
    model = ModelTraits("m", "transformer", 2, 32, 64, 4, 100, 64, 3200, 8000, frozenset())
    task = TaskTraits("text-classification", "accuracy", 300, 2, 15, 40, 120)
    assert METHOD.fits(task, model)
    assert "spared" in METHOD.fits(replace(task, examples=20), model).reason


def test_expected_epochs_by_counting():
    assert plugin.expected_epochs(1, 1) == 1
    assert plugin.expected_epochs(4, 1) == (2 + 3 + 4 + 4) / 4
    assert plugin.expected_epochs(4, 3) == 4


def test_costs_grow_with_patience_and_epochs(work):
    costs = [METHOD.cost(work, {**SETTING, "patience": p}) for p in (1, 2, 3)]
    passes = [cost.backward_passes for cost in costs]
    assert passes == sorted(passes)
    assert passes[0] == pytest.approx(0.8 * plugin.expected_epochs(6, 1))
    for cost in costs:
        (asked,) = cost.before
        assert asked.examples == pytest.approx(0.2 * work.examples)
        assert asked.forward_passes == pytest.approx(cost.forward_passes / 0.8)
        assert cost.optimizer_bytes == work.optimizer_bytes + 4
        assert cost.labels == work.labels
    shorter = METHOD.cost(work, {**SETTING, "longer": 1.0})
    assert shorter.backward_passes < work.backward_passes


def test_a_moment_within_an_epoch_is_not_judged(model):
    watch = best.Watch(lambda model: 1.0, patience=1)
    assert not watch(model, Moment(1, 9, 0, ends_epoch=False))
    assert not watch.kept
