"""Energy and carbon: both are time, multiplied by what is known less well."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from effauto.cost.ranges import Range, exact
from effauto.errors import InputError
from effauto.hardware.power import GIB_WATTS, GPU_SHARES, MEMORY_SHARES, THREAD_WATTS
from effauto.machine import Hardware
from effauto.quantities import show
from effauto.resources import Tier

JOULES_PER_KWH = 3.6e6
# What a training reports of a counter is called so: ``counter.RAPL``, in joules.
COUNTER = "counter."
# Grams a kWh where no country is given: the world's mean, within what most grids have.
WORLD = Range(30.0, 475.0, 800.0)
# A yearly mean of a country against its hours.
HOURS = Range(0.6, 1.0, 1.4)


@dataclass(frozen=True)
class Grid:
    """How much CO2 equivalent a country's electricity brings, g/kWh, in the mean of a year."""

    country: str
    name: str
    grams_per_kwh: float
    year: int
    source: str


@dataclass(frozen=True)
class Place:
    """Where the machine stands: an ISO 3166 code such as ``DEU``, and power usage effectiveness.

    ``pue`` (low, value, high) is what the building uses over what the machine uses: 1 for a
    machine of one's own; data centres have 1.56 in the mean (Uptime Institute 2024). Raises
    InputError for no such country.
    """

    country: str | None = None
    pue: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if self.country is not None and self.country not in grids():
            known = ", ".join(grids())
            raise InputError(f"no carbon intensity is known for {self.country!r}; known: {known}")
        if not 1.0 <= self.pue[0] <= self.pue[1] <= self.pue[2]:
            raise InputError(f"a PUE rises from at least 1.0, and {self.pue} does not")

    @property
    def intensity(self) -> Range:
        """Grams a kWh."""
        if self.country is None:
            return WORLD
        return HOURS.scaled(grids()[self.country].grams_per_kwh)

    @property
    def note(self) -> str:
        """Where the intensity is from, and the share of the building."""
        pue = f"PUE {self.pue[1]:g}" + (" (a machine of one's own)" if self.pue[1] == 1 else "")
        if self.country is None:
            known = "world mean of 475 g/kWh (IEA 2019); name a country for less spread"
        else:
            grid = grids()[self.country]
            known = f"{grid.name} {grid.year}: {grid.grams_per_kwh:g} g/kWh ({grid.source})"
        return f"modelled: {known}; {pue}"


@functools.cache
def grids() -> dict[str, Grid]:
    """The countries whose carbon intensity is known, by ISO 3166 code."""
    path = Path(__file__).with_name("intensity.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            Grid(r["iso3"], r["name"], float(r["g_per_kwh"]), int(r["year"]), r["source"])
            for r in csv.DictReader(file)
        ]
    return {grid.country: grid for grid in rows}


def joules(time: Range, hardware: Hardware) -> Range:
    """Energy of the share of the machine that works for ``time`` seconds."""
    watts = hardware.watts
    return time * Range(watts.low, watts.value, watts.high)


def power_note(hardware: Hardware) -> str:
    """What energy is modelled from, and whether a run could count it instead."""
    watts = hardware.watts
    power = f"{watts.value:.3g} W ({watts.low:.3g} to {watts.high:.3g})"
    counter = hardware.power_counter
    counted = f"{counter} counts it in a run" if counter else "there is no power counter here"
    return f"modelled: {power}, from {assumptions(hardware)}; {counted}"


def assumptions(hardware: Hardware) -> str:
    """What the machine's watts rest on."""
    if hardware.origin == "profile":
        return hardware.sources.get("watts", "its profile")
    named = [_of_threads(hardware), _of_memory(hardware)]
    if hardware.accelerators:
        named.append(f"GPUs at {GPU_SHARES[0]:.0%} to {GPU_SHARES[-1]:.0%} of their limit")
    return ", ".join(named)


def spent(
    values: Mapping[str, float], seconds: float, hardware: Hardware
) -> tuple[Range, Tier, str]:
    """Energy of a phase that took ``seconds``, how it was found, and a note that tells so.

    ``values`` may have ``counter.<name>`` in joules; 0 is a counter for which the phase was too
    short. What the counters do not cover is modelled and added.
    """
    read = {k.removeprefix(COUNTER): v for k, v in values.items() if k.startswith(COUNTER)}
    too_short = [name for name, found in read.items() if found <= 0]
    if too_short or not read:
        short = f"; too short a phase for {' and '.join(too_short)}" if read else ""
        return joules(exact(seconds), hardware), "calibrated", power_note(hardware) + short
    watts, assumed = _uncovered(read, hardware)
    shown = " and ".join(f"{name} {show(found, 'joule')}" for name, found in read.items())
    note = f"counter: {shown}, of all that ran; modelled: {assumed}"
    return exact(sum(read.values())) + watts.scaled(seconds), "measured", note


def _uncovered(counters: Mapping[str, float], hardware: Hardware) -> tuple[Range, str]:
    """Watts of what these counters leave out: memory, and the processor beside a GPU."""
    gib = hardware.memory_bytes / 2**30
    memory = Range(*(gib * GIB_WATTS * share for share in MEMORY_SHARES))
    if set(counters) - {"NVML"}:
        return memory, _of_memory(hardware)
    threads = Range(*(hardware.threads * watts for watts in THREAD_WATTS))
    return threads + memory, f"{_of_threads(hardware)}, {_of_memory(hardware)}"


def _of_threads(hardware: Hardware) -> str:
    low, _, high = THREAD_WATTS
    return f"{hardware.threads} busy threads at {low:g} to {high:g} W"


def _of_memory(hardware: Hardware) -> str:
    return f"{MEMORY_SHARES[0]:.0%} to all of {show(hardware.memory_bytes, 'byte')} at 0.3725 W/GB"


def grams(energy: Range, place: Place) -> Range:
    """CO2 equivalent of ``energy`` joules, the building's share included."""
    return kilowatt_hours(energy, place) * place.intensity


def kilowatt_hours(energy: Range, place: Place) -> Range:
    """What the meter of the building counts for ``energy`` joules."""
    return (energy * Range(*place.pue)).scaled(1.0 / JOULES_PER_KWH)
