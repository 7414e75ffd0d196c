"""Malloc threshold: let glibc give large blocks of memory back as soon as they are freed."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from effauto import (
    FITS,
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
    from effauto import Context, Examples

# Resident memory over live tensors, of that under glibc's defaults: 1.02 over 1.39, the means of
# nine and of twelve trainings.
HELD = 0.73
# Single-core seconds of mapping a byte anew: fitted to a six-layer encoder of width 384 and 16
# rows of 128 tokens, whose step took 0.6 s more.
MAP_SECONDS = 6e-10
FLOAT_BYTES = 4.0


class MallocThreshold(Method):
    name = "malloc-threshold"
    summary = "Return freed tensors to the system at once: less resident memory (glibc)."
    stage = "finetune"
    slot = "allocator"
    requires = frozenset({"transformer"})
    after = ("adaptation", "activations", "objective", "optimizer", "padding")  # for its cost
    needs = Needs(devices=("cpu",))
    references = (
        "The GNU C Library Reference Manual, Malloc Tunable Parameters (M_MMAP_THRESHOLD), "
        "https://sourceware.org/glibc/manual/latest/html_node/Malloc-Tunable-Parameters.html",
    )

    def fits(self, task: TaskTraits, model: ModelTraits) -> Verdict:
        system = platform.libc_ver()[0]
        if system == "glibc":
            return FITS
        return Verdict(f"sets a parameter of glibc, and this system has {system or 'another libc'}")

    def cost(self, work: Workload, setting: Setting) -> Workload:
        """Activations and gradients are mapped at every step, and so is what an update needs."""
        kept = work.layers * (work.activation_units + work.mask_units) * work.width
        numbers = 2 * work.examples * work.train_tokens * kept
        steps = work.examples / max(1.0, work.batch_size)
        mapped = FLOAT_BYTES * (numbers + 3 * work.trainable_parameters * steps)
        seconds = work.backward_passes * mapped * MAP_SECONDS
        return replace(work, held=work.held * HELD, host_seconds=work.host_seconds + seconds)

    def prepare(self, data: Examples, setting: Setting, context: Context) -> Examples:
        from .threshold import map_large_blocks

        map_large_blocks()
        return data


@hookimpl
def register_methods() -> Iterator[Method]:
    yield MallocThreshold()
