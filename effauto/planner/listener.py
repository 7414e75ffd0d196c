"""What a user may watch while a plan is made or run."""

from __future__ import annotations

from effauto.planner.candidate import Candidate
from effauto.planner.results import Result


class Listener:
    """Told what happens, as it happens; each call must be quick. This one keeps silent."""

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
