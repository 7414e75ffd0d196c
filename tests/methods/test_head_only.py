"""head-only: its solvers against scikit-learn and against leaving rows out one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from topics import examples_of

from effauto import Training, embed

plugin = pytest.importorskip("effauto.bundled.head_only", reason="this plugin is not here")
solvers = pytest.importorskip("effauto.bundled.head_only.solvers")
METHOD = plugin.HeadOnly()


def blobs(rows, width, classes, seed=0):
    """Features of mean 0 around a centre for each class."""
    generator = np.random.default_rng(seed)
    targets = generator.integers(classes, size=rows)
    features = generator.normal(size=(classes, width))[targets] + generator.normal(
        size=(rows, width)
    )
    return features - features.mean(axis=0), targets


def test_ridge_takes_the_penalty_with_the_least_leave_one_out_error():
    features, targets = blobs(40, 6, 3)
    wanted = np.where(targets[:, None] == np.arange(3), 1.0, -1.0)
    penalties = solvers.PENALTIES * np.linalg.eigvalsh(features.T @ features).mean()

    def error(penalty):
        total = 0.0
        for row in range(40):
            others = np.arange(40) != row
            model = Ridge(alpha=penalty).fit(features[others], wanted[others])
            total += np.square(model.predict(features[[row]]) - wanted[row]).sum()
        return total

    best = Ridge(alpha=min(penalties, key=error)).fit(features, wanted)
    weights, biases = solvers.ridge(features, targets, 3)
    np.testing.assert_allclose(weights, best.coef_, atol=1e-8)
    np.testing.assert_allclose(biases, best.intercept_, atol=1e-8)


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_gives_the_probabilities_of_scikit_learn(classes):
    features, targets = blobs(200, 5, classes)
    weights, biases = solvers.logistic(features, targets, classes, C=0.5, seed=0)
    assert weights.shape == (classes, 5)
    logits = torch.from_numpy(features @ weights.T + biases)
    reference = LogisticRegression(C=0.5, max_iter=300).fit(features, targets)
    np.testing.assert_allclose(logits.softmax(-1), reference.predict_proba(features), atol=1e-6)


def test_logistic_on_many_rows_keeps_every_class(monkeypatch):
    monkeypatch.setattr(solvers, "LOGISTIC_ROWS", 50)
    features, targets = blobs(500, 4, 2)
    rare = np.where(np.arange(500) < 2, 2, targets)
    weights, _ = solvers.logistic(features, rare, 3, C=1.0, seed=0)
    assert weights.shape == (3, 4)


@pytest.mark.parametrize("solver", ["ridge", "logistic"])
@pytest.mark.parametrize(
    "kind", ["text-classification", "pair-classification", "token-classification"]
)
def test_the_head_tells_topics_apart_and_the_body_stays(surroundings, kind, solver):
    examples = examples_of(kind, 90)
    context = surroundings(examples)
    model = context.untouched()
    if kind == "pair-classification":
        model.pair_separately()
    body = {name: tensor.clone() for name, tensor in model.encoder.state_dict().items()}
    training = METHOD.train(Training(), {"solver": solver, "C": 1.0}, context)
    model = training.fit(model, examples, training, context)
    assert all(torch.equal(body[n], tensor) for n, tensor in model.encoder.state_dict().items())
    features, targets = embed(model, examples, training, context)
    with torch.inference_mode():
        found = model.head(torch.from_numpy(features)).argmax(-1).numpy()
    assert (found == targets).mean() > 0.8


def test_scaling_is_folded_into_the_head(surroundings):
    examples = examples_of("text-classification", 60)
    context = surroundings(examples)
    model = context.untouched()
    training = METHOD.train(Training(), {"solver": "ridge", "C": 1.0}, context)
    model = training.fit(model, examples, training, context)
    features, targets = embed(model, examples, training, context)
    scaled = (features - features.mean(0)) / (features.std(0) + 1e-6)
    weights, biases = solvers.ridge(scaled, np.array(targets), 3)
    with torch.inference_mode():
        logits = model.head(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(logits, scaled @ weights.T + biases, atol=1e-3)


@pytest.mark.parametrize("solver", ["ridge", "logistic"])
@pytest.mark.parametrize("present", [1, 2])
def test_a_class_without_rows_is_never_answered(surroundings, solver, present):
    every = examples_of("text-classification", 30)
    examples = every.select([row for row in range(30) if row % 3 < present])
    context = surroundings(examples)
    training = METHOD.train(Training(), {"solver": solver, "C": 1.0}, context)
    model = training.fit(context.untouched(), examples, training, context)
    features, _ = embed(model, every, training, context)
    with torch.inference_mode():
        assert model.head(torch.from_numpy(features)).argmax(-1).max() < present


def test_it_costs_one_pass_and_no_gradients(work):
    cost = METHOD.cost(work, {"solver": "ridge", "C": 1.0})
    assert cost.forward_passes == 1
    assert cost.backward_passes == cost.optimizer_bytes == 0
    assert cost.trainable_parameters == work.head_parameters
    assert cost.train_tokens < work.train_tokens
