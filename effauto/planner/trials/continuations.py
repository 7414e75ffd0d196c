"""What else to do with a network that is trained already: it costs seconds, not minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from effauto.budget import Budget
from effauto.knobs import Value
from effauto.method import Method
from effauto.planner.candidate import Candidate, Oracle, acts_before_trained
from effauto.planner.candidates.climbing import modes
from effauto.planner.candidates.pool import excess, with_settings
from effauto.planner.preferring import expense_of
from effauto.planner.results import Result
from effauto.resources import QUALITY

# Of each training, so many ways to go on are tried before others have their turn.
MOST = 3

Settings = dict[str, dict[str, Value]]


@dataclass
class Continuations:
    """Recipes that share their training with a result, at the scale of that result.

    ``usable`` are the methods for each model; ``trained`` counts what was trained, and on which
    share of the data.
    """

    oracle: Oracle
    usable: Mapping[str, Mapping[str, Method]]
    budget: Budget
    trained: set[tuple[str, float]] = field(default_factory=set)
    _given: Counter[tuple[str, float]] = field(default_factory=Counter)
    _known: dict[str, list[Candidate]] = field(default_factory=dict)

    def learn(self, result: Result) -> None:
        """Note what the trial trained."""
        part = self.oracle.trained_part(result.candidate)
        self.trained.add((part.key, result.fidelity))

    def ready(self, candidate: Candidate, fidelity: float) -> bool:
        """Whether the candidate's training was done, so that it need not wait for it."""
        return (self.oracle.trained_part(candidate).key, fidelity) in self.trained

    def next(
        self, results: Sequence[Result], metric: str, pending: Collection[str] = ()
    ) -> tuple[Candidate, float] | None:
        """The most fitting way to go on from the best training, if not enough were tried.

        What is ``pending``, by key, is being tried.
        """
        trained = [
            r for r in results if QUALITY + metric in r.measured and self._later(r.candidate.model)
        ]
        if not trained:
            return None
        best = max(trained, key=lambda result: result.quality(metric))
        part = self.oracle.trained_part(best.candidate)
        place = (part.key, best.fidelity)
        done = {result.candidate.key for result in results if result.fidelity == best.fidelity}
        fresh = [
            candidate for candidate in self._after(part) if candidate.key not in {*done, *pending}
        ]
        if not fresh or self._given[place] >= MOST:
            return None
        self._given[place] += 1
        return fresh[0], best.fidelity

    def _after(self, part: Candidate) -> list[Candidate]:
        """Every plain way to go on that may keep the budget: the nearest to it, then the plainest.

        Estimates get better while a search runs; the order is found once for each training.
        """
        if part.key not in self._known:
            foretell = self.oracle.foretell
            legal = [
                candidate
                for candidate in dict.fromkeys(self._all(part))
                if self.oracle.composition(candidate).legal
                and not self.budget.surely_broken(foretell(candidate))
            ]
            self._known[part.key] = sorted(
                legal,
                key=lambda c: (
                    excess(foretell(c), self.budget)[0],
                    len(c.recipe.steps),
                    expense_of(foretell(c)),
                ),
            )
        return self._known[part.key]

    def _later(self, model: str) -> list[Method]:
        """Methods that act on a trained model."""
        return [m for m in self.usable[model].values() if not acts_before_trained(m)]

    def _all(self, part: Candidate) -> Iterator[Candidate]:
        later = self._later(part.model)
        first: Settings = {name: dict(setting) for name, setting in part.recipe.settings.items()}
        yield part
        for method in later:
            for setting in modes(method):
                yield with_settings(part, first | {method.name: setting})
        for one, other in combinations(later, 2):
            yield with_settings(part, first | {one.name: {}, other.name: {}})
