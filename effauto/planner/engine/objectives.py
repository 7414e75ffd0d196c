"""From several objectives to one to improve on, anew for each question."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Weight of the sum beside the worst objective (Knowles 2006, "ParEGO").
AUGMENTATION = 0.05


def scalarised(values: Array, generator: np.random.Generator) -> Array:
    """One cost a row of ``values`` (results × objectives): augmented Tchebycheff.

    Each objective is brought to 0 at its least and 1 at its most; the weights are drawn evenly
    from all that add up to 1, so that question by question the whole front is asked for.
    """
    if values.shape[1] == 1:
        return values[:, 0]
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    normal = (values - low) / np.where(span > 0, span, 1.0)
    weighted = normal * generator.dirichlet(np.ones(values.shape[1]))
    return np.asarray(weighted.max(axis=1) + AUGMENTATION * weighted.sum(axis=1))


def evened(values: Array) -> Array:
    """The same order, bent so that the values lie as a normal distribution would.

    Costs have a long tail of bad ones; what tells the good ones apart must not drown in it.
    """
    from sklearn.preprocessing import PowerTransformer

    if np.ptp(values) < 1e-12 * (1 + abs(float(values.max()))):
        return np.zeros_like(values)
    column = ((values - values.mean()) / values.std())[:, np.newaxis]
    return np.asarray(PowerTransformer().fit_transform(column)[:, 0])


def nondominated(values: Array) -> list[int]:
    """The places of the rows that no other row beats in one objective and equals in the rest."""
    return [
        place
        for place, row in enumerate(values)
        if not ((values <= row).all(axis=1) & (values < row).any(axis=1)).any()
    ]
