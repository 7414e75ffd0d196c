"""ONNX Runtime: serve the model as one optimised graph. README.md is the card."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from effauto import Choice, Method, Needs, Setting, Workload, hookimpl

if TYPE_CHECKING:
    from effauto import Context, Predictor, Runtime

# Fitted to this code on a six-layer encoder: operator calls against eager execution, single-core
# seconds of exporting and of quantizing, and what the runtime holds beside the weights.
DISPATCHES = 0.1
EXPORT_SECONDS = 3.5
QUANTIZE_SECONDS = 2.0
RUNTIME_BYTES = 30e6
# The exporter, the graph it makes, and what is saved of it each have the weights.
EXPORT_COPIES, FLOAT_BYTES = 4.0, 4.0
TRACED_COPIES = 2.0  # of these, torch's
# Widths a token that its arena, which grows by doubling, takes beyond eager execution's, in
# batches such as those that throughput is measured on.
ARENA_WIDTHS, BATCH = 16.0, 32.0
# Training rows that a static quantizer sees, so many at a time.
CALIBRATION_ROWS, CALIBRATION_BATCH = 128, 8
# Beside eight bits: a scale for each row and, in float32 still, biases and norms (their shares of
# a layer, times width), and the tables of positions and segments (of a BERT's).
LAYER_REST = 50.0
EMBEDDING_REST = 0.4


class OnnxRuntimeMethod(Method):
    name = "onnx-runtime"
    summary = "Serve an optimised graph with ONNX Runtime, if wanted in int8 (CPU)."
    stage = "inference"
    slot = "runtime"
    requires = frozenset({"transformer", "float_weights", "dense_weights", "eager_module"})
    forbids = frozenset({"dynamic_graph"})
    removes = frozenset({"eager_module"})
    needs = Needs(
        devices=("cpu",),
        packages={"onnx": "onnx", "onnxruntime": "onnx", "onnxscript": "onnx"},
    )
    knobs = {
        "quantize": Choice(("none", "int8", "int8-embeddings", "int8-calibrated"), default="none"),
    }
    references = (
        "ONNX Runtime developers 2021, ONNX Runtime, https://onnxruntime.ai",
        "Xu and McAuley 2023, A survey on model compression and acceleration for pretrained "
        "language models, https://arxiv.org/abs/2202.07105",
    )

    def cost(self, work: Workload, setting: Setting) -> Workload:
        work = replace(
            work.holding(TRACED_COPIES * FLOAT_BYTES * work.parameters),
            dispatches=work.dispatches * DISPATCHES,
            host_seconds=work.host_seconds + EXPORT_SECONDS,
            runtime_bytes=work.runtime_bytes + RUNTIME_BYTES + _arena(work),
            export_bytes=work.export_bytes + EXPORT_COPIES * FLOAT_BYTES * work.parameters,
        )
        if setting["quantize"] == "none":
            return work
        if setting["quantize"] == "int8-calibrated":
            shown = CALIBRATION_ROWS / max(1.0, work.examples)
            work = replace(work, forward_passes=work.forward_passes + shown)
        return _quantized(work, setting["quantize"])

    def serve(self, predictor: Predictor, setting: Setting, context: Context) -> Predictor:
        from .export import export
        from .quantization import quantize, quantize_calibrated
        from .runtime import FILE, OnnxRuntime

        if predictor.model is None:
            raise RuntimeError("there is no model to export")
        whole = path = context.folder / FILE
        export(predictor.model, whole)
        if setting["quantize"] != "none":
            path = whole.with_name("quantized.onnx")
        if setting["quantize"] == "int8-calibrated":
            quantize_calibrated(whole, path, _some(predictor, context))
        elif setting["quantize"] != "none":
            quantize(whole, path, embeddings=setting["quantize"] == "int8-embeddings")
        return replace(predictor, runtime=OnnxRuntime(path, context.threads))

    def reopen(self, folder: Path, setting: Setting, threads: int) -> Runtime | None:
        from .runtime import FILE, OnnxRuntime

        path = folder / FILE
        return OnnxRuntime(path, threads) if path.is_file() else None


def _some(predictor: Predictor, context: Context) -> Iterator[dict[str, Any]]:
    """Training rows, batched as requests are."""
    rows = random.Random(context.seed).choices(context.examples.inputs, k=CALIBRATION_ROWS)
    encoded = sorted(
        predictor.encoding.encode(rows, predictor.max_tokens), key=lambda row: row.length
    )
    for start in range(0, len(encoded), CALIBRATION_BATCH):
        yield predictor.encoding.collate(encoded[start : start + CALIBRATION_BATCH])


def _arena(work: Workload) -> float:
    """What the runtime keeps for numbers on their way, beyond what eager execution would."""
    tokens = BATCH * max(work.longest_request, work.request_tokens)
    return ARENA_WIDTHS * 4.0 * tokens * work.width


def _quantized(work: Workload, what: str) -> Workload:
    return replace(
        work,
        layer_bits=8.0 + LAYER_REST / max(1.0, work.width),
        embedding_bits=8.0 + EMBEDDING_REST if what == "int8-embeddings" else work.embedding_bits,
        compute="int8",
        host_seconds=work.host_seconds + QUANTIZE_SECONDS,
    )


@hookimpl
def register_methods() -> Iterator[Method]:
    yield OnnxRuntimeMethod()
