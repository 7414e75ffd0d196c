"""sparse-tuning: the choice against brute force, and that nothing else moves."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from running import run
from topics import examples_of
from torch import nn

from effauto import Training, collate, encode_training
from effauto.cost.flops import train_flops

plugin = pytest.importorskip("effauto.bundled.sparse_tuning", reason="this plugin is not here")
fit = pytest.importorskip("effauto.bundled.sparse_tuning.fit")
METHOD = plugin.SparseTuning()
SETTING = {"share": 0.02, "samples": 6, "epochs": 2, "learning_rate": 1e-2}
KINDS = ["text-classification", "pair-classification", "token-classification"]


@pytest.mark.parametrize("kind", KINDS)
def test_information_is_the_mean_square_of_each_row_s_gradient(surroundings, kind):
    context = surroundings(examples_of(kind, 12))
    model = context.untouched()
    found = fit.fisher(model, context.examples, Training(), context, 5)
    encoded = encode_training(model, context.examples, Training(), context)
    rows = random.Random(context.seed).sample(range(12), 5)
    body = dict(model.eval().encoder.named_parameters())
    expected = {name: torch.zeros_like(parameter) for name, parameter in body.items()}
    for row in rows:
        batch = collate([row], encoded, context.examples, Training(), context)
        logits = model(**batch.inputs).flatten(0, -2)
        asked = batch.targets.flatten() >= 0
        likely = logits.log_softmax(-1)[asked, batch.targets.flatten()[asked]].mean()
        for name, grad in zip(body, torch.autograd.grad(likely, list(body.values())), strict=True):
            expected[name] += grad.square() / 5
    for name, square in expected.items():
        torch.testing.assert_close(found[name], square, atol=1e-9, rtol=1e-3)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 1.0])
def test_the_highest_are_chosen(share):
    torch.manual_seed(0)
    scores = {"a": torch.rand(7, 11), "b": torch.rand(13), "c": torch.rand(2, 3, 5)}
    ranked = sorted((float(x) for score in scores.values() for x in score.flatten()), reverse=True)
    kept = max(1, round(share * 120))
    for name, mask in fit.highest(scores, share).items():
        assert torch.equal(mask, scores[name] >= ranked[kept - 1])


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
def test_nothing_else_moves_whatever_the_optimizer(surroundings, optimizer):
    context = surroundings(examples_of("text-classification", 40))
    model = context.untouched()
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    chosen = fit.highest(fit.fisher(model, context.examples, Training(), context, 6), 0.02)
    training = METHOD.train(Training(weight_decay=0.5), SETTING, context)
    training = replace(training, optimizer=lambda groups, rate: optimizer(groups, lr=rate))
    model = training.fit(model, context.examples, training, context)
    moved = 0
    for name, parameter in model.encoder.named_parameters():
        changed = parameter != before[f"encoder.{name}"]
        assert not (changed & ~chosen[name]).any()
        moved += int(changed.sum())
    total = sum(mask.numel() for mask in chosen.values())
    assert 0.9 * round(0.02 * total) <= moved <= round(0.02 * total)
    assert not torch.equal(model.head.weight, before["head.weight"])


def test_gradients_are_clipped_without_the_others(surroundings, monkeypatch):
    context = surroundings(examples_of("text-classification", 8))
    norms, clip = [], nn.utils.clip_grad_norm_

    def noted(parameters, most):
        grads = [p.grad for p in parameters if p.grad is not None]
        norms.append(sum(int((grad != 0).sum()) for grad in grads))
        return clip(parameters, most)

    monkeypatch.setattr(nn.utils, "clip_grad_norm_", noted)
    model = context.untouched()
    head = sum(p.numel() for p in model.head.parameters())
    body = sum(p.numel() for p in model.encoder.parameters())
    training = METHOD.train(Training(), SETTING, context)
    training.fit(model, context.examples, training, context)
    assert norms
    assert max(norms) <= round(0.02 * body) + head


def test_others_that_watch_steps_see_the_weights_put_back(surroundings):
    context = surroundings(examples_of("text-classification", 8))
    model, seen = context.untouched(), []
    before = model.encoder.embeddings.word_embeddings.weight.clone()

    def watch(model, moment):
        seen.append((model.encoder.embeddings.word_embeddings.weight != before).float().mean())

    training = replace(Training(), after_step=(watch,), weight_decay=0.5)
    training = METHOD.train(training, SETTING, context)
    training.fit(model, context.examples, training, context)
    assert seen
    assert max(seen) < 0.03


def test_it_saves_nothing_and_more_samples_cost_more(work):
    costs = [METHOD.cost(work, SETTING | {"samples": samples}) for samples in (16, 128, 1024)]
    assert costs[0].trainable_parameters == work.trainable_parameters
    assert costs[0].optimizer_bytes > work.optimizer_bytes
    for fewer, more in pairwise(train_flops(cost.before[0]) for cost in costs):
        assert more >= fewer > 0


@pytest.mark.slow
def test_it_composes_with_a_teacher_and_what_comes_after(source, tmp_path):
    steps = {
        "layer-drop": {"keep": 0.5},
        METHOD.name: SETTING | {"samples": 16},
        "distillation": {},
        "int8-dynamic": {},
    }
    assert len(run(steps, source, tmp_path).predictor.runtime.model.layers) == 2
