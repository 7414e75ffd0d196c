"""Bayesian optimisation over any ConfigSpace: SMAC's forest and acquisition, asked and told.

The only module that knows SMAC. Its components are used without its loop, which re-proposes what
was seen, cannot weigh measured limits, and takes seconds an ask.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace, UniformFloatHyperparameter
from ConfigSpace.util import get_one_exchange_neighbourhood
from numpy.typing import NDArray
from scipy.stats import norm
from smac.acquisition.function import EI
from smac.model.random_forest import RandomForest

SAMPLES = 400
# Local search: from this many of the best, their neighbours, for a few rounds.
STARTS, ROUNDS = 5, 3
RANDOM_SHARE = 0.15
FIDELITY = "fidelity"
MIN_TOLD = 4

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """One result: the cost to minimise, and by how much each limit was missed (log, <= 0: met)."""

    configuration: Configuration
    cost: float
    excess: Mapping[str, float] = field(default_factory=dict)
    fidelity: float = 1.0


class Search:
    """Ask for the next configuration, tell what became of it.

    A forest models the cost, and one more each measured limit; the acquisition is expected
    improvement at full fidelity times the probability that every limit is met. All fidelities
    inform the forests: the fidelity is one of their features.
    """

    def __init__(
        self, space: ConfigurationSpace, limits: Sequence[str] = (), seed: int = 0
    ) -> None:
        self.space = space
        self.limits = tuple(limits)
        self.told: list[Told] = []
        self._seen: set[bytes] = set()
        self._generator = np.random.default_rng(seed)
        self._seed = seed
        self._surrogate_space = _with_fidelity(space)
        self._column = list(self._surrogate_space).index(FIDELITY)

    def tell(self, told: Told) -> None:
        """Take in a result. Its cost must be a number: a failure is told as a bad one."""
        if not math.isfinite(told.cost):
            raise ValueError(f"a cost must be finite, not {told.cost}")
        self.told.append(told)
        self.see(told.configuration)

    def see(self, configuration: Configuration) -> None:
        """Never propose this one (again)."""
        self._seen.add(_key(configuration))

    def ask(
        self, admissible: Callable[[Configuration], bool] = lambda configuration: True
    ) -> Configuration | None:
        """The most promising configuration not seen yet, or None if no draw was admissible."""
        drawn = self._fresh(self._draw(SAMPLES), admissible)
        if len(self.told) < MIN_TOLD or self._generator.random() < RANDOM_SHARE:
            return drawn[0] if drawn else None
        score = self._acquisition()
        pool = drawn
        best = sorted(self.told, key=self._rank)[:STARTS]
        starts = [told.configuration for told in best]
        for _ in range(ROUNDS):
            near = [n for start in starts for n in self._neighbours(start)]
            pool = pool + self._fresh(near, admissible, but=pool)
            if not pool:
                return None
            order = np.argsort(-score(pool), kind="stable")
            starts = [pool[place] for place in order[:STARTS]]
            pool = [pool[place] for place in order[:SAMPLES]]
        return pool[0]

    def _rank(self, told: Told) -> tuple[float, float]:
        return max(0.0, *told.excess.values(), 0.0), told.cost

    def _draw(self, count: int) -> list[Configuration]:
        return list(self.space.sample_configuration(count))

    def _neighbours(self, start: Configuration) -> list[Configuration]:
        seed = int(self._generator.integers(2**31))
        return list(get_one_exchange_neighbourhood(start, seed=seed, num_neighbors=2))

    def _fresh(
        self,
        drawn: Sequence[Configuration],
        admissible: Callable[[Configuration], bool],
        but: Sequence[Configuration] = (),
    ) -> list[Configuration]:
        seen = self._seen | {_key(configuration) for configuration in but}
        fresh = []
        for configuration in drawn:
            key = _key(configuration)
            if key not in seen and admissible(configuration):
                seen.add(key)
                fresh.append(configuration)
        return fresh

    def _acquisition(self) -> Callable[[Sequence[Configuration]], Array]:
        """Train the forests on all that was told; return the score of a list of configurations."""
        features = self._features(
            [told.configuration for told in self.told], [told.fidelity for told in self.told]
        )
        costs = np.array([told.cost for told in self.told])
        forest = self._forest(features, costs)
        improvement = EI()
        improvement.update(model=forest, eta=self._best(costs))
        known = {
            limit: np.array([told.excess.get(limit, np.nan) for told in self.told])
            for limit in self.limits
        }
        limit_forests = [
            self._forest(features[~np.isnan(excess)], excess[~np.isnan(excess)])
            for excess in known.values()
            if (~np.isnan(excess)).sum() >= MIN_TOLD
        ]

        def score(configurations: Sequence[Configuration]) -> Array:
            points = self._features(configurations, [1.0] * len(configurations))
            total = np.asarray(improvement._compute(points)).flatten() + 1e-12
            for model in limit_forests:
                mean, variance = model.predict(points)
                deviation = np.sqrt(np.maximum(variance, 1e-6)).flatten()
                total = total * norm.cdf(-mean.flatten() / deviation)
            return np.asarray(total)

        return score

    def _best(self, costs: Array) -> float:
        """The best cost of those within all limits, or of all if none is."""
        within = [told.cost for told in self.told if all(e <= 0 for e in told.excess.values())]
        return float(min(within) if within else costs.max())

    def _forest(self, features: Array, values: Array) -> RandomForest:
        forest = RandomForest(
            self._surrogate_space,
            n_trees=20,
            n_jobs=1,
            max_leaf_nodes=None,  # the default makes scikit-learn twenty times slower
            min_samples_leaf=1,
            min_samples_split=2,
            seed=self._seed,
        )
        return forest.train(features, values[:, np.newaxis])

    def _features(
        self, configurations: Sequence[Configuration], fidelities: Sequence[float]
    ) -> Array:
        rows = np.array([configuration.get_array() for configuration in configurations])
        return np.insert(rows, self._column, fidelities, axis=1)


def _with_fidelity(space: ConfigurationSpace) -> ConfigurationSpace:
    """The space of the forests: the same columns in the same order, and one for the fidelity."""
    copy = deepcopy(space)  # a condition knows its columns, so two spaces cannot share one
    copy.add(UniformFloatHyperparameter(FIDELITY, 0.0, 1.0))
    if [name for name in copy if name != FIDELITY] != list(space):
        raise RuntimeError("ConfigSpace orders the surrogate's columns otherwise than the space's")
    return copy


def _key(configuration: Configuration) -> bytes:
    return bytes(np.nan_to_num(configuration.get_array(), nan=-1.0).round(9).tobytes())
