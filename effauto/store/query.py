"""Reads trials back, the user's own and those that came with effauto."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from effauto.errors import EffautoError, StoreError
from effauto.recipe import Recipe
from effauto.resources import Figure, resource_named
from effauto.store import models
from effauto.store.entries import Artefact, MethodVersion, Origin, TrialRecord
from effauto.store.filters import Filter, in_order, of_other_versions
from effauto.store.record import Store
from effauto.store.session import Database
from effauto.traits import ModelTraits, TaskTraits

EVERYTHING = Filter()


def trials(
    store: Store, wanted: Filter = EVERYTHING, *, sort: str | None = None, limit: int | None = None
) -> list[TrialRecord]:
    """The trials that pass ``wanted``: newest first, or best first by the resource ``sort``.

    Trials in which it was not measured come last. Raises BudgetError for an unknown resource.
    A study is one of the user's own, so asking for one leaves shipped trials out.
    """
    found = [_sorted(store.own, "own", wanted, sort, limit)]
    if store.shipped is not None and wanted.study is None:
        found.append(_sorted(store.shipped, "shipped", wanted, sort, limit))
    return list(islice(merge(*found, key=_sort_key(sort)), limit))


def _sorted(
    database: Database, origin: Origin, wanted: Filter, sort: str | None, limit: int | None
) -> list[TrialRecord]:
    """As :func:`trials`, of one database."""
    all_of_them = select(models.Trial).where(*wanted.conditions())
    if sort is not None and limit is not None:  # often enough have a figure
        best = in_order(all_of_them, sort, measured_only=True).limit(limit)
        found = _read(database, origin, best)
        if len(found) == limit:
            return found
    return _read(database, origin, in_order(all_of_them, sort).limit(limit))


def outdated(store: Store, versions: Mapping[str, str]) -> int:
    """How many of the user's finished trials used a method named here at another version."""
    count = (
        select(func.count())
        .select_from(models.Trial)
        .where(models.Trial.state == "finished", of_other_versions(versions))
    )
    with store.own.reading() as session:
        return session.scalar(count) or 0


def trial(store: Store, name: str | int) -> TrialRecord:
    """The trial called ``12`` or ``shipped-12``; raises StoreError if there is none."""
    number = str(name).removeprefix("shipped-")
    origin: Origin = "own" if number == str(name) else "shipped"
    database = store.own if origin == "own" else store.shipped
    if database is not None and number.isascii() and number.isdigit() and len(number) < 19:
        statement = select(models.Trial).where(models.Trial.id == int(number))
        for record in _read(database, origin, statement):
            return record
    raise StoreError(f"There is no trial {str(name)!r}; 'effauto results list' shows their ids.")


def by_numbers(store: Store, numbers: Iterable[tuple[Origin, int]]) -> list[TrialRecord]:
    """These trials, in this order."""
    wanted = list(numbers)
    found: dict[tuple[Origin, int], TrialRecord] = {}
    for origin, database in (("own", store.own), ("shipped", store.shipped)):
        ours = [number for where, number in wanted if where == origin]
        if database is not None and ours:
            statement = select(models.Trial).where(models.Trial.id.in_(ours))
            for record in _read(database, origin, statement):  # type: ignore[arg-type]
                found[record.origin, record.number] = record
    return [found[place] for place in wanted if place in found]


def _cost(record: TrialRecord, resource: str) -> float:
    """The measured value, less being better; infinite if there is none."""
    figure = record.measured.get(resource)
    if figure is None:
        return float("inf")
    return -figure.value if resource_named(resource).higher_is_better else figure.value


def _sort_key(resource: str | None) -> Any:
    def key(record: TrialRecord) -> tuple[float, float]:
        cost = _cost(record, resource) if resource else 0.0
        return cost, -record.started_at.timestamp()

    return key


def _read(database: Database, origin: Origin, statement: Any) -> list[TrialRecord]:
    """A handful of queries, however many trials there are."""
    everything = (
        joinedload(models.Trial.task, innerjoin=True),
        joinedload(models.Trial.model, innerjoin=True),
        joinedload(models.Trial.hardware, innerjoin=True),
        selectinload(models.Trial.measurements),
        selectinload(models.Trial.methods).joinedload(models.TrialMethod.method, innerjoin=True),
        selectinload(models.Trial.artefacts),
    )
    with database.reading() as session:
        return [
            _record(database, origin, row)
            for row in session.scalars(statement.options(*everything))
        ]


def _record(database: Database, origin: Origin, row: models.Trial) -> TrialRecord:
    try:
        return TrialRecord(
            number=row.id,
            origin=origin,
            study=row.study_id,
            task=row.task.name,
            fingerprint=row.task.fingerprint,
            task_traits=TaskTraits.from_json(row.task.traits),
            model=ModelTraits.from_json(row.model.traits),
            hardware=row.hardware.name,
            recipe=Recipe.from_json(row.recipe),
            fidelity=row.fidelity,
            seed=row.seed,
            purpose=row.purpose,  # type: ignore[arg-type]
            state=row.state,  # type: ignore[arg-type]
            error=row.error,
            started_at=row.started_at,
            finished_at=row.finished_at,
            seconds=row.seconds,
            foretold=_figures(row, "foretold"),
            measured=_figures(row, "measured"),
            methods={
                used.method.name: MethodVersion(
                    used.method.version, used.method.origin, used.method.code_hash
                )
                for used in row.methods
            },
            versions=row.versions,
            artefacts=tuple(Artefact(a.path, a.sha256, a.size) for a in row.artefacts),
            uuid=row.uuid,
            source=row.source,
            machine=row.hardware.details,
        )
    except (ValueError, TypeError, KeyError, AttributeError, EffautoError) as error:
        raise StoreError(
            f"Trial {row.id} in {database.name} is damaged ({error}); restore a backup."
        ) from error


def _figures(row: models.Trial, kind: str) -> dict[str, Figure]:
    return {
        seen.resource: Figure.from_json(vars(seen))
        for seen in row.measurements
        if seen.kind == kind
    }
