"""Finalists: the best results, repeated with other seeds until they can be told apart.

A training's quality differs from seed to seed, often by more than two good recipes differ.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from statistics import fmean, variance

from effauto.planner.candidate import Candidate
from effauto.planner.results import Result
from effauto.resources import QUALITY, WITHIN

# So many are weighed against each other, with at most so many seeds each.
MOST, SEEDS = 3, 5
# What seeds differ by at the least, so that two that agree by chance do not end it.
LEAST_SPREAD = 0.002


def to_repeat(
    results: Sequence[Result], best: Result, metric: str, busy: Collection[str] = ()
) -> tuple[Candidate, int] | None:
    """Which finalist needs another seed, and how many it has had; None once ``best`` is certain.

    ``results`` keep the limits. Only trainings by gradients depend on the seed. Those ``busy``, by
    key, are being tried.
    """
    runs = _finalists(results, best, metric)
    spread = _spread(runs, metric)
    ours = runs[best.candidate]
    undecided = [c for c, found in runs.items() if not _apart(ours, found, metric, spread)]
    open_ = [
        candidate
        for candidate in (undecided if len(undecided) > 1 else ())
        if runs[candidate][0].gradients
        and len(runs[candidate]) < SEEDS
        and candidate.key not in busy
    ]
    if not open_:
        return None
    fewest = min(open_, key=lambda candidate: len(runs[candidate]))
    return fewest, len(runs[fewest])


def _finalists(
    results: Sequence[Result], best: Result, metric: str
) -> dict[Candidate, list[Result]]:
    """The runs of the best, and of those whose first was within a standard error of its first."""
    runs: dict[Candidate, list[Result]] = {best.candidate: []}
    for result in results:
        if result.fidelity == best.fidelity and QUALITY + metric in result.measured:
            runs.setdefault(result.candidate, []).append(result)
    first = runs[best.candidate][0]
    least = first.quality(metric) - first.measured[QUALITY + metric].deviation
    ranked = sorted(runs, key=lambda c: (c != best.candidate, -_mean(runs[c], metric)))
    return {c: runs[c] for c in ranked[:MOST] if runs[c][0].quality(metric) >= least}


def _apart(ours: list[Result], others: list[Result], metric: str, spread: float) -> bool:
    """Whether what is measured of both differs by more than seeds explain, 80 % of the time."""
    if ours is others:
        return False
    error = math.sqrt(sum(spread / len(runs) for runs in (ours, others) if runs[0].gradients))
    return abs(_mean(ours, metric) - _mean(others, metric)) > WITHIN * error


def _spread(runs: dict[Candidate, list[Result]], metric: str) -> float:
    """The variance between seeds, of all finalists together; before any repeat, unknown."""
    repeated = [found for found in runs.values() if len(found) > 1]
    if not repeated:
        return math.inf
    seen = fmean(variance([r.quality(metric) for r in found]) for found in repeated)
    return max(float(seen), LEAST_SPREAD**2)


def _mean(runs: Sequence[Result], metric: str) -> float:
    return fmean(result.quality(metric) for result in runs)
