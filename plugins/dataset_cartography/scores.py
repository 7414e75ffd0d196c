"""How much a row is worth keeping, by what the probes went through with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .dynamics import Dynamics

Array = NDArray[Any]
# EL2N is read after this many epochs: early, when errors still differ (Paul et al. 2021).
EARLY = 3


def confidence(dynamics: Dynamics) -> Array:
    """Mean probability of the row's class over epochs (Swayamdipta et al. 2020)."""
    return np.asarray(dynamics.gold.mean(axis=(0, 1)))


def variability(dynamics: Dynamics) -> Array:
    """Its standard deviation over epochs."""
    return np.asarray(dynamics.gold.std(axis=1).mean(axis=0))


def correctness(dynamics: Dynamics) -> Array:
    """The share of epochs after which the row was answered rightly."""
    return np.asarray(dynamics.right.mean(axis=(0, 1)))


def forgetting(dynamics: Dynamics) -> Array:
    """How often right turned wrong; a row that was never right counts as most forgotten."""
    forgotten = (dynamics.right[:, :-1] & ~dynamics.right[:, 1:]).sum(axis=1)
    never = ~dynamics.right.any(axis=1)
    return np.asarray(np.where(never, dynamics.right.shape[1], forgotten).mean(axis=0))


def el2n(dynamics: Dynamics) -> Array:
    """The mean length of the error early in training, over several starts."""
    early = min(EARLY, dynamics.error.shape[1]) - 1
    return np.asarray(dynamics.error[:, early].mean(axis=0))


# Higher is kept.
SCORES: Mapping[str, Callable[[Dynamics], Array]] = {
    "variability": variability,
    "confidence": lambda dynamics: -confidence(dynamics),
    "correctness": lambda dynamics: -correctness(dynamics),
    "forgetting": forgetting,
    "el2n": el2n,
}


def chosen(
    labels: Sequence[int], dynamics: Dynamics, *, score: str, keep: float, drop_noise: float
) -> list[int]:
    """Row numbers, ascending: of each class its ``keep`` share by score, at least one row.

    The ``drop_noise`` share of a class with the least confidence goes first; of rows with equal
    score those with less confidence stay.
    """
    worth, sure = SCORES[score](dynamics), confidence(dynamics)
    kept: list[int] = []
    for label in set(labels):
        rows = np.flatnonzero(np.asarray(labels) == label)
        doubtful = rows[np.argsort(sure[rows], kind="stable")]
        clean = doubtful[int(drop_noise * len(rows)) :]
        best = clean[np.argsort(-worth[clean], kind="stable")]
        kept += best[: max(1, round(keep * len(rows)))].tolist()
    return sorted(kept)
