"""What more budget would buy."""

from __future__ import annotations

from collections.abc import Iterator

from effauto.planner.answers.plan import Alternative, Plan
from effauto.report.page.points import broken_by, spelt_out
from effauto.report.values import written
from effauto.resources import QUALITY

MOST = 5


def more_budget(plan: Plan) -> list[str]:
    """A sentence for each known recipe that is better and breaks a limit; else why none is."""
    if plan.infeasible:
        return list(plan.infeasible["reasons"])
    if not plan.budget.limits:
        return ["No limit was given, so nothing was kept from the answer."]
    found = list(_better(plan))[:MOST]
    if found:
        return found
    if not plan.measurement:
        return ["This plan weighed only what keeps the budget; a search tries more."]
    return ["No recipe that was tried is better and breaks a limit."]


def _better(plan: Plan) -> Iterator[str]:
    metric = QUALITY + plan.task.metric
    best = plan.estimate[metric].value if metric in plan.estimate else 1.0
    others = (other for other in plan.alternatives if metric in other.figures)
    for other in sorted(others, key=lambda o: -o.figures[metric].value):
        needed = list(_needed(plan, other))
        gain = other.figures[metric].value - best
        if needed and gain > 0:
            name = spelt_out(other.model, other.recipe)
            yield f"{' and '.join(needed)} would buy {100 * gain:.1f} points more: {name}."


def _needed(plan: Plan, other: Alternative) -> Iterator[str]:
    for limit in broken_by(other.figures, plan.budget):
        figure = other.figures[limit.resource]
        value = written(limit.resource, figure.value, figure.unit)
        allowed = written(limit.resource, limit.limit, limit.unit)
        yield f"{value} of {limit.resource} instead of {allowed}"
