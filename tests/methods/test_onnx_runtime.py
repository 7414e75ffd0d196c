"""onnx-runtime against torch, for many shapes, and without torch at all."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from saving import arrays_of, logits_of, predictor_of, saved
from topics import examples_of

from effauto.model.transformer import load_pretrained

onnx = pytest.importorskip("onnx", reason="onnx-runtime needs the extra onnx")
for package in ("onnxruntime", "onnxscript"):
    pytest.importorskip(package, reason="onnx-runtime needs the extra onnx")
plugin = pytest.importorskip("effauto.bundled.onnx_runtime", reason="this plugin is not here")
METHOD = plugin.OnnxRuntimeMethod()
SHAPES = ((1, 8), (1, 1), (3, 40), (32, 16), (2, 512))
MATRICES = 6 * 4  # six a layer
WORDS = (30_522, 32)

_SERVE_WITHOUT_TORCH = """
import sys
from pathlib import Path
from effauto.bundled.onnx_runtime import OnnxRuntimeMethod
from effauto.execution.artefact import load_artefact
folder, name = Path(sys.argv[1]), OnnxRuntimeMethod.name
predictor = load_artefact(folder, lambda: {name: OnnxRuntimeMethod()}, 1)
print(predictor.predict(["a good film"])[0], "torch" in sys.modules)
"""


def served(model, context, quantize):
    return METHOD.serve(predictor_of(model, context), {"quantize": quantize}, context)


def integers_in(path):
    """How many products are of integers; the shapes of matrices and tables held as integers."""
    graph = onnx.load(path).graph
    whole = (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
    shapes = [tuple(t.dims) for t in graph.initializer if t.data_type in whole]
    products = sum(node.op_type == "MatMulInteger" for node in graph.node)
    return products, [shape for shape in shapes if len(shape) == 2]


def test_it_computes_what_torch_computes_and_is_served_without_torch(model, context, tmp_path):
    predictor = served(model, context, "none")
    loaded = saved(predictor, METHOD, {"quantize": "none"}, tmp_path / "model")
    for shape in SHAPES:
        found = loaded.runtime.run(arrays_of(model, *shape))
        np.testing.assert_allclose(found, logits_of(model, *shape), atol=1e-5)
    asked = [sys.executable, "-c", _SERVE_WITHOUT_TORCH, str(tmp_path / "model")]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    label, with_torch = said.split()
    assert label in context.classes
    assert with_torch == "False"


@pytest.mark.parametrize("quantize", ["int8", "int8-embeddings"])
def test_int8_is_small_and_nearly_the_same(model, context, tmp_path, quantize):
    loaded = saved(
        served(model, context, quantize), METHOD, {"quantize": quantize}, tmp_path / "model"
    )
    exact, found = logits_of(model), loaded.runtime.run(arrays_of(model))
    assert np.abs(found - exact).max() < 0.15 * np.abs(exact).max()
    products, shapes = integers_in(loaded.runtime.path)
    assert products == MATRICES  # and not the head
    assert (WORDS in shapes) == (quantize == "int8-embeddings")
    assert len(shapes) == MATRICES + (WORDS in shapes)  # neither positions nor segments
    numbers = sum(tensor.numel() for tensor in model.state_dict().values())
    words = WORDS[0] * WORDS[1] * (1 if WORDS in shapes else 4)
    expected = words + numbers - WORDS[0] * WORDS[1]
    assert loaded.runtime.path.stat().st_size == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("kind", ["token-classification", "pair-classification"])
def test_tags_and_pairs_read_apart(kind, context, tmp_path):
    torch.manual_seed(0)
    model = load_pretrained(context.source.files, kind, 3).eval()
    if kind == "pair-classification":
        model.pair_separately()
    runtime = served(model, context, "none").runtime
    for shape in ((2, 8), (6, 24)):
        found, expected = runtime.run(arrays_of(model, *shape)), logits_of(model, *shape)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-5)
    quantization = pytest.importorskip("effauto.bundled.onnx_runtime.quantization")
    quantization.quantize(runtime.path, tmp_path / "int8.onnx", False)
    assert integers_in(tmp_path / "int8.onnx")[0] == MATRICES  # tags' head is a product of 3-D


def test_a_calibrated_graph_measures_no_ranges_while_it_serves(surroundings, tmp_path):
    context = surroundings(examples_of("text-classification", 40))
    model = context.untouched().eval()
    setting = {"quantize": "int8-calibrated"}
    loaded = saved(served(model, context, "int8-calibrated"), METHOD, setting, tmp_path / "model")
    exact, found = logits_of(model), loaded.runtime.run(arrays_of(model))
    assert np.abs(found - exact).max() < 0.25 * np.abs(exact).max()
    operators = Counter(node.op_type for node in onnx.load(loaded.runtime.path).graph.node)
    assert not operators["DynamicQuantizeLinear"]
    assert operators["QuantizeLinear"] >= 4 * 4  # inputs of a layer's products: x, context, x, h
    assert len(integers_in(loaded.runtime.path)[1]) == MATRICES


@pytest.mark.parametrize("quantize", ["none", "int8"])
def test_a_matrix_of_several_layers_is_written_once(model, context, tmp_path, quantize):
    """However the exporter turns it, and quantized however often it is used."""
    layers = model.layers
    layers[1], layers[3] = layers[0], layers[2]
    loaded = saved(served(model, context, quantize), METHOD, {"quantize": quantize}, tmp_path / "m")
    np.testing.assert_allclose(
        loaded.runtime.run(arrays_of(model)),
        logits_of(model),
        atol=1e-5 if quantize == "none" else 0.1,
    )
    graph = onnx.load(loaded.runtime.path).graph
    assert not [
        node for node in graph.node if node.op_type == "Transpose" and "weight" in node.input[0]
    ]
    numbers = sum(p.numel() for p in model.parameters())
    words = WORDS[0] * WORDS[1] * 4
    held = (numbers - WORDS[0] * WORDS[1]) * (4 if quantize == "none" else 1)
    assert loaded.runtime.path.stat().st_size == pytest.approx(words + held, rel=0.03)
    assert integers_in(loaded.runtime.path)[0] == (0 if quantize == "none" else MATRICES)


def test_cost(work):
    plain = METHOD.cost(work, {"quantize": "none"})
    assert plain.dispatches < work.dispatches
    assert plain.host_seconds > work.host_seconds
    assert (plain.layer_bits, plain.compute) == (32, "float32")
    int8 = METHOD.cost(work, {"quantize": "int8"})
    assert (int8.embedding_bits, int8.compute) == (32, "int8")
    assert 8 < int8.layer_bits < 10
    assert 8 < METHOD.cost(work, {"quantize": "int8-embeddings"}).embedding_bits < 10
    calibrated = METHOD.cost(work, {"quantize": "int8-calibrated"})
    assert (
        calibrated.forward_passes == work.forward_passes + plugin.CALIBRATION_ROWS / work.examples
    )
    assert (calibrated.embedding_bits, calibrated.layer_bits) == (32, int8.layer_bits)


def test_zeros_of_pruning_are_refused():
    assert "dense_weights" in METHOD.requires
