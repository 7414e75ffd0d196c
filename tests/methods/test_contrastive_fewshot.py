"""contrastive-fewshot: its pairs, its loss, and the head that follows."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from running import refusals, run
from sklearn.linear_model import LogisticRegression
from topics import examples_of

from effauto import ModelTraits, TaskTraits, Training, collate, encode_training

plugin = pytest.importorskip("effauto.bundled.contrastive_fewshot", reason="it is not here")
pairs = pytest.importorskip("effauto.bundled.contrastive_fewshot.pairs")
head = pytest.importorskip("effauto.bundled.contrastive_fewshot.head")
METHOD = plugin.ContrastiveFewshot()
SETTING = {"pairs": 3, "learning_rate": 1e-3}


def pairs_of(labels, count):
    rows = pairs.paired_rows(labels, 0, 1, random.Random(0), labels=labels, pairs=count)
    return list(zip(rows[0::2], rows[1::2], strict=True))


def test_each_row_leads_as_many_pairs_of_each_kind():
    labels = [0, 1, 2] * 5
    found = pairs_of(labels, 4)
    alike = Counter(a for a, b in found if labels[a] == labels[b])
    unlike = Counter(a for a, b in found if labels[a] != labels[b])
    assert alike == unlike == dict.fromkeys(range(15), 4)
    assert all(a != b for a, b in found)
    assert found == pairs_of(labels, 4)


def test_what_has_no_partner_is_left_out():
    assert {(a, b) for a, b in pairs_of([0, 1, 1], 2) if a == 0} <= {(0, 1), (0, 2)}
    assert set(pairs_of([0, 0], 2)) == {(0, 1), (1, 0)}
    assert pairs_of([0], 2) == []


def test_the_loss_is_the_error_of_the_cosine(surroundings):
    context = surroundings(examples_of("text-classification", 12))
    model = context.untouched().eval()
    encoded = encode_training(model, context.examples, Training(), context)
    batch = collate([0, 3, 1, 2, 5, 8], encoded, context.examples, Training(), context)
    found = pairs.cosine_loss(model, batch).item()
    features = model.features(**batch.inputs).detach().double().numpy()
    errors = []
    for place, wanted in ((0, 1.0), (2, 0.0), (4, 1.0)):
        a, b = features[place], features[place + 1]
        errors.append((a @ b / np.linalg.norm(a) / np.linalg.norm(b) - wanted) ** 2)
    assert found == pytest.approx(np.mean(errors), rel=1e-4)


def test_texts_of_one_class_come_closer(surroundings):
    examples = examples_of("text-classification", 30)
    context = surroundings(examples)
    training = METHOD.train(Training(), SETTING, context)

    def cosines(model):
        features = head.features_of(model, examples, training, context)
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        alike = np.equal.outer(examples.targets, examples.targets)
        products = features @ features.T
        return products[alike].mean() - products[~alike].mean()

    before = cosines(context.untouched())
    model = training.fit(context.untouched(), examples, training, context)
    assert cosines(model) > before + 0.2


@pytest.mark.parametrize("present", [1, 2, 3])
def test_the_head_gives_the_probabilities_of_scikit_learn(surroundings, present):
    every = examples_of("text-classification", 45)
    examples = every.select([row for row in range(45) if row % 3 < present])
    context = surroundings(examples)
    model = context.untouched()
    head.fit_head(model, examples, Training(), context)
    features = head.features_of(model, every, Training(), context)
    with torch.no_grad():
        given = model.head(torch.from_numpy(features)).softmax(-1).numpy()
    if present == 1:
        assert given[:, 0] == pytest.approx(1.0)
        return
    known = head.features_of(model, examples, Training(), context)
    mean, spread = known.mean(0), known.std(0) + 1e-6
    solved = LogisticRegression(max_iter=100).fit((known - mean) / spread, examples.labels)
    np.testing.assert_allclose(
        given[:, :present], solved.predict_proba((features - mean) / spread), atol=2e-3
    )


@pytest.mark.parametrize("partner", [{"layer-drop": {}}, {"random-subset": {"share": 0.5}}])
def test_it_stands_in_a_recipe(source, tmp_path, partner):
    setting = {"pairs": 1, "learning_rate": 1e-3}
    ran = run({METHOD.name: setting, "int8-dynamic": {}, **partner}, source, tmp_path, rows=60)
    assert ran.right > 0.6


@pytest.mark.parametrize("other", ["length-curriculum", "dynamic-padding", "lora"])
def test_what_works_on_single_rows_is_refused(source, other):
    assert refusals({METHOD.name: {}, other: {}}, source)


def test_only_single_texts_are_paired():
    model = ModelTraits("m", "transformer", 2, 32, 64, 4, 100, 64, 3200, 8000, frozenset())
    task = TaskTraits("text-classification", "accuracy", 300, 3, 15, 40, 120)
    assert METHOD.fits(task, model)
    for kind in ("pair-classification", "token-classification"):
        assert "single texts" in METHOD.fits(replace(task, kind=kind), model).reason


def test_costs_count_the_texts_of_all_pairs(work):
    cost = METHOD.cost(work, {"pairs": 5, "learning_rate": 1e-4})
    assert (cost.forward_passes, cost.backward_passes) == (20, 20)
    assert [solved.forward_passes for solved in cost.before] == [1]
    labels = [0, 1, 2] * 4
    read = pairs.paired_rows(labels, 0, 1, random.Random(0), labels=labels, pairs=5)
    assert len(read) / len(labels) == cost.backward_passes
