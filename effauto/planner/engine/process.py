"""A Gaussian process over a few hundred results: smooth where a forest has steps.

Matérn 5/2 with a length scale for each feature. Their log-normal prior grows with the number of
features, without which a process is lost in spaces of more than ten (Hvarfner et al. 2024,
"Vanilla Bayesian Optimization Performs Great in High Dimensions"); the kernel of SMAC's own facade
bounds the length scales at 1.09.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

Array = NDArray[np.float64]

# Priors of the logarithms of amplitude and noise: mean and deviation.
AMPLITUDE, NOISE = (0.0, 1.0), (-5.0, 1.5)
# Length scales: the deviation of their logarithm, and its bounds.
SPREAD, BOUNDS = 1.0, (-4.0, 5.0)
JITTER = 1e-6
# Scales are fitted to at most so many results, the cost of which grows with their cube.
MOST_FITTED = 160
STEPS = 40


class Process:
    """Fitted to ``values`` (n) at ``features`` (n × d, each from 0 to 1).

    ``start`` is another's ``scales``, from which the fit goes on.
    """

    def __init__(self, features: Array, values: Array, start: Array | None = None) -> None:
        self._mean, self._deviation = values.mean(), values.std() + 1e-12
        targets = (values - self._mean) / self._deviation
        self.scales = _fit(*_newest(features, targets), start)
        lengths, amplitude, noise = _unpacked(self.scales)
        kernel = amplitude * _matern(features / lengths, features / lengths)[0]
        self._factor = cholesky(kernel + noise * np.eye(len(features)), lower=True)
        self._weights = cho_solve((self._factor, True), targets)
        self._features, self._targets = features / lengths, targets

    def left_out(self) -> Array:
        """The mean at each point that was fitted, had its value been left out (scales kept)."""
        inverse = cho_solve((self._factor, True), np.eye(len(self._factor)))
        centred = self._targets - self._weights / np.diag(inverse)
        return np.asarray(self._mean + self._deviation * centred)

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Mean and variance at each of ``points`` (m × d)."""
        lengths, amplitude, _ = _unpacked(self.scales)
        kernel = amplitude * _matern(points / lengths, self._features)[0]
        explained = solve_triangular(self._factor, kernel.T, lower=True)
        variance = np.maximum(amplitude - (explained**2).sum(axis=0), 1e-9)
        return (
            self._mean + self._deviation * (kernel @ self._weights),
            self._deviation**2 * variance,
        )


def _newest(features: Array, targets: Array) -> tuple[Array, Array]:
    return features[-MOST_FITTED:], targets[-MOST_FITTED:]


def _fit(features: Array, targets: Array, start: Array | None) -> Array:
    """The most probable scales: log length scales, log amplitude, log noise."""
    count = features.shape[1]
    means = np.array([0.5 * math.log(count)] * count + [AMPLITUDE[0], NOISE[0]])
    deviations = np.array([SPREAD] * count + [AMPLITUDE[1], NOISE[1]])

    def loss(scales: Array) -> tuple[float, Array]:
        value, slope = _misfit(features, targets, scales)
        away = (scales - means) / deviations
        return value + 0.5 * float(away @ away), slope + away / deviations

    starts = [means] if start is None else [means, start]
    best = min(starts, key=lambda scales: loss(scales)[0])
    bounds = [BOUNDS] * count + [(-4.0, 4.0), (-12.0, 1.0)]
    options = {"maxiter": STEPS}
    found = minimize(loss, best, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x)


def _misfit(features: Array, targets: Array, scales: Array) -> tuple[float, Array]:
    """Negative log likelihood, and its slope along each of the scales."""
    lengths, amplitude, noise = _unpacked(scales)
    scaled = features / lengths
    shape, distance = _matern(scaled, scaled)
    kernel = amplitude * shape
    try:
        factor = cholesky(kernel + noise * np.eye(len(features)), lower=True)
    except np.linalg.LinAlgError:
        return 1e10, np.zeros_like(scales)
    weights = cho_solve((factor, True), targets)
    value = 0.5 * float(targets @ weights) + float(np.log(np.diag(factor)).sum())
    inner = cho_solve((factor, True), np.eye(len(features))) - np.outer(weights, weights)
    pull = inner * (amplitude * 5 / 3 * (1 + distance) * np.exp(-distance))
    along = (pull.sum(axis=1)[:, None] * scaled**2 - scaled * (pull @ scaled)).sum(axis=0)
    ends = [0.5 * float((inner * kernel).sum()), 0.5 * noise * float(np.trace(inner))]
    return value, np.concatenate([along, ends])


def _matern(one: Array, other: Array) -> tuple[Array, Array]:
    """The kernel between the rows of both, and the square root of 5 times their distance."""
    squared = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    distance = np.sqrt(5 * np.maximum(squared, 0))
    return (1 + distance + distance**2 / 3) * np.exp(-distance), distance


def _unpacked(scales: Array) -> tuple[Array, float, float]:
    lengths, (amplitude, noise) = np.exp(scales[:-2]), np.exp(scales[-2:])
    return lengths, float(amplitude), float(noise) + JITTER
