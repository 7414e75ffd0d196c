"""quantization-aware-training: training and serving round alike, and gradients pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from running import refusals, run
from saving import logits_of, predictor_of, saved, tensor_bytes
from topics import examples_of
from torch import nn

from effauto import EffautoError, TaskModel, Training

plugin = pytest.importorskip(
    "effauto.bundled.quantization_aware_training", reason="this plugin is not here"
)
fake = pytest.importorskip("effauto.bundled.quantization_aware_training.fake")
served = pytest.importorskip("effauto.bundled.quantization_aware_training.served")
METHOD = plugin.QuantizationAwareTraining()
EMBEDDINGS = pytest.mark.parametrize("embeddings", [False, True])


@pytest.fixture
def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(48, 96).eval()


def test_weights_are_rounded_as_they_will_be_held(linear):
    numbers, scale = served.integers(linear.weight)
    assert numbers.dtype == torch.int8
    assert (numbers.abs().amax(dim=1) == 127).all()
    torch.testing.assert_close(fake.fake_rows(linear.weight), numbers.float() * scale[:, None])
    zeros = torch.zeros(2, 3)
    assert torch.equal(fake.fake_rows(zeros), zeros)


@pytest.mark.parametrize("levels", [127, 255])
@pytest.mark.parametrize("shift", [-5.0, 0.0, 5.0])
def test_inputs_are_rounded_to_the_nearest_level(levels, shift):
    torch.manual_seed(0)
    x = torch.randn(64) + shift
    rounded = fake.fake_inputs(x, levels)
    step = (max(x.max(), 0) - min(x.min(), 0)) / levels
    assert (rounded - x).abs().max() <= 0.5001 * step + 0.5 * step  # the zero is rounded as well
    found = rounded / step
    torch.testing.assert_close(found, found.round(), atol=1e-3, rtol=0)
    assert len(rounded.unique()) <= levels + 1
    assert torch.equal(fake.fake_inputs(torch.zeros(3), levels), torch.zeros(3))


def test_a_layer_in_training_answers_as_the_one_that_is_served(linear):
    torch.manual_seed(1)
    pretended = fake.FakeInt8Linear(linear.weight, linear.bias)
    converted = served.Int8Linear(*served.integers(linear.weight), linear.bias)
    for x in (torch.randn(5, 7, 48), torch.rand(2, 3, 48), torch.randn(4, 48) - 3):
        with torch.inference_mode():
            torch.testing.assert_close(pretended(x), converted(x), atol=1e-4, rtol=1e-4)
        assert (pretended(x) - linear(x)).abs().max() > 1e-3


@EMBEDDINGS
def test_a_model_in_training_answers_as_the_one_that_is_served(model, context, embeddings):
    setting = {"embeddings": embeddings}
    exact = logits_of(model)
    pretended = METHOD.build(model, setting, context)
    expected = logits_of(pretended)
    assert np.abs(expected - exact).max() > 1e-5
    converted = METHOD.compress(pretended, setting, context)
    # A number on the edge of two levels may fall to either side, and layers add up.
    assert np.abs(logits_of(converted) - expected).max() < 0.02 * np.abs(exact).max()
    assert sum(isinstance(m, served.Int8Linear) for m in converted.modules()) == 24
    assert isinstance(converted.head, nn.Linear)


def test_gradients_pass_straight_through():
    torch.manual_seed(0)
    weight = torch.randn(4, 6, requires_grad=True)
    x = torch.randn(5, 6, requires_grad=True)
    direction = torch.randn(5, 4)
    layer = fake.FakeInt8Linear(nn.Parameter(weight.detach()), None)
    (layer(x) * direction).sum().backward()
    rounded_x, rounded_w = fake.fake_inputs(x, layer.levels), fake.fake_rows(layer.weight)
    torch.testing.assert_close(layer.weight.grad, direction.T @ rounded_x)
    torch.testing.assert_close(x.grad, direction @ rounded_w)


@EMBEDDINGS
def test_it_trains_the_same_weights_and_survives_saving(surroundings, tmp_path, embeddings):
    context, setting = (
        surroundings(examples_of("text-classification", 24)),
        {"embeddings": embeddings},
    )
    plain = context.untouched()
    plain.encoder.embeddings.requires_grad_(False)
    names = {n for n, p in plain.named_parameters() if p.requires_grad}
    model = METHOD.build(plain, setting, context)
    assert {n for n, p in model.named_parameters() if p.requires_grad} == names
    before = model.layers[0].attention.self.query.weight.detach().clone()
    model = Training(epochs=1).fit(model, context.examples, Training(epochs=1), context)
    assert not torch.equal(model.layers[0].attention.self.query.weight, before)
    model = METHOD.compress(model, setting, context)
    loaded = saved(predictor_of(model, context), METHOD, setting, tmp_path / "int8")
    assert (logits_of(loaded.runtime.model) == logits_of(model)).all()


def test_layers_that_keep_their_weight_the_other_way_round(context):
    """GPT-2's."""
    from transformers import GPT2Config, GPT2Model

    torch.manual_seed(0)
    config = GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=30_522)
    model = TaskModel(GPT2Model(config), "text-classification", 3).eval()
    model.layers[0].attn.c_attn.requires_grad_(False)
    exact = logits_of(model)
    model = METHOD.build(model, {"embeddings": True}, context)
    assert not model.layers[0].attn.c_attn.weight.requires_grad
    assert model.layers[1].attn.c_attn.weight.requires_grad
    pretended = logits_of(model)
    assert np.abs(pretended - exact).max() < 0.1 * np.abs(exact).max()
    converted = logits_of(METHOD.compress(model, {"embeddings": True}, context))
    assert np.abs(converted - pretended).max() < 0.02 * np.abs(exact).max()


