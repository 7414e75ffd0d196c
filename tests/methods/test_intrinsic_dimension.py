"""intrinsic-dimension: the map against its dense matrix, and the weights it leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from running import run
from topics import examples_of
from torch import nn

from effauto import Training

plugin = pytest.importorskip(
    "effauto.bundled.intrinsic_dimension", reason="this plugin is not here"
)
subspace = pytest.importorskip("effauto.bundled.intrinsic_dimension.subspace")
METHOD = plugin.IntrinsicDimension()
SETTING = {"dimension": 16, "epochs": 2, "learning_rate": 1e-2}
SHAPES = [torch.Size([6, 5]), torch.Size([7]), torch.Size([2, 3, 4])]


def dense(projection, dimension):
    """The matrix, column by column."""
    unit = torch.eye(dimension)
    columns = [torch.cat([p.flatten() for p in projection.spread(e)]) for e in unit]
    return torch.stack(columns, dim=1)


def test_the_map_is_random_and_keeps_lengths():
    matrix = dense(subspace.Projection(SHAPES, 8, seed=0), 8)
    assert matrix.shape == (61, 8)
    assert ((matrix != 0).sum(dim=1) == 1).all()
    torch.testing.assert_close(matrix.T @ matrix, torch.eye(8))
    assert 15 < (matrix > 0).sum() < 46


def test_the_same_seed_gives_the_same_map():
    first, again, other = (dense(subspace.Projection(SHAPES, 8, seed), 8) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_gradients_are_those_of_the_dense_matrix():
    torch.manual_seed(0)
    start = [torch.randn(size) for size in SHAPES]
    projection = subspace.Projection(SHAPES, 8, seed=1)
    matrix, coordinates = dense(projection, 8), nn.Parameter(torch.randn(8))

    def loss(weights):
        return sum((w.sin() ** 2).sum() for w in weights)

    flat = torch.cat([w.flatten() for w in start]) + matrix @ coordinates
    loss([flat]).backward()
    moved = [
        nn.Parameter(w + d) for w, d in zip(start, projection.spread(coordinates), strict=True)
    ]
    loss(moved).backward()
    torch.testing.assert_close(projection.gather([w.grad for w in moved]), coordinates.grad)
    assert not projection.gather([None] * 3).any()


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
def test_weights_left_are_those_at_the_start_and_the_map_s(surroundings, optimizer):
    """Merged as they are, they lie in the subspace: start + P d, with d as an optimizer left it."""
    context = surroundings(examples_of("text-classification", 40))
    model, made = context.untouched(), []
    before = [p.detach().clone() for p in model.encoder.parameters()]

    def make(groups, rate):
        made.append(optimizer(groups, lr=rate))
        return made[-1]

    training = METHOD.train(replace(Training(), optimizer=make, weight_decay=0.5), SETTING, context)
    model = training.fit(model, context.examples, training, context)
    stepped = [p for group in made[0].param_groups for p in group["params"]]
    assert sum(p.numel() for p in stepped) == 16 + sum(p.numel() for p in model.head.parameters())
    projection = subspace.Projection([p.shape for p in before], 16, context.seed)
    change = projection.spread(stepped[-1].detach())
    assert stepped[-1].all()
    for parameter, start, part in zip(model.encoder.parameters(), before, change, strict=True):
        torch.testing.assert_close(parameter.detach(), start + part, atol=1e-6, rtol=0)


def test_what_is_frozen_stays(surroundings):
    context = surroundings(examples_of("text-classification", 16))
    model = context.untouched()
    model.encoder.embeddings.requires_grad_(False)
    before = model.encoder.embeddings.word_embeddings.weight.clone()
    training = METHOD.train(Training(), SETTING, context)
    model = training.fit(model, context.examples, training, context)
    assert torch.equal(model.encoder.embeddings.word_embeddings.weight, before)


def test_a_larger_dimension_never_costs_less(work):
    costs = [METHOD.cost(work, SETTING | {"dimension": d}) for d in (16, 1024, 16_384)]
    kept = [cost.optimizer_bytes for cost in costs]
    assert sorted(set(kept)) == kept
    assert kept[-1] < work.optimizer_bytes
    assert costs[0].trainable_parameters == work.trainable_parameters


@pytest.mark.slow
def test_it_composes_with_a_teacher_and_what_comes_after(source, tmp_path):
    steps = {
        "layer-drop": {"keep": 0.5},
        METHOD.name: SETTING | {"epochs": 1},
        "distillation": {},
        "int8-dynamic": {},
    }
    assert len(run(steps, source, tmp_path).predictor.runtime.model.layers) == 2
