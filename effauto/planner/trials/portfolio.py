"""What a search tries before its models propose anything: what promises most for its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from effauto.planner.candidate import Candidate
from effauto.planner.knowledge.advice import misleads
from effauto.planner.results import Result
from effauto.planner.situation import Situation
from effauto.planner.trials.promise import Promise
from effauto.planner.trials.sizing import Sizing, Trial

# The part of the search that one of these may take.
OPENING = 0.3
# The part of the search for what earlier trials advise, until some of it is the best so far.
UNPROVEN = 0.1
# Expected logits of quality for which nothing is tried.
LEAST_GAIN = 0.005


@dataclass
class Portfolio:
    """``candidates`` that were not tried yet; those ``advised`` by earlier trials with caution.

    From scratch they are taken as they stand; ``at_all`` asks that each is tried on however little.
    """

    situation: Situation
    sizing: Sizing
    candidates: list[Candidate]
    advised: frozenset[Candidate] = frozenset()
    at_all: bool = False
    _trusted: float = 0.0

    def next(self, results: Sequence[Result], time_left: float) -> Trial | None:
        """The next of them, on as much data as it deserves; None if none is left or affordable."""
        while self.candidates:
            sized = (self._sized(candidate, results, time_left) for candidate in self.candidates)
            trials = [trial for trial in sized if trial and not _done(trial, results)]
            if not self.situation.from_scratch:
                trials = self._promising(trials, results)
            self.candidates = [trial.candidate for trial in trials]
            if not trials:
                return None
            trial = trials[0]
            self.candidates.remove(trial.candidate)
            if self._believed(trial, results):
                return trial
        return None

    def _sized(
        self, candidate: Candidate, results: Sequence[Result], time_left: float
    ) -> Trial | None:
        plain = not candidate.recipe.steps
        if candidate in self.advised and not self.proven(results):
            share = UNPROVEN
        else:
            short = plain or self.situation.from_scratch
            share = self.sizing.slice if short else OPENING
        at_all = plain or self.at_all
        return self.sizing.sized(candidate, time_left, share=share, at_all=at_all)

    def _promising(self, trials: Sequence[Trial], results: Sequence[Result]) -> list[Trial]:
        """What promises most for its time first, without what promises nothing any more.

        The untouched models stay, for all else is compared to them; and where other costs are
        weighed beside quality, so does everything.
        """
        request, promise = self.situation.request, Promise.after(self.situation, results)
        weighed = request.pareto or request.preference.goals
        left = (
            trial
            for trial in trials
            if weighed
            or not trial.candidate.recipe.steps
            or promise.gain(trial.candidate) >= LEAST_GAIN
        )
        return sorted(left, key=lambda trial: -promise.of(trial.candidate, trial.seconds))

    def _believed(self, trial: Trial, results: Sequence[Result]) -> bool:
        """Whether to follow this advice: little of the time before any of it has proved right."""
        if trial.candidate not in self.advised or self.proven(results):
            return True
        if misleads(self.situation.prior, results, self.situation.task.metric):
            return False
        self._trusted += trial.seconds
        return self._trusted <= UNPROVEN * self.situation.request.search_time

    def proven(self, results: Sequence[Result]) -> bool:
        """Whether something advised is the best so far."""
        metric = self.situation.task.metric
        best = max(results, key=lambda result: result.quality(metric), default=None)
        return best is not None and best.candidate in self.advised


def _done(trial: Trial, results: Sequence[Result]) -> bool:
    """Whether it was tried on as much data, as a way to go on from another's training."""
    return any(
        result.candidate == trial.candidate and result.fidelity >= trial.fidelity
        for result in results
    )
