"""Adversarial filtering: which rows are hard for every linear classifier on their features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import ENSEMBLE, SLICE

Array = NDArray[Any]
# The share of the rows that a classifier is fitted to; the others are asked.
FITTED = 0.5


def unpredictable(
    features: Array, labels: Sequence[int], keep: float, threshold: float, seed: int
) -> list[int]:
    """Row numbers, ascending (Le Bras et al. 2020, algorithm 1).

    Slice by slice the rows go that an ensemble predicts best, if at least ``threshold`` of it
    does, until the share ``keep`` is left or a slice is not full. No class loses its last row.
    """
    generator = np.random.default_rng(seed)
    rows, classes = np.arange(len(labels)), np.asarray(labels)
    target, most = max(1, round(keep * len(rows))), math.ceil(SLICE * len(rows))
    while len(rows) > target:
        found = predictability(features[rows], classes[rows], generator)
        best = np.argsort(-found, kind="stable")[: min(most, len(rows) - target)]
        gone = _sparing(best[found[best] >= threshold], classes[rows])
        rows = np.delete(rows, gone)
        if len(gone) < most:
            break
    return rows.tolist()


def predictability(features: Array, classes: Array, generator: np.random.Generator) -> Array:
    """The share of classifiers that find a row's class, of those not fitted to it; (rows,).

    A row that each of them was fitted to counts as unpredictable.
    """
    from sklearn.linear_model import RidgeClassifier
    from threadpoolctl import threadpool_limits

    asked, right = np.zeros(len(classes)), np.zeros(len(classes))
    half = max(1, round(FITTED * len(classes)))
    with threadpool_limits(1):  # more threads wait for one another longer than they compute
        for _ in range(ENSEMBLE):
            fitted, others = np.split(generator.permutation(len(classes)), [half])
            model = RidgeClassifier().fit(features[fitted], classes[fitted])
            asked[others] += 1
            right[others] += model.predict(features[others]) == classes[others]
    return right / np.maximum(1, asked)


def _sparing(gone: Array, classes: Array) -> Array:
    """``gone`` without the last row of a class that would lose all of them."""
    for label in np.setdiff1d(classes, np.delete(classes, gone)):
        gone = np.delete(gone, np.flatnonzero(classes[gone] == label)[-1])
    return gone
