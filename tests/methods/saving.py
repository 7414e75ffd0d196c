"""Save a model as a recipe does, and load it as a fresh process does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from effauto.execution.artefact import Manifest, load_artefact, save_artefact
from effauto.execution.predictor import Predictor, TorchRuntime
from effauto.method import Method
from effauto.model.transformer import TaskModel, describe
from effauto.recipe import Recipe

if TYPE_CHECKING:
    from effauto import Context


def inputs_of(model: TaskModel, rows: int = 3, tokens: int = 12) -> dict[str, torch.Tensor]:
    """Rows of different length, the first one full."""
    generator = torch.Generator().manual_seed(rows * tokens)
    numbers = torch.randint(1000, 20_000, (rows, tokens), generator=generator)
    mask = (torch.arange(tokens) < (tokens - torch.arange(rows) % tokens)[:, None]).long()
    arrays = {"input_ids": numbers, "attention_mask": mask, "token_type_ids": numbers * 0}
    return {name: arrays[name] for name in model.input_names}


def arrays_of(model: TaskModel, rows: int = 3, tokens: int = 12) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in inputs_of(model, rows, tokens).items()}


def logits_of(model: TaskModel, rows: int = 3, tokens: int = 12) -> np.ndarray[Any, Any]:
    return TorchRuntime(model.eval()).run(arrays_of(model, rows, tokens))


def predictor_of(model: TaskModel, context: Context) -> Predictor:
    return Predictor(
        model.kind, context.classes, context.encoding(model), 512, TorchRuntime(model), model
    )


def saved(
    predictor: Predictor, method: Method, setting: Mapping[str, Any], folder: Path
) -> Predictor:
    """Save, and load again."""
    assert predictor.model is not None
    manifest = Manifest(
        kind=predictor.kind,
        classes=predictor.classes,
        family="transformer",
        model="tiny",
        recipe=Recipe.from_settings({method.name: setting}),
        order=(method.name,),
        network=describe(predictor.model),
        max_tokens=512,
        versions={},
    )
    save_artefact(folder, manifest, predictor)
    loaded = load_artefact(folder, lambda: {method.name: method}, 1)
    assert isinstance(loaded, Predictor)
    return loaded


def exports_alike(model: TaskModel, context: Context) -> None:
    """The graph that ONNX Runtime serves computes what the model does, at two shapes."""
    for package in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(package)
    runtime = pytest.importorskip("effauto.bundled.onnx_runtime")
    served = runtime.OnnxRuntimeMethod().serve(
        predictor_of(model, context), {"quantize": "none"}, context
    )
    for shape in ((1, 8), (3, 40)):
        found = served.runtime.run(arrays_of(model, *shape))
        np.testing.assert_allclose(found, logits_of(model, *shape), atol=1e-5)


def tensor_bytes(folder: Path) -> int:
    """Bytes of all tensors in a folder, names and shapes left out."""
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        return sum(file.get_tensor(name).nbytes for name in file.keys())  # noqa: SIM118
