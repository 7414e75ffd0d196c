"""The front of two resources over any number of trials."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import aliased

from effauto.resources import resource_named
from effauto.store import models
from effauto.store.entries import Origin, TrialRecord
from effauto.store.filters import Filter
from effauto.store.query import by_numbers
from effauto.store.record import Store
from effauto.store.session import Database

Point = tuple[float, float]
T = TypeVar("T")


def pareto(store: Store, wanted: Filter, x: str, y: str) -> list[TrialRecord]:
    """The finished trials that no other beats in one of two resources without losing in the other.

    Best in ``x`` first; only trials in which both were measured count.
    """
    points = _points(store.own, "own", wanted, x, y)
    if store.shipped is not None and wanted.study is None:
        points += _points(store.shipped, "shipped", wanted, x, y)
    return by_numbers(store, unbeaten(points))


def unbeaten(points: Iterable[tuple[Point, T]]) -> list[T]:
    """Those whose point no other beats: less in one number and not more in the other."""
    front: list[T] = []
    last: Point = (float("-inf"), float("inf"))
    for point, one in sorted(points, key=itemgetter(0)):
        if point[1] < last[1] or point == last:
            front.append(one)
            last = point
    return front


def _points(
    database: Database, origin: Origin, wanted: Filter, x: str, y: str
) -> list[tuple[Point, tuple[Origin, int]]]:
    """Both figures of each trial, less being better."""
    trial, one, other = models.Trial, aliased(models.Measurement), aliased(models.Measurement)

    def here(seen: Any, resource: str) -> Any:
        return (seen.trial_id == trial.id) & (seen.kind == "measured") & (seen.resource == resource)

    statement = (
        select(one.value, other.value, trial.id)
        .join(one, here(one, x))
        .join(other, here(other, y))
        .where(trial.state == "finished", *wanted.conditions())
    )
    signs = [-1.0 if resource_named(name).higher_is_better else 1.0 for name in (x, y)]
    with database.reading() as session:
        rows = session.execute(statement).all()
    return [((signs[0] * a, signs[1] * b), (origin, number)) for a, b, number in rows]
