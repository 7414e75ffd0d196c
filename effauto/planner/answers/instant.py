"""The answer from what is known, without trying anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from effauto.planner.answers.answer import NOTHING_SPENT, answer, infeasible
from effauto.planner.answers.plan import Alternative, Plan
from effauto.planner.answers.proxies import warnings
from effauto.planner.candidate import Candidate
from effauto.planner.engine.objectives import nondominated
from effauto.planner.preferring import preferred
from effauto.planner.results import loss
from effauto.planner.situation import JUDGED, Situation
from effauto.resources import QUALITY, Figures

MOST_ALTERNATIVES = 12
# Where nothing is known: a bag of words is preferred to a network with more methods than this.
PLAIN_WORDS = 2.5
# No quality is foretold so well that a recipe need be longer for less than a point of it.
KNOWN_DIGITS = 2
FORETOLD_ONLY = "foretold only: nothing was tried (give --search-time to measure)"


def instant(
    situation: Situation,
    pool: Sequence[Candidate],
    *,
    interrupted: bool = False,
    search: Mapping[str, Any] = NOTHING_SPENT,
    note: str = FORETOLD_ONLY,
) -> Plan:
    """The candidate of ``pool`` that is foretold to be best within the budget."""
    foretold = {candidate: foretell(situation, candidate) for candidate in pool}
    allowed = [candidate for candidate in pool if fits(situation, foretold[candidate])]
    if not allowed:
        return infeasible(situation, foretold, interrupted=interrupted, search=search, notes=[note])
    ranked = sorted(allowed, key=lambda c: _worth(situation, c, foretold[c]), reverse=True)
    if situation.request.preference.goals:
        first = _preferred(situation, allowed, foretold)
        ranked = [first, *(candidate for candidate in ranked if candidate != first)]
    best, *others = ranked
    if situation.request.pareto:
        others = _front(situation, {candidate: foretold[candidate] for candidate in ranked})
    return answer(
        situation,
        best,
        "interrupted" if interrupted else "feasible",
        estimate=foretold[best],
        alternatives=[
            Alternative(c.model, c.recipe, foretold[c], 0.0) for c in others[:MOST_ALTERNATIVES]
        ],
        search=search,
        notes=[note, *_unguarded(situation), *warnings(situation, best, pool)],
    )


def _unguarded(situation: Situation) -> Iterator[str]:
    for guard in situation.budget.of_phases("guard"):
        yield f"{guard} was not checked: only a trial (--search-time) of this recipe can tell"


def _front(situation: Situation, foretold: Mapping[Candidate, Figures]) -> list[Candidate]:
    """What no other is foretold to beat in quality and in each resource that the request names."""
    names = (QUALITY + situation.task.metric, *situation.request.pareto)
    points = [[loss(figures, name) for name in names] for figures in foretold.values()]
    candidates = list(foretold)
    return [candidates[place] for place in nondominated(np.array(points))]


def foretell(situation: Situation, candidate: Candidate) -> Figures:
    """All costs and the quality of a candidate, at full scale."""
    quality = {QUALITY + situation.task.metric: situation.prior.quality(candidate)}
    return situation.oracle.foretell(candidate) | quality


def fits(situation: Situation, foretold: Figures) -> bool:
    """Whether what is foretold keeps every limit but the guards, which only a trial can tell."""
    budget = situation.budget.of_phases(*(phase for phase in JUDGED if phase != "guard"))
    return not budget.broken({name: f.value for name, f in foretold.items()})


def _preferred(
    situation: Situation, allowed: Sequence[Candidate], foretold: Mapping[Candidate, Figures]
) -> Candidate:
    """What the user's goals leave; of those alike, what is worth most."""
    metric = situation.task.metric

    def figures(candidate: Candidate) -> Figures:
        name = QUALITY + metric
        return {**foretold[candidate], name: situation.prior.told_apart(foretold[candidate][name])}

    left = preferred(allowed, figures, situation.request.preference, metric)
    return max(left, key=lambda c: _worth(situation, c, foretold[c]))


def _worth(
    situation: Situation, candidate: Candidate, foretold: Figures
) -> tuple[float, float, float]:
    """What is known to be good first; then the plainest transformer, then the fastest training."""
    prior = situation.prior
    quality = prior.quality(candidate).value if prior.informed else 0.0
    linear = situation.oracle.models[candidate.model].traits.family == "linear"
    plainness = -len(candidate.recipe.steps) - PLAIN_WORDS * linear
    return round(quality, KNOWN_DIGITS), plainness, -foretold["train.time"].value
