"""ONNX Runtime behind effauto's predictor. Needs no torch."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = "model.onnx"


@dataclass
class OnnxRuntime:
    """A graph in a file, optimised for this processor when it is first run."""

    path: Path
    threads: int

    @cached_property
    def session(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        # Threads that spin while they wait take the processor from whoever else needs it.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])

    @cached_property
    def inputs(self) -> list[str]:
        return [found.name for found in self.session.get_inputs()]

    def run(self, arrays: dict[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Logits, (batch, classes) or (batch, tokens, classes)."""
        logits: NDArray[np.float32]
        (logits,) = self.session.run(None, {name: arrays[name] for name in self.inputs})
        return logits

    def save(self, folder: Path) -> None:
        shutil.copyfile(self.path, folder / FILE)
