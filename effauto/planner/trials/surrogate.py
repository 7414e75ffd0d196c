"""The search over configurations, in the planner's words: candidates, results and limits."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

from ConfigSpace import Configuration

from effauto.budget import Budget
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.drawing import Draws
from effauto.planner.candidates.space import Space
from effauto.planner.engine.history import key
from effauto.planner.results import Result
from effauto.planner.search import Search
from effauto.planner.situation import Situation
from effauto.planner.trials.enlarging import cost, least
from effauto.resources import QUALITY, Figures

# The objective that every search has.
ERROR = "error"


class Surrogate:
    """Learns from results what to try next: quality first, with what ``--pareto`` names beside it.

    Resources with a limit are modelled too, and foretold costs are an input of their models.
    """

    def __init__(self, situation: Situation, space: Space, seed: int) -> None:
        self.situation, self.space = situation, space
        self._pareto = situation.request.pareto
        self._candidates: dict[bytes, Candidate] = {}
        objectives = (ERROR, *self._pareto)
        self.search = Search(
            space.configspace,
            objectives,
            self._limits(),
            seed,
            foretell=self._foretold_costs,
            draw=Draws(space, situation.oracle, seed),
        )

    def begin(self, candidate: Candidate) -> None:
        """It is being tried."""
        with contextlib.suppress(ValueError):  # not of the space that is searched
            self.search.begin(self.space.configuration(candidate))

    def tell(self, result: Result) -> None:
        """Take in what was measured."""
        figures = result.projected()
        quality = result.measured[QUALITY + self.situation.task.metric].value
        values = {ERROR: 1 - quality}
        known = {**result.foretold_full, **figures}
        values |= {name: least(name, known) for name in self._pareto}
        with contextlib.suppress(ValueError):  # a resumed trial of a method that is gone
            configuration = self.space.configuration(result.candidate)
            self.search.tell(configuration, values | self._costs(figures), result.fidelity)

    def tell_failure(self, candidate: Candidate, fidelity: float) -> None:
        """Take in that nothing came of it."""
        with contextlib.suppress(ValueError):
            self.search.tell_failure(self.space.configuration(candidate), fidelity)

    def constrain(self) -> None:
        """Take over the limits as they stand now."""
        self.search.constrain(self._limits())

    def ask(
        self, admissible: Callable[[Candidate], bool], seconds: Callable[[Candidate], float]
    ) -> Candidate | None:
        """The most promising candidate, unlike any before, or None if none is admissible.

        One that takes more ``seconds`` must promise more.
        """
        configuration = self.search.ask(
            lambda found: admissible(self._candidate(found)),
            price=lambda found: seconds(self._candidate(found)),
        )
        if configuration is None:
            return None
        self.search.give_up(configuration)  # until it begins, with its knobs as they are written
        return self._candidate(configuration)

    def _candidate(self, configuration: Configuration) -> Candidate:
        """What a configuration stands for; remembered, for the search asks again and again."""
        name = key(configuration)
        if name not in self._candidates:
            self._candidates[name] = self.space.candidate(configuration)
        return self._candidates[name]

    def _limits(self) -> dict[str, float]:
        """The most of each limited resource; of one that is limited from below, of its inverse."""
        limits: dict[str, float] = {}
        for limit in self._modelled():
            most = cost(limit.resource, limit.limit)
            limits[limit.resource] = min(most, limits.get(limit.resource, math.inf))
        return limits

    def _costs(self, figures: Figures) -> dict[str, float]:
        """Of every resource that has a limit, or gets one with the baseline."""
        modelled = self._modelled()
        names = {limit.resource for limit in (*modelled, *modelled.relative)}
        return {name: cost(name, figures[name].value) for name in names & figures.keys()}

    def _foretold_costs(self, configuration: Configuration) -> dict[str, float]:
        oracle, candidate = self.situation.oracle, self._candidate(configuration)
        legal = oracle.composition(candidate).legal
        return self._costs(oracle.foretell(candidate)) if legal else {}

    def _modelled(self) -> Budget:
        return self.situation.budget.of_phases("train", "inference", "model", "life", "guard")
