"""Arrays that recipes share, on disk, with what they cost to make."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from effauto.execution.meter import Meter

Arrays = dict[str, Any]
# The folder may grow to so many bytes; what was not read for longest goes first.
MOST_BYTES = 4e9
_log = logging.getLogger(__name__)


def remember(path: Path, make: Callable[[], Arrays], meter: Meter) -> Arrays:
    """Load the arrays kept under ``path``, charging their cost, or make and keep them.

    What ``make`` returns empty is not kept.
    """
    file = path.with_suffix(".safetensors")
    with meter.not_charged():
        kept = _read(file)
    if kept is not None:
        arrays, cost = kept
        meter.charge(**cost)
        return arrays
    before = _spent(meter)
    arrays = make()
    cost = {name: after - before[name] for name, after in _spent(meter).items()}
    cost["memory"] = meter.peak()
    if arrays:
        with meter.not_charged():
            _keep(file, arrays, cost)
    return arrays


def _spent(meter: Meter) -> dict[str, float]:
    """What the trial spent so far, with what it was charged for."""
    wall, cpu = meter.lap()
    return {
        "seconds": wall + meter.charged_seconds,
        "cpu_seconds": cpu + meter.charged_cpu,
        "flops": meter.flops.total,
    }


def _read(file: Path) -> tuple[Arrays, dict[str, float]] | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as kept:
            cost = {
                name: float(spent) for name, spent in json.loads(kept.metadata()["cost"]).items()
            }
            arrays = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118
        os.utime(file)
        return arrays, cost
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def _keep(file: Path, arrays: Arrays, cost: Mapping[str, float]) -> None:
    """Whole or not at all, also if two processes do it at once; a full disk is no failure."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    if not _room(file.parent, sum(array.nbytes for array in arrays.values())):
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        save_file(arrays, part, metadata={"cost": json.dumps(cost)})
        part.replace(file)
    except (OSError, SafetensorError) as error:
        _log.warning("the arrays cannot be kept in %s: %s", file, error)
        with contextlib.suppress(OSError):
            part.unlink()


def _room(folder: Path, wanted: float) -> bool:
    """Whether the folder can take so many bytes more; what was not read for long makes room."""
    if wanted > MOST_BYTES / 2:
        return False
    files = []
    for path in folder.glob("*.safetensors"):
        with contextlib.suppress(FileNotFoundError):  # another process made room
            files.append((path.stat(), path))
    held = sum(stat.st_size for stat, _ in files)
    for stat, path in sorted(files, key=lambda entry: entry[0].st_mtime):
        if held + wanted <= MOST_BYTES:
            break
        path.unlink(missing_ok=True)
        held -= stat.st_size
    return True
