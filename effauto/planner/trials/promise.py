"""What a candidate promises for the time that it takes, before it was tried."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from effauto.budget import Limit
from effauto.planner.candidate import Candidate
from effauto.planner.engine.objectives import Array
from effauto.planner.knowledge.advice import misleads
from effauto.planner.knowledge.prior import UNKNOWN_METHOD, Prior, logit, parts_of
from effauto.planner.results import Result, keeps, latest
from effauto.planner.situation import Situation
from effauto.planner.trials.enlarging import Volume, least
from effauto.resources import WITHIN, Figure

NORMAL = NormalDist()
# Of what earlier tasks leave unexplained, the share (of the variance) that is a method's, and what
# is the recipe's alone; and what a quality may be off by (logits).
A_METHOD, A_RECIPE, NOISE = 0.5, 0.25, 0.1
# Of an estimate without a range of its own (as a logarithm).
DOUBT = 0.05
# A network that is trained can be brought within a limit afterwards: in other numbers, by another
# runtime.
MENDED = 0.8


@dataclass(frozen=True)
class Belief:
    """Qualities in logits, as a Gaussian process: what the prior says, and what was measured here.

    Candidates are alike by the parts that they share: if one is worse here than other tasks made
    believe, so are others with the same method.
    """

    prior: Prior
    tried: tuple[Candidate, ...]
    weights: Array
    inverse: Array
    believes: bool

    @classmethod
    def of(cls, prior: Prior, results: Sequence[Result], metric: str) -> Belief:
        tried = tuple(result.candidate for result in results)
        believes = not misleads(prior, results, metric)
        empty = cls(prior, tried, np.zeros(len(tried)), np.zeros((len(tried),) * 2), believes)
        covariance = np.array([[empty._alike(a, b) for b in tried] for a in tried])
        inverse = np.linalg.inv(covariance + NOISE**2 * np.eye(len(tried)))
        rests = [logit(r.quality(metric)) - empty._before(r.candidate) for r in results]
        weights = np.asarray(inverse @ np.array(rests), dtype=np.float64)
        return cls(prior, tried, weights, np.asarray(inverse, dtype=np.float64), believes)

    def __call__(self, candidate: Candidate) -> tuple[float, float]:
        """Mean and deviation."""
        shared = np.array([self._alike(candidate, other) for other in self.tried])
        mean = self._before(candidate) + float(shared @ self.weights)
        variance = self._alike(candidate, candidate) - float(shared @ self.inverse @ shared)
        return mean, math.sqrt(max(variance, 1e-6))

    def _before(self, candidate: Candidate) -> float:
        return self.prior.level + (self.prior.gain(candidate) if self.believes else 0.0)

    def _alike(self, one: Candidate, other: Candidate) -> float:
        prior = self.prior
        shared = set(parts_of(one)) & set(parts_of(other))
        known = sum(part in prior.effects for part in shared)
        found = A_METHOD * prior.spread**2 * known + UNKNOWN_METHOD**2 * (len(shared) - known)
        alone = A_RECIPE * prior.spread**2 if one == other else 0.0
        return prior.level_spread**2 + found + alone


@dataclass(frozen=True)
class Promise:
    """Judges candidates by a belief; ``best`` is to be beaten, None before anything was tried.

    Where costs are weighed beside quality, what was ``tried`` is to be enlarged instead.
    """

    situation: Situation
    belief: Callable[[Candidate], tuple[float, float]]
    best: float | None
    tried: Volume | None = None

    @classmethod
    def after(cls, situation: Situation, results: Sequence[Result]) -> Promise:
        """What was tried at any scale counts; the best is that of those that keep the budget."""
        metric, tried = situation.task.metric, latest(results)
        kept = [r for r in tried if not keeps(r, situation.budget, reserve=False)]
        qualities = [logit(result.quality(metric)) for result in kept or tried]
        best = (max if kept else min)(qualities, default=None)
        belief = Belief.of(situation.prior, tried, metric)
        return cls(situation, belief, best, _weighed(situation.request.pareto, kept, qualities))

    def of(self, candidate: Candidate, seconds: float) -> float:
        """The expected gain in logits for each second, if every limit is kept."""
        return self.gain(candidate) * self._kept(candidate) / max(seconds, 1e-3)

    def gain(self, candidate: Candidate) -> float:
        """The expected improvement in logits, or that of the hypervolume; before anything was
        tried, the same of all.
        """
        if self.best is None:
            return 1.0
        mean, deviation = self.belief(candidate)

        def improvement(best: float) -> float:
            better = (mean - best) / deviation
            return deviation * (better * NORMAL.cdf(better) + NORMAL.pdf(better))

        if self.tried is None:
            return improvement(self.best)
        return self.tried.gain(self._costs(candidate), improvement)

    def _costs(self, candidate: Candidate) -> Array:
        foretold = self.situation.oracle.foretell(candidate)
        return np.array([least(name, foretold) for name in self.situation.request.pareto])

    def _kept(self, candidate: Candidate) -> float:
        """The chance that every limit is kept, by the ranges of what is foretold."""
        foretold = self.situation.oracle.foretell(candidate)
        chance = math.prod(
            _chance(limit, foretold[limit.resource])
            for limit in self.situation.budget
            if limit.resource in foretold
        )
        trains = self.situation.oracle.work(candidate).backward_passes > 0
        return max(chance, MENDED) if trains else chance


def _weighed(
    names: Sequence[str], results: Sequence[Result], qualities: Sequence[float]
) -> Volume | None:
    """What was tried and keeps the budget, as a volume; None if only quality counts."""
    if not names or not results:
        return None
    figures = [{**result.foretold_full, **result.projected()} for result in results]
    costs = np.array([[least(name, known) for name in names] for known in figures])
    return Volume(costs, np.array(qualities))


def _chance(limit: Limit, foretold: Figure) -> float:
    """That a figure, spread evenly as a logarithm, lies on the right side."""
    if min(foretold.low, limit.limit) <= 0:
        return 1.0 if limit.met(foretold.value) else 0.0
    apart = math.log(limit.limit / max(foretold.value, foretold.low))
    spread = max(DOUBT, math.log(foretold.high / foretold.low) / (2 * WITHIN))
    return NORMAL.cdf((-apart if limit.at_least else apart) / spread)
