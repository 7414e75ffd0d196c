"""What a candidate promises for the time that it takes, before it was tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

from effauto.budget import Limit
from effauto.planner.advice import misleads
from effauto.planner.candidate import Candidate
from effauto.planner.prior import UNKNOWN_METHOD, logit
from effauto.planner.results import Result, keeps, latest
from effauto.planner.situation import Situation
from effauto.resources import WITHIN, Figure

NORMAL = NormalDist()
# Of an estimate without a range of its own (as a logarithm).
DOUBT = 0.05
# A network that is trained can be brought within a limit afterwards: in other numbers, by another
# runtime.
MENDED = 0.5


@dataclass(frozen=True)
class Promise:
    """Judges candidates by what is known of other tasks and of what was measured so far.

    ``level`` is this task's, in logits; ``best`` is what is to be beaten.
    """

    situation: Situation
    level: float
    best: float
    trusted: bool

    @classmethod
    def after(cls, situation: Situation, results: Sequence[Result]) -> Promise:
        """The level is such that the prior is right about the results in the middle."""
        prior, metric = situation.prior, situation.task.metric
        tried = latest(results)
        seen = {id(result): logit(result.quality(metric)) for result in tried}
        offsets = [seen[id(result)] - prior.gain(result.candidate) for result in tried]
        level = median(offsets) if offsets else prior.level
        kept = [r for r in tried if not keeps(r, situation.budget, reserve=False)]
        worst = min(seen.values(), default=level)
        best = max((seen[id(result)] for result in kept), default=worst)
        trusted = bool(results) and prior.trials > 0 and not misleads(prior, results, metric)
        return cls(situation, level, best, trusted)

    def of(self, candidate: Candidate, seconds: float) -> float:
        """The expected gain in logits for each second, if every limit is kept."""
        return self._gain(candidate) * self._kept(candidate) / max(seconds, 1e-3)

    def _gain(self, candidate: Candidate) -> float:
        """Expected improvement; where nothing is known, the same of all."""
        if not self.trusted:
            return 1.0
        prior = self.situation.prior
        spread = math.hypot(prior.spread, UNKNOWN_METHOD * prior.unknown(candidate))
        better = (self.level + prior.gain(candidate) - self.best) / spread
        return spread * (better * NORMAL.cdf(better) + NORMAL.pdf(better))

    def _kept(self, candidate: Candidate) -> float:
        """The chance that every limit is kept, by the ranges of what is foretold."""
        foretold = self.situation.oracle.foretell(candidate)
        chance = math.prod(
            _chance(limit, foretold[limit.resource])
            for limit in self.situation.budget
            if limit.resource in foretold
        )
        trains = self.situation.oracle.work(candidate).backward_passes > 0
        return max(chance, MENDED) if trains else chance


def _chance(limit: Limit, foretold: Figure) -> float:
    """That a figure, spread evenly as a logarithm, lies on the right side."""
    if min(foretold.low, limit.limit) <= 0:
        return 1.0 if limit.met(foretold.value) else 0.0
    apart = math.log(limit.limit / max(foretold.value, foretold.low))
    spread = max(DOUBT, math.log(foretold.high / foretold.low) / (2 * WITHIN))
    return NORMAL.cdf((-apart if limit.at_least else apart) / spread)
