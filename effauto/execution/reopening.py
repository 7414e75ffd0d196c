"""Bring a saved transformer back: by a method's runtime if one saved it, else by torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from effauto.execution.artefact import Manifest
from effauto.execution.encoding import Encoding
from effauto.execution.predictor import Predictor, Runtime, TorchRuntime
from effauto.knobs import Setting
from effauto.method import Method
from effauto.traits import TaskKind


def reopen(
    folder: Path,
    manifest: Manifest,
    steps: Sequence[tuple[Method, Setting]],
    threads: int,
    device: str = "cpu",
) -> Predictor:
    """Make the predictor that was saved in ``folder``; on the processor if a method asks for it."""
    network = manifest.network
    kind = cast(TaskKind, manifest.kind)
    encoding = Encoding.of_folder(folder, kind, network["pairing"], network["inputs"])
    runtime = _methods_runtime(folder, steps, threads)
    if runtime is None:
        everywhere = all(device in method.needs.devices for method, _ in steps)
        runtime = _torch_runtime(folder, network, kind, steps, device if everywhere else "cpu")
    return Predictor(kind, manifest.classes, encoding, manifest.max_tokens, runtime)


def _methods_runtime(
    folder: Path, steps: Sequence[tuple[Method, Setting]], threads: int
) -> Runtime | None:
    for method, setting in reversed(steps):
        runtime = method.reopen(folder, setting, threads)
        if runtime is not None:
            return runtime
    return None


def _torch_runtime(
    folder: Path,
    network: Any,
    kind: TaskKind,
    steps: Sequence[tuple[Method, Setting]],
    device: str,
) -> Runtime:
    from effauto.execution.weights import read_tensors
    from effauto.model.transformer import from_config, load_portable_state

    model = from_config(folder, kind, network["classes"], network["pooling"], network["pairing"])
    for method, setting in steps:
        model = method.restore(model, setting)
    load_portable_state(model, read_tensors(folder / "model.safetensors"))
    return TorchRuntime(model.to(device).eval())
