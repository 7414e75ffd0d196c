"""Candidates worth a look before any search: few methods, at their defaults and extremes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations

from effauto.budget import Budget
from effauto.composition import Refusal, unusable
from effauto.knobs import Value
from effauto.method import Method
from effauto.planner.candidate import Candidate, Oracle
from effauto.recipe import Recipe
from effauto.resources import Figures

# Of the combinations of two methods, so many for each model are extended by a third.
EXTENDED = 4


# What sorts candidates, the most promising first.
Rank = Callable[[Candidate], tuple[float, ...]]


def usable_methods(oracle: Oracle) -> tuple[dict[str, dict[str, Method]], list[Refusal]]:
    """For each model the methods that can act on it here, and why the others can nowhere."""
    usable: dict[str, dict[str, Method]] = {}
    reasons: dict[str, list[Refusal]] = {}
    for name, source in oracle.models.items():
        usable[name] = {}
        for method in oracle.methods.values():
            refusals = unusable(method, oracle.task, source.traits, oracle.hardware)
            missing = sorted(method.requires - source.traits.facts - provided(oracle.methods))
            if missing:
                sentence = f"{method.name} requires {' and '.join(missing).replace('_', ' ')}"
                refusals.append(Refusal(method.name, "requires", sentence))
            if refusals:
                reasons.setdefault(method.name, []).append(refusals[0])
            else:
                usable[name][method.name] = method
    nowhere = [found[0] for found in reasons.values() if len(found) == len(oracle.models)]
    return usable, nowhere


def provided(methods: Mapping[str, Method]) -> frozenset[str]:
    """Every fact that some method can bring about."""
    return frozenset().union(*(method.provides for method in methods.values()))


def singles(oracle: Oracle, usable: Mapping[str, Mapping[str, Method]]) -> list[Candidate]:
    """Each model untouched, and each legal method alone, at its defaults."""
    return list(legal_ones(oracle, _combined(usable, 1)))


def few(
    oracle: Oracle, usable: Mapping[str, Mapping[str, Method]], rank: Rank | None = None
) -> list[Candidate]:
    """Every legal combination of up to two methods at their defaults, and many of three.

    These are made from the pairs of least ``rank``; by default, from those that train fastest.
    """
    rank = rank or (lambda candidate: (oracle.foretell(candidate)["train.time"].value,))
    found = list(legal_ones(oracle, _combined(usable, 2)))
    pairs = [candidate for candidate in found if len(candidate.recipe.steps) == 2]
    for model, methods in usable.items():
        ours = sorted((pair for pair in pairs if pair.model == model), key=rank)[:EXTENDED]
        wider = (with_settings(p, p.recipe.settings | {m: {}}) for p in ours for m in methods)
        fresh = dict.fromkeys(c for c in wider if len(c.recipe.steps) == 3)
        found += legal_ones(oracle, fresh)
    return found


def _combined(usable: Mapping[str, Mapping[str, Method]], most: int) -> Iterator[Candidate]:
    for model, methods in usable.items():
        for count in range(most + 1):
            for chosen in combinations(methods.values(), count):
                if not any(same_slot(*pair) for pair in combinations(chosen, 2)):
                    yield Candidate(model, Recipe.of(*(method.name for method in chosen)))


def excess(foretold: Figures, budget: Budget) -> tuple[float, float]:
    """By how much, as logarithms, the worst limit is missed, and all together (met ones count 0).

    Once all are met, more room is no gain.
    """
    found = [
        max(0.0, math.log(limit.excess(foretold[limit.resource].value)))
        for limit in budget
        if limit.resource in foretold and foretold[limit.resource].value > 0
    ]
    return max(found, default=0.0), sum(found)


def with_settings(candidate: Candidate, settings: Mapping[str, Mapping[str, Value]]) -> Candidate:
    """The candidate's model with these methods in the place of its own."""
    return Candidate(candidate.model, Recipe.from_settings(settings))


def same_slot(one: Method, other: Method) -> bool:
    """Whether no recipe can have both."""
    return one.slot is not None and one.slot == other.slot


def legal_ones(oracle: Oracle, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Those that break no rule."""
    return (candidate for candidate in candidates if oracle.composition(candidate).legal)
