"""Arrays that recipes share, on disk, with what they cost to make."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from effauto.execution.meter import Meter


def remember(path: Path, make: Callable[[], dict[str, Any]], meter: Meter) -> dict[str, Any]:
    """Load the arrays kept under ``path``, charging their cost, or make and keep them."""
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import save_file

    file = path.with_suffix(".safetensors")
    try:
        with safe_open(file, framework="numpy") as kept:
            cost = json.loads(kept.metadata()["cost"])
            arrays = {name: kept.get_tensor(name) for name in kept.keys()}  # noqa: SIM118
        meter.charge(**cost)
        return arrays
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        pass
    wall, cpu, flops = *meter.lap(), meter.flops.total
    arrays = make()
    wall_after, cpu_after = meter.lap()
    spent = {
        "seconds": wall_after - wall,
        "cpu_seconds": cpu_after - cpu,
        "flops": meter.flops.total - flops,
        "memory": meter.peak(),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    save_file(arrays, part, metadata={"cost": json.dumps(spent)})
    part.replace(file)  # whole or not at all, also if two processes make it at once
    return arrays
