"""Weights of an ONNX graph in eight bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantType,
    quantize_dynamic,
    quantize_static,
)


class Batches(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime is not typed
    """Inputs that the static quantizer runs to see the range of every activation."""

    def __init__(self, batches: Iterator[Mapping[str, Any]]) -> None:
        self.batches = batches

    def get_next(self) -> Mapping[str, Any] | None:
        return next(self.batches, None)


def quantize(source: Path, target: Path, embeddings: bool) -> None:
    """Weights of the layers, and the largest table if ``embeddings``, in int8; the head stays.

    Inputs of products are quantized as they come, each batch by its own range.
    """
    graph = onnx.load(source).graph
    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul", "Gather"] if embeddings else ["MatMul"],
        nodes_to_exclude=[*_head(graph), *small_tables(graph)],
        **_precision(),
    )


def quantize_calibrated(source: Path, target: Path, batches: Iterator[Mapping[str, Any]]) -> None:
    """As :func:`quantize` without tables, but with ranges of inputs that ``batches`` had."""
    quantize_static(
        source,
        target,
        Batches(batches),
        op_types_to_quantize=["MatMul"],
        nodes_to_exclude=_head(onnx.load(source).graph),
        # Products of two activations, as in attention, lose most and hold no weights.
        extra_options={"MatMulConstBOnly": True},
        **_precision(),
    )


def _precision() -> dict[str, Any]:
    return {
        "per_channel": True,
        # Without VNNI, products of full bytes may clip.
        "reduce_range": not getattr(torch.cpu, "_is_vnni_supported", lambda: False)(),
        "weight_type": QuantType.QInt8,
    }


def _head(graph: Any) -> list[str]:
    head = [node for node in graph.node if node.op_type in ("MatMul", "Gemm")][-1].name
    return [head, f"{head}_MatMul"]  # a Gemm becomes _MatMul


def small_tables(graph: Any) -> list[str]:
    """Look-ups in all tables but the largest: positions and segments, where precision is cheap."""
    sizes = {table.name: table.dims[0] for table in graph.initializer if len(table.dims) == 2}
    rows = {
        node.name: sizes[node.input[0]]
        for node in graph.node
        if node.op_type == "Gather" and node.input[0] in sizes
    }
    return [name for name, count in rows.items() if count < max(rows.values())]
