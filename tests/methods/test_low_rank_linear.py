"""low-rank-linear against numpy's singular values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from running import refusals, run
from saving import logits_of, predictor_of, saved
from torch import nn

from effauto import TaskModel

plugin = pytest.importorskip("effauto.bundled.low_rank_linear", reason="this plugin is not here")
factoring = pytest.importorskip("effauto.bundled.low_rank_linear.factor")
METHOD = plugin.LowRankLinear()
LEARNING = {"full-finetune": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 8}}
HALF = {"share": 0.5}


@pytest.mark.parametrize("shape", [(24, 24), (24, 60), (60, 24)])
def test_the_error_is_that_of_eckart_and_young(shape):
    """The best of rank r is off by the root of the squared singular values that are left out."""
    torch.manual_seed(0)
    weight = torch.randn(shape)
    values = np.linalg.svd(weight.numpy(), compute_uv=False)
    for rank in (1, 5, 20):
        outer, inner = factoring.factors(weight, rank)
        error = np.linalg.norm(weight.numpy() - (outer @ inner).numpy())
        assert error == pytest.approx(np.sqrt((values[rank:] ** 2).sum()), rel=1e-4)
        torch.testing.assert_close(outer.norm(dim=0), inner.norm(dim=1))


def test_a_matrix_of_low_rank_loses_nothing(model, context):
    with torch.no_grad():
        for layer in model.layers.modules():
            if isinstance(layer, nn.Linear):
                left, values, right = torch.linalg.svd(layer.weight, full_matrices=False)
                layer.weight.copy_(left[:, :4] * values[:4] @ right[:4])
    expected = logits_of(model)
    assert abs(logits_of(METHOD.build(model, HALF, context)) - expected).max() < 1e-4


def test_no_rank_costs_more_than_its_matrix():
    for shape in ((384, 384), (384, 1536), (7, 9)):
        ranks = [plugin.rank_of(*shape, share) for share in (0.2, 0.5, 0.9)]
        assert ranks == sorted(ranks)
        assert ranks[-1] * sum(shape) < shape[0] * shape[1]


def test_what_is_too_thin_stays_whole(model, context):
    model.layers[0].output.dense = nn.Linear(64, 2)
    METHOD.build(model, {"share": 0.2}, context)
    assert isinstance(model.layers[0].output.dense, nn.Linear)
    assert isinstance(model.layers[1].output.dense, nn.Sequential)
    assert isinstance(model.head, nn.Linear)


def test_it_survives_saving(model, context, tmp_path):
    model = METHOD.build(model, HALF, context)
    loaded = saved(predictor_of(model, context), METHOD, HALF, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()


def test_layers_that_keep_their_weight_the_other_way_round(context):
    """GPT-2's."""
    from transformers import GPT2Config, GPT2Model

    torch.manual_seed(0)
    config = GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=30_522)
    model = TaskModel(GPT2Model(config), "text-classification", 3).eval()
    layer = model.layers[0].mlp.c_fc
    x = torch.randn(2, 32)
    with torch.inference_mode():
        outer, inner = factoring.factors(layer.weight.T, plugin.rank_of(128, 32, 0.9))
        expected = x @ inner.T @ outer.T + layer.bias
        METHOD.build(model, {"share": 0.9}, context)
        torch.testing.assert_close(model.layers[0].mlp.c_fc(x), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "others",
    [
        {"layer-drop": {"keep": 0.5}, "ffn-pruning": {}, "distillation": {}, "int8-dynamic": {}},
        {"onnx-runtime": {"quantize": "int8"}, "layer-sharing": {}},
    ],
    ids=["fewer and narrower layers, a teacher, int8", "shared layers, onnx"],
)
def test_whole_recipes(source, tmp_path, others):
    steps = LEARNING | others | {"low-rank-linear": {"share": 0.8}}
    assert run(steps, source, tmp_path, rows=90).right > 0.5


def test_the_cost_counts_the_parameters_there_are(work, model, context):
    cost = METHOD.cost(work, HALF)
    METHOD.build(model, HALF, context)
    numbers = sum(parameter.numel() for parameter in model.parameters())
    assert cost.parameters == pytest.approx(numbers, rel=2e-3)
    factored = [m for m in model.layers[0].modules() if isinstance(m, nn.Linear)]
    rows = sum(linear.out_features for linear in factored)
    assert cost.layer_rows == pytest.approx(rows, rel=0.03)


def test_a_smaller_share_never_costs_more(work):
    costs = [METHOD.cost(work, {"share": share}) for share in (0.9, 0.5, 0.2)]
    for name in ("layer_parameters", "trainable_parameters", "activation_units"):
        values = [getattr(cost, name) for cost in costs]
        assert values == sorted(values, reverse=True)


def test_thin_models_are_refused(context):
    assert METHOD.fits(context.task, context.model)
    assert "save a number" in METHOD.fits(context.task, replace(context.model, width=8)).reason


def test_it_makes_a_student(source):
    assert not refusals({"low-rank-linear": {}, "distillation": {}}, source)
