"""The front of two resources over any number of trials."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from effauto.resources import resource_named
from effauto.store import models
from effauto.store.entries import Origin, TrialRecord
from effauto.store.filters import Filter
from effauto.store.query import by_numbers
from effauto.store.record import Store
from effauto.store.session import Database

Point = tuple[float, float]
T = TypeVar("T")
# So many of the best in each resource are looked at first, and eight times as many next.
FIRST = 500


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
    """Both figures of every trial that may be on the front: of a task all, of everything few."""
    with database.reading() as session:
        if wanted.task is None:
            seen = _likely(session, wanted, x, y)
        else:
            one, other = aliased(models.Measurement), aliased(models.Measurement)
            statement = _joined(wanted, _of(one, x), _of(other, y))
            seen = _read(session, statement.add_columns(one.value, other.value), x, y)
    return [(point, (origin, number)) for number, point in seen.items()]


def _likely(session: Session, wanted: Filter, x: str, y: str) -> dict[int, Point]:
    """The best by either, as many as are needed.

    Once a trial is well among the best of both orders, all that are in neither lose to it (Fagin's
    threshold algorithm), so a large database is seldom read through.
    """
    most = FIRST
    while True:
        by_x, last_x = _best_first(session, wanted, x, y, most)
        by_y, last_y = _best_first(session, wanted, y, x, most)
        seen = by_x | {number: (a, b) for number, (b, a) in by_y.items()}
        closed = any(a < last_x and b < last_y for a, b in seen.values())
        if closed or float("inf") in (last_x, last_y):
            return seen
        most *= 8


def _best_first(
    session: Session, wanted: Filter, first: str, second: str, most: int
) -> tuple[dict[int, Point], float]:
    """Those wanted of the best ``most`` of all by ``first``, and the last value of them all."""
    figure, other = models.Measurement, aliased(models.Measurement)
    sign = _sign(first)
    best = (
        select(figure.trial_id, figure.value)
        .where(figure.kind == "measured", figure.resource == first)
        .order_by(figure.value.desc() if sign < 0 else figure.value)
    )
    last = session.execute(best.offset(most - 1).limit(1)).first()
    head = best.limit(most).subquery()
    statement = _joined(wanted, (head, head.c.trial_id == models.Trial.id), _of(other, second))
    found = _read(session, statement.add_columns(head.c.value, other.value), first, second)
    return found, float("inf") if last is None else sign * last.value


def _of(seen: Any, resource: str) -> tuple[Any, Any]:
    """What a trial measured of a resource, to be joined."""
    measured = (seen.kind == "measured") & (seen.resource == resource)
    return seen, measured & (seen.trial_id == models.Trial.id)


def _joined(wanted: Filter, *figures: tuple[Any, Any]) -> Select[Any]:
    statement: Select[Any] = select(models.Trial.id)
    for one, here in figures:
        statement = statement.join(one, here)
    return statement.where(models.Trial.state == "finished", *wanted.conditions())


def _read(session: Session, statement: Select[Any], first: str, second: str) -> dict[int, Point]:
    """Of each trial both figures, less being better."""
    signs = _sign(first), _sign(second)
    return {n: (signs[0] * a, signs[1] * b) for n, a, b in session.execute(statement)}


def _sign(resource: str) -> float:
    return -1.0 if resource_named(resource).higher_is_better else 1.0
