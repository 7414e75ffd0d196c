"""Configurations as numbers from 0 to 1, for a model that measures distances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ConfigSpace import CategoricalHyperparameter, Configuration, ConfigurationSpace

from effauto.planner.engine.objectives import Array

# Where a number that is switched off lies: what switches it off tells the rest.
INACTIVE = 0.5


class Features:
    """One column for each number, one for each option of a category."""

    def __init__(self, space: ConfigurationSpace) -> None:
        self._options = [
            len(found.choices) if isinstance(found, CategoricalHyperparameter) else 0
            for found in space.values()
        ]

    def of(self, configurations: Sequence[Configuration]) -> Array:
        """A row for each configuration."""
        rows = np.array([configuration.get_array() for configuration in configurations])
        return np.hstack([_columns(row, n) for row, n in zip(rows.T, self._options, strict=True)])


def _columns(values: Array, options: int) -> Array:
    if options:
        return np.asarray(values[:, np.newaxis] == np.arange(options), dtype=float)
    return np.where(np.isnan(values), INACTIVE, values)[:, np.newaxis]
