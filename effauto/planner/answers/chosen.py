"""The plan from all that a search measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from effauto.planner.answers.answer import answer, infeasible
from effauto.planner.answers.instant import fits, foretell, instant
from effauto.planner.answers.plan import Alternative, Plan
from effauto.planner.answers.proxies import warnings
from effauto.planner.candidate import Candidate
from effauto.planner.results import Result, choose, front, keeps, latest
from effauto.planner.situation import Situation
from effauto.planner.trials.transferring import transferred
from effauto.preference import parse_preference
from effauto.quantities import show
from effauto.resources import GUARD, QUALITY, Figure

FRONT = ("inference.latency", "model.size", "train.time")
BEST_MEASURED = parse_preference("quality:0%")
NOTHING_MEASURED = "no trial finished within the search: foretold only"
NOTHING_FITTED = "nothing that was tried keeps the budget; this is foretold to keep it"


def chosen(
    situation: Situation,
    results: Sequence[Result],
    pool: Sequence[Candidate],
    search: Mapping[str, Any],
    *,
    interrupted: bool,
) -> Plan:
    """The plan to take the best result; the best that is foretold of ``pool`` if there is none."""
    if not results:
        return instant(
            situation, pool, interrupted=interrupted, search=search, note=NOTHING_MEASURED
        )
    metric = situation.task.metric
    best = best_of(situation, results)
    if best is None:
        untried = _untried_that_fit(situation, results, pool)
        if untried:
            return instant(
                situation, untried, interrupted=interrupted, search=search, note=NOTHING_FITTED
            )
        tried = {result.candidate: result.projected() for result in latest(results)}
        return infeasible(situation, tried, interrupted=interrupted, search=search)
    larger = transferred(situation, results, best)
    if larger is not None:
        name = QUALITY + metric
        return answer(
            situation,
            larger.candidate,
            "interrupted" if interrupted else "feasible",
            estimate=situation.oracle.foretell(larger.candidate) | {name: larger.quality},
            alternatives=_alternatives(situation, results),
            search=search,
            results=results,
            notes=[*larger.notes, *_compared(results, best, metric)],
        )
    return answer(
        situation,
        best.candidate,
        "interrupted" if interrupted else "feasible",
        estimate=at_full_scale(situation, best),
        measurement=best.measured,
        fidelity=best.fidelity,
        alternatives=_alternatives(situation, results),
        search=search,
        results=results,
        notes=[
            *_compared(results, best, metric),
            *_as_good(situation, results, best),
            *_given_up(situation, results, best),
            *warnings(situation, best.candidate, pool),
        ],
    )


def best_of(situation: Situation, results: Sequence[Result]) -> Result | None:
    """What would be chosen of these results; None if none keeps the budget."""
    return choose(results, situation.budget, situation.task.metric, situation.request.preference)


def _as_good(situation: Situation, results: Sequence[Result], best: Result) -> Iterator[str]:
    """What was measured to be better, but within the noise, if nothing else was preferred."""
    metric, preference = situation.task.metric, situation.request.preference
    first = choose(results, situation.budget, metric, BEST_MEASURED)
    if preference.goals or first is None or first.quality(metric) <= best.quality(metric):
        return
    yield (
        f"{first.candidate.described} had {metric} {first.quality(metric):.3f} against "
        f"{best.quality(metric):.3f}, which may be noise: of those as good, the cheapest was taken "
        f"(--prefer '{BEST_MEASURED}' takes the other)"
    )


def _given_up(situation: Situation, results: Sequence[Result], best: Result) -> Iterator[str]:
    """What the preference cost in quality."""
    metric = situation.task.metric
    dearest = choose(results, situation.budget, metric) or best
    if situation.request.prefer.goals and dearest.candidate != best.candidate:
        points = 100 * (dearest.quality(metric) - best.quality(metric))
        yield (
            f"preferring {situation.request.prefer} gives up {points:.1f} points of {metric} "
            f"against {dearest.candidate}"
        )


def _untried_that_fit(
    situation: Situation, results: Sequence[Result], pool: Sequence[Candidate]
) -> list[Candidate]:
    """By estimates that the search's measurements have corrected."""
    tried = {result.candidate for result in results}
    return [c for c in pool if c not in tried and fits(situation, foretell(situation, c))]


def _alternatives(situation: Situation, results: Sequence[Result]) -> list[Alternative]:
    """The front of all that was tried; of what keeps the budget, if the request names its costs."""
    metric, named = situation.task.metric, situation.request.pareto
    if named:
        results = [r for r in results if not keeps(r, situation.budget, reserve=False)]
    return [
        Alternative(r.candidate.model, r.candidate.recipe, at_full_scale(situation, r), r.fidelity)
        for r in sorted(front(results, metric, named or FRONT), key=lambda r: -r.quality(metric))
    ]


def at_full_scale(situation: Situation, result: Result) -> dict[str, Figure]:
    """What a tried candidate should cost and reach when trained on all the data."""
    served = {
        name: figure
        for name, figure in result.projected().items()
        if name.startswith(("inference.", "model.", GUARD))
    }
    name = QUALITY + situation.task.metric
    foretold = situation.oracle.foretell(result.candidate)
    quality = {name: _with_more_data(result, result.measured[name])}
    figures = foretold | served | quality
    return figures | situation.oracle.life(figures)


def _with_more_data(result: Result, quality: Figure) -> Figure:
    if result.fidelity >= 1:
        return quality
    return Figure(
        min(1.0, quality.value + result.gain),
        "1",
        quality.low,
        min(1.0, quality.high + 2 * result.gain),
        "corrected",
        f"{quality.note}, on {result.fidelity:.0%} of the data",
    )


def _compared(results: Sequence[Result], best: Result, metric: str) -> list[str]:
    """One sentence for each untouched model: what choosing otherwise changed."""
    others = (r for r in latest(results) if r.candidate != best.candidate)
    untouched = [r for r in others if not r.candidate.recipe.steps]
    return [_beside(result, best, metric) for result in untouched]


def _beside(result: Result, best: Result, metric: str) -> str:
    size, other = (show(r.projected()["model.size"].value, "byte") for r in (best, result))
    return (
        f"beside {result.candidate} (on {result.fidelity:.0%} of the data): {metric} "
        f"{best.quality(metric):.3f} against {result.quality(metric):.3f}, size {size} against "
        f"{other}"
    )
