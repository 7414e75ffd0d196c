"""What may be watched while a plan is made or run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from effauto.planner.answers.plan import Plan
    from effauto.planner.candidate import Candidate
    from effauto.planner.results import Result
    from effauto.planner.running.outcome import Outcome

log = logging.getLogger(__name__)


class Listener:
    """Told what happens, as it happens; each call must be quick. This one keeps silent.

    One that a plugin offers has a ``name``, by which users ask for it, and does nothing before it
    is told something; ``packages`` maps import names that it cannot do without to the extra of
    effauto (or the distribution) that installs them.
    """

    name: ClassVar[str] = ""
    packages: ClassVar[Mapping[str, str]] = {}

    def note(self, sentence: str) -> None:
        """Something worth knowing, once."""

    def of_worker(self, place: int, workers: int) -> Listener:
        """Who is to be told of the trials of the worker at ``place``, of so many; by default one
        for all.
        """
        return self

    def started(self, number: int, candidate: Candidate, fidelity: float, seconds: float) -> None:
        """A trial starts; it should take about so many seconds."""

    def progress(self, what: str, share: float) -> None:
        """The running trial is so far with one of its phases, from 0 to 1."""

    def ended(self, result: Result, best: Result | None, time_left: float) -> None:
        """A trial finished; ``best`` is the answer if the search stopped now."""

    def failed(self, candidate: Candidate, error: str) -> None:
        """A trial failed; the search goes on."""

    def planned(self, plan: Plan) -> None:
        """The plan is made, from a search or at once."""

    def carried_out(self, outcome: Outcome) -> None:
        """A plan was run: its model was saved, reloaded and measured."""


class Several(Listener):
    """Tells one listener and then others; of the others, one that fails is told no more.

    So a server that is down costs its own records and never the search.
    """

    def __init__(
        self, first: Listener, others: Sequence[Listener], worker: tuple[int, int] = (0, 1)
    ) -> None:
        self._first = first
        self._others = list(others)
        self._worker = worker

    def of_worker(self, place: int, workers: int) -> Listener:
        """Shares those who are told, so that one that fails is told no more of any worker."""
        found = Several(self._first.of_worker(place, workers), (), (place, workers))
        found._others = self._others
        return found

    def note(self, sentence: str) -> None:
        self._tell(lambda one: one.note(sentence))

    def started(self, number: int, candidate: Candidate, fidelity: float, seconds: float) -> None:
        self._tell(lambda one: one.started(number, candidate, fidelity, seconds))

    def progress(self, what: str, share: float) -> None:
        self._tell(lambda one: one.progress(what, share))

    def ended(self, result: Result, best: Result | None, time_left: float) -> None:
        self._tell(lambda one: one.ended(result, best, time_left))

    def failed(self, candidate: Candidate, error: str) -> None:
        self._tell(lambda one: one.failed(candidate, error))

    def planned(self, plan: Plan) -> None:
        self._tell(lambda one: one.planned(plan))

    def carried_out(self, outcome: Outcome) -> None:
        self._tell(lambda one: one.carried_out(outcome))

    def _tell(self, event: Callable[[Listener], None]) -> None:
        event(self._first)
        for other in list(self._others):
            try:
                event(other.of_worker(*self._worker))
            except Exception as error:  # another's code, and often another's server
                self._others.remove(other)
                told = " ".join(str(error).split())[:200] or type(error).__name__
                log.debug("%s failed", other.name, exc_info=True)
                self._first.note(f"{other.name} is told no more: {told}")
