"""The resources effauto budgets, foretells and measures, and the figures that state them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Literal

from effauto.errors import BudgetError

Tier = Literal["closed-form", "traced", "calibrated", "corrected", "pilot", "measured"]


@dataclass(frozen=True)
class Resource:
    """Something a recipe spends or yields, in SI units or bytes.

    ``examples`` are ways a user may write a quantity of it. More of it is better only where
    ``higher_is_better``; such a resource is limited from below.
    """

    name: str
    unit: str
    meaning: str
    examples: str
    higher_is_better: bool = False


RESOURCES: Mapping[str, Resource] = {
    resource.name: resource
    for resource in (
        Resource("train.time", "s", "wall time of one full training", "10min, 2h"),
        Resource(
            "train.memory", "byte", "peak memory while training, above an idle process", "4GiB"
        ),
        Resource("train.flops", "1", "floating-point operations of training", "1e15, 2PFLOP"),
        Resource("train.energy", "joule", "energy of one full training", "0.1kWh, 50kJ"),
        Resource("train.carbon", "gram", "CO2 equivalent of that energy", "50g, 0.2kg"),
        Resource("train.cost", "money", "machine, electricity and labels for one training", "2EUR"),
        Resource("train.labels", "1", "labelled examples that must be paid for", "500"),
        Resource("inference.latency", "s", "median time of one request, batch 1", "5ms"),
        Resource("inference.throughput", "1/s", "requests a second, batch 32", "200/s", True),
        Resource(
            "inference.memory", "byte", "peak memory while serving, above an idle process", "500MiB"
        ),
        Resource("inference.flops", "1", "floating-point operations of one request", "2GFLOP"),
        Resource("model.size", "byte", "size of the saved folder on disk", "25MiB"),
        Resource("model.parameters", "1", "numbers the saved model holds", "10e6"),
        Resource("life.energy", "joule", "one training and all expected requests", "5kWh"),
        Resource("life.cost", "money", "machine, electricity, labels, storage of the same", "9EUR"),
        Resource(
            "guard.worst_class",
            "1",
            "share of its rows that the worst class gets right",
            "0.8",
            True,
        ),
        Resource(
            "guard.loyalty", "1", "share of answers that are the untouched model's", "95%", True
        ),
        Resource("search.time", "s", "wall time of the search", "15min"),
        Resource("search.energy", "joule", "energy of the search", "0.1kWh"),
        Resource("search.cost", "money", "machine and electricity of the search", "1EUR"),
    )
}

# Half an 80 % range of a normal distribution, in standard deviations.
WITHIN = 1.2816
QUALITY, GUARD = "quality.", "guard."
# Between 0 and 1, and compared in points.
SHARES = (QUALITY, GUARD)


def resource_named(name: str) -> Resource:
    """Return the resource ``name``; ``quality.<metric>`` names a share between 0 and 1.

    Raises BudgetError, listing every resource with its unit, for an unknown name.
    """
    if name in RESOURCES:
        return RESOURCES[name]
    if name.startswith(QUALITY) and name != QUALITY:
        return Resource(name, "1", "quality on held-out data", "0.9, 90%", higher_is_better=True)
    known = "; ".join(f"{r.name} ({r.examples})" for r in RESOURCES.values())
    meant = f"did you mean {near}? " if (near := _near(name)) else ""
    raise BudgetError(f"{name!r} is no resource; {meant}Known: {known}; quality.<metric> (0.9)")


def _near(name: str) -> str:
    """Resources that end in ``name``, or are written much like it."""
    ending = [known for known in RESOURCES if known.partition(".")[2] == name]
    return " or ".join(ending or get_close_matches(name, RESOURCES, 2))


@dataclass(frozen=True)
class Figure:
    """A number that says how sure it is: ``low <= value <= high``, an 80 % range."""

    value: float
    unit: str
    low: float
    high: float
    tier: Tier = "closed-form"
    note: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError(f"a figure needs a finite range, not {self.low} … {self.high}")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"{self.value} lies outside its range {self.low} … {self.high}")

    @property
    def deviation(self) -> float:
        """A standard deviation, as if the range were that of a normal distribution."""
        return (self.high - self.low) / 2 / WITHIN

    def scaled(self, factor: float) -> Figure:
        """The figure and its range times ``factor`` (which must not be negative)."""
        return Figure(
            self.value * factor,
            self.unit,
            self.low * factor,
            self.high * factor,
            self.tier,
            self.note,
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Figure:
        return cls(**{key: data[key] for key in cls.__dataclass_fields__ if key in data})


Figures = Mapping[str, Figure]


def exactly(value: float, unit: str, tier: Tier = "measured", note: str = "") -> Figure:
    """A figure without spread, such as a file's size."""
    return Figure(value, unit, value, value, tier, note)


def share_of(value: float, rows: int, note: str) -> Figure:
    """A share measured on so many rows, with its range over rows (normal approximation)."""
    margin = WITHIN * (max(value * (1 - value), 1e-4) / rows) ** 0.5
    return Figure(value, "1", max(0.0, value - margin), min(1.0, value + margin), "measured", note)
