"""The energy of a training, where the machine counts it: by NVML, RAPL, or what codecarbon reads.

Nothing is guessed here: what no counter covers is for :func:`effauto.cost.energy.spent` to model.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from effauto.cost.energy import COUNTER, JOULES_PER_KWH
from effauto.machine import Hardware

_log = logging.getLogger(__name__)
POWERCAP = Path("/sys/class/powercap")
# RAPL's registers start again at zero after some minutes of full load.
POLL_SECONDS = 30.0


class Counter(Protocol):
    """Counts joules between start and stop; a phase below ``least_seconds`` is too short for it."""

    name: str
    least_seconds: float

    def start(self) -> None: ...

    def stop(self) -> float: ...


@dataclass
class Reading:
    """Joules by counter while it was open: 0 where the phase was too short to be counted."""

    joules: dict[str, float] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, float]:
        """As a training reports it: nothing, where nothing counts."""
        return {f"{COUNTER}{name}": joules for name, joules in self.joules.items()}


@contextmanager
def counted(hardware: Hardware) -> Iterator[Reading]:
    """Count energy while the block runs, by every counter that can be read here."""
    reading = Reading()
    counters = open_counters(hardware)
    begun = time.monotonic()
    for counter in counters:
        counter.start()
    try:
        yield reading
    finally:
        seconds = time.monotonic() - begun
        for counter in counters:
            joules = _stopped(counter)
            reading.joules[counter.name] = joules if seconds >= counter.least_seconds else 0.0


def _stopped(counter: Counter) -> float:
    """What it counted; nothing if it cannot be read any more, which must not cost the training."""
    try:
        return max(0.0, counter.stop())
    except Exception as error:  # NVML and powercap fail each in its way
        _log.warning("the energy that %s counts cannot be read: %s", counter.name, error)
        return 0.0


def open_counters(hardware: Hardware) -> list[Counter]:
    """The counters that can be read here; codecarbon's only where none is by itself."""
    if hardware.power_counter is None:
        return []
    own: list[Counter] = [*_nvml(hardware), *_rapl(POWERCAP)]
    return own or _codecarbon()


class Nvml:
    """The energy register of the GPU that computes, which Volta and later have."""

    name = "NVML"
    least_seconds = 2.0  # twenty updates of the slowest registers, 0.1 s apart

    def __init__(self) -> None:
        self._nvml: Any = import_module("pynvml")
        self._nvml.nvmlInit()
        self._gpu = self._first_visible(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
        self._before = self._joules()

    def start(self) -> None:
        self._before = self._joules()

    def stop(self) -> float:
        return self._joules() - self._before

    def _first_visible(self, visible: str) -> Any:
        first = visible.split(",")[0].strip()
        if first.startswith(("GPU-", "MIG-")):
            return self._nvml.nvmlDeviceGetHandleByUUID(first)
        return self._nvml.nvmlDeviceGetHandleByIndex(int(first) if first.isdigit() else 0)

    def _joules(self) -> float:
        return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._gpu)) / 1e3


def _nvml(hardware: Hardware) -> list[Counter]:
    if not hardware.accelerators or find_spec("pynvml") is None:
        return []
    try:
        return [Nvml()]
    except import_module("pynvml").NVMLError:
        return []


class Rapl:
    """The registers of the processor packages, and of their memory where that has its own."""

    name = "RAPL"
    least_seconds = 0.1  # a hundred updates

    def __init__(self, domains: list[Path]) -> None:
        self._ranges = {domain: _number(domain / "max_energy_range_uj") for domain in domains}
        self._last = {domain: _number(domain / "energy_uj") for domain in domains}
        self._counted = 0.0
        self._over = threading.Event()
        self._poller = threading.Thread(target=self._poll, daemon=True)

    def start(self) -> None:
        self._update()
        self._counted = 0.0
        self._poller.start()

    def stop(self) -> float:
        self._over.set()
        self._poller.join()
        self._update()
        return self._counted / 1e6

    def _poll(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            self._update()

    def _update(self) -> None:
        for domain, before in self._last.items():
            now = _number(domain / "energy_uj")
            self._counted += now - before + (self._ranges[domain] if now < before else 0.0)
            self._last[domain] = now


def _rapl(folder: Path) -> list[Counter]:
    domains = [found for found in sorted(folder.glob("intel-rapl:*")) if _counts_on_its_own(found)]
    return [Rapl(domains)] if domains else []


def _counts_on_its_own(domain: Path) -> bool:
    """Whether it is readable, and no part of another: cores and graphics are in the package."""
    try:
        name = (domain / "name").read_text(encoding="ascii").strip()
        _number(domain / "energy_uj")
    except (OSError, ValueError):
        return False
    return name.startswith(("package", "dram"))


def _number(path: Path) -> float:
    return float(path.read_text(encoding="ascii"))


class Codecarbon:
    """codecarbon, offline, where it has a sensor of the processor; of its guesses none is taken."""

    name = "codecarbon"
    least_seconds = 2.0

    def __init__(self) -> None:
        self._tracker: Any = import_module("codecarbon").OfflineEmissionsTracker(
            country_iso_code="USA",  # it must have one; carbon is reckoned elsewhere
            measure_power_secs=1,
            tracking_mode="machine",
            save_to_file=False,
            allow_multiple_runs=True,
            log_level="error",
        )

    def start(self) -> None:
        self._tracker.start()

    def stop(self) -> float:
        self._tracker.stop()
        return float(self._tracker.final_emissions_data.cpu_energy) * JOULES_PER_KWH


def _codecarbon() -> list[Counter]:
    if find_spec("codecarbon") is None:
        return []
    sensors = import_module("codecarbon.core.cpu")
    if not (sensors.is_rapl_available() or sensors.is_powergadget_available()):
        return []
    return [Codecarbon()]
