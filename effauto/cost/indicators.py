"""Indicators of efficiency that disagree: how alike they rank recipes, by Kendall's tau.

The tau is tau-b, which counts ties: 1 for the same order, 0 for none in common, -1 for the reverse
(Kendall 1945, "The Treatment of Ties in Ranking Problems").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from effauto.budget import Budget
from effauto.resources import Figures

INDICATORS = (
    "model.parameters",
    "train.flops",
    "inference.flops",
    "train.memory",
    "inference.memory",
    "train.time",
    "train.energy",
    "inference.latency",
    "model.size",
)
# What people limit, and what they mostly mean by it.
MEANT = {
    "model.parameters": ("inference.latency", "inference.memory"),
    "inference.flops": ("inference.latency",),
    "train.flops": ("train.time",),
}
# A tau below this means that more than one pair of recipes in ten is ranked the other way.
POOR = 0.8
FEWEST = 5


def tau(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Kendall's tau-b of two rankings; None where one of them ranks nothing."""
    first, second = _signs(one), _signs(other)
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale else None


def _signs(values: Sequence[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """For each pair of values, which is larger."""
    array = np.asarray(values, dtype=np.float64)
    return np.sign(array[:, None] - array[None, :])[np.triu_indices(len(array), 1)]


@dataclass(frozen=True)
class Correlations:
    """Kendall's tau of each pair of ``names`` over so many ``recipes``."""

    names: tuple[str, ...]
    recipes: int
    taus: Mapping[tuple[str, str], float | None]


def correlate(recipes: Sequence[Figures], names: Iterable[str] = INDICATORS) -> Correlations:
    """How alike the indicators that every recipe has rank them."""
    there = tuple(name for name in names if all(name in figures for figures in recipes))
    values = {name: [figures[name].value for figures in recipes] for name in there}
    taus = {(a, b): tau(values[a], values[b]) for a in there for b in there}
    return Correlations(there, len(recipes), taus)


def poor_proxies(budget: Budget, recipes: Sequence[Figures]) -> list[str]:
    """A sentence for each limit on something that ranks ``recipes`` otherwise than what is meant.

    Nothing is said of fewer recipes than five.
    """
    if len(recipes) < FEWEST:
        return []
    limited = {limit.resource for limit in budget}
    found = []
    for proxy, meant in MEANT.items():
        if proxy not in limited:
            continue
        taus = correlate(recipes, (proxy, *meant)).taus
        for target in meant:
            agreement = taus.get((proxy, target))
            if agreement is not None and agreement < POOR and target not in limited:
                found.append(
                    f"{proxy} is a poor proxy of {target} here: over {len(recipes)} recipes their "
                    f"rank correlation (Kendall) is {agreement:.2f}; limit {target} itself"
                )
    return found


def scattered_zeros(nonzero: Sequence[float], recipes: Sequence[Figures]) -> str:
    """What zeros among the weights change and do not, where the chosen recipe makes some.

    ``nonzero`` counts the weights that are left in each recipe.
    """
    saved = "zeros among the weights make the saved folder smaller, but dense products compute them"
    known = []
    for name in ("inference.latency", "inference.memory") if len(recipes) >= FEWEST else ():
        agreement = tau(nonzero, [figures[name].value for figures in recipes])
        known += [] if agreement is None else [f"{agreement:.2f} with {name}"]
    told = f" (rank correlation of weights left, over {len(recipes)} recipes: {', '.join(known)})"
    return f"{saved}: they cut neither latency nor memory" + (told if known else "")
