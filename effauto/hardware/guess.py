"""Rates of a machine that was not measured, from what its data sheet says it can do at most."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from effauto.hardware.processor import Processor
from effauto.machine import Rate

Shares = tuple[float, float, float]

# Of a CPU's peak, what matrix products of encoders reach; clocks, shares and libraries vary.
CPU_SHARES: Shares = (0.2, 0.5, 0.9)
# Of the bandwidth, what one copy reaches.
MEMORY_SHARES: Shares = (0.5, 0.75, 0.95)
# Activations and norms take this many float32 operations a number; half its traffic is cached.
NUMBER_OPERATIONS, NUMBER_BYTES = 80.0, 4.0
# AdamW reads four numbers and writes three for a parameter.
UPDATE_BYTES = 28.0
# Float32 operations a cycle of one core: two fused multiply-adds as wide as the registers.
_WIDEST = (("avx512f", 64.0), ("avx2", 32.0), ("avx", 16.0), ("sve", 32.0), ("asimd", 16.0))
_INT8_GAIN = (("amx_int8", 32.0), ("avx512_vnni", 4.0), ("avx_vnni", 4.0), ("asimddp", 4.0))
_BF16_GAIN = (("amx_bf16", 16.0), ("avx512_bf16", 2.0), ("bf16", 2.0))


@dataclass(frozen=True)
class Peaks:
    """The most a machine can do: operations/s, bytes/s, and small operator calls/s.

    ``host_calls`` are those of one CPU core; ``calls`` those of the device that computes.
    """

    float32: float
    bfloat16: float
    int8: float
    memory: float
    calls: float
    host_calls: float


def rates_of(peaks: Peaks, shares: Shares = CPU_SHARES) -> dict[str, Rate]:
    """Every rate of a machine that reaches ``shares`` (low, value, high) of its peaks."""
    numbers = min(peaks.float32 / NUMBER_OPERATIONS, peaks.memory / NUMBER_BYTES)
    return {
        "matmul.float32": _share(peaks.float32, shares),
        "matmul.bfloat16": _share(peaks.bfloat16, shares),
        "matmul.int8": _share(peaks.int8, shares),
        "memory": _share(peaks.memory, MEMORY_SHARES),
        "elementwise": _share(numbers, (0.3, 0.8, 1.5)),
        "optimizer": _share(peaks.memory / UPDATE_BYTES, (0.4, 0.8, 1.5)),
        "dispatch": _share(peaks.calls, (0.5, 1.0, 1.6)),
        "host": _share(peaks.host_calls, (0.5, 1.0, 1.6)),
    }


def cpu_peaks(processor: Processor, cores: int) -> Peaks:
    """What the flags, the clock and the number of cores promise."""
    float32 = cores * processor.hertz * _first(_WIDEST, processor.flags, 8.0)
    calls = 1.1e6 * min(1.2, processor.hertz / 3e9)
    return Peaks(
        float32=float32,
        bfloat16=float32 * _first(_BF16_GAIN, processor.flags, 0.3),
        int8=float32 * _first(_INT8_GAIN, processor.flags, 1.0),
        memory=20e9 + 5e9 * cores,
        calls=calls,
        host_calls=calls,
    )


def _first(table: tuple[tuple[str, float], ...], flags: Set[str], otherwise: float) -> float:
    return next((value for flag, value in table if flag in flags), otherwise)


def _share(peak: float, shares: Shares) -> Rate:
    low, value, high = shares
    return Rate(peak * value, peak * low, peak * high)
