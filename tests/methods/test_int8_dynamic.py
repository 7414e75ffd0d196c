"""int8-dynamic against the definition of quantization and against torch's own."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from saving import inputs_of, logits_of, predictor_of, saved, tensor_bytes
from torch import nn

plugin = pytest.importorskip("effauto.bundled.int8_dynamic", reason="this plugin is not here")
modules = pytest.importorskip("effauto.bundled.int8_dynamic.modules")
METHOD = plugin.Int8Dynamic()


@pytest.fixture
def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(48, 96).eval()


def int8(linear: nn.Linear) -> nn.Module:
    return modules.Int8Linear(*modules.quantized(linear.weight), linear.bias)


def test_numbers_are_rounded_by_half_a_step_at_most(linear):
    numbers, scale = modules.quantized(linear.weight)
    error = (numbers.float() * scale[:, None] - linear.weight).abs()
    assert numbers.dtype == torch.int8
    assert (error <= scale[:, None] * 0.5001).all()
    assert (numbers.abs().amax(dim=1) == 127).all()


def test_a_row_of_zeros_stays_zero():
    numbers, scale = modules.quantized(torch.tensor([[0.0, 0.0], [0.0, -2.0]]))
    assert torch.equal(numbers.float() * scale[:, None], torch.tensor([[0.0, 0.0], [0.0, -2.0]]))


def test_a_layer_answers_within_the_quantization_error(linear):
    """An output is off by the weights' rounding and that of the inputs, to 7 bits at worst."""
    x = torch.randn(5, 7, 48)
    with torch.inference_mode():
        found, expected = int8(linear)(x), linear(x)
        numbers, scale = modules.quantized(linear.weight)
        input_step = (x.max() - x.min()) / 127
        weights = scale / 2 * x.abs().sum(dim=-1, keepdim=True)
        inputs = input_step / 2 * (numbers.float() * scale[:, None]).abs().sum(dim=1)
    assert ((found - expected).abs() <= weights + inputs).all()


def test_it_is_no_worse_than_torchs_own(linear):
    x = torch.randn(64, 48)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        theirs = torch.ao.quantization.quantize_dynamic(nn.Sequential(linear), {nn.Linear})(x)
        ours, exact = int8(linear)(x), linear(x)
    assert (ours - theirs).abs().max() < 0.05 * exact.abs().max()
    assert (ours - exact).abs().mean() <= 1.05 * (theirs - exact).abs().mean()


@pytest.fixture
def onnx_file(linear, tmp_path):
    """The product of the layer in ONNX, its weights in int8 by ONNX Runtime's quantizer."""
    onnx = pytest.importorskip("onnx", reason="ONNX Runtime's quantizer needs onnx")
    quantization = pytest.importorskip("onnxruntime.quantization")
    whole, small = tmp_path / "whole.onnx", tmp_path / "int8.onnx"
    product = onnx.helper.make_node("MatMul", ["x", "w"], ["y"], name="product")
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None, width])
        for name, width in (("x", 48), ("y", 96))
    ]
    tensor = onnx.numpy_helper.from_array(linear.weight.detach().T.numpy(), "w")
    graph = onnx.helper.make_graph([product], "layer", ends[:1], ends[1:], [tensor])
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9), whole)
    int8_weights = quantization.QuantType.QInt8
    quantization.quantize_dynamic(whole, small, per_channel=True, weight_type=int8_weights)
    return small


def test_its_integers_are_onnx_runtimes(linear, onnx_file):
    onnx = pytest.importorskip("onnx")
    stored = onnx.load(onnx_file).graph.initializer
    held = {t.name: onnx.numpy_helper.to_array(t) for t in stored}
    numbers, scale = modules.quantized(linear.weight)
    theirs, their_scale = held["w_quantized"].T, held["w_scale"]
    np.testing.assert_allclose(scale, their_scale, rtol=0.005)  # they spread over 255, not 254
    assert np.abs(numbers.numpy() - theirs).max() <= 1


