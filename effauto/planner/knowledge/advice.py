"""What earlier trials advise to try first, and whether they are to be believed.

A portfolio by greedy cover (Xu et al. 2010, "Hydra"; Feurer et al. 2022, "Auto-Sklearn 2.0"): each
next recipe is the one that, beside those before it, would have left the least regret on the tasks
most like this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from statistics import median

from effauto.planner.candidate import Candidate
from effauto.planner.knowledge.effects import likeness
from effauto.planner.knowledge.prior import Prior, Record, counts, logit
from effauto.planner.results import Result, latest
from effauto.resources import QUALITY
from effauto.traits import TaskTraits

# So many wrong orders, and more wrong than right, and the advice is no longer followed.
ENOUGH = 2

# By task: how like this one it is, and the logit of each recipe's quality there.
Known = Mapping[str, tuple[float, Mapping[Candidate, float]]]


def portfolio(
    records: Iterable[Record], task: TaskTraits, fingerprint: str, count: int
) -> list[Candidate]:
    """The recipes of earlier full trials that together cover the tasks like this one best."""
    resource = QUALITY + task.metric
    known = _known([r for r in records if counts(r, resource, fingerprint)], task)
    offered = list(dict.fromkeys(c for _, found in known.values() for c in found))
    chosen: list[Candidate] = []
    while offered and len(chosen) < count:
        best = min(offered, key=lambda candidate: _regret(known, [*chosen, candidate]))
        offered.remove(best)
        chosen.append(best)
    return chosen


def _known(records: Iterable[Record], task: TaskTraits) -> Known:
    resource = QUALITY + task.metric
    found: dict[str, tuple[float, dict[Candidate, float]]] = {}
    for record in records:
        alike = likeness(record.task_traits, task)
        _, recipes = found.setdefault(record.fingerprint, (alike, {}))
        candidate = Candidate(record.model.name, record.recipe)
        recipes.setdefault(candidate, logit(record.measured[resource].value))
    return found


def _regret(known: Known, chosen: Sequence[Candidate]) -> float:
    """What the best of the chosen leaves to the best of each task; untried there is middling."""
    total = 0.0
    for alike, found in known.values():
        middle = median(found.values())
        best = max(found.get(candidate, middle) for candidate in chosen)
        total += alike * (max(found.values()) - best)
    return total


def misleads(prior: Prior, results: Sequence[Result], metric: str) -> bool:
    """Whether what was measured here contradicts the order that earlier trials foretold.

    Only pairs count of which both foretold and measured differ by more than their noise.
    """
    tried = [result for result in latest(results) if result.candidate.key not in prior.exact]
    right = wrong = 0
    for one, other in combinations(tried, 2):
        foretold = prior.gain(one.candidate) - prior.gain(other.candidate)
        measured = logit(one.quality(metric)) - logit(other.quality(metric))
        if abs(foretold) > 0.5 * prior.spread and abs(measured) > 0.5 * prior.spread:
            agree = foretold * measured > 0
            right, wrong = right + agree, wrong + (not agree)
    return wrong >= ENOUGH and wrong > right
