"""The device that computes: what it holds at most, and when it is done with what it was given.

CUDA is touched only here and in what methods compute, so in a worker's child and never before the
fork, which a CUDA that is in use does not survive.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from effauto.errors import TrialError
from effauto.machine import Hardware
from effauto.quantities import show

# Asks whether there is a GPU without starting CUDA, so that a process that asked may still fork.
ASK_WITHOUT_STARTING = {"PYTORCH_NVML_BASED_CUDA_CHECK": "1"}


# What a training on a GPU reports beside its peak there, in bytes: of that what tensors took, and
# by how much the process grew in the machine's own memory.
TENSORS, PROCESS = "memory.tensors", "memory.process"


class Device(Protocol):
    """Where a phase computes, from the moment it is made."""

    def wait(self) -> None:
        """Return once all that was asked for is computed."""

    def peak(self) -> float:
        """The most bytes held so far, above what an idle process holds."""

    def beside(self) -> Mapping[str, float]:
        """Bytes by what they are, where the peak alone does not tell."""


class Host:
    """The processor: its memory is the resident set of this process."""

    def __init__(self) -> None:
        with _ignoring_oserror():  # Linux only; elsewhere the peak is that of the whole process
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._idle = resident_bytes()

    def wait(self) -> None:
        """It computes one thing after the other."""

    def peak(self) -> float:
        return peak_bytes() - self._idle

    def beside(self) -> Mapping[str, float]:
        return {}


class Cuda:
    """The first GPU that torch sees: its memory is what torch's allocator took of it."""

    def __init__(self) -> None:
        import torch

        self._cuda = torch.cuda
        self._host = Host()
        self.wait()
        self._cuda.empty_cache()
        self._cuda.reset_peak_memory_stats()
        self._idle = float(self._cuda.memory_reserved())

    def wait(self) -> None:
        self._cuda.synchronize()

    def peak(self) -> float:
        return float(self._cuda.max_memory_reserved()) - self._idle

    def beside(self) -> Mapping[str, float]:
        return {TENSORS: float(self._cuda.max_memory_allocated()), PROCESS: self._host.peak()}


def device_for(family: str, hardware: Hardware) -> str:
    """Where models of this family compute: a bag of words on the processor, whatever there is."""
    return "cpu" if family == "linear" else hardware.device


def start(device: str, most_bytes: float | None = None) -> None:
    """Start CUDA, if that computes, and its libraries: no recipe's cost, as imports are none.

    ``most_bytes`` is what it may hold on the GPU; beyond, torch raises its OutOfMemoryError.
    Raises TrialError if torch finds no GPU.
    """
    if device != "cuda":
        return
    import torch

    if not torch.cuda.is_available():
        raise TrialError(
            "the machine lists a GPU, but torch cannot compute on it; install a torch built for "
            "its driver, or hide the GPU: CUDA_VISIBLE_DEVICES="
        )
    if most_bytes is not None:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, most_bytes / total))
    layer = torch.nn.Linear(64, 64, device=device)  # both passes: each thread has its libraries
    layer(torch.ones(64, 64, device=device)).sum().backward()
    torch.cuda.synchronize()


def opened(device: str) -> Device:
    """The device as it is from now on; one that computes must have been started."""
    return Cuda() if device == "cuda" else Host()


def memory_note(beside: Mapping[str, float]) -> str:
    """What else is to be said of a peak; nothing of the processor's."""
    if TENSORS not in beside:
        return ""
    live, process = (show(beside[name], "byte") for name in (TENSORS, PROCESS))
    return f"on the GPU, {live} of it in tensors; the process itself grew by {process}"


def resident_bytes() -> float:
    """The resident set of this process now."""
    import psutil

    return float(psutil.Process().memory_info().rss)


def peak_bytes() -> float:
    """The largest resident set of this process since the peak was last reset."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return float(line.split()[1]) * 1024
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


def use_threads(threads: int) -> None:
    """Compute with this many threads, in torch if it is imported, and in the libraries below it."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["OMP_NUM_THREADS"] = str(threads)
    from threadpoolctl import threadpool_limits

    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    threadpool_limits(threads)  # libraries loaded before have read the environment already


@contextmanager
def _ignoring_oserror() -> Iterator[None]:
    try:
        yield
    except OSError:
        return
