"""How promising a configuration is: expected improvement, and the probability to keep limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from ConfigSpace import Configuration
from scipy.stats import norm, spearmanr

from effauto.planner.engine.features import Features
from effauto.planner.engine.history import History, Told
from effauto.planner.engine.objectives import Array, evened, scalarised
from effauto.planner.engine.process import Process

# Results without which no model is trained.
LEAST_TOLD = 5
# How far a foretold cost may be off before any was measured, as a logarithm.
DOUBT = 0.5
# What a failure is told as: the worst, and this part of the spread more.
WORSE = 0.1
# Models are compared when the results are so many times what they were, by leaving out a fold.
GROWN, FOLDS = 1.2, 5

Foretell = Callable[[Configuration], Mapping[str, float]]
Score = Callable[[Sequence[Configuration]], Array]


class Model(Protocol):
    """What was trained on features and values."""

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Mean and variance at each of the points."""


@dataclass
class Acquisition:
    """Scores as logarithms, from models that are trained anew on the whole history.

    A Gaussian process models the objective, or a ``forest`` where that foretells better; a forest
    each constrained cost. ``leading`` are
    the results in the order of what was last improved on, those within the constraints if any are.
    """

    history: History
    features: Features
    foretell: Foretell
    forest: Callable[[Array, Array], Model]
    generator: np.random.Generator
    scales: Array | None = None
    leading: list[Configuration] = field(default_factory=list)
    _compared: int = 0
    _smooth: bool = True

    def improvement(self) -> Score:
        """Train on all that was told; the improvement, at full fidelity, on what keeps limits."""
        finished = self.history.finished
        costs = evened(scalarised(self.history.values(finished), self.generator))
        model = self._model(*self._known(finished, costs))
        ranked = [finished[place] for place in np.argsort(costs, kind="stable")]
        kept = [told.configuration for told in ranked if self.history.kept(told)]
        self.leading = kept or [told.configuration for told in ranked]
        best = model.predict(self._inputs(kept))[0].min() if kept else costs.max()
        return lambda points: _log_improvement(model, self._inputs(points), best)

    def feasibility(self) -> Score:
        """The probability that every constraint is kept."""
        models = [self._within(name, most) for name, most in self.history.constraints.items()]
        return lambda points: sum((model(points) for model in models), np.zeros(len(points)))

    def _model(self, inputs: Array, targets: Array) -> Model:
        """The process or the forest, whichever foretells better what is left out."""
        process = Process(inputs, targets, self.scales)
        self.scales = process.scales
        if len(targets) >= GROWN * self._compared:
            self._compared = len(targets)
            forest = left_out(self.forest, inputs, targets, self.generator)
            self._smooth = bool(_order(process.left_out(), targets) > _order(forest, targets))
        return process if self._smooth else self.forest(inputs, targets)

    def _known(self, finished: Sequence[Told], costs: Array) -> tuple[Array, Array]:
        """Inputs and targets: failures a little worse than the worst, what is awaited middling."""
        failed, waiting = self.history.failed, list(self.history.pending.values())
        worst = costs.max() + WORSE * max(float(np.ptp(costs)), 1e-3)
        rows = [told.configuration for told in (*failed, *finished)]
        shares = [told.fidelity for told in (*failed, *finished)]
        inputs = self._inputs([*rows, *waiting], [*shares, *[1.0] * len(waiting)])
        middle = [float(np.median(costs))] * len(waiting)
        return inputs, np.array([*[worst] * len(failed), *costs, *middle])

    def _inputs(
        self, configurations: Sequence[Configuration], fidelity: Sequence[float] | float = 1.0
    ) -> Array:
        """The features, and the fidelity: as a logarithm, for each halving takes as much."""
        rows = self.features.of(configurations)
        halvings = 1 + np.log2(np.broadcast_to(fidelity, len(rows))) / 8
        return np.column_stack([rows, halvings])

    def _within(self, name: str, most: float) -> Score:
        """Of one constraint: a forest of what is measured beside what is foretold, as logarithms.

        Before enough was measured, what is foretold must do.
        """
        known = [told for told in self.history.finished if told.values.get(name, 0) > 0]
        rows = [told.configuration for told in known]
        foretold = self._foretold(rows, name, most)
        if len(known) < LEAST_TOLD:
            return lambda points: _doubted(self._foretold(points, name, most))
        excess = np.array([math.log(told.values[name] / most) for told in known])
        shares = [told.fidelity for told in known]
        columns = np.column_stack([self._inputs(rows, shares), np.nan_to_num(foretold)])
        forest = self.forest(columns, excess - np.nan_to_num(foretold))

        def score(points: Sequence[Configuration]) -> Array:
            beforehand = np.nan_to_num(self._foretold(points, name, most))
            mean, variance = forest.predict(np.column_stack([self._inputs(points), beforehand]))
            deviation = np.sqrt(np.maximum(variance, 1e-6))
            return np.asarray(norm.logcdf(-(beforehand + mean) / deviation))

        return score

    def _foretold(self, rows: Sequence[Configuration], name: str, most: float) -> Array:
        """The logarithms of foretold costs beside the limit; nan where nothing is foretold."""
        found = [self.foretell(configuration).get(name, 0.0) for configuration in rows]
        return np.array([math.log(value / most) if value > 0 else math.nan for value in found])


def left_out(
    train: Callable[[Array, Array], Model],
    inputs: Array,
    targets: Array,
    generator: np.random.Generator,
) -> Array:
    """What a model foretells of each target from the others, a fifth of them at a time."""
    part = generator.permutation(len(targets)) % FOLDS
    found = np.empty_like(targets)
    for fold in range(FOLDS):
        model = train(inputs[part != fold], targets[part != fold])
        found[part == fold] = model.predict(inputs[part == fold])[0]
    return found


def _order(foretold: Array, targets: Array) -> float:
    """How alike both are sorted: Spearman's correlation, 0 if one is constant."""
    if not np.ptp(foretold) or not np.ptp(targets):
        return 0.0
    return float(spearmanr(foretold, targets).statistic)


def _log_improvement(model: Model, points: Array, best: float) -> Array:
    mean, variance = model.predict(points)
    deviation = np.sqrt(np.maximum(variance, 1e-9))
    better = (best - mean) / deviation
    return np.asarray(np.log(deviation) + np.log(_expected(better)))


def _expected(better: Array) -> Array:
    """The mean of what a standard normal exceeds ``-better`` by; never 0, so that all compare."""
    exact = better * norm.cdf(better) + norm.pdf(better)
    tail = norm.pdf(better) / np.maximum(better**2, 1.0)
    return np.asarray(np.maximum(np.where(better < -5, tail, exact), 1e-300))


def _doubted(foretold: Array) -> Array:
    """The log of the probability to keep the limit, from what is foretold alone, if anything is."""
    return np.where(np.isnan(foretold), 0.0, norm.logcdf(-np.nan_to_num(foretold) / DOUBT))
