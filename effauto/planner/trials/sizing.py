"""How much data a trial may read, for the time that it may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from effauto.planner.candidate import Candidate
from effauto.planner.knowledge.scaling import reads
from effauto.planner.results import Result
from effauto.planner.situation import Situation
from effauto.transfer.law import long_enough

# Shares of the training data that a trial may read.
RUNGS = (1.0, 0.5, 0.25, 0.125, 0.0625)
# The part of the search that one trial may take, unless it is said to deserve another.
SLICE = 0.12
# The same from scratch, where the settings of a short training on a small part hold for a long one.
SHORT_SLICE = 0.04
LEAST_SLICE = 8.0
LEAST_EXAMPLES = 50


@dataclass(frozen=True)
class Trial:
    """What to try next: a candidate, a share of the data, and how long that should take.

    ``repeat`` tells with how many seeds it was tried before; each has the next.
    """

    candidate: Candidate
    fidelity: float
    seconds: float
    repeat: int = 0


@dataclass(frozen=True)
class Sizing:
    """Foretells how long trials take; ``trained`` tells which trainings need not be waited for."""

    situation: Situation
    trained: Callable[[Candidate, float], bool]

    @property
    def slice(self) -> float:
        """The part of the search that one trial may take."""
        return SHORT_SLICE if self.situation.from_scratch else SLICE

    def seconds(self, candidate: Candidate, fidelity: float, *, anew: bool = False) -> float:
        """How long a trial takes: training, reloading, judging on the validation rows.

        ``anew``: even if there is such a training, it cannot be shared.
        """
        oracle = self.situation.oracle
        foretold = oracle.foretell(candidate, fidelity)
        rows = len(self.situation.task.validation)
        judging = rows / max(foretold["inference.throughput"].value, 1e-9)
        requests = 65 * foretold["inference.latency"].value
        training = foretold["train.time"].value
        if not anew and self.trained(candidate, fidelity):
            part = oracle.foretell(oracle.trained_part(candidate), fidelity)
            training = max(0.0, training - part["train.time"].value)
        return training + judging + requests + 0.5

    def sized(
        self,
        candidate: Candidate,
        time_left: float,
        *,
        share: float | None = None,
        at_all: bool = False,
    ) -> Trial | None:
        """The candidate on as much data as that share of the search affords, by default ``slice``.

        One that is to be tried ``at_all`` may take half of what is left.
        """
        share = self.slice if share is None else share
        fair = max(LEAST_SLICE, share * self.situation.request.search_time)
        allowed = min(fair, 0.9 * time_left)
        least = None
        for rung in RUNGS:
            if rung < 1 and not self._tells(candidate, rung):
                break
            least = Trial(candidate, rung, self.seconds(candidate, rung))
            if least.seconds <= allowed:
                return least
        return least if at_all and least and least.seconds <= 0.5 * time_left else None

    def _tells(self, candidate: Candidate, share: float) -> bool:
        """Whether a training on that share tells of one on all: of enough rows, and from scratch of
        enough of them for a network of this size.
        """
        if share * self.situation.task.traits.examples < LEAST_EXAMPLES:
            return False
        work = self.situation.oracle.work(candidate)
        return not self.situation.from_scratch or long_enough(*reads(work.on_share(share)))

    def larger(self, result: Result, allowed: float) -> Trial | None:
        """The candidate on more data than it had: the most that ``allowed`` seconds afford."""
        for rung in RUNGS:
            seconds = self.seconds(result.candidate, rung)
            if rung > result.fidelity and seconds <= allowed:
                return Trial(result.candidate, rung, seconds)
        return None
