"""Energy and carbon: both are time, multiplied by what is known less well."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

from effauto.cost.ranges import Range
from effauto.errors import InputError
from effauto.machine import Hardware

JOULES_PER_KWH = 3.6e6
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

    ``pue`` (low, value, high) is what the building uses over what the machine uses; unknown data
    centres have 1.56 in the mean (Uptime Institute 2024). Raises InputError for no such country.
    """

    country: str | None = None
    pue: tuple[float, float, float] = (1.0, 1.0, 1.56)

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
        """Where the intensity is from."""
        if self.country is None:
            return "world mean of 475 g/kWh (IEA 2019); name a country for less spread"
        grid = grids()[self.country]
        return f"{grid.name} {grid.year}: {grid.grams_per_kwh:g} g/kWh ({grid.source})"


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
    if hardware.power_counter:
        return f"{hardware.watts.value:.3g} W; {hardware.power_counter} can measure it"
    return f"{hardware.watts.value:.3g} W is a model: no power counter here"


def grams(energy: Range, place: Place) -> Range:
    """CO2 equivalent of ``energy`` joules, the building's share included."""
    return kilowatt_hours(energy, place) * place.intensity


def kilowatt_hours(energy: Range, place: Place) -> Range:
    """What the meter of the building counts for ``energy`` joules."""
    return (energy * Range(*place.pue)).scaled(1.0 / JOULES_PER_KWH)
