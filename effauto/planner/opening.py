"""What to try first in a search."""

from __future__ import annotations

from collections.abc import Sequence

from effauto.planner.candidate import Candidate
from effauto.planner.situation import Situation

# Of each model's few cheap candidates; of what earlier trials recommend.
CHEAP, KNOWN = 2, 3
# A candidate is cheap if all of its training takes no more than this part of the search.
CHEAP_SHARE = 0.12
# It must not be cheap for leaving most labels out.
LABELS_KEPT = 0.9


def opening(situation: Situation, pool: Sequence[Candidate]) -> list[Candidate]:
    """Each model untouched, the simplest that cost seconds, and what is known to be good.

    Cheapest first. The untouched models are tried even where they break the budget: all else is
    compared to them.
    """
    budget, prior = situation.budget, situation.prior
    foretell = situation.oracle.foretell
    allowed = [c for c in pool if c.recipe.steps and not budget.surely_broken(foretell(c))]
    first = list(map(Candidate, situation.oracle.models))
    for model in situation.oracle.models:
        first += _simplest(situation, [c for c in allowed if c.model == model])
    if prior.trials:
        first += sorted(allowed, key=lambda c: -prior.quality(c).value)[:KNOWN]
    return sorted(dict.fromkeys(first), key=lambda c: foretell(c)["train.time"].value)


def _simplest(situation: Situation, allowed: Sequence[Candidate]) -> list[Candidate]:
    """Of the candidates that train on all data in a small part of the search, the fewest methods.

    The cheapest one if none does.
    """
    limit = CHEAP_SHARE * situation.request.search_time

    def cost(candidate: Candidate) -> float:
        return situation.oracle.foretell(candidate)["train.time"].value

    def keeps_labels(candidate: Candidate) -> bool:
        labels = situation.oracle.foretell(candidate)["train.labels"].value
        return labels >= LABELS_KEPT * situation.task.traits.examples

    whole = [c for c in allowed if keeps_labels(c)]
    cheap = [c for c in whole if cost(c) <= limit]
    if not cheap:
        return sorted(whole, key=cost)[:1]
    return sorted(cheap, key=lambda c: (len(c.recipe.steps), cost(c)))[:CHEAP]
