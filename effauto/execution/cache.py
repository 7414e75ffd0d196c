"""Arrays that recipes share, on disk, with what they cost to make."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from effauto.execution.meter import Meter

Arrays = dict[str, Any]
SPENT = ("seconds", "cpu_seconds", "flops", "memory")
_log = logging.getLogger(__name__)


def remember(path: Path, make: Callable[[], Arrays], meter: Meter) -> Arrays:
    """Load the arrays kept under ``path``, charging their cost, or make and keep them."""
    file = path.with_suffix(".safetensors")
    kept = _read(file)
    if kept is not None:
        arrays, cost = kept
        meter.charge(**cost)
        return arrays
    wall, cpu, flops = *meter.lap(), meter.flops.total
    arrays = make()
    wall_after, cpu_after = meter.lap()
    cost = {
        "seconds": wall_after - wall,
        "cpu_seconds": cpu_after - cpu,
        "flops": meter.flops.total - flops,
        "memory": meter.peak(),
    }
    _keep(file, arrays, cost)
    return arrays


def _read(file: Path) -> tuple[Arrays, dict[str, float]] | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy") as kept:
            cost = {
                name: float(spent) for name, spent in json.loads(kept.metadata()["cost"]).items()
            }
            return {name: kept.get_tensor(name) for name in kept.keys()}, cost  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def _keep(file: Path, arrays: Arrays, cost: Mapping[str, float]) -> None:
    """Whole or not at all, also if two processes do it at once; a full disk is no failure."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(arrays, part, metadata={"cost": json.dumps(cost)})
        part.replace(file)
    except (OSError, SafetensorError) as error:
        _log.warning("the arrays cannot be kept in %s: %s", file, error)
        with contextlib.suppress(OSError):
            part.unlink()
