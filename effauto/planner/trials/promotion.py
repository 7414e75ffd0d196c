"""Which results are worth more data: asynchronous successive halving over several objectives.

After Li et al. 2020 ("A System for Massively Parallel Hyperparameter Tuning", ASHA), ranked as by
Schmucker et al. 2021 ("Multi-objective Asynchronous Successive Halving"): the better half of each
rung may rise, whenever there is time; better is what keeps the limits and lies on an earlier front.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from effauto.planner.engine.objectives import nondominated
from effauto.planner.results import Result, latest

HALVING = 2

Points = Callable[[Result], Sequence[float]]


def promotable(
    results: Sequence[Result], keeps_limits: Callable[[Result], bool], points: Points
) -> list[Result]:
    """What may rise: the largest shares of the data first, on each the earliest front first.

    ``points`` are what is to be minimised. All that were ever tried on a share count for its half.
    """
    largest = {result.candidate: result.fidelity for result in latest(results)}
    found: list[Result] = []
    for fidelity in sorted({r.fidelity for r in results if r.fidelity < 1}, reverse=True):
        tried = {r.candidate: r for r in results if r.fidelity == fidelity and keeps_limits(r)}
        ranked = in_fronts(list(tried.values()), points)
        better = ranked[: -(-len(ranked) // HALVING)]
        found += [result for result in better if largest[result.candidate] == fidelity]
    return found


def in_fronts(results: Sequence[Result], points: Points) -> list[Result]:
    """Front by front; on a front, the best in the first objective first."""
    left, ranked = list(results), []
    while left:
        front = set(nondominated(np.array([points(result) for result in left])))
        ranked += sorted((left[n] for n in front), key=lambda result: points(result)[0])
        left = [result for place, result in enumerate(left) if place not in front]
    return ranked
