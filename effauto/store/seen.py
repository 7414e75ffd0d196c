"""Finished trials with a few of their figures: read fast, however many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from effauto.resources import QUALITY
from effauto.store import models
from effauto.store.entries import Origin
from effauto.store.filters import Filter
from effauto.store.record import Store
from effauto.store.session import Database
from effauto.store.setting import TargetSetting


@dataclass(frozen=True)
class Seen:
    """Where a trial ran, what, and the values of what was asked for (SI units or bytes)."""

    place: tuple[Any, ...]
    task: str
    recipe: tuple[tuple[str, str], ...]
    seed: int
    values: Mapping[str, float]


def seen(store: Store, wanted: Filter, resources: Sequence[str]) -> list[Seen]:
    """All trials that pass ``wanted``, newest first, with those of ``resources`` they measured.

    Two of them have the same ``place`` if they are of the same task, model, target setting and
    share of the training, judged on the same split.
    """
    found = _read(store.own, "own", wanted, resources)
    if store.shipped is not None and wanted.study is None:
        found += _read(store.shipped, "shipped", wanted, resources)
    return found


def metrics(store: Store, wanted: Filter) -> list[str]:
    """The qualities that tasks of these trials are judged by."""
    trial = models.Trial
    found: set[str] = set()
    for database in filter(None, (store.own, store.shipped)):
        statement = (
            select(models.Task.metric)
            .where(models.Task.id.in_(select(trial.task_id).where(*wanted.conditions())))
            .distinct()
        )
        with database.reading() as session:
            found |= {QUALITY + metric for metric in session.scalars(statement)}
    return sorted(found)


def tasks(store: Store) -> list[str]:
    """Names of the tasks of finished trials, those with the newest first."""
    trial = models.Trial
    newest: dict[str, datetime] = {}
    for database in filter(None, (store.own, store.shipped)):
        statement = (
            select(models.Task.name, func.max(trial.started_at))
            .join(trial, trial.task_id == models.Task.id)
            .where(trial.state == "finished")
            .group_by(models.Task.name)
        )
        with database.reading() as session:
            for name, at in session.execute(statement):
                newest[name] = max(at, newest.get(name, at))
    return sorted(newest, key=lambda name: newest[name], reverse=True)


def _read(
    database: Database, origin: Origin, wanted: Filter, resources: Sequence[str]
) -> list[Seen]:
    trial = models.Trial
    columns: list[Any] = [
        trial.recipe, trial.seed, trial.fidelity, trial.purpose, models.Task.fingerprint,
        models.Task.name, models.Model.key, models.Machine.name, models.Machine.threads,
        trial.versions,
    ]  # fmt: skip
    statement = (
        select(*columns)
        .join(models.Task, models.Task.id == trial.task_id)
        .join(models.Model, models.Model.id == trial.model_id)
        .join(models.Machine, models.Machine.id == trial.hardware_id)
        .where(trial.state == "finished", *wanted.conditions())
        .order_by(trial.started_at.desc(), trial.id.desc())
    )
    for resource in resources:
        one = aliased(models.Measurement)
        here = (one.trial_id == trial.id) & (one.kind == "measured") & (one.resource == resource)
        statement = statement.outerjoin(one, here).add_columns(one.value)
    with database.reading() as session:
        return [_seen(origin, tuple(row), resources) for row in session.execute(statement)]


def _seen(origin: Origin, row: tuple[Any, ...], resources: Sequence[str]) -> Seen:
    recipe, seed, fidelity, purpose, fingerprint, task, model, *others = row
    hardware, threads, versions, *values = others
    libraries = (versions.get(name, "") for name in ("torch", "transformers"))
    setting = TargetSetting(hardware, threads, *libraries)
    return Seen(
        (origin, fingerprint, model, setting, fidelity, purpose == "search"),
        task,
        tuple((step["method"], _setting(step.get("setting", {}))) for step in recipe),
        seed,
        {n: value for n, value in zip(resources, values, strict=True) if value is not None},
    )


def _setting(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={setting[name]}" for name in sorted(setting))
