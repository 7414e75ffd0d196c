"""Which rows to ask about, given features or a head's probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
# Below every distance, so that a row is not taken twice even if another is its twin.
TAKEN = -1.0


def entropy(given: Array) -> Array:
    """Of each row's probabilities, in nats."""
    return np.asarray(-(given * np.log(np.maximum(given, 1e-12))).sum(axis=1))


def margin(given: Array) -> Array:
    """How little the likeliest class leads before the second."""
    if given.shape[1] == 1:
        return np.zeros(len(given))
    best = np.sort(given, axis=1)
    return np.asarray(best[:, -2] - best[:, -1])


def k_centre(features: Array, rows: Sequence[int], count: int) -> list[int]:
    """Greedily the row that lies farthest from all centres (Sener and Savarese 2018, algorithm 1).

    Works with squares of distances, whose order is the same.
    """
    nearest = np.full(len(features), np.inf)
    for row in rows:
        nearest = np.minimum(nearest, _from(features, row))
    nearest[list(rows)] = TAKEN
    found: list[int] = []
    for _ in range(count):
        found.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _from(features, found[-1]))
        nearest[found[-1]] = TAKEN
    return found


def _from(features: Array, row: int) -> Array:
    return np.asarray(np.square(features - features[row]).sum(axis=1))


def badge(given: Array, features: Array, count: int, generator: np.random.Generator) -> list[int]:
    """Places of a k-means++ sample of gradient embeddings (Ash et al. 2020, algorithm 1).

    The loss's gradient in the head, if the likeliest class were true, is the outer product of
    probabilities minus that class with the features; it is never formed, since its products are
    products of both parts'. The first place is that of the longest gradient.
    """
    slopes = given.copy()
    slopes[np.arange(len(given)), given.argmax(axis=1)] -= 1.0
    lengths = np.square(slopes).sum(axis=1) * np.square(features).sum(axis=1)

    def distances(place: int) -> Array:
        products = (slopes @ slopes[place]) * (features @ features[place])
        return np.asarray(np.maximum(0.0, lengths + lengths[place] - 2.0 * products))

    found = [int(lengths.argmax())]
    nearest = np.full(len(given), np.inf)
    for _ in range(count - 1):
        nearest = np.minimum(nearest, distances(found[-1]))
        nearest[found[-1]] = 0.0
        chances = nearest if nearest.any() else np.ones(len(given))
        chances[found] = 0.0
        found.append(int(generator.choice(len(given), p=chances / chances.sum())))
    return found


UNCERTAIN: Mapping[str, Callable[[Array], Array]] = {"entropy": entropy, "margin": margin}
