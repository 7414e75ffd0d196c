"""Warnings of a plan whose limit, or whose method, aims at a number that is not what is meant."""

from __future__ import annotations

from collections.abc import Sequence

from effauto.cost.indicators import poor_proxies, scattered_zeros
from effauto.planner.candidate import Candidate
from effauto.planner.situation import Situation

# Recipes that are ranked: more would cost time and tell the same.
MOST_RANKED = 200


def warnings(situation: Situation, chosen: Candidate, candidates: Sequence[Candidate]) -> list[str]:
    """Sentences on poor proxies, judged over the candidates of the chosen model."""
    oracle = situation.oracle
    zeros = oracle.work(chosen).density < 1
    if not zeros and not situation.budget.limits:
        return []
    ranked = _spread([found for found in candidates if found.model == chosen.model])
    recipes = [oracle.foretell(candidate) for candidate in ranked]
    found = poor_proxies(situation.budget, recipes)
    if zeros:
        left = [oracle.work(candidate) for candidate in ranked]
        found.append(scattered_zeros([work.parameters * work.density for work in left], recipes))
    return found


def _spread(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """At most so many of them, evenly."""
    step = -(-len(candidates) // MOST_RANKED) or 1
    return candidates[::step]
