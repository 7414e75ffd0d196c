"""A recipe beside itself without one of its methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from effauto.resources import Figure


@dataclass(frozen=True)
class Pair:
    """One figure of a recipe with a method, and without it."""

    with_it: Figure
    without: Figure

    @property
    def measured(self) -> bool:
        return self.with_it.tier == self.without.tier == "measured"


@dataclass(frozen=True)
class Bought:
    """What ``method`` changed, by resource; ``reason`` says why it cannot be left out.

    ``fidelity`` is the share of the data on which pairs were measured, 0 if none was; those that
    were not are foretold at full scale.
    """

    method: str
    fidelity: float = 0.0
    figures: Mapping[str, Pair] = field(default_factory=dict)
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        figures = {
            name: {"with": pair.with_it.to_json(), "without": pair.without.to_json()}
            for name, pair in self.figures.items()
        }
        return {
            "method": self.method,
            "fidelity": self.fidelity,
            "figures": figures,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Bought:
        """Read :meth:`to_json`; raise KeyError, TypeError or ValueError for anything else."""
        figures = {
            name: Pair(Figure.from_json(pair["with"]), Figure.from_json(pair["without"]))
            for name, pair in data["figures"].items()
        }
        return cls(data["method"], data["fidelity"], figures, data["reason"])
