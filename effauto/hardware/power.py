"""Watts of the share of a machine that the work uses, and whether a counter could tell better."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from effauto.hardware.graphics import Graphics
from effauto.machine import Rate

RAPL = Path("/sys/class/powercap/intel-rapl:0/energy_uj")
# One busy thread: a share of a large server's chip; usual; the mean of all chips listed by
# Lannelongue, Grealey and Inouye (2021), "Green Algorithms".
THREAD_WATTS = (2.0, 5.0, 12.0)
# Memory, of the same paper; by how much of it the work is to be billed is open.
GIB_WATTS = 0.3725 * 2**30 / 1e9
MEMORY_SHARES = (0.0, 0.5, 1.0)
GPU_SHARES = (0.3, 0.7, 1.0)
_USUAL_GPU = 200.0


def power_counter(graphics: Iterable[Graphics]) -> str | None:
    """The sensor that can measure energy here, if there is one that may be read."""
    if any(graphics):
        return "NVML"
    return "RAPL" if os.access(RAPL, os.R_OK) else None


def modelled_watts(threads: int, memory_bytes: int, graphics: Iterable[Graphics]) -> Rate:
    """Power by the share model: busy threads, memory, and GPUs at part of their limit."""
    memory = GIB_WATTS * memory_bytes / 2**30
    cards = sum(card.watts or _USUAL_GPU for card in graphics)
    low, value, high = (
        threads * thread + memory * of_memory + cards * of_cards
        for thread, of_memory, of_cards in zip(THREAD_WATTS, MEMORY_SHARES, GPU_SHARES, strict=True)
    )
    return Rate(value, low, high)
