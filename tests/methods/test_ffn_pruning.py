"""ffn-pruning: the narrow inner layer is the old one with neurons masked, and lasts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from families import tiny
from running import refusals, run
from saving import logits_of, predictor_of, saved
from topics import examples_of
from torch import nn

from effauto import EffautoError, Training, collate, encode_training

plugin = pytest.importorskip("effauto.bundled.ffn_pruning", reason="this plugin is not here")
inner = pytest.importorskip("effauto.bundled.ffn_pruning.inner")
scoring = pytest.importorskip("effauto.bundled.ffn_pruning.importance")
METHOD = plugin.FfnPruning()
LEARNING = {"full-finetune": {"epochs": 6, "learning_rate": 1e-3, "batch_size": 8}}
LORA = {"lora": {"epochs": 6, "learning_rate": 2e-2, "targets": "all-linear"}}
HALF = {"share": 0.5, "importance": "taylor"}
KINDS = ("taylor", "magnitude")
NUMBERS = {"input_ids": torch.tensor([[5, 6, 7, 8]]), "attention_mask": torch.ones(1, 4).long()}


@pytest.mark.parametrize("family", ["Bert", "Roberta", "DistilBert", "GPT2", "Llama", "GPTNeoX"])
@torch.inference_mode()
def test_it_computes_what_masked_neurons_compute(family):
    model = tiny(family, layers=2).eval()
    found = inner.inner_layers(model.encoder, model.layers)
    assert [part.width for part in found] == [64, 64]
    kept = torch.arange(1, 64, 3)
    mask = torch.zeros(64)
    mask[kept] = 1.0
    hooks = [part.down.register_forward_pre_hook(lambda _, x: (x[0] * mask,)) for part in found]
    masked = model(**NUMBERS)
    for hook in hooks:
        hook.remove()
    untouched = model(**NUMBERS)
    for part in found:
        inner.keep_neurons(part, kept)
    torch.testing.assert_close(model(**NUMBERS), masked, atol=1e-6, rtol=1e-5)
    assert (masked - untouched).abs().max() > 1e-4


def test_taylor_is_what_taking_a_neuron_out_changes_to_first_order(surroundings):
    """A row's loss changes by Σ w · ∂L/∂w over the weights out of the neuron."""
    context = surroundings(examples_of("text-classification", 5))
    model = context.untouched().eval()
    found = inner.inner_layers(model.encoder, model.layers)
    scores = scoring.sensitivities(model, found, context, 5)
    training = replace(Training(), padding="longest")
    encoded = encode_training(model, context.examples, training, context)
    weights, expected = [part.down.weight for part in found], torch.zeros(4, 64)
    for row in range(5):
        batch = collate([row], encoded, context.examples, training, context)
        gradients = torch.autograd.grad(training.loss(model, batch), weights)
        for place, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
            expected[place] += (weight * gradient).sum(dim=0).abs().detach()
    torch.testing.assert_close(torch.stack(scores), expected, atol=1e-7, rtol=1e-3)


def test_magnitude_is_the_product_of_norms(model):
    found = inner.inner_layers(model.encoder, model.layers)[1]
    up, down = model.layers[1].intermediate.dense.weight, model.layers[1].output.dense.weight
    score = scoring.magnitudes(found)
    for neuron in (0, 40):
        expected = (up[neuron] ** 2).sum().sqrt() * (down[:, neuron] ** 2).sum().sqrt()
        assert score[neuron].item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("importance", KINDS)
def test_it_survives_saving(surroundings, tmp_path, importance):
    context = surroundings(examples_of("text-classification", 12))
    setting = HALF | {"importance": importance}
    model = METHOD.build(context.untouched(), setting, context).eval()
    assert model.layers[0].intermediate.dense.out_features == 32
    loaded = saved(predictor_of(model, context), METHOD, setting, tmp_path / "model")
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "others",
    [
        LEARNING | {"layer-drop": {"keep": 0.5}, "head-pruning": {}, "int8-dynamic": {}},
        LEARNING | {"onnx-runtime": {"quantize": "int8"}},
        LORA | {"distillation": {}},
    ],
    ids=["fewer layers and heads, int8", "onnx", "adapters, a teacher"],
)
def test_whole_recipes(source, tmp_path, others):
    assert run(others | {"ffn-pruning": HALF}, source, tmp_path, rows=90).right > 0.6


def test_pairs_and_tags(source, tmp_path):
    for kind, others in (("pair-classification", {"bi-encoder": {}}), ("token-classification", {})):
        run(others | {"ffn-pruning": HALF}, source, tmp_path / kind, kind, rows=12)


def test_the_cost_counts_the_parameters_there_are(work, surroundings):
    context = surroundings(examples_of("text-classification", 12))
    cost = METHOD.cost(work, HALF)
    model = METHOD.build(context.untouched(), HALF, context)
    numbers = sum(parameter.numel() for parameter in model.parameters())
    assert cost.parameters == pytest.approx(numbers, rel=1e-4)
    assert cost.trainable_parameters == pytest.approx(numbers, rel=1e-3)
    assert (cost.feedforward, cost.attention_width) == (32, 32)


def test_three_matrices_are_told_from_two(work):
    assert plugin.matrices(work) == 2
    one = work.width * work.feedforward
    gated = replace(work, layer_parameters=work.layer_parameters + one)
    assert plugin.matrices(gated) == 3


@pytest.mark.parametrize("importance", KINDS)
def test_fewer_neurons_never_cost_more(work, importance):
    settings = [{"share": share, "importance": importance} for share in (0.1, 0.5, 0.9)]
    costs = [METHOD.cost(work, setting) for setting in settings]
    for name in ("feedforward", "layer_parameters", "activation_units", "trainable_parameters"):
        values = [getattr(cost, name) for cost in costs]
        assert values == sorted(values, reverse=True)
    assert len(costs[0].before) == (importance == "taylor")


def test_one_neuron_stays():
    assert plugin.kept_of(3, 0.9) == 1
    assert plugin.kept_of(1536, 0.5) == 768


def test_a_body_without_inner_layers_is_refused(context):
    with pytest.raises(EffautoError, match="no plain inner layers in Linear"):
        inner.inner_layers(nn.Linear(2, 2), nn.ModuleList())
    assert "has none" in METHOD.fits(context.task, replace(context.model, feedforward=0)).reason


def test_it_makes_a_student(source):
    assert not refusals({"ffn-pruning": {}, "distillation": {}}, source)
