"""onnx-runtime against torch, for many shapes, and without torch at all."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from saving import arrays_of, logits_of, predictor_of, saved

for package in ("onnx", "onnxruntime", "onnxscript"):
    pytest.importorskip(package, reason="onnx-runtime needs the extra onnx")
plugin = pytest.importorskip("effauto.bundled.onnx_runtime", reason="this plugin is not here")
METHOD = plugin.OnnxRuntimeMethod()
SHAPES = ((1, 8), (1, 1), (3, 40), (32, 16), (2, 512))


def served(model, context, quantize="none"):
    return METHOD.serve(predictor_of(model, context), {"quantize": quantize}, context)


def test_it_computes_what_torch_computes(model, context):
    runtime = served(model, context).runtime
    for shape in SHAPES:
        found = runtime.run(arrays_of(model, *shape))
        np.testing.assert_allclose(found, logits_of(model, *shape), atol=1e-5)


@pytest.mark.parametrize("kind", ["token-classification", "pair-classification"])
def test_tags_and_pairs_read_apart(kind, context):
    import torch

    from effauto.model.transformer import load_pretrained

    torch.manual_seed(0)
    model = load_pretrained(context.source.files, kind, 3).eval()
    if kind == "pair-classification":
        model.pair_separately()
    runtime = served(model, context).runtime
    for shape in ((2, 8), (6, 24)):
        found, expected = runtime.run(arrays_of(model, *shape)), logits_of(model, *shape)
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("quantize", ["none", "int8", "int8-embeddings"])
def test_it_survives_saving(model, context, tmp_path, quantize):
    setting = {"quantize": quantize}
    predictor = served(model, context, quantize)
    loaded = saved(predictor, METHOD, setting, tmp_path / "model")
    exact, answers = logits_of(model), loaded.runtime.run(arrays_of(model))
    assert (answers == predictor.runtime.run(arrays_of(model))).all()
    assert (
        np.abs(answers - exact).max() < (1e-5 if quantize == "none" else 0.15) * np.abs(exact).max()
    )
    numbers = sum(tensor.numel() for tensor in model.state_dict().values())
    table = model.encoder.get_input_embeddings().weight.numel()
    embedding_bytes = 1 if quantize == "int8-embeddings" else 4
    graph = (tmp_path / "model" / "model.onnx").stat().st_size
    layer_bytes = 4 if quantize == "none" else 1
    expected = embedding_bytes * table + layer_bytes * (numbers - table)
    assert graph == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("kind", ["text-classification", "token-classification"])
def test_the_head_and_small_tables_stay_float(kind, context):
    import onnx

    from effauto.model.transformer import load_pretrained

    model = load_pretrained(context.source.files, kind, 3).eval()
    path = served(model, context, "int8-embeddings").runtime.path
    graph = onnx.load(path).graph
    integers = [node for node in graph.node if node.op_type == "MatMulInteger"]
    assert len(integers) == 6 * 4  # six matrices a layer, and no head
    whole = (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
    tables = [t.dims for t in graph.initializer if t.data_type in whole and len(t.dims) == 2]
    assert [30_522, 32] in tables
    assert len(tables) == len(integers) + 1  # neither positions nor segments


def test_serving_needs_no_torch(model, context, tmp_path):
    saved(served(model, context), METHOD, {"quantize": "none"}, tmp_path / "model")
    program = (
        "import sys; from pathlib import Path\n"
        "from effauto.bundled.onnx_runtime import OnnxRuntimeMethod as M\n"
        "from effauto.execution.artefact import load_artefact\n"
        "p = load_artefact(Path(sys.argv[1]), lambda: {M.name: M()}, 1)\n"
        "print(p.predict(['a good film'])[0], 'torch' in sys.modules)"
    )
    asked = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "model"],
        capture_output=True,
        text=True,
        check=True,
    )
    label, torch_too = asked.stdout.split()
    assert label in context.classes
    assert torch_too == "False"


def test_cost(work):
    plain = METHOD.cost(work, {"quantize": "none"})
    assert plain.dispatches < work.dispatches
    assert plain.host_seconds > work.host_seconds
    assert (plain.layer_bits, plain.compute) == (32, "float32")
    int8 = METHOD.cost(work, {"quantize": "int8"})
    assert (int8.layer_bits, int8.embedding_bits, int8.compute) == (8, 32, "int8")
    assert METHOD.cost(work, {"quantize": "int8-embeddings"}).embedding_bits == 8


def test_zeros_of_pruning_are_refused():
    assert "dense_weights" in METHOD.requires
