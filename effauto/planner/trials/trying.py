"""Try what one is told to, until the clock, the trials or the energy say stop."""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any

from effauto.errors import EffautoError, Interrupted, StoreError
from effauto.execution.crew import Crew, Done, local_crew
from effauto.listener import Listener
from effauto.planner.answers.chosen import best_of
from effauto.planner.clock import Clock
from effauto.planner.interruption import uninterrupted
from effauto.planner.results import Result
from effauto.planner.trials.loyalty import LOYALTY, compare
from effauto.planner.trials.sizing import Trial
from effauto.planner.trials.strategy import Strategy
from effauto.planner.trials.study import work_folder
from effauto.planner.trials.trial import Trials, note_failure
from effauto.store import Store

# What to try in so many seconds, or None.
Next = Callable[[float], Trial | None]


@dataclass(frozen=True)
class Flight:
    """A trial that a worker is busy with: its number in the store, and the worker's place."""

    trial: Trial
    number: int
    place: int


@dataclass
class Trying:
    """Runs trials, as many at once as there are workers, and tells the strategy, the store and
    the listener what became of them.
    """

    strategy: Strategy
    store: Store
    study: int
    clock: Clock
    listener: Listener
    flights: dict[Future[Done], Flight] = field(default_factory=dict)

    def all_of(self, next_trial: Next) -> None:
        """Try what ``next_trial`` says until it says nothing, or a limit of the search is met.

        When it is interrupted, what was in flight is interrupted too, and noted so.
        """
        situation = self.strategy.situation
        folder = work_folder(situation.request)
        try:
            with self._crew() as crew:
                trials = Trials(situation, self.store, self.study, folder)
                try:
                    crew.start()
                    self._fly(next_trial, trials, crew)
                except BaseException as error:
                    self._give_up(error)
                    raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _crew(self) -> Crew:
        request, oracle = self.strategy.situation.request, self.strategy.situation.oracle
        families = {source.traits.family for source in oracle.models.values()}
        if request.dask is None:
            return local_crew(request.workers, families, oracle.hardware)
        from effauto.execution.cluster import cluster_crew

        return cluster_crew(request.dask, families)

    def _fly(self, next_trial: Next, trials: Trials, crew: Crew) -> None:
        """Keep every worker busy; one that has landed is given the next trial."""
        free = list(range(len(crew)))
        while True:
            while free and self.clock.left > 0 and not self._exhausted():
                trial = next_trial(self.clock.left)
                if trial is None:
                    break
                self._begin(trial, free.pop(0), trials, crew)
            if not self.flights:
                return
            landed, _ = wait(self.flights, return_when=FIRST_COMPLETED)
            for future in landed:
                flight = self.flights[future]
                self._land(future, flight, trials, len(crew))
                del self.flights[future]
                free.append(flight.place)

    def _begin(self, trial: Trial, place: int, trials: Trials, crew: Crew) -> None:
        listener = self.listener.of_worker(place, len(crew))
        listener.started(self._begun + 1, trial.candidate, trial.fidelity, trial.seconds)
        number, job = trials.begin(trial)
        seconds = trials.allowed(self.clock.left)
        self.strategy.begin(trial)
        future = crew.submit(place, job, seconds, listener.progress)
        self.flights[future] = Flight(trial, number, place)

    def _land(self, future: Future[Done], flight: Flight, trials: Trials, workers: int) -> None:
        candidate, fidelity = flight.trial.candidate, flight.trial.fidelity
        listener = self.listener.of_worker(flight.place, workers)
        try:
            done = future.result()
        except (StoreError, Interrupted):
            raise
        except EffautoError as error:
            note_failure(self.store, flight.number, error)
            self.strategy.tell_failure(candidate, fidelity)
            listener.failed(candidate, str(error))
            return
        with uninterrupted():  # what the store has finished is part of the plan
            result = trials.finish(flight.number, flight.trial, done)
            self._tell(result)
        best = best_of(self.strategy.situation, self.strategy.results)
        listener.ended(result, best, self.clock.left)

    def _give_up(self, error: BaseException) -> None:
        for flight in self.flights.values():
            with contextlib.suppress(StoreError):  # it may be the store that failed
                note_failure(self.store, flight.number, error)

    def _tell(self, result: Result) -> None:
        """Compare its answers with the baseline's first: the strategy may be guided by them."""
        results = [*self.strategy.results, result]
        for changed in compare(results, self.strategy.situation.untouched):
            if changed.trial is not None:
                self.store.add_measured(changed.trial, {LOYALTY: changed.measured[LOYALTY]})
        self.strategy.tell(result)

    def spent(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "trials": self._tried,
            "failed": sum(self.strategy.failed.values()),
            "seconds": self.clock.seconds,
            "energy": self._joules,
        }

    def _exhausted(self) -> bool:
        """Whether the search may begin no more trials, or has used up its energy."""
        request = self.strategy.situation.request
        joules = request.budget.limit_on("search.energy") or math.inf
        return self._begun >= (request.max_trials or math.inf) or self._joules >= joules

    @property
    def _tried(self) -> int:
        return len(self.strategy.results) + sum(self.strategy.failed.values())

    @property
    def _begun(self) -> int:
        return self._tried + len(self.flights)

    @property
    def _joules(self) -> float:
        measured = (result.measured.get("train.energy") for result in self.strategy.results)
        return sum(figure.value for figure in measured if figure)
