"""Which candidate to try next, and on how much data."""

from __future__ import annotations

from collections import Counter
from dataclasses import InitVar, dataclass, field

from effauto.cost.corrections import Pair
from effauto.planner.answers.chosen import best_of
from effauto.planner.candidate import Candidate
from effauto.planner.candidates.space import Space
from effauto.planner.results import Result, keeps, latest
from effauto.planner.situation import Situation
from effauto.planner.trials.continuations import Continuations
from effauto.planner.trials.curves import Curves
from effauto.planner.trials.enlarging import least
from effauto.planner.trials.finalists import to_repeat
from effauto.planner.trials.portfolio import Portfolio
from effauto.planner.trials.promotion import promotable
from effauto.planner.trials.sizing import SLICE, Sizing, Trial
from effauto.planner.trials.surrogate import Surrogate
from effauto.resources import QUALITY

# The part of what is left of the search that a promotion may take.
PROMOTION = 0.6
# The last part of the search, in which the best are tried with other seeds.
REPEATING = 0.3
# Every so many trials, something promising is tried again on more data.
PROMOTE_EVERY = 3


@dataclass
class Strategy:
    """First the ``portfolio``, then what the surrogate proposes, now and then a promotion.

    In between, what can be done with the best of the networks that are trained already. What of
    the portfolio is ``advised`` by earlier trials is tried with caution.
    """

    situation: Situation
    space: Space
    portfolio: InitVar[list[Candidate]]
    seed: int
    advised: InitVar[frozenset[Candidate]] = frozenset()
    results: list[Result] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)

    def __post_init__(self, portfolio: list[Candidate], advised: frozenset[Candidate]) -> None:
        situation = self.situation
        self.surrogate = Surrogate(situation, self.space, self.seed)
        self.curves = Curves(self._metric)
        self.continuations = Continuations(situation.oracle, situation.searched, situation.budget)
        self.sizing = Sizing(situation, self.continuations.ready)
        self.opening = Portfolio(situation, self.sizing, portfolio, advised, at_all=self._given)
        self._combined: Counter[tuple[str, ...]] = Counter()

    def next(self, time_left: float) -> Trial | None:
        """The next trial that can end within ``time_left`` seconds, or None."""
        if (len(self.results) + 1) % PROMOTE_EVERY == 0:
            promotion = self._promotion(PROMOTION * time_left)
            if promotion:
                return promotion
        return (
            self._continued(time_left)
            or self.opening.next(self.results, time_left)
            or self._repeated(time_left)
            or (None if self._given else self._asked(time_left))
            or self._promotion(time_left, last=True)
        )

    def begin(self, trial: Trial) -> None:
        """The trial is under way: nobody else is to try its candidate, which may be a bad one."""
        self.pending.add(trial.candidate.key)
        self.surrogate.begin(trial.candidate)

    def tell(self, result: Result) -> None:
        """Take in a result: for the surrogate, the gains and the corrections of the estimates."""
        self.pending.discard(result.candidate.key)
        self.results.append(result)
        self.continuations.learn(result)
        self._combined[_methods(result.candidate)] += 1
        self.curves.learn(self.results)
        self._refer()
        self.situation.learn(result.candidate.model, _pairs(result))
        self.surrogate.tell(result)

    def tell_failure(self, candidate: Candidate, fidelity: float) -> None:
        """A failed candidate is not tried again."""
        self.pending.discard(candidate.key)
        self.failed[candidate.key] = self.failed.get(candidate.key, 0) + 1
        self.surrogate.tell_failure(candidate, fidelity)

    def seconds(self, candidate: Candidate, fidelity: float) -> float:
        """How long a trial takes."""
        return self.sizing.seconds(candidate, fidelity)

    def _refer(self) -> None:
        """Take limits that are relative to the baseline from what was measured of it."""
        self.situation.refer_to(self.results)
        self.continuations.budget = self.situation.budget
        self.surrogate.constrain()

    def _continued(self, time_left: float) -> Trial | None:
        """Another way to go on from the best training, if the search is free to and has time."""
        if self._given or (self.situation.from_scratch and time_left > self._last_part):
            return None
        # What is frozen is cheap to do again, so it can wait until the portfolio was tried.
        results = [r for r in self.results if r.gradients or not self.opening.candidates]
        found = self.continuations.next(results, self._metric, self.pending)
        if found is None or found[0].key in self.failed:
            return None
        seconds = self.seconds(*found)
        return Trial(*found, seconds) if seconds <= 0.9 * time_left else None

    def _repeated(self, time_left: float) -> Trial | None:
        """Towards the end, one of the best with another seed, until they can be told apart."""
        if self._given or self.situation.from_scratch or time_left > self._last_part:
            return None  # from scratch, what is trained in the end is none of what was tried
        best = best_of(self.situation, self.results)
        if best is None:
            return None
        allowed = [result for result in self.results if self._keeps(result)]
        found = to_repeat(allowed, best, self._metric, {*self.pending, *self.failed})
        if found is None:
            return None
        seconds = self.sizing.seconds(found[0], best.fidelity, anew=True)
        fits = seconds <= 0.9 * time_left
        return Trial(found[0], best.fidelity, seconds, found[1]) if fits else None

    def _asked(self, time_left: float) -> Trial | None:
        """What the surrogate proposes among the legal, affordable and untried."""
        oracle = self.situation.oracle

        def admissible(candidate: Candidate) -> bool:
            return (
                self._combined[_methods(candidate)] < self._most_alike
                and oracle.composition(candidate).legal
                and not self.situation.budget.surely_broken(oracle.foretell(candidate))
                and self.sizing.sized(candidate, time_left) is not None
            )

        def seconds(candidate: Candidate) -> float:
            trial = self.sizing.sized(candidate, time_left)
            return trial.seconds if trial else time_left

        candidate = self.surrogate.ask(admissible, seconds)
        return self.sizing.sized(candidate, time_left) if candidate else None

    def _promotion(self, allowed: float, *, last: bool = False) -> Trial | None:
        """More data, as much as is affordable, for what is promising and might become the best.

        ``last``: there is nothing else to do, so whatever might become the best is promising.
        """
        if self.situation.from_scratch:  # the law of short trainings foretells the end of long ones
            allowed = min(allowed, SLICE * self.situation.request.search_time)
        best = max((r.measured[QUALITY + self._metric].value for r in self.results), default=0.0)
        potential = self.curves.potential
        found = self._promotable()
        if last:
            found = sorted(latest(self.results), key=potential, reverse=True)
        for result in found:
            if self._open(result) and potential(result) >= best:
                trial = self.sizing.larger(result, allowed)
                if trial:
                    return trial
        return None

    def _promotable(self) -> list[Result]:
        names = self.situation.request.pareto

        def points(result: Result) -> tuple[float, ...]:
            figures = {**result.foretold_full, **result.projected()}
            return (-self.curves.potential(result), *(least(name, figures) for name in names))

        return promotable(self.results, self._keeps, points)

    def _open(self, result: Result) -> bool:
        key = result.candidate.key
        return key not in self.failed and key not in self.pending and self._keeps(result)

    def _keeps(self, result: Result) -> bool:
        return not keeps(result, self.situation.budget, reserve=False)

    @property
    def _last_part(self) -> float:
        return REPEATING * self.situation.request.search_time

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


def _methods(candidate: Candidate) -> tuple[str, ...]:
    return (candidate.model, *(step.method for step in candidate.recipe.steps))


def _pairs(result: Result) -> list[Pair]:
    """What was measured beside what was foretold of it."""
    methods = frozenset(result.candidate.recipe.settings)
    return [
        Pair(name, foretold.value, result.measured[name].value, methods)
        for name, foretold in result.foretold.items()
        if name in result.measured and result.measured[name].tier == "measured"
    ]
