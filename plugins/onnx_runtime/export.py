"""From a torch model to an ONNX file, for any number and length of rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from onnx_ir.passes.common import ClearMetadataAndDocStringPass

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
    program.save(path, external_data=False)


def quantize(source: Path, target: Path, embeddings: bool) -> None:
    """Weights of the layers, and the largest table if ``embeddings``, in int8; the head stays."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(source).graph
    products = [node for node in graph.node if node.op_type in ("MatMul", "Gemm")]
    head = products[-1].name
    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul", "Gather"] if embeddings else ["MatMul"],
        nodes_to_exclude=[head, f"{head}_MatMul", *small_tables(graph)],  # a Gemm becomes _MatMul
        per_channel=True,
        # Without VNNI, products of full bytes may clip.
        reduce_range=not getattr(torch.cpu, "_is_vnni_supported", lambda: False)(),
        weight_type=QuantType.QInt8,
    )


def small_tables(graph: Any) -> list[str]:
    """Look-ups in all tables but the largest: positions and segments, where precision is cheap."""
    sizes = {table.name: table.dims[0] for table in graph.initializer if len(table.dims) == 2}
    rows = {
        node.name: sizes[node.input[0]]
        for node in graph.node
        if node.op_type == "Gather" and node.input[0] in sizes
    }
    return [name for name, count in rows.items() if count < max(rows.values())]