@pytest.mark.skipif(not modules.has_vnni(), reason="without VNNI products of full bytes overflow")
def test_its_answers_are_onnx_runtimes(linear, onnx_file):
    runtime = pytest.importorskip("onnxruntime")
    x = np.random.default_rng(0).normal(size=(64, 48)).astype("float32")
    session = runtime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, {"x": x})
    exact = x @ linear.weight.detach().T.numpy()
    with torch.inference_mode():
        ours = (int8(linear)(torch.from_numpy(x)) - linear.bias).numpy()
    errors = [np.abs(found - exact).mean() for found in (ours, answers)]
    assert errors[0] <= errors[1]
    assert np.abs(ours - answers).max() < 0.05 * np.abs(exact).max()


@pytest.mark.parametrize("embeddings", [False, True])
def test_it_survives_saving(model, context, tmp_path, embeddings):
    setting = {"embeddings": embeddings}
    exact = logits_of(model)
    numbers = sum(tensor.numel() for tensor in model.state_dict().values())
    matrices = [module.weight for module in model.layers.modules() if isinstance(module, nn.Linear)]
    matrices += [model.encoder.get_input_embeddings().weight] if embeddings else []
    expected = 4 * numbers - 3 * sum(m.numel() for m in matrices) + 4 * sum(map(len, matrices))
    model = METHOD.compress(model, setting, context)
    loaded = saved(predictor_of(model, context), METHOD, setting, tmp_path / "int8")
    answers = logits_of(loaded.runtime.model)
    assert (answers == logits_of(model)).all()
    assert np.abs(answers - exact).max() < 0.1 * np.abs(exact).max()
    assert tensor_bytes(tmp_path / "int8") == expected


def test_all_linear_layers_but_the_head_are_replaced(model, context):
    METHOD.compress(model, {"embeddings": True}, context)
    assert not [m for m in model.encoder.modules() if isinstance(m, nn.Linear)]
    assert isinstance(model.head, nn.Linear)
    assert sum(isinstance(m, modules.Int8Linear) for m in model.modules()) == 24


def test_layers_that_keep_their_weight_the_other_way_round(context):
    """GPT-2's."""
    from transformers import GPT2Config, GPT2Model

    from effauto.model.transformer import TaskModel

    torch.manual_seed(0)
    config = GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=30_522)
    model = TaskModel(GPT2Model(config), "text-classification", 3).eval()
    exact = logits_of(model)
    METHOD.compress(model, {"embeddings": True}, context)
    assert np.abs(logits_of(model) - exact).max() < 0.1 * np.abs(exact).max()


def test_zeros_stay_zero(model, context):
    weight = model.layers[0].attention.self.query.weight
    with torch.no_grad():
        weight[weight.abs() < weight.abs().median()] = 0.0
    zeros = weight == 0
    METHOD.compress(model, {"embeddings": False}, context)
    assert (model.layers[0].attention.self.query.weight[zeros] == 0).all()


@pytest.mark.parametrize("embeddings", [False, True])
def test_the_foretold_bytes_are_the_saved_ones(work, model, context, tmp_path, embeddings):
    cost = METHOD.cost(work, {"embeddings": embeddings})
    assert cost.compute == "int8"
    layers = cost.layers * cost.layer_parameters * cost.layer_bits
    foretold = (layers + cost.embedding_parameters * cost.embedding_bits) / 8
    model = METHOD.compress(model, {"embeddings": embeddings}, context)
    saved(predictor_of(model, context), METHOD, {"embeddings": embeddings}, tmp_path / "int8")
    assert foretold == pytest.approx(tensor_bytes(tmp_path / "int8"), rel=0.03)


def test_longer_inputs_give_the_same_answers_row_by_row(model, context):
    """Inputs are quantized over the whole batch, so rows of a batch share their rounding."""
    METHOD.compress(model, {"embeddings": False}, context)
    inputs = inputs_of(model, 4, 10)
    with torch.inference_mode():
        together = model(**inputs)
        alone = torch.cat([model(**{k: v[i : i + 1] for k, v in inputs.items()}) for i in range(4)])
    assert (together - alone).abs().max() < 0.1 * together.abs().max()
