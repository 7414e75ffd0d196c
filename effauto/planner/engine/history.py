"""What a search was told so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from effauto.planner.engine.objectives import Array, nondominated


@dataclass(frozen=True)
class Told:
    """One result: what was measured, by name (nothing, if it failed), on a share of the whole."""

    configuration: Configuration
    values: Mapping[str, float] = field(default_factory=dict)
    fidelity: float = 1.0


@dataclass
class History:
    """Results in the order they were told; ``pending`` are asked for and not yet told."""

    objectives: tuple[str, ...]
    constraints: Mapping[str, float]
    told: list[Told] = field(default_factory=list)
    pending: dict[bytes, Configuration] = field(default_factory=dict)

    def add(self, told: Told) -> None:
        """Note a result; ValueError if an objective is missing or a number is none."""
        for name in self.objectives:
            if told.values and name not in told.values:
                raise ValueError(f"the objective {name!r} is missing in {sorted(told.values)}")
        for name, value in told.values.items():
            if not math.isfinite(value):
                raise ValueError(f"{name} must be finite, not {value}: tell a failure as one")
        self.told.append(told)
        self.pending.pop(key(told.configuration), None)

    @property
    def finished(self) -> list[Told]:
        return [told for told in self.told if told.values]

    @property
    def failed(self) -> list[Told]:
        return [told for told in self.told if not told.values]

    def kept(self, told: Told) -> bool:
        """Whether everything measured lies within the constraints."""
        return all(told.values.get(name, 0) <= most for name, most in self.constraints.items())

    def values(self, told: Sequence[Told]) -> Array:
        """The objectives: a row for each result."""
        return np.array([[one.values[name] for name in self.objectives] for one in told])

    def front(self) -> list[Told]:
        """The results at the largest fidelity, within the constraints, that no other beats."""
        whole = max((told.fidelity for told in self.finished), default=1.0)
        within = [t for t in self.finished if t.fidelity == whole and self.kept(t)]
        return [within[place] for place in nondominated(self.values(within))] if within else []


def key(configuration: Configuration) -> bytes:
    """The same for configurations that mean the same."""
    return bytes(configuration.get_array().round(9).tobytes())
