"""What every finished trial was worth: little of each, so that all can be read at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import select

from effauto.recipe import Recipe
from effauto.resources import QUALITY, Figure
from effauto.store import models
from effauto.store.entries import Purpose, State
from effauto.store.filters import Filter
from effauto.store.record import Store
from effauto.store.session import Database
from effauto.traits import ModelTraits, TaskTraits

# The newest of so many, from the user's own and from those that came with effauto.
MOST = 3000
FINISHED = Filter(state="finished")


@dataclass(frozen=True)
class Worth:
    """A finished trial, of whose measurements only the qualities were read."""

    fingerprint: str
    task_traits: TaskTraits
    model: ModelTraits
    recipe: Recipe
    fidelity: float
    purpose: Purpose
    measured: Mapping[str, Figure]
    state: State = "finished"


def qualities(store: Store, wanted: Filter = FINISHED) -> list[Worth]:
    """Of all finished trials, newest first; the user's own before those that were shipped."""
    shipped = [] if store.shipped is None else _read(store.shipped, wanted)
    return [*_read(store.own, wanted), *shipped]


def _read(database: Database, wanted: Filter) -> list[Worth]:
    trial, seen = models.Trial, models.Measurement
    statement = (
        select(
            trial.recipe, trial.fidelity, trial.purpose, models.Task.fingerprint, trial.task_id,
            trial.model_id, seen.resource, seen.value, seen.unit, seen.low, seen.high, seen.note,
        )
        .join(models.Task, models.Task.id == trial.task_id)
        .join(seen, (seen.trial_id == trial.id) & (seen.kind == "measured"))
        .where(*wanted.conditions(), seen.resource.startswith(QUALITY))
        .order_by(trial.started_at.desc(), trial.id.desc())
        .limit(MOST)
    )  # fmt: skip
    with database.reading() as session:

        @cache
        def task(number: int) -> TaskTraits:
            return TaskTraits.from_json(session.get_one(models.Task, number).traits)

        @cache
        def model(number: int) -> ModelTraits:
            return ModelTraits.from_json(session.get_one(models.Model, number).traits)

        return [_worth(row, task, model) for row in session.execute(statement)]


def _worth(
    row: Any, task: Callable[[int], TaskTraits], model: Callable[[int], ModelTraits]
) -> Worth:
    figure = Figure(row.value, row.unit, row.low, row.high, "measured", row.note)
    return Worth(
        fingerprint=row.fingerprint,
        task_traits=task(row.task_id),
        model=model(row.model_id),
        recipe=Recipe.from_json(row.recipe),
        fidelity=row.fidelity,
        purpose=row.purpose,
        measured={row.resource: figure},
    )
