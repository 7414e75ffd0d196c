"""From a chosen candidate and its figures to the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from effauto.cost import explain_infeasible
from effauto.cost.ledger import at_volume
from effauto.planner.answers.accounts import ledger_of
from effauto.planner.answers.bought import bought
from effauto.planner.answers.plan import Alternative, Plan, Status
from effauto.planner.candidate import Candidate
from effauto.planner.results import Result
from effauto.planner.situation import Situation
from effauto.recipe import Recipe
from effauto.resources import QUALITY, Figures

NOTHING_SPENT: Mapping[str, Any] = MappingProxyType(
    {"trials": 0, "failed": 0, "seconds": 0.0, "energy": 0.0}
)


def answer(
    situation: Situation,
    candidate: Candidate,
    status: Status,
    *,
    estimate: Figures,
    measurement: Figures = MappingProxyType({}),
    fidelity: float = 0.0,
    alternatives: Sequence[Alternative] = (),
    search: Mapping[str, Any] = NOTHING_SPENT,
    infeasible: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    results: Sequence[Result] = (),
) -> Plan:
    """The plan to take ``candidate``, with every setting of its methods spelt out.

    ``results`` tell what each of its methods bought.
    """
    request, task = situation.request, situation.task
    composition = situation.oracle.composition(candidate)
    ledger = None
    if infeasible is None:
        ledger = ledger_of(situation, candidate, estimate, alternatives, search)
        ledger = at_volume(ledger, request.use.per_second) if request.use else ledger
    return Plan(
        status=status,
        task=task.traits,
        task_name=task.name,
        fingerprint=task.fingerprint,
        classes=task.classes,
        model=candidate.model,
        hardware=situation.hardware,
        budget=situation.whole_budget,
        recipe=Recipe.from_settings({m.name: setting for m, setting in composition.steps}),
        order=composition.reasons,
        estimate=estimate,
        measurement=dict(measurement),
        fidelity=fidelity,
        seed=request.seed,
        alternatives=tuple(alternatives),
        ruled_out=tuple(situation.ruled_out),
        search={**search, "seed": request.seed},
        infeasible=infeasible,
        data=request.data.to_json(),
        notes=(*task.notes, *_resolved(situation), *notes),
        versions={method.name: method.version for method, _ in composition.steps},
        prices=request.prices,
        place=request.place,
        ledger=ledger,
        prefer=request.preference,
        use=request.use,
        bought=() if infeasible else bought(situation, candidate, results),
    )


def _resolved(situation: Situation) -> Iterator[str]:
    """How each limit that is relative to the baseline became a figure."""
    reference = situation.reference
    known = f"measured on {reference.fidelity:.0%} of the data" if reference else "foretold"
    for limit in situation.whole_budget:
        if limit.text:
            yield f"{limit}: by {situation.untouched}, as {known}"
    for unknown in situation.whole_budget.relative:
        yield f"{unknown} was not checked: {situation.untouched} was not tried"


def infeasible(
    situation: Situation,
    candidates: Mapping[Candidate, Figures],
    *,
    interrupted: bool = False,
    search: Mapping[str, Any] = NOTHING_SPENT,
    notes: Sequence[str] = (),
) -> Plan:
    """No answer: say which limits bind, and what the least relaxations would allow."""
    named = {candidate.described: candidate for candidate in candidates}
    figures = {name: candidates[candidate] for name, candidate in named.items()}
    quality = QUALITY + situation.task.metric
    worth = {name: f[quality].value for name, f in figures.items() if quality in f}
    explained = explain_infeasible(figures, situation.budget, worth)
    nearest = named[explained.nearest]
    return answer(
        situation,
        nearest,
        "interrupted" if interrupted else "infeasible",
        estimate=candidates[nearest],
        search=dict(search),
        infeasible=explained.to_json(),
        notes=notes,
    )
