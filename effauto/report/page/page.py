"""What the page of a plan, or of a study, tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from effauto.budget import Budget
from effauto.method import Method
from effauto.planner.answers.plan import Plan
from effauto.report.ledger import summary
from effauto.report.page.costs import Labelled, search_costs, target_setting
from effauto.report.page.more import more_budget
from effauto.report.page.picture import Picture, picture
from effauto.report.page.points import Point, best_point, points_of, points_tried
from effauto.report.page.progress import course, pairs
from effauto.report.page.tables import Row, Table, bought_table, figure_rows, study_rows
from effauto.report.plan import answer, describe
from effauto.report.values import meaning
from effauto.resources import QUALITY
from effauto.store import TrialRecord
from effauto.store.studies import StudyRecord
from effauto.traits import PLAIN_TEXT


@dataclass(frozen=True)
class Page:
    """All texts of the page; ``points``, ``course`` and ``pairs`` are what its charts draw.

    ``tone`` is good, bad or open. A study has neither ``ruled_out`` nor ``more``.
    """

    title: str
    sentence: str
    tone: str
    metric: str
    budget: Budget
    rows: Sequence[Row]
    points: Sequence[Point]
    course: Sequence[Mapping[str, Any]]
    pairs: Mapping[str, Sequence[Mapping[str, Any]]]
    facts: Sequence[str]
    setting: Sequence[Labelled]
    spent: Sequence[Labelled]
    picture: Picture | None = None
    order: Sequence[str] = ()
    bought: Table | None = None
    more: Sequence[str] = ()
    ruled_out: Sequence[tuple[str, str, str]] = ()
    ledger: Sequence[str] = ()
    notes: Sequence[str] = ()
    command: str = ""

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script reads."""
        units = {name: f.unit for point in self.points for name, f in point.figures.items()}
        return {
            "metric": self.metric,
            "points": [point.to_json() for point in self.points],
            "resources": {name: _resource(name, units[name]) for name in sorted(units)},
            "limits": [limit.to_json() | {"said": str(limit)} for limit in self.budget],
            "course": list(self.course),
            "pairs": {name: list(found) for name, found in self.pairs.items()},
        }


def page_of_plan(
    plan: Plan, methods: Mapping[str, Method], trials: Sequence[TrialRecord] = ()
) -> Page:
    """The page of a plan; ``trials`` are those of its search, as far as the store has them."""
    tones = {"feasible": "good", "infeasible": "bad"}
    return Page(
        title=f"effauto: {plan.task_name}",
        sentence=answer(plan),
        tone="bad" if plan.infeasible else tones.get(plan.status, "open"),
        metric=QUALITY + plan.task.metric,
        budget=plan.budget,
        rows=figure_rows(plan),
        points=list(_points(plan, trials)),
        course=course(trials, QUALITY + plan.task.metric, plan.budget),
        pairs=pairs(trials),
        facts=list(_facts(plan)),
        setting=target_setting(plan),
        spent=search_costs(plan),
        picture=picture(plan.model, plan.recipe, methods),
        order=plan.order,
        bought=bought_table(plan),
        more=more_budget(plan),
        ruled_out=[(one.method, one.rule, one.sentence) for one in plan.ruled_out],
        ledger=[*summary(plan.ledger)] if plan.ledger else [],
        notes=plan.notes,
        command="" if plan.infeasible else "effauto run plan.json --output model",
    )


def page_of_study(study: StudyRecord, trials: Sequence[TrialRecord]) -> Page:
    """The page of a study: all that its trials measured."""
    budget, metric = Budget.from_json(study.request["budget"]), QUALITY + study.metric
    points = points_tried(trials, budget)
    seconds = "" if study.seconds is None else f" in {study.seconds:.0f} s"
    return Page(
        title=f"effauto: study {study.number}",
        sentence=_so_far(study, trials, points, metric),
        tone="good" if study.state == "finished" and best_point(points, metric) else "open",
        metric=metric,
        budget=budget,
        rows=study_rows(points, metric, budget),
        points=points,
        course=course(trials, metric, budget),
        pairs=pairs(trials),
        facts=[f"begun {study.created_at:%Y-%m-%d %H:%M} UTC", f"data {study.fingerprint}"],
        setting=[("Machine", study.hardware), ("Model asked for", study.model)],
        spent=[("Trials", f"{study.trials}{seconds}, {study.state}")],
    )


def page_of_trials(task: str, trials: Sequence[TrialRecord], budget: Budget) -> Page:
    """A page of any trials of one task, to look for its fronts; empty of them, it has no chart."""
    return Page(
        title="effauto: fronts",
        sentence=f"{len(trials)} trials of {task}",
        tone="open",
        metric=QUALITY + trials[0].task_traits.metric if trials else "",
        budget=budget,
        rows=(),
        points=points_tried(trials, budget),
        course=(),
        pairs={},
        facts=(),
        setting=(),
        spent=(),
    )


def _points(plan: Plan, trials: Sequence[TrialRecord]) -> Iterator[Point]:
    """A trial on all of the data is known from the answer or its alternatives already."""
    points = points_of(plan)
    yield from points
    known = {(point.name, point.share) for point in points}
    for point in points_tried(trials, plan.budget):
        if (point.name, point.share) not in known:
            yield point


def _so_far(
    study: StudyRecord, trials: Sequence[TrialRecord], points: Sequence[Point], metric: str
) -> str:
    best = best_point(points, metric)
    if best is None:
        return f"Study {study.number} of {study.task}: no trial yet keeps the budget."
    trial = next(trial for trial in trials if f"trial-{trial.id}" == best.id)
    value, name = best.figures[metric].value, metric.removeprefix(QUALITY)
    what = describe(trial.model.name, trial.recipe)
    share = f" on {trial.fidelity:.0%} of the data" if trial.fidelity < 1 else ""
    best_of = "The best for" if study.state == "finished" else "Best so far for"
    return f"{best_of} {study.task} is {what}: {name} {value:.3f}{share}."


def _resource(name: str, unit: str) -> dict[str, Any]:
    found = meaning(name, unit)
    return {"unit": found.unit, "more": found.higher_is_better, "meaning": found.meaning}


def _facts(plan: Plan) -> Iterator[str]:
    parts = "pieces" if plan.task.kind in PLAIN_TEXT else "classes"
    yield f"{plan.task.kind.replace('-', ' ')} into {len(plan.classes):,} {parts}"
    yield f"{plan.task.examples:,} training examples"
    yield f"measured on {plan.fidelity:.0%} of the data" if plan.measurement else "foretold only"
    yield f"seed {plan.seed}"
