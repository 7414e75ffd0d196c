"""From what a search found on small models and few rows to the training that the budget is for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from statistics import fmean

import numpy as np

from effauto.planner.candidate import Candidate
from effauto.planner.candidates.climbing import stretches
from effauto.planner.candidates.pool import excess
from effauto.planner.knowledge.scaling import reads
from effauto.planner.results import Result
from effauto.planner.situation import Situation
from effauto.quantities import show
from effauto.recipe import Recipe
from effauto.resources import QUALITY, Figure
from effauto.traits import FROM_SCRATCH
from effauto.transfer.law import ScalingLaw, fitted

# What a training may take of its limits, which are foretold.
RESERVE = 0.9
# Quality (a share) that a recipe is taken to lose for each time that its data would have to be
# doubled to be what another was tried on: on little, some look better than they are.
UNPROVEN = 0.002
# How many times the passes with which a recipe was tried it may take: from which on a text that is
# read again teaches nothing more depends on the text.
LONGER = 2
# Quality (a share) by which what nobody trained must be foretold to be better, and the least by
# which it may be off.
BETTER, DOUBT = 0.003, 0.01


@dataclass(frozen=True)
class Transferred:
    """A candidate at full size, the quality foretold of it, and where its settings were tuned."""

    candidate: Candidate
    quality: Figure
    notes: tuple[str, ...]


def transferred(
    situation: Situation, results: Sequence[Result], best: Result
) -> Transferred | None:
    """What was tried, on the size, and with the passes, that the budget is for.

    Only for models that are trained from scratch, whose settings hold at every size. None if
    nothing larger or longer is foretold to be clearly better, or too little was tried to tell.
    """
    models = situation.oracle.models
    if FROM_SCRATCH not in models[best.candidate.model].traits.facts:
        return None
    seen = list(_seen(situation, results))
    law = fitted([(one.parameters, one.tokens, one.loss) for one in seen])
    if law is None:
        return None
    larger = list(_larger(situation, law, results, best))
    if not larger:
        return None
    tuned, chosen, foretold = min(larger, key=itemgetter(2))
    gain = _foretold(situation, law, results, best) - foretold
    if gain < BETTER:
        return None
    off = max(DOUBT, 2 * float(np.std([law.loss(o.parameters, o.tokens) - o.loss for o in seen])))
    measured = best.measured[QUALITY + situation.task.metric].value
    value = min(1.0, measured + gain)
    note = f"foretold by the law of {len(seen)} trials here"
    quality = Figure(value, "1", max(0.0, value - off), min(1.0, value + off), "corrected", note)
    return Transferred(chosen, quality, tuple(_told(situation, results, tuned, chosen, law)))


@dataclass(frozen=True)
class _Seen:
    """A training: parameters, new tokens that its reading is worth, and 1 - its quality."""

    parameters: float
    tokens: float
    loss: float


def _seen(situation: Situation, results: Sequence[Result]) -> Iterator[_Seen]:
    """Of each size and reading what lost least: other settings were worse tuned."""
    found: dict[tuple[float, float], float] = {}
    for result in results:
        if result.gradients:
            place = reads(situation.oracle.work(result.candidate).on_share(result.fidelity))
            loss = 1 - result.measured[QUALITY + situation.task.metric].value
            found[place] = min(loss, found.get(place, 1.0))
    for (parameters, tokens), loss in found.items():
        yield _Seen(parameters, tokens, loss)


def _larger(
    situation: Situation, law: ScalingLaw, results: Sequence[Result], best: Result
) -> Iterator[tuple[Result, Candidate, float]]:
    """Each recipe that was tried, on each size, with the loss foretold; where it was tuned first.

    A recipe that trains in less time reads more in the end, so it need not be the best so far.
    """
    for same in _by_recipe(results):
        tuned = max(same, key=lambda result: (result.fidelity, -result.seed))
        worse = _worse(situation, law, same, results)
        for candidate in _enlarged(situation, tuned):
            if candidate != best.candidate:
                yield tuned, candidate, _loss(situation, law, candidate) + worse


def _by_recipe(results: Sequence[Result]) -> Iterable[Sequence[Result]]:
    """Trainings with the same settings, whatever the size and the share of the data."""
    found: dict[Recipe, list[Result]] = {}
    for result in results:
        if result.gradients:
            found.setdefault(result.candidate.recipe, []).append(result)
    return found.values()


def _foretold(
    situation: Situation, law: ScalingLaw, results: Sequence[Result], best: Result
) -> float:
    """The loss foretold of the best so far, as that of what nobody tried is."""
    same = next((same for same in _by_recipe(results) if best in same), [best])
    worse = _worse(situation, law, same, results)
    return _loss(situation, law, best.candidate, best.fidelity) + worse


def _worse(
    situation: Situation, law: ScalingLaw, same: Sequence[Result], results: Sequence[Result]
) -> float:
    """By how much a recipe loses more than the law has it; that it lost less is no merit of it.

    What it lost on the most data counts, and that others were tried on more.
    """
    most = max(result.fidelity for result in same)
    longest = [result for result in same if result.fidelity == most]
    found = fmean(_excess(situation, law, result) for result in longest)
    halvings = math.log2(max(result.fidelity for result in results) / most)
    return found + UNPROVEN * halvings


def _excess(situation: Situation, law: ScalingLaw, result: Result) -> float:
    lost = 1 - result.measured[QUALITY + situation.task.metric].value
    return max(0.0, lost - _loss(situation, law, result.candidate, result.fidelity))


def _loss(situation: Situation, law: ScalingLaw, candidate: Candidate, share: float = 1.0) -> float:
    return law.loss(*reads(situation.oracle.work(candidate).on_share(share)))


def _enlarged(situation: Situation, tuned: Result) -> Iterator[Candidate]:
    """The tuned recipe on each size, reading as often as the budget, and what was tried, allow."""
    oracle, budget = (
        situation.oracle,
        situation.budget.tightened(RESERVE / _slower(situation, tuned)),
    )
    passes = LONGER * oracle.work(tuned.candidate).backward_passes
    settings = tuned.candidate.recipe.settings
    for stretch in stretches(situation.usable):
        found = stretch.longest(oracle, budget, settings, passes)
        legal = oracle.composition(found).legal
        if legal and excess(oracle.foretell(found), budget)[0] == 0:
            yield found


def _slower(situation: Situation, tuned: Result) -> float:
    """How many times as long as foretold this very recipe took, at least once."""
    foretold = situation.oracle.foretell(tuned.candidate, tuned.fidelity)["train.time"]
    return max(1.0, tuned.measured.get("train.time", foretold).value / foretold.value)


def _told(
    situation: Situation,
    results: Sequence[Result],
    tuned: Result,
    chosen: Candidate,
    law: ScalingLaw,
) -> Iterator[str]:
    oracle = situation.oracle
    spent = sum(r.measured["train.flops"].value for r in results if "train.flops" in r.measured)
    once = oracle.foretell(chosen)["train.flops"].value
    moved = f"transferred to {chosen.model} by maximal update"
    if chosen.model == tuned.candidate.model:
        moved = "given as many passes there as the budget allows"
    yield (
        f"tuned on {tuned.candidate.model} (on {tuned.fidelity:.0%} of the data) and {moved}: the "
        f"search took {show(spent, '1')} operations for {len(results)} trials, this training takes "
        f"{show(once, '1')}"
    )
    yield (
        "its quality was not measured: the law of Hoffmann et al. 2022 with constants of these "
        f"trials foretells it (loss in bits saved: {law.floor:.3f} + {law.a:.3g} / parameters^"
        f"{law.alpha:g} + {law.b:.3g} / tokens^{law.beta:g})"
    )
