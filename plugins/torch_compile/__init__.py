"""torch.compile: serve layers as compiled C++ whose operators are fused. README.md is the card."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
    Evidence,
    Method,
    ModelTraits,
    Needs,
    Setting,
    TaskTraits,
    Verdict,
    Workload,
    hookimpl,
)

if TYPE_CHECKING:
    from effauto import Context, Predictor, TaskModel

# On a six-layer encoder: operator calls that torch's profiler counts, of those run eagerly;
# single-core seconds of compiling a layer for one row and for many; and what the compiler and its
# kernels add to the process.
DISPATCHES = 0.55
COMPILE_SECONDS = 18.0
RUNTIME_BYTES = 120e6


class TorchCompile(Method):
    name = "torch-compile"
    summary = "Compile the layers with torch's own compiler before they serve (CPU)."
    stage = "inference"
    slot = "runtime"
    requires = frozenset({"transformer", "float_weights", "eager_module"})
    forbids = frozenset({"dynamic_graph"})
    removes = frozenset({"eager_module"})
    needs = Needs(devices=("cpu",))
    references = (
        "Ansel et al. 2024, PyTorch 2: Faster Machine Learning Through Dynamic Python Bytecode "
        "Transformation and Graph Compilation, https://doi.org/10.1145/3620665.3640366",
    )
    evidence = (
        Evidence(
            claim="2.27 times faster inference, the geometric mean over 180 models",
            source="Ansel et al. 2024, abstract",
            setting="an A100 GPU, which this method does not compile for",
            checked="the abstract was found by a search and read; not measured here",
        ),
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        usual = "clang++" if sys.platform == "darwin" else "g++"
        compiler = os.environ.get("CXX", usual)
        if shutil.which(compiler):
            return FITS
        return Verdict(f"needs a C++ compiler, and {compiler} is not found")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        return replace(
            work,
            dispatches=work.dispatches * DISPATCHES,
            host_seconds=work.host_seconds + COMPILE_SECONDS,
            runtime_bytes=work.runtime_bytes + RUNTIME_BYTES,
        )

    def serve(self, predictor: Predictor, setting: Setting, context: Context) -> Predictor:
        """Answer a request, and two at once, so that what cannot be compiled fails here."""
        from .layers import compile_layers

        if predictor.model is None:
            raise RuntimeError("there is no model to compile")
        compile_layers(predictor.model)
        for rows in (1, 2):
            predictor.predict_indices(context.examples.inputs[:rows])
        return predictor

    def restore(self, model: TaskModel, setting: Setting) -> TaskModel:
        """The first request compiles it."""
        from .layers import compile_layers

        return compile_layers(model)


@hookimpl
def register_methods() -> Iterator[Method]:
    yield TorchCompile()
