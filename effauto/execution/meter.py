"""Meters: time, CPU time, peak memory, operations and energy of a phase."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from effauto.execution.device import opened

# Steps of one kind that are counted exactly; the rest are extrapolated by their tokens, since the
# counter slows each operation down.
COUNTED_STEPS = 3


@dataclass
class Flops:
    """Floating-point operations (2 per multiply-add, matrix products only)."""

    counted: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    counted_tokens: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    steps: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    tokens: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    charged: float = 0.0

    @contextmanager
    def step(self, kind: str, tokens: int) -> Iterator[None]:
        """Count this step, or only its tokens once enough of its kind were counted."""
        self.steps[kind] += 1
        self.tokens[kind] += tokens
        if self.steps[kind] > COUNTED_STEPS:
            yield
            return
        with flop_counter() as counter:
            yield
        self.counted[kind] += counter.get_total_flops()
        self.counted_tokens[kind] += tokens

    @property
    def total(self) -> float:
        """Operations so far."""
        kinds = (
            self.counted[kind] / max(1, self.counted_tokens[kind]) * self.tokens[kind]
            for kind in self.steps
        )
        return self.charged + sum(kinds)


def flop_counter() -> Any:
    """torch's counter, which knows CUDA's attention kernels, taught those of the CPU."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    def attention(q: Any, k: Any, *rest: Any, out_shape: Any = None, **options: Any) -> int:
        return int(4 * q[0] * q[1] * q[2] * k[2] * q[3])

    def backward(
        grad: Any, q: Any, k: Any, *rest: Any, out_shape: Any = None, **options: Any
    ) -> int:
        return int(2.5 * attention(q, k))  # it computes the scores once more

    def linear(x: Any, packed: Any, *rest: Any, out_shape: Any = None, **options: Any) -> int:
        return int(2 * math.prod(x) * out_shape[-1])

    kernels = torch.ops.aten
    mapping = {
        kernels._scaled_dot_product_flash_attention_for_cpu: attention,
        kernels._scaled_dot_product_flash_attention_for_cpu_backward: backward,
        torch.ops.quantized.linear_dynamic: linear,
    }
    counter = FlopCounterMode(display=False, custom_mapping=mapping)
    # By module nothing is asked for, and following modules keeps what checkpoints would free.
    counter.mod_tracker = _Everything()  # type: ignore[assignment]
    return counter


class _Everything:
    """Stands for torch's tracker of modules, and sees none."""

    parents = frozenset({"Global"})

    def __enter__(self) -> _Everything:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Meter:
    """Measures what one process spends from its making to :meth:`stop`.

    ``seconds`` is wall time, ``cpu_seconds`` processor time of all threads, ``memory`` the peak
    of what is held on ``device`` above that at the start, in bytes. What a cache saved is charged
    on top.
    """

    def __init__(self, device: str = "cpu") -> None:
        self.flops = Flops()
        self.charged_seconds = 0.0
        self.charged_cpu = 0.0
        self.charged_memory = 0.0
        self.device = opened(device)
        self._wall = time.perf_counter()
        self._cpu = time.process_time()
        self.seconds = self.cpu_seconds = self.memory = 0.0

    def charge(self, seconds: float, cpu_seconds: float, flops: float, memory: float) -> None:
        """Add what was spent once, elsewhere, on something this trial used."""
        self.charged_seconds += seconds
        self.charged_cpu += cpu_seconds
        self.charged_memory = max(self.charged_memory, memory)
        self.flops.charged += flops

    @contextmanager
    def not_charged(self) -> Iterator[None]:
        """Leave out what is done within, for others' sake: it is no cost of this trial."""
        wall, cpu = self.lap()
        try:
            yield
        finally:
            wall_after, cpu_after = self.lap()
            self._wall += wall_after - wall
            self._cpu += cpu_after - cpu

    def peak(self) -> float:
        """The most bytes held so far, above those at the start."""
        return max(self.charged_memory, self.device.peak())

    def lap(self) -> tuple[float, float]:
        """Wall and CPU seconds until all so far is computed, charges left out."""
        self.device.wait()
        return time.perf_counter() - self._wall, time.process_time() - self._cpu

    def stop(self) -> Meter:
        wall, cpu = self.lap()
        self.seconds = wall + self.charged_seconds
        self.cpu_seconds = cpu + self.charged_cpu
        self.memory = self.peak()
        return self
