"""Which trials are wanted, and in what order, said to a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import aliased

from effauto.budget import Budget, Limit
from effauto.resources import resource_named
from effauto.store import models
from effauto.store.entries import Purpose, State

# So many of a fingerprint's characters are shown, and name a task.
SHOWN = 12


@dataclass(frozen=True)
class Filter:
    """Which trials are wanted: those that pass every condition that is set.

    ``task`` is a name, a fingerprint, or the beginning of one, as it is shown; every one of
    ``method`` and none of ``without`` stands in the recipe; ``where`` is met by what was measured;
    ``recipe`` is a recipe's key. Of methods that ``versions`` names, none is of another version.
    """

    task: str | None = None
    model: str | None = None
    hardware: str | None = None
    method: Collection[str] = ()
    without: Collection[str] = ()
    where: Budget = field(default_factory=Budget)
    state: State | None = None
    purpose: Purpose | None = None
    study: int | None = None
    since: datetime | None = None
    recipe: str | None = None
    fidelity: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same, for the database."""
        trial = models.Trial
        wanted: list[ColumnElement[bool]] = []
        if self.task is not None:
            wanted.append(trial.task_id.in_(select(models.Task.id).where(_is(self.task))))
        if self.model is not None:
            named = select(models.Model.id).where(models.Model.name == self.model)
            wanted.append(trial.model_id.in_(named))
        if self.hardware is not None:
            machine = select(models.Machine.id).where(models.Machine.name == self.hardware)
            wanted.append(trial.hardware_id.in_(machine))
        wanted += [_uses(name) for name in self.method]
        wanted += [~_uses(name) for name in self.without]
        wanted += [_meets(limit) for limit in self.where]
        for column, value in (
            (trial.state, self.state),
            (trial.purpose, self.purpose),
            (trial.study_id, self.study),
            (trial.recipe_key, self.recipe),
            (trial.fidelity, self.fidelity),
        ):
            if value is not None:
                wanted.append(column == value)
        if self.since is not None:
            wanted.append(trial.started_at >= self.since)
        if self.versions:
            wanted.append(~of_other_versions(self.versions))
        return wanted


def in_order(
    statement: Select[models.Trial], resource: str | None, *, measured_only: bool = False
) -> Select[models.Trial]:
    """Newest first; with a resource, best measured first, and those without a figure last.

    Where only those with a figure are wanted, a database need not sort what it has an index of.
    """
    newest = models.Trial.started_at.desc(), models.Trial.id.desc()
    if resource is None:
        return statement.order_by(*newest)
    seen = aliased(models.Measurement)
    one = (
        (seen.trial_id == models.Trial.id) & (seen.kind == "measured") & (seen.resource == resource)
    )
    value = seen.value.desc() if resource_named(resource).higher_is_better else seen.value.asc()
    if measured_only:
        return statement.join(seen, one).order_by(value, *newest)
    return statement.outerjoin(seen, one).order_by(value.nulls_last(), *newest)


def of_other_versions(versions: Mapping[str, str]) -> ColumnElement[bool]:
    """Whether a trial used a method that is named here, at another version than stands here."""
    row = models.MethodRow
    known = [f"{name} {version}" for name, version in versions.items()]
    other = row.name.in_(versions) & (row.name + " " + row.version).not_in(known)
    used = select(models.TrialMethod.trial_id).join(row, row.id == models.TrialMethod.method_id)
    return models.Trial.id.in_(used.where(other))


def _is(task: str) -> ColumnElement[bool]:
    named = models.Task.name == task
    if len(task) < SHOWN:
        return named
    return named | models.Task.fingerprint.startswith(task, autoescape=True)


def _uses(method: str) -> ColumnElement[bool]:
    return exists().where(
        models.TrialMethod.trial_id == models.Trial.id,
        models.TrialMethod.method_id == models.MethodRow.id,
        models.MethodRow.name == method,
    )


def _meets(limit: Limit) -> ColumnElement[bool]:
    seen = models.Measurement
    return exists().where(
        seen.trial_id == models.Trial.id,
        seen.resource == limit.resource,
        seen.kind == "measured",
        seen.unit == limit.unit,
        seen.value >= limit.limit if limit.at_least else seen.value <= limit.limit,
    )
