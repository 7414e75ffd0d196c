"""Reads studies back: what was asked for, and how far the search came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from effauto.errors import StoreError
from effauto.store import models
from effauto.store.record import Store


@dataclass(frozen=True)
class StudyRecord:
    """One search as it was stored; ``seconds`` is None while it runs, ``trials`` counts all."""

    number: int
    task: str
    metric: str
    fingerprint: str
    model: str
    hardware: str
    request: Mapping[str, Any]
    state: str
    created_at: datetime
    seconds: float | None
    trials: int


def studies(store: Store, limit: int | None = None) -> list[StudyRecord]:
    """The user's own studies, newest first."""
    return _read(store, _statement().order_by(models.Study.id.desc()).limit(limit))


def study(store: Store, number: int) -> StudyRecord:
    """The study of that number; raises StoreError if there is none."""
    for found in _read(store, _statement().where(models.Study.id == number)):
        return found
    known = [one.number for one in studies(store, 5)]
    there = f"; the last are {', '.join(map(str, known))}" if known else ""
    raise StoreError(f"There is no study {number} in the results database{there}.")


def _statement() -> Any:
    trials = select(func.count()).where(models.Trial.study_id == models.Study.id).scalar_subquery()
    return (
        select(models.Study, models.Task, models.Model.name, models.Machine.name, trials)
        .join(models.Task, models.Task.id == models.Study.task_id)
        .join(models.Model, models.Model.id == models.Study.model_id)
        .join(models.Machine, models.Machine.id == models.Study.hardware_id)
    )


def _read(store: Store, statement: Any) -> list[StudyRecord]:
    with store.own.reading() as session:
        return [
            StudyRecord(
                row.id, task.name, task.metric, task.fingerprint, model, hardware, row.request,
                row.state, row.created_at, row.seconds, trials,
            )
            for row, task, model, hardware, trials in session.execute(statement)
        ]  # fmt: skip
