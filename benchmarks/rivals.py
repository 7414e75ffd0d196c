"""Others' searchers behind one interface: ask for a configuration, tell what it gave.

Optuna needs ``pip install -c constraints.txt 'effauto[bench]'``.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ConfigSpace import CategoricalHyperparameter, Configuration, ConfigurationSpace
from ConfigSpace import UniformIntegerHyperparameter as Integer
from ConfigSpace.exceptions import ForbiddenValueError


class Searcher(Protocol):
    """Minimises costs, each excess (by which a limit was missed, in logs) being 0 or less."""

    def ask(self) -> Configuration | None:
        """What to try next; None for what the space itself forbids, which is told all the same."""

    def tell(
        self, asked: Configuration | None, costs: Sequence[float], excess: Mapping[str, float]
    ) -> None:
        """What came of what was asked last."""


Make = Callable[[ConfigurationSpace, int, Sequence[str], Sequence[str], int], Searcher]


class Chance:
    """Draws from the space as it is."""

    def __init__(self, space: ConfigurationSpace, seed: int) -> None:
        space.seed(seed)
        self._space = space

    def ask(self) -> Configuration:
        return self._space.sample_configuration()

    def tell(self, asked: Configuration, costs: Any, excess: Any) -> None:
        """Nothing is learnt."""


class Effauto:
    """``effauto.Search``."""

    def __init__(
        self, space: ConfigurationSpace, seed: int, goals: Sequence[str], limits: Sequence[str]
    ) -> None:
        from effauto import Search

        self.search = Search(space, goals, dict.fromkeys(limits, 1.0), seed)

    def ask(self) -> Configuration:
        found = self.search.ask()
        if found is None:
            raise RuntimeError("every configuration was asked for")
        return found

    def tell(
        self, asked: Configuration, costs: Sequence[float], excess: Mapping[str, float]
    ) -> None:
        from math import exp

        names = self.search.history.objectives
        limits = {name: exp(found) for name, found in excess.items()}
        self.search.tell(asked, dict(zip(names, map(float, costs), strict=True)) | limits)


class Optuna:
    """A study of Optuna's with one of its samplers, at the defaults but for the seed."""

    def __init__(
        self, space: ConfigurationSpace, seed: int, goals: Sequence[str], sampler: str
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        made = getattr(optuna.samplers, sampler)(seed=seed)
        self._study = optuna.create_study(sampler=made, directions=["minimize"] * len(goals))
        self._space, self._trial = space, None

    def ask(self) -> Configuration | None:
        self._trial = self._study.ask()
        try:
            return Configuration(self._space, values=_suggested(self._trial, self._space))
        except ForbiddenValueError:  # Optuna knows no forbidden combinations
            return None

    def tell(
        self, asked: Configuration | None, costs: Sequence[float], excess: Mapping[str, float]
    ) -> None:
        for name, found in excess.items():
            self._trial.set_constraint(name, found)
        self._study.tell(self._trial, list(map(float, costs)))


def _suggested(trial: Any, space: ConfigurationSpace) -> dict[str, Any]:
    """One value for each name that its parents leave active; these come first in a space."""
    values: dict[str, Any] = {}
    for name, found in space.items():
        conditions = space.parent_conditions_of[name]
        if not all(c.parent.name in values and c.satisfied_by_value(values) for c in conditions):
            continue
        if isinstance(found, CategoricalHyperparameter):
            values[name] = trial.suggest_categorical(name, list(found.choices))
        elif isinstance(found, Integer):
            values[name] = trial.suggest_int(name, found.lower, found.upper, log=found.log)
        else:
            values[name] = trial.suggest_float(name, found.lower, found.upper, log=found.log)
    return values


class Smac:
    """SMAC's facade for hyperparameters at its defaults; its ParEGO if there are several goals.

    It knows no limits: a missed one adds its excess to the first cost.
    """

    def __init__(
        self, space: ConfigurationSpace, seed: int, goals: Sequence[str], trials: int
    ) -> None:
        from smac import HyperparameterOptimizationFacade as Facade
        from smac import Scenario
        from smac.multi_objective import ParEGO

        logging.getLogger("smac").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore")
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        scenario = Scenario(
            space,
            name="rival",
            output_directory=self._folder.name,
            deterministic=True,
            objectives=list(goals) if len(goals) > 1 else goals[0],
            n_trials=trials,
            seed=seed,
        )
        several = {"multi_objective_algorithm": ParEGO(scenario)} if len(goals) > 1 else {}
        self._facade = Facade(
            scenario, lambda config, seed: 0.0, overwrite=True, logging_level=False, **several
        )
        self._info: Any = None

    def ask(self) -> Configuration:
        self._info = self._facade.ask()
        return self._info.config

    def tell(
        self, asked: Configuration, costs: Sequence[float], excess: Mapping[str, float]
    ) -> None:
        from smac.runhistory.dataclasses import TrialValue

        missed = sum(max(0.0, found) for found in excess.values())
        found = [float(costs[0]) + missed, *map(float, costs[1:])]
        value = TrialValue(cost=found if len(found) > 1 else found[0], time=0.0)
        self._facade.tell(self._info, value, save=False)


MAKERS: dict[str, Make] = {
    "effauto": lambda space, seed, goals, limits, trials: Effauto(space, seed, goals, limits),
    "TPE": lambda space, seed, goals, limits, trials: Optuna(space, seed, goals, "TPESampler"),
    "NSGA-II": lambda space, seed, goals, limits, trials: Optuna(
        space, seed, goals, "NSGAIISampler"
    ),
    "SMAC": lambda space, seed, goals, limits, trials: Smac(space, seed, goals, trials),
    "random": lambda space, seed, goals, limits, trials: Chance(space, seed),
}
