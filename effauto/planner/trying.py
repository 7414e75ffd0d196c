"""Try what one is told to, until the clock, the trials or the energy say stop."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from effauto.errors import EffautoError, Interrupted, StoreError
from effauto.execution.pool import Worker
from effauto.planner.chosen import best_of
from effauto.planner.clock import Clock
from effauto.planner.listener import Listener
from effauto.planner.loyalty import LOYALTY, compare
from effauto.planner.results import Result
from effauto.planner.strategy import Strategy, Trial
from effauto.planner.study import work_folder
from effauto.planner.trials import Trials
from effauto.store import Store

# What to try in so many seconds, or None.
Next = Callable[[float], Trial | None]


@dataclass
class Trying:
    """Runs trials and tells the strategy, the store and the listener what became of them."""

    strategy: Strategy
    store: Store
    study: int
    clock: Clock
    listener: Listener

    def all_of(self, next_trial: Next) -> None:
        """Try what ``next_trial`` says until it says nothing, or a limit of the search is met."""
        situation = self.strategy.situation
        folder = work_folder(situation.request)
        families = {source.traits.family for source in situation.oracle.models.values()}
        try:
            with Worker(families) as worker:
                worker.start()
                trials = Trials(situation, self.store, self.study, worker, folder)
                while self.clock.left > 0 and not self._exhausted():
                    trial = next_trial(self.clock.left)
                    if trial is None:
                        break
                    self._try(trial, trials)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def spent(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "trials": self._tried,
            "failed": sum(self.strategy.failed.values()),
            "seconds": self.clock.seconds,
            "energy": self._joules,
        }

    def _exhausted(self) -> bool:
        """Whether the search may run no more trials, or has used up its energy."""
        request = self.strategy.situation.request
        joules = request.budget.limit_on("search.energy") or math.inf
        return self._tried >= (request.max_trials or math.inf) or self._joules >= joules

    def _try(self, trial: Trial, trials: Trials) -> None:
        situation, clock, listener = self.strategy.situation, self.clock, self.listener
        listener.started(self._tried + 1, trial.candidate, trial.fidelity, trial.seconds)
        seed = situation.request.seed
        try:
            result = trials.run(
                trial.candidate, trial.fidelity, seed, clock.left, listener.progress
            )
        except (StoreError, Interrupted):
            raise
        except EffautoError as error:
            self.strategy.tell_failure(trial.candidate, trial.fidelity)
            listener.failed(trial.candidate, str(error))
            return
        self._tell(result)
        best = best_of(situation, self.strategy.results)
        listener.ended(result, best, clock.left)

    def _tell(self, result: Result) -> None:
        """Compare its answers with the baseline's first: the strategy may be guided by them."""
        results = [*self.strategy.results, result]
        for changed in compare(results, self.strategy.situation.untouched):
            if changed.trial is not None:
                self.store.add_measured(changed.trial, {LOYALTY: changed.measured[LOYALTY]})
        self.strategy.tell(result)

    @property
    def _tried(self) -> int:
        return len(self.strategy.results) + sum(self.strategy.failed.values())

    @property
    def _joules(self) -> float:
        measured = (result.measured.get("train.energy") for result in self.strategy.results)
        return sum(figure.value for figure in measured if figure)
