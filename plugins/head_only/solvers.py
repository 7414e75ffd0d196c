"""Linear classifiers in closed form and by scikit-learn: features in, weights and biases out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Penalties to choose from, as shares of the mean eigenvalue of the features' covariance.
PENALTIES = np.logspace(-4, 1, 16)
# Enough rows to tell penalties apart, or to fit a few thousand weights.
JUDGED_ROWS = 10_000
LOGISTIC_ROWS = 20_000


def ridge(features: Array, targets: Array, classes: int) -> tuple[Array, Array]:
    """Regress ±1 for each class on features of mean 0; (classes, width) weights, (classes,) biases.

    The penalty is the one with the least squared leave-one-out error, known in closed form.
    """
    wanted = np.where(targets[:, None] == np.arange(classes), 1.0, -1.0).astype(features.dtype)
    means = wanted.mean(axis=0)
    values, vectors = np.linalg.eigh(features.T @ features)
    values = np.maximum(values, 0.0)
    projected = vectors.T @ (features.T @ (wanted - means))
    step = max(1, len(features) // JUDGED_ROWS)
    turned, residues = features[::step] @ vectors, wanted[::step] - means
    errors = []
    penalties = PENALTIES * values.mean()
    for penalty in penalties:
        shrunk = 1.0 / (values + penalty)
        leverage = 1.0 / len(features) + turned**2 @ shrunk
        left_out = (residues - turned @ (shrunk[:, None] * projected)) / (1.0 - leverage)[:, None]
        errors.append(np.square(left_out).mean())
    shrunk = 1.0 / (values + penalties[int(np.argmin(errors))])
    return (vectors @ (shrunk[:, None] * projected)).T, means


def logistic(
    features: Array, targets: Array, classes: int, C: float, seed: int
) -> tuple[Array, Array]:
    """Multinomial logistic regression, its L2 penalty 1/C, on at most 20,000 rows."""
    from sklearn.linear_model import LogisticRegression

    if len(features) > LOGISTIC_ROWS:
        kept = _stratified(targets, LOGISTIC_ROWS, seed)
        features, targets = features[kept], targets[kept]
    solved = LogisticRegression(C=C, max_iter=300).fit(features, targets)
    if classes == 2:  # scikit-learn keeps the difference of the two only
        half, bias = solved.coef_[0] / 2, solved.intercept_[0] / 2
        return np.stack([-half, half]), np.array([-bias, bias])
    return solved.coef_, solved.intercept_


def _stratified(targets: Array, rows: int, seed: int) -> Array:
    """Row numbers: of each class its share of ``rows``, one at least."""
    generator = np.random.default_rng(seed)
    kept = []
    for target in np.unique(targets):
        found = np.flatnonzero(targets == target)
        share = max(1, len(found) * rows // len(targets))
        kept.append(generator.choice(found, share, replace=False))
    return np.concatenate(kept)
