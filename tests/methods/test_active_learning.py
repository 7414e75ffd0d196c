"""active-learning: strategies against their definitions, and labels that were not bought."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from running import refusals, run
from topics import examples_of

from effauto import ModelTraits, TaskTraits
from effauto.cost.flops import train_flops

plugin = pytest.importorskip("effauto.bundled.active_learning", reason="this plugin is not here")
rounds = pytest.importorskip("effauto.bundled.active_learning.rounds")
strategies = pytest.importorskip("effauto.bundled.active_learning.strategies")
METHOD = plugin.ActiveLearning()
STRATEGIES = METHOD.knobs["strategy"].options


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(60, 5))


@pytest.fixture
def given():
    """Probabilities of three classes."""
    return np.random.default_rng(1).dirichlet(np.ones(3), size=60)


def test_core_set_is_the_exact_greedy_k_centre(features):
    rows = [3, 14]
    found = strategies.k_centre(features, rows, 10)
    centres = list(rows)
    for _ in range(10):
        farthest = max(
            (row for row in range(60) if row not in centres),
            key=lambda row: min(np.linalg.norm(features[row] - features[c]) for c in centres),
        )
        centres.append(farthest)
    assert found == centres[2:]


def test_core_set_covers_twins_only_when_nothing_else_is_left():
    twins = np.array([[0.0], [0.0], [5.0], [5.0]])
    found = strategies.k_centre(twins, [0], 3)
    assert found[0] == 2
    assert sorted(found) == [1, 2, 3]


def test_badge_is_k_means_plus_plus_on_explicit_gradients(features, given):
    """Gradients of the cross-entropy in the head's weights, by autograd, one row at a time."""
    import torch

    gradients = []
    for row, p in zip(features, given, strict=True):
        weights = torch.zeros(3, 5, dtype=torch.float64, requires_grad=True)
        logits = weights @ torch.from_numpy(row) + torch.from_numpy(p).log()
        torch.nn.functional.cross_entropy(logits[None], torch.tensor([p.argmax()])).backward()
        gradients.append(weights.grad.flatten().numpy())
    gradients = np.stack(gradients)
    generator = np.random.default_rng(7)
    centres = [int(np.linalg.norm(gradients, axis=1).argmax())]
    while len(centres) < 8:
        nearest = np.min([np.square(gradients - gradients[c]).sum(1) for c in centres], axis=0)
        free = [row for row in range(60) if row not in centres]
        chances = nearest[free] / nearest[free].sum()
        centres.append(int(generator.choice(free, p=chances)))
    assert strategies.badge(given, features, 8, np.random.default_rng(7)) == centres


def test_badge_goes_on_where_all_gradients_are_alike():
    found = strategies.badge(np.ones((6, 1)), np.ones((6, 2)), 4, np.random.default_rng(0))
    assert len(set(found)) == 4


def test_uncertainty_is_what_it_is_called(given):
    for p, unsure, lead in zip(
        given, strategies.entropy(given), strategies.margin(given), strict=True
    ):
        assert unsure == pytest.approx(-sum(q * np.log(q) for q in p))
        first, second = sorted(p, reverse=True)[:2]
        assert lead == pytest.approx(second - first)
    assert strategies.margin(np.ones((3, 1))).tolist() == [0, 0, 0]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_labels_that_were_not_bought_are_never_read(surroundings, strategy):
    examples = examples_of("text-classification", 60)
    setting = {"strategy": strategy, "share": 0.4, "rounds": 3}
    context = surroundings(examples)
    kept = METHOD.prepare(examples, setting, context)
    assert len(kept) == 24
    poison = set(examples.inputs) - set(kept.inputs)
    targets = tuple(
        None if text in poison else target
        for text, target in zip(examples.inputs, examples.targets, strict=True)
    )
    poisoned = replace(examples, targets=targets)
    assert len(poison) > 20
    assert METHOD.prepare(poisoned, setting, context) == kept


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("share", "rows"), [(0.05, 3), (0.5, 30), (1.0, 60)])
def test_as_many_rows_are_bought_as_asked(features, strategy, share, rows):
    examples = examples_of("text-classification", 60)
    setting = {"strategy": strategy, "share": share, "rounds": 5}
    found = rounds.bought(features, examples, setting, seed=0)
    assert found == sorted(set(found))
    assert len(found) == rows
    assert found == rounds.bought(features, examples, setting, seed=0)
    if strategy == "random" and share < 1:
        assert found != rounds.bought(features, examples, setting, seed=1)


def test_margin_asks_at_the_border():
    """Two classes on a line: what is asked for lies nearer to the border than what is not."""
    line = np.linspace(-3, 3, 200)[:, None]
    examples = examples_of("text-classification", 200)
    examples = replace(examples, targets=tuple(int(x > 0) for x in line[:, 0]))
    setting = {"strategy": "margin", "share": 0.3, "rounds": 6}
    found = rounds.bought(line, examples, setting, seed=0)
    assert np.abs(line[found]).mean() < 0.75 * np.abs(line).mean()


@pytest.mark.parametrize("kind", ["text-classification", "pair-classification"])
def test_only_bought_labels_are_paid_for(source, tmp_path, kind):
    setting = {"strategy": "badge", "share": 0.5, "rounds": 2}
    ran = run({METHOD.name: setting, "head-only": {}}, source, tmp_path, kind, rows=90)
    assert ran.measured["train.labels"] == 45
    if kind == "text-classification":
        assert ran.right > 0.6


def test_one_choice_of_rows_stands_in_a_recipe(source):
    (reason,) = refusals({METHOD.name: {}, "random-subset": {}}, source)
    assert "slot 'subset'" in reason


def test_sentences_of_tags_are_refused():
    task = TaskTraits("token-classification", "accuracy", 300, 17, 15, 40, 120)
    model = ModelTraits("m", "transformer", 2, 32, 64, 4, 100, 64, 3200, 8000, frozenset())
    assert "tagged sentence" in METHOD.fits(task, model).reason


def test_costs_rise_with_the_share_and_labels_fall(work):
    def cost(strategy, share, rounds=5):
        return METHOD.cost(work, {"strategy": strategy, "share": share, "rounds": rounds})

    for strategy in STRATEGIES:
        costs = [cost(strategy, share) for share in (0.1, 0.5, 1.0)]
        assert [c.labels / work.labels for c in costs] == pytest.approx([0.1, 0.5, 1.0])
        spent = [c.host_seconds for c in costs]
        assert spent == sorted(spent)
        one_pass = 2 * work.layers * work.layer_matrices * work.examples * work.request_tokens
        (read,) = {train_flops(first) for cost in costs for first in cost.before}
        assert read > one_pass
    assert cost("random", 0.5).host_seconds < cost("core-set", 0.5).host_seconds
    assert cost("margin", 0.5, 2).host_seconds < cost("margin", 0.5, 9).host_seconds