def test_a_table_with_a_matrix_behind_it_is_rounded_too(model, context):
    words = model.encoder.get_input_embeddings()
    model.encoder.set_input_embeddings(nn.Sequential(words, nn.Linear(32, 32)))
    model = METHOD.build(model, {"embeddings": True}, context)
    narrow, back = model.encoder.get_input_embeddings()
    assert isinstance(narrow, fake.FakeInt8Embedding)
    narrow, again = METHOD.compress(
        model, {"embeddings": True}, context
    ).encoder.get_input_embeddings()
    assert isinstance(narrow, served.Int8Embedding)
    assert again is back


def test_what_has_no_table_is_refused(model, context):
    model.encoder.set_input_embeddings(nn.Sequential(nn.Identity()))
    with pytest.raises(EffautoError, match="no table of words in a Sequential"):
        METHOD.build(model, {"embeddings": True}, context)


@EMBEDDINGS
def test_the_foretold_bytes_are_the_saved_ones(work, model, context, tmp_path, embeddings):
    cost = METHOD.cost(work, {"embeddings": embeddings})
    assert cost.compute == "int8"
    layers = cost.layers * cost.layer_parameters * cost.layer_bits
    foretold = (layers + cost.embedding_parameters * cost.embedding_bits) / 8
    model = METHOD.compress(model, {"embeddings": embeddings}, context)
    saved(predictor_of(model, context), METHOD, {"embeddings": embeddings}, tmp_path / "int8")
    assert foretold == pytest.approx(tensor_bytes(tmp_path / "int8"), rel=0.03)


def test_training_costs_more_and_serving_less(work):
    cost = METHOD.cost(work, {"embeddings": False})
    assert cost.host_seconds > work.host_seconds
    assert cost.optimizer_bytes > work.optimizer_bytes
    assert cost.activation_units > work.activation_units
    assert cost.layer_bits < work.layer_bits / 3
    table = METHOD.cost(work, {"embeddings": True})
    assert table.embedding_bits < work.embedding_bits / 3


@pytest.mark.parametrize(
    "others",
    [
        {"layer-drop": {"keep": 0.5}, "full-finetune": {"epochs": 1}, "distillation": {}},
        {"adapters": {"epochs": 1}, "magnitude-pruning": {"sparsity": 0.5}},
        {"prefix-tuning": {"epochs": 1}, "length-curriculum": {}},
    ],
    ids=["teacher", "adapters", "prefix"],
)
def test_it_composes_with_what_is_trained_and_pruned(source, tmp_path, others):
    predictor = run(others | {METHOD.name: {"embeddings": True}}, source, tmp_path).predictor
    held = [m for m in predictor.runtime.model.modules() if isinstance(m, served.Int8Linear)]
    assert len(held) >= 12
    if "magnitude-pruning" in others:
        zeros = [float((layer.weight == 0).float().mean()) for layer in held]
        assert sum(zeros) / len(zeros) > 0.3


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("ia3", "does not go with merged weights"),
        ("head-only", "requires gradient training, which head-only takes away"),
        ("int8-dynamic", "both take the slot 'precision'"),
        ("onnx-runtime", "takes away"),
    ],
)
def test_what_it_does_not_go_with_is_refused(source, other, said):
    found = refusals({METHOD.name: {}, other: {}}, source)
    assert any(said in sentence for sentence in found), found
