"""Bayesian optimisation over any ConfigSpace, asked and told.

The only module that knows SMAC. Its forests are used without its loop, which re-proposes what was
seen, cannot weigh measured limits, and takes seconds an ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from itertools import islice

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.util import get_one_exchange_neighbourhood
from smac.model.random_forest import RandomForest

from effauto.planner.engine.acquisition import LEAST_TOLD, Acquisition, Foretell, Score
from effauto.planner.engine.features import Features
from effauto.planner.engine.history import History, Told, key
from effauto.planner.engine.objectives import Array

# Drawn at random, and so many of them anew for each ask.
SAMPLES, RENEWED = 400, 100
# Local search: so many neighbours of so many of the best, with ever smaller steps (shares of a
# range).
NEIGHBOURS, STARTS, STEPS = 60, 5, (0.2, 0.1, 0.05, 0.02)
# Limits are weighed for so many of those that promise most.
PROMISING = 30
RANDOM_SHARE = 0.1

# By what power of the price of a trial its improvement must grow.
THRIFT = 0.5

Admissible = Callable[[Configuration], bool]
Price = Callable[[Configuration], float]
Draw = Callable[[int], Sequence[Configuration]]


class Search:
    """Ask for the next configuration, tell what became of it.

    ``objectives`` are minimised: one by its expected improvement; several by that of their
    augmented Tchebycheff norm, weighted anew for each ask (ParEGO), which finds their front.
    ``constraints`` are the most that a measured cost may be; the improvement is multiplied by the
    probability that each is kept. ``foretell`` gives costs known before a trial, in the same
    units; ``draw`` so many configurations at random, by default any of the space. All models are
    trained anew for each ask, on results at all fidelities (shares of the whole, up to 1); what is
    asked for is judged at 1. Nothing is proposed twice.
    """

    def __init__(
        self,
        space: ConfigurationSpace,
        objectives: Sequence[str] = ("cost",),
        constraints: Mapping[str, float] | None = None,
        seed: int = 0,
        *,
        foretell: Foretell = lambda configuration: {},
        draw: Draw | None = None,
    ) -> None:
        self.space = deepcopy(space)
        self.space.seed(seed)
        self.history = History(tuple(objectives), dict(constraints or {}))
        self._seen: set[bytes] = set()
        self._generator = np.random.default_rng(seed)
        self._draw = draw or self.space.sample_configuration
        self._drawn: list[Configuration] = []
        self._seed = seed
        self._acquisition = Acquisition(
            self.history, Features(self.space), foretell, self._forest, self._generator
        )

    @property
    def told(self) -> list[Told]:
        return self.history.told

    def tell(
        self, configuration: Configuration, values: Mapping[str, float], fidelity: float = 1.0
    ) -> None:
        """Take in a result: every objective, and the constrained costs that were measured.

        Raises ValueError if an objective is missing or a value is not finite.
        """
        if not values:
            raise ValueError("nothing was measured: tell a failure as one")
        self.history.add(Told(configuration, dict(values), fidelity))
        self.see(configuration)

    def tell_failure(self, configuration: Configuration, fidelity: float = 1.0) -> None:
        """Take in that nothing could be measured: it counts as a little worse than the worst."""
        self.history.add(Told(configuration, {}, fidelity))
        self.see(configuration)

    def constrain(self, constraints: Mapping[str, float]) -> None:
        """Put these limits in the place of those before; what was told is judged anew."""
        self.history.constraints = dict(constraints)

    def see(self, configuration: Configuration) -> None:
        """Never propose this one (again)."""
        self._seen.add(key(configuration))

    def begin(self, configuration: Configuration) -> None:
        """It is being tried, though it was not asked for: believed to be middling until it is told.

        So what is asked for meanwhile lies elsewhere (the "constant liar" of Ginsbourger, Le Riche
        and Carraro 2010).
        """
        self.history.pending[key(configuration)] = configuration
        self.see(configuration)

    def give_up(self, configuration: Configuration) -> None:
        """It was asked for and is not tried, or not as it stands."""
        self.history.pending.pop(key(configuration), None)

    def ask(
        self,
        admissible: Admissible = lambda configuration: True,
        among: Iterable[Configuration] | None = None,
        price: Price = lambda configuration: 1.0,
    ) -> Configuration | None:
        """The most promising configuration not seen yet, or None if none was admissible.

        ``among`` restricts the choice to what it lists; ``price``, what a trial of an admissible
        one costs, lets what is dear wait. Several may be asked for before the first is told.
        """
        chosen = self._most_promising(admissible, among, price)
        if chosen is not None:
            self.history.pending[key(chosen)] = chosen
            self.see(chosen)
        return chosen

    def front(self) -> list[Told]:
        """The results at the largest fidelity, within the constraints, that no other beats."""
        return self.history.front()

    def _most_promising(
        self, admissible: Admissible, among: Iterable[Configuration] | None, price: Price
    ) -> Configuration | None:
        listed = self._at_random() if among is None else list(among)
        drawn = self._fresh(listed[n] for n in self._generator.permutation(len(listed)))
        if len(self.history.finished) < LEAST_TOLD or self._generator.random() < RANDOM_SHARE:
            return next(filter(admissible, drawn), None)
        rank = _Rank(
            self._acquisition.improvement(),
            self._acquisition.feasibility(),
            _remembered(admissible),
            price,
        )
        best, starts = rank.best(drawn), self._acquisition.leading[:STARTS]
        for step in STEPS if among is None else ():
            near = self._neighbours([*best, *starts], step)
            best, starts = rank.best([*best, *self._fresh(near, but=best)]), []
        return best[0] if best else None

    def _at_random(self) -> list[Configuration]:
        """What was drawn last: drawing and foretelling all anew would double the cost of an ask."""
        drawn = self._draw(RENEWED if self._drawn else SAMPLES)
        self._drawn = [*self._drawn, *drawn][-SAMPLES:]
        return self._drawn

    def _neighbours(self, starts: Sequence[Configuration], step: float) -> Iterator[Configuration]:
        for start in starts:
            seed = int(self._generator.integers(2**31))
            near = get_one_exchange_neighbourhood(start, seed=seed, num_neighbors=4, stdev=step)
            yield from islice(near, NEIGHBOURS)

    def _fresh(
        self, drawn: Iterable[Configuration], but: Sequence[Configuration] = ()
    ) -> list[Configuration]:
        """Those neither seen nor listed twice."""
        found = {key(configuration): configuration for configuration in drawn}
        old = self._seen.union(map(key, but))
        return [configuration for name, configuration in found.items() if name not in old]

    def _forest(self, features: Array, values: Array) -> _Forest:
        return _Forest(features, values, self._seed)


class _Forest:
    """SMAC's random forest, of which the trees' disagreement tells the variance."""

    def __init__(self, features: Array, values: Array, seed: int) -> None:
        self._forest = RandomForest(
            _unit_cube(features.shape[1]),
            n_trees=20,
            n_jobs=1,
            max_leaf_nodes=None,  # the default makes scikit-learn twenty times slower
            min_samples_leaf=1,
            min_samples_split=2,
            seed=seed,
        )
        self._forest.train(features, values[:, np.newaxis])

    def predict(self, points: Array) -> tuple[Array, Array]:
        mean, variance = self._forest.predict(points)
        return np.asarray(mean).flatten(), np.asarray(variance).flatten()


@lru_cache(maxsize=8)
def _unit_cube(columns: int) -> ConfigurationSpace:
    return ConfigurationSpace({f"x{n}": (0.0, 1.0) for n in range(columns)})


class _Rank:
    """Sorts by the improvement, and the most promising by the limits they may break, too, and by
    what a trial of them costs.
    """

    def __init__(
        self, improvement: Score, feasibility: Score, admissible: Admissible, price: Price
    ) -> None:
        self._improvement, self._feasibility = improvement, feasibility
        self._admissible, self._price = admissible, price

    def best(self, pool: Sequence[Configuration]) -> list[Configuration]:
        """The few best of the admissible."""
        if not pool:
            return []
        gains = self._improvement(pool)
        order = np.argsort(-gains, kind="stable")
        first = [place for place in order[:PROMISING] if self._admissible(pool[place])]
        others = (pool[place] for place in order[PROMISING:])
        rest = filter(self._admissible, others)
        if not first:
            return list(islice(rest, STARTS))
        promising = [pool[place] for place in first]
        scores = gains[first] + self._feasibility(promising) - self._worth(promising)
        ranked = [promising[place] for place in np.argsort(-scores, kind="stable")]
        return [*ranked[:STARTS], *islice(rest, max(0, STARTS - len(ranked)))]

    def _worth(self, pool: Sequence[Configuration]) -> Array:
        """The logarithm of the improvement that is worth the price."""
        return THRIFT * np.log([max(self._price(configuration), 1e-9) for configuration in pool])


def _remembered(admissible: Admissible) -> Admissible:
    """Asks only once of each configuration."""
    known: dict[bytes, bool] = {}

    def remembered(configuration: Configuration) -> bool:
        name = key(configuration)
        if name not in known:
            known[name] = admissible(configuration)
        return known[name]

    return remembered
