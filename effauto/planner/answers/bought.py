"""What each method of a recipe bought: the recipe beside itself without the method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from effauto.planner.answers.ablation import Bought, Pair
from effauto.planner.candidate import Candidate, Oracle
from effauto.planner.results import Result, pooled
from effauto.planner.situation import Situation
from effauto.recipe import Recipe
from effauto.resources import QUALITY

COSTS = ("train.time", "train.memory", "inference.latency", "model.size")


def bought(
    situation: Situation, candidate: Candidate, results: Sequence[Result] = ()
) -> tuple[Bought, ...]:
    """What each method of ``candidate`` bought: measured if ``results`` tell it, else foretold."""
    return tuple(
        _bought(situation, candidate, step.method, results) for step in candidate.recipe.steps
    )


def without(candidate: Candidate, method: str) -> Candidate:
    """The candidate with that method left out."""
    settings = {n: setting for n, setting in candidate.recipe.settings.items() if n != method}
    return Candidate(candidate.model, Recipe.from_settings(settings))


def unmeasured(
    situation: Situation, candidate: Candidate, results: Sequence[Result], fidelity: float
) -> Iterator[Candidate]:
    """What must be tried at that scale so that what each method bought is measured."""
    oracle = situation.oracle
    fewer = (without(candidate, step.method) for step in candidate.recipe.steps)
    for wanted in (candidate, *fewer):
        if oracle.composition(wanted).legal and _tried(oracle, wanted, results, fidelity) is None:
            yield wanted


def _bought(
    situation: Situation, candidate: Candidate, method: str, results: Sequence[Result]
) -> Bought:
    rest = without(candidate, method)
    refusals = situation.oracle.composition(rest).refusals
    if refusals:
        return Bought(method, reason=f"it cannot be left out: {refusals[0].sentence}")
    quality = QUALITY + situation.task.metric
    foretold = [
        situation.oracle.foretell(c)
        | {quality: situation.prior.told_apart(situation.prior.quality(c))}
        for c in (candidate, rest)
    ]
    pairs = {name: Pair(*(figures[name] for figures in foretold)) for name in (quality, *COSTS)}
    seen = _both_tried(situation.oracle, candidate, rest, results)
    if seen is None:
        return Bought(method, 0.0, pairs)
    measured = {
        name: Pair(*(result.measured[name] for result in seen))
        for name in pairs
        if all(name in result.measured for result in seen)
    }
    return Bought(method, seen[0].fidelity, pairs | measured)


def _both_tried(
    oracle: Oracle, candidate: Candidate, rest: Candidate, results: Sequence[Result]
) -> tuple[Result, Result] | None:
    """Both on the same data, as many of them as possible."""
    for fidelity in sorted({result.fidelity for result in results}, reverse=True):
        one = _tried(oracle, candidate, results, fidelity)
        other = _tried(oracle, rest, results, fidelity)
        if one and other:
            return one, other
    return None


def _tried(
    oracle: Oracle, candidate: Candidate, results: Sequence[Result], fidelity: float
) -> Result | None:
    key = _spelt_out(oracle, candidate)
    found = [
        r for r in results if r.fidelity == fidelity and _spelt_out(oracle, r.candidate) == key
    ]
    return pooled(found) if found else None


def _spelt_out(oracle: Oracle, candidate: Candidate) -> str:
    """Equal for candidates that differ only in whether defaults are written."""
    steps = oracle.composition(candidate).steps
    settings = {method.name: setting for method, setting in steps}
    return Candidate(candidate.model, Recipe.from_settings(settings)).key
