"""dataset-cartography: each score against its definition, and which rows stay."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from running import refusals, run
from topics import examples_of

from effauto import ModelTraits, TaskTraits, frozen_features
from effauto.cost.flops import train_flops

plugin = pytest.importorskip("effauto.bundled.dataset_cartography", reason="it is not here")
dynamics = pytest.importorskip("effauto.bundled.dataset_cartography.dynamics")
scores = pytest.importorskip("effauto.bundled.dataset_cartography.scores")
METHOD = plugin.DatasetCartography()
SETTING = {"score": "variability", "keep": 0.5, "drop_noise": 0.1}


@pytest.fixture
def recorded():
    """Two probes, five epochs, 40 rows: probabilities of two classes, drawn at random."""
    gold = np.random.default_rng(0).uniform(size=(2, 5, 40)).astype(np.float32)
    gold[:, :, 0] = 0.1  # never right
    return dynamics.Dynamics(gold, gold > 0.5, np.sqrt(2) * (1 - gold))


def by_definition(recorded, score, row):
    found = []
    for gold, right, error in zip(recorded.gold, recorded.right, recorded.error, strict=True):
        p, hits = gold[:, row].tolist(), right[:, row].tolist()
        mean = sum(p) / len(p)
        found.append(
            {
                "confidence": -mean,
                "variability": (sum((q - mean) ** 2 for q in p) / len(p)) ** 0.5,
                "correctness": -sum(hits) / len(hits),
                "forgetting": sum(a and not b for a, b in pairwise(hits))
                if any(hits)
                else len(hits),
                "el2n": error[2, row],
            }[score]
        )
    return sum(found) / len(found)


@pytest.mark.parametrize("score", METHOD.knobs["score"].options)
def test_a_score_is_what_its_paper_defines(recorded, score):
    expected = [by_definition(recorded, score, row) for row in range(40)]
    np.testing.assert_allclose(scores.SCORES[score](recorded), expected, rtol=1e-4, atol=1e-6)


def test_dynamics_are_those_of_a_softmax_head_trained_by_adam(surroundings):
    """One probe, redone with another library's formulas: softmax, cross-entropy and Adam."""
    context = surroundings(examples_of("text-classification", 8))
    features = np.random.default_rng(1).normal(size=(8, 4)).astype(np.float32)
    labels = context.examples.labels
    found = dynamics.record(features, labels, 1, 2, context)
    import torch

    generator = torch.Generator().manual_seed(0)
    weights = (torch.randn(3, 4, generator=generator) * dynamics.START / 2).numpy()
    bias = np.zeros(3, dtype=np.float32)
    moments = [np.zeros((3, 5)), np.zeros((3, 5))]
    onehot = np.eye(3)[labels]
    for epoch in range(2):
        rows = torch.randperm(8, generator=generator).numpy()
        given = _softmax(features[rows] @ weights.T + bias)
        slope = (given - onehot[rows]).T @ np.c_[features[rows], np.ones(8)] / 8
        moments = [0.9 * moments[0] + 0.1 * slope, 0.999 * moments[1] + 0.001 * slope**2]
        first, second = (
            moments[0] / (1 - 0.9 ** (epoch + 1)),
            moments[1] / (1 - 0.999 ** (epoch + 1)),
        )
        step = dynamics.LEARNING_RATE * first / (np.sqrt(second) + 1e-8)
        weights, bias = weights - step[:, :4], bias - step[:, 4]
        given = _softmax(features @ weights.T + bias)
        np.testing.assert_allclose(found.gold[0, epoch], given[range(8), labels], atol=1e-5)
        np.testing.assert_allclose(
            found.error[0, epoch], np.linalg.norm(given - onehot, axis=1), atol=1e-5
        )
        assert (found.right[0, epoch] == (given.argmax(1) == labels)).all()


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_each_class_keeps_its_share_and_loses_its_least_believed(recorded):
    labels = [0] * 30 + [1] * 9 + [2]
    kept = scores.chosen(labels, recorded, score="confidence", keep=0.5, drop_noise=0.2)
    assert Counter(labels[row] for row in kept) == {0: 15, 1: 4, 2: 1}
    sure = scores.confidence(recorded)
    by_doubt = sorted(range(30), key=lambda row: sure[row])
    assert [row for row in kept if row < 30] == sorted(by_doubt[6:21])


def test_all_is_kept_if_nothing_is_to_go(recorded):
    kept = scores.chosen([0, 1] * 20, recorded, score="el2n", keep=1.0, drop_noise=0.0)
    assert kept == list(range(40))


def test_wrong_labels_go_first(surroundings):
    examples = examples_of("text-classification", 150)
    wrong = {0, 31, 62, 93, 124}
    targets = tuple((t + (row in wrong)) % 3 for row, t in enumerate(examples.targets))
    noisy = replace(examples, targets=targets)
    kept = METHOD.prepare(noisy, {**SETTING, "keep": 1.0}, surroundings(noisy))
    assert 134 <= len(kept) <= 136
    gone = {row for row, text in enumerate(noisy.inputs) if text not in set(kept.inputs)}
    assert len(gone & wrong) >= 4


def test_features_are_made_once_for_all_settings_and_know_no_labels(surroundings):
    examples = examples_of("pair-classification", 20)
    context = surroundings(examples)
    features = frozen_features(examples, context)
    assert features.shape == (20, 4 * 32)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-5)
    poisoned = replace(examples, targets=(9,) * 20)
    later = replace(context, provenance="another recipe", meter=type(context.meter)())
    assert (frozen_features(poisoned, later) == features).all()
    assert later.meter.charged_seconds > 0


@pytest.mark.parametrize("partner", ["head-only", "full-finetune"])
def test_it_begins_a_recipe(source, tmp_path, partner):
    steps = {"random-subset": {"share": 0.75}, METHOD.name: SETTING, partner: {}}
    ran = run(steps, source, tmp_path, rows=120)
    assert ran.measured["model.parameters"] > 0
    if partner == "head-only":
        assert ran.right > 0.6


def test_a_bag_of_words_has_no_network_to_ask():
    from effauto.model import find_model

    (reason, *_) = refusals({METHOD.name: {}}, find_model("bag-of-words"))
    assert "requires" in reason


def test_sentences_of_tags_are_refused():
    task = TaskTraits("token-classification", "accuracy", 300, 17, 15, 40, 120)
    model = ModelTraits("m", "transformer", 2, 32, 64, 4, 100, 64, 3200, 8000, frozenset())
    assert "tagged sentence" in METHOD.fits(task, model).reason
    assert METHOD.fits(replace(task, kind="text-classification"), model)


def test_fewer_rows_cost_less_but_all_their_labels(work):
    costs = [METHOD.cost(work, {**SETTING, "keep": keep}) for keep in (0.2, 0.6, 1.0)]
    assert [cost.examples / work.examples for cost in costs] == pytest.approx(
        [0.2, 0.6, 0.9], abs=0.02
    )
    assert {cost.labels for cost in costs} == {work.labels}
    one_pass = 2 * work.layers * work.layer_matrices * work.examples * work.request_tokens
    for cost in costs:
        assert sum(map(train_flops, cost.before)) > one_pass
        assert cost.host_seconds > work.host_seconds
        assert cost.request_tokens == work.request_tokens
