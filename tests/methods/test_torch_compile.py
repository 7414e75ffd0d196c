"""torch-compile: the same answers from compiled layers, compiled anew where they are loaded."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace

import numpy as np
import psutil
import pytest
import torch
from running import refusals, run
from saving import arrays_of, logits_of, predictor_of, saved
from topics import examples_of

plugin = pytest.importorskip("effauto.bundled.torch_compile", reason="this plugin is not here")
layers = pytest.importorskip("effauto.bundled.torch_compile.layers")
METHOD = plugin.TorchCompile()
SHAPES = ((1, 8), (3, 40), (2, 12))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="there is no compiler")
def test_compiled_layers_compute_what_eager_ones_do(surroundings, tmp_path):
    torch._dynamo.reset()
    counters = torch._dynamo.utils.counters
    counters.clear()
    context = surroundings(examples_of("text-classification", 6))
    model = context.untouched().eval()
    exact = {shape: logits_of(model, *shape) for shape in SHAPES}
    predictor = METHOD.serve(predictor_of(model, context), {}, context)
    for shape, expected in exact.items():
        found = predictor.runtime.run(arrays_of(model, *shape))
        np.testing.assert_allclose(found, expected, atol=1e-5)
    # one graph for single rows, one for batches, each with and without a mask, for all layers
    assert 1 <= counters["stats"]["unique_graphs"] <= 4
    assert not counters["graph_break"]
    loaded = saved(predictor, METHOD, {}, tmp_path / "model")
    found = loaded.runtime.run(arrays_of(model, *SHAPES[0]))
    np.testing.assert_allclose(found, exact[SHAPES[0]], atol=1e-5)
    assert not psutil.Process().children(recursive=True)


def test_only_layers_are_compiled_and_names_stay(model):
    names = list(model.state_dict())
    compiled = layers.compile_layers(model)
    assert all(layer._compiled_call_impl is not None for layer in compiled.layers)
    assert compiled.encoder.embeddings._compiled_call_impl is None
    assert list(compiled.state_dict()) == names


def test_without_a_compiler_it_is_refused(context, monkeypatch):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "C++ compiler, and g++" in METHOD.fits(context.task, context.model).reason
    monkeypatch.setenv("CXX", "icpx")
    assert "icpx is not found" in METHOD.fits(context.task, context.model).reason
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert METHOD.fits(context.task, context.model)


def test_other_arithmetic_and_another_runtime_are_refused(source):
    for other, why in (("int8-dynamic", "which int8-dynamic takes away"), ("onnx-runtime", "slot")):
        said = refusals({"torch-compile": {}, other: {}}, source)
        assert any(why in sentence for sentence in said)


def test_costs_are_fewer_calls_and_a_compiler(work):
    cost = METHOD.cost(work, {})
    assert cost.dispatches < work.dispatches
    assert cost.host_seconds > work.host_seconds
    assert (
        replace(
            cost,
            dispatches=work.dispatches,
            host_seconds=work.host_seconds,
            runtime_bytes=work.runtime_bytes,
        )
        == work
    )


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="there is no compiler")
def test_a_shallower_pruned_model_is_compiled(source, tmp_path):
    others = {"layer-drop": {"keep": 0.5}, "head-only": {}, "magnitude-pruning": {"sparsity": 0.3}}
    ran = run({**others, "torch-compile": {}}, source, tmp_path)
    assert ran.right > 0.6
