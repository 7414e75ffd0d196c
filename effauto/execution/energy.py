"""The energy of a training, where the machine has a counter that codecarbon can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from effauto.machine import Hardware

JOULES_PER_KWH = 3.6e6


@dataclass
class Reading:
    """``joules`` of the whole machine while it was open; None where nothing counts them."""

    joules: float | None = None

    @property
    def values(self) -> dict[str, float]:
        """As a training reports it: nothing, unless something was counted."""
        return {} if not self.joules else {"train.energy": self.joules}


@contextmanager
def counted(hardware: Hardware) -> Iterator[Reading]:
    """Count energy by codecarbon, offline. Without a sensor it would guess, so it is not asked."""
    reading = Reading()
    if hardware.power_counter is None or find_spec("codecarbon") is None:
        yield reading
        return
    tracker = _tracker()
    tracker.start()
    try:
        yield reading
    finally:
        tracker.stop()
        reading.joules = tracker.final_emissions_data.energy_consumed * JOULES_PER_KWH


def _tracker() -> Any:
    from codecarbon import OfflineEmissionsTracker

    return OfflineEmissionsTracker(
        country_iso_code="USA",  # it must have one; carbon is reckoned elsewhere
        measure_power_secs=1,
        tracking_mode="machine",
        save_to_file=False,
        allow_multiple_runs=True,
        log_level="error",
    )
