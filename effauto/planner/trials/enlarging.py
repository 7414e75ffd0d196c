"""By how much a candidate is expected to enlarge the front of quality and costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from effauto.planner.engine.objectives import Array
from effauto.resources import Figures, resource_named

# Costs count up to so many times the most of what was tried, qualities from so much (logits) below
# the worst.
MARGIN, BELOW = 2.0, 1.0


@dataclass(frozen=True)
class Volume:
    """What was tried: ``costs``, results × resources (see `least`), and ``qualities`` in logits.

    Both must be of at least one result.
    """

    costs: Array
    qualities: Array

    def gain(self, costs: Array, improvement: Callable[[float], float]) -> float:
        """The hypervolume that a point at ``costs`` is expected to add.

        ``improvement`` tells by how much its quality is expected to exceed another. It is summed
        over all costs that the point does not exceed, each time over the best quality at that cost
        (the expected hypervolume improvement of Emmerich, Giannakoglou and Naujoks 2006, of which
        the quality alone is uncertain); where nothing was tried, over one below the worst.
        """
        worst = self.costs.max(axis=0) + math.log(MARGIN)
        if not (costs < worst).all():
            return 0.0
        edges = [
            np.unique([low, most, *column[(column > low) & (column < most)]])
            for low, most, column in zip(costs, worst, self.costs.T, strict=True)
        ]
        corners = np.stack(np.meshgrid(*(e[:-1] for e in edges), indexing="ij"), axis=-1)
        widths = np.stack(np.meshgrid(*map(np.diff, edges), indexing="ij"), axis=-1)
        shared: dict[float, float] = {}
        best = self._best_at(corners.reshape(-1, len(costs)))
        for quality, volume in zip(best, widths.prod(axis=-1).flat, strict=True):
            shared[quality] = shared.get(quality, 0.0) + volume
        return sum(volume * improvement(quality) for quality, volume in shared.items())

    def _best_at(self, most: Array) -> list[float]:
        """The best quality that costs no more than each row."""
        cheaper = (self.costs <= most[:, np.newaxis]).all(axis=-1)
        found = np.where(cheaper, self.qualities, self.qualities.min() - BELOW).max(axis=1)
        return [float(quality) for quality in found]


def least(resource: str, figures: Figures) -> float:
    """What is to be minimised of a resource: its logarithm, for costs differ by factors."""
    return math.log(cost(resource, figures[resource].value))


def cost(resource: str, value: float) -> float:
    """The value, or its inverse if more of it is better; never 0."""
    bounded = max(value, 1e-9)
    return 1 / bounded if resource_named(resource).higher_is_better else bounded
