"""Which candidate to try next, and on how much data."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from dataclasses import dataclass, field

from ConfigSpace import Configuration

from effauto.budget import Budget
from effauto.cost.corrections import Pair
from effauto.planner.advice import misleads
from effauto.planner.candidate import Candidate
from effauto.planner.continuations import Continuations
from effauto.planner.curves import Curves
from effauto.planner.engine.history import key
from effauto.planner.promotion import promotable
from effauto.planner.results import Result, keeps, latest
from effauto.planner.search import Search
from effauto.planner.situation import Situation
from effauto.planner.space import Space, to_options
from effauto.resources import QUALITY, Figures, resource_named

# Shares of the training data that a trial may read.
RUNGS = (1.0, 0.5, 0.25, 0.125, 0.0625)
# The part of the search that one of the opening's candidates may take, and one asked for later;
# the part of what is left that a promotion may take.
OPENING, SLICE, PROMOTION = 0.3, 0.12, 0.6
# The part of the search for what earlier trials advise, until some of it is the best so far.
UNPROVEN = 0.1
LEAST_SLICE = 8.0
# Every so many trials, something promising is tried again on more data.
PROMOTE_EVERY = 3
LEAST_EXAMPLES = 50
# The objective that every search has.
ERROR = "error"


@dataclass(frozen=True)
class Trial:
    """What to try next: a candidate, a share of the data, and how long that should take."""

    candidate: Candidate
    fidelity: float
    seconds: float


@dataclass
class Strategy:
    """First the ``portfolio``, then what the surrogate proposes, now and then a promotion.

    In between, what can be done with the best of the networks that are trained already. What of
    the portfolio is ``advised`` by earlier trials is tried with caution.
    """

    situation: Situation
    space: Space
    portfolio: list[Candidate]
    seed: int
    advised: frozenset[Candidate] = frozenset()
    results: list[Result] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.search = Search(
            self.space.configspace,
            (ERROR, *self.situation.request.pareto),
            self._limits(),
            self.seed,
            foretell=self._foretold_costs,
        )
        self.curves = Curves(self._metric)
        self.continuations = Continuations(
            self.situation.oracle, self.situation.usable, self.situation.budget
        )
        self._combined: Counter[tuple[str, ...]] = Counter()
        self._trusted = 0.0
        self._candidates: dict[bytes, Candidate] = {}

    def next(self, time_left: float) -> Trial | None:
        """The next trial that can end within ``time_left`` seconds, or None."""
        if (len(self.results) + 1) % PROMOTE_EVERY == 0:
            promotion = self._promotion(PROMOTION * time_left)
            if promotion:
                return promotion
        continued = self._continued(time_left)
        if continued:
            return continued
        while self.portfolio:
            candidate = self.portfolio.pop(0)
            at_all = not candidate.recipe.steps or self._given
            trial = self._sized(candidate, time_left, share=self._share(candidate), at_all=at_all)
            if trial and self._believed(trial):
                return trial
        if self._given:
            return self._promotion(time_left, last=True)
        return self._asked(time_left) or self._promotion(time_left, last=True)

    def _share(self, candidate: Candidate) -> float:
        """The part of the search that one of the portfolio may take."""
        if candidate in self.advised and not self._proven:
            return UNPROVEN
        return OPENING if candidate.recipe.steps else SLICE

    def _believed(self, trial: Trial) -> bool:
        """Whether to follow this advice: little of the time before any of it has proved right."""
        if trial.candidate not in self.advised or self._proven:
            return True
        if misleads(self.situation.prior, self.results, self._metric):
            return False
        self._trusted += trial.seconds
        return self._trusted <= UNPROVEN * self.situation.request.search_time

    @property
    def _proven(self) -> bool:
        """Whether something advised is the best so far."""
        best = max(self.results, key=lambda result: result.quality(self._metric), default=None)
        return best is not None and best.candidate in self.advised

    def _continued(self, time_left: float) -> Trial | None:
        """Another way to go on from the best training, if the search is free to and has time."""
        if self._given:
            return None
        # What is frozen is cheap to do again, so it can wait until the portfolio was tried.
        results = [r for r in self.results if r.gradients or not self.portfolio]
        found = self.continuations.next(results, self._metric, self.pending)
        if found is None or found[0].key in self.failed:
            return None
        seconds = self.seconds(*found)
        return Trial(*found, seconds) if seconds <= 0.9 * time_left else None

    def begin(self, trial: Trial) -> None:
        """The trial is under way: nobody else is to try its candidate, which may be a bad one."""
        self.pending.add(trial.candidate.key)
        with contextlib.suppress(ValueError):  # not of the space that is searched
            self.search.begin(self.space.configuration(trial.candidate))

    def tell(self, result: Result) -> None:
        """Take in a result: for the surrogate, the gains and the corrections of the estimates."""
        self.pending.discard(result.candidate.key)
        self.results.append(result)
        self.continuations.learn(result)
        self._combined[_methods(result.candidate)] += 1
        self.curves.learn(self.results)
        self._refer()
        methods = frozenset(result.candidate.recipe.settings)
        self.situation.learn(
            result.candidate.model,
            [
                Pair(name, foretold.value, result.measured[name].value, methods)
                for name, foretold in result.foretold.items()
                if name in result.measured and result.measured[name].tier == "measured"
            ],
        )
        figures = result.projected()
        values = {ERROR: 1 - result.measured[QUALITY + self._metric].value}
        known = {**result.foretold_full, **figures}
        values |= {name: _least(name, known) for name in self.situation.request.pareto}
        self._tell(result.candidate, result.fidelity, values | self._costs(figures))

    def _refer(self) -> None:
        """Take limits that are relative to the baseline from what was measured of it."""
        self.situation.refer_to(self.results)
        self.continuations.budget = self.situation.budget
        self.search.constrain(self._limits())

    def tell_failure(self, candidate: Candidate, fidelity: float) -> None:
        """A failed candidate is not tried again."""
        self.pending.discard(candidate.key)
        self.failed[candidate.key] = self.failed.get(candidate.key, 0) + 1
        self._tell(candidate, fidelity, {})

    def _tell(self, candidate: Candidate, fidelity: float, values: dict[str, float]) -> None:
        try:
            configuration = self.space.configuration(candidate)
        except ValueError:  # a resumed trial of a method that is gone
            return
        if values:
            self.search.tell(configuration, values, fidelity)
        else:
            self.search.tell_failure(configuration, fidelity)

    def _limits(self) -> dict[str, float]:
        """The most of each limited resource; of one that is limited from below, of its inverse."""
        limits: dict[str, float] = {}
        for limit in self._modelled():
            most = _cost(limit.resource, limit.limit)
            limits[limit.resource] = min(most, limits.get(limit.resource, math.inf))
        return limits

    def _costs(self, figures: Figures) -> dict[str, float]:
        """Of every resource that has a limit, or gets one with the baseline."""
        modelled = self._modelled()
        names = {limit.resource for limit in (*modelled, *modelled.relative)}
        return {name: _cost(name, figures[name].value) for name in names & figures.keys()}

    def _foretold_costs(self, configuration: Configuration) -> dict[str, float]:
        oracle, candidate = self.situation.oracle, self._candidate(configuration)
        legal = oracle.composition(candidate).legal
        return self._costs(oracle.foretell(candidate)) if legal else {}

    @property
    def _most_alike(self) -> int:
        """How often the same methods may be tried with other settings, so that all have a turn."""
        return max(3, len(self.results) // 4)

    @property
    def _given(self) -> bool:
        """Whether the user gave the recipe, so that there is nothing to search."""
        return self.situation.request.recipe is not None

    @property
    def _metric(self) -> str:
        return self.situation.task.metric

    def _modelled(self) -> Budget:
        return self.situation.budget.of_phases("train", "inference", "model", "life", "guard")

    def _asked(self, time_left: float) -> Trial | None:
        """What the surrogate proposes among the legal, affordable and untried."""
        oracle = self.situation.oracle

        def admissible(configuration: Configuration) -> bool:
            candidate = self._candidate(configuration)
            return (
                self._combined[_methods(candidate)] < self._most_alike
                and oracle.composition(candidate).legal
                and not self.situation.budget.surely_broken(oracle.foretell(candidate))
                and self._sized(candidate, time_left) is not None
            )

        configuration = self.search.ask(admissible)
        if configuration is None:
            return None
        self.search.give_up(configuration)  # until it begins, with its knobs as they are written
        return self._sized(self._candidate(configuration), time_left)

    def _candidate(self, configuration: Configuration) -> Candidate:
        """What a configuration stands for; remembered, for the surrogate asks again and again."""
        name = key(configuration)
        if name not in self._candidates:
            plain = self.space.candidate(dict(configuration))
            self._candidates[name] = to_options(plain, self.situation.oracle.methods)
        return self._candidates[name]

    def _sized(
        self,
        candidate: Candidate,
        time_left: float,
        *,
        share: float = SLICE,
        at_all: bool = False,
    ) -> Trial | None:
        """The candidate on as much data as that share of the search affords.

        One that is to be tried ``at_all`` may take half of what is left.
        """
        fair = max(LEAST_SLICE, share * self.situation.request.search_time)
        allowed = min(fair, 0.9 * time_left)
        least = None
        for rung in RUNGS:
            if rung < 1 and rung * self.situation.task.traits.examples < LEAST_EXAMPLES:
                break
            least = Trial(candidate, rung, self.seconds(candidate, rung))
            if least.seconds <= allowed:
                return least
        return least if at_all and least and least.seconds <= 0.5 * time_left else None

    def _promotion(self, allowed: float, *, last: bool = False) -> Trial | None:
        """More data, as much as is affordable, for what is promising and might become the best.

        ``last``: there is nothing else to do, so whatever might become the best is promising.
        """
        best = max((r.measured[QUALITY + self._metric].value for r in self.results), default=0.0)
        found = latest(self.results) if last else self._promotable()
        for result in sorted(found, key=self.curves.potential, reverse=True) if last else found:
            if (
                result.candidate.key in self.failed
                or result.candidate.key in self.pending
                or not self._keeps(result)
                or self.curves.potential(result) < best
            ):
                continue
            for rung in RUNGS:
                seconds = self.seconds(result.candidate, rung)
                if rung > result.fidelity and seconds <= allowed:
                    return Trial(result.candidate, rung, seconds)
        return None

    def _promotable(self) -> list[Result]:
        names = self.situation.request.pareto

        def points(result: Result) -> tuple[float, ...]:
            figures = {**result.foretold_full, **result.projected()}
            return (-self.curves.potential(result), *(_least(name, figures) for name in names))

        return promotable(self.results, self._keeps, points)

    def _keeps(self, result: Result) -> bool:
        return not keeps(result, self.situation.budget, reserve=False)

    def seconds(self, candidate: Candidate, fidelity: float) -> float:
        """How long a trial takes: training, reloading, judging on the validation rows."""
        oracle = self.situation.oracle
        foretold = oracle.foretell(candidate, fidelity)
        rows = len(self.situation.task.validation)
        judging = rows / max(foretold["inference.throughput"].value, 1e-9)
        requests = 65 * foretold["inference.latency"].value
        training = foretold["train.time"].value
        if self.continuations.ready(candidate, fidelity):
            part = oracle.foretell(oracle.trained_part(candidate), fidelity)
            training = max(0.0, training - part["train.time"].value)
        return training + judging + requests + 0.5


def _methods(candidate: Candidate) -> tuple[str, ...]:
    return (candidate.model, *(step.method for step in candidate.recipe.steps))


def _least(resource: str, figures: Figures) -> float:
    """What is to be minimised of a resource: its logarithm, for costs differ by factors."""
    return math.log(_cost(resource, figures[resource].value))


def _cost(resource: str, value: float) -> float:
    """The value, or its inverse if more of it is better; never 0."""
    bounded = max(value, 1e-9)
    return 1 / bounded if resource_named(resource).higher_is_better else bounded
