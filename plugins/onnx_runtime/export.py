"""From a torch model to an ONNX file, for any number and length of rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir
import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass, RemoveUnusedNodesPass

if TYPE_CHECKING:
    from effauto import TaskModel

# The traced sample: sizes of 0 or 1 would be taken for constants. Four rows are two pairs.
ROWS, TOKENS = 4, 16


def export(model: TaskModel, path: Path) -> None:
    """Write ``model`` to ``path``; inputs are named as the model's, the output ``logits``."""
    sample = torch.ones(ROWS, TOKENS, dtype=torch.long)
    inputs = dict.fromkeys(model.input_names, sample)
    free = dict.fromkeys((0, 1), torch.export.Dim.DYNAMIC)
    program = torch.onnx.export(
        model.eval(),
        kwargs={name: tensor.clone() for name, tensor in inputs.items()},
        dynamo=True,
        dynamic_shapes=dict.fromkeys(inputs, free),
        input_names=list(inputs),
        output_names=["logits"],
        verbose=False,
    )
    assert program is not None
    ClearMetadataAndDocStringPass()(program.model)  # where in which source each node was made
    turn_matrices(program.model)
    program.save(path, external_data=False)


def turn_matrices(model: Any) -> None:
    """Hold matrices as products take them, each once.

    The exporter turns those that one product uses; it leaves those of shared layers to be turned
    by a node each time, which no quantizer looks through.
    """
    turned: dict[str, onnx_ir.Value] = {}
    for node in model.graph:
        if node.op_type != "Transpose" or node.inputs[0].const_value is None:
            continue
        whole = node.inputs[0]
        order = node.attributes["perm"].as_ints() if "perm" in node.attributes else None
        name = f"{whole.name}.turned.{order}"
        if name not in turned:
            array = np.ascontiguousarray(whole.const_value.numpy().transpose(order))
            turned[name] = _initializer(name, array)
            model.graph.register_initializer(turned[name])
        onnx_ir.convenience.replace_all_uses_with(node.outputs[0], turned[name])
    RemoveUnusedNodesPass()(model)


def _initializer(name: str, array: Any) -> onnx_ir.Value:
    tensor = onnx_ir.tensor(array, name=name)
    held = onnx_ir.TensorType(tensor.dtype)
    shape = onnx_ir.Shape(array.shape)
    return onnx_ir.Value(name=name, type=held, shape=shape, const_value=tensor)
