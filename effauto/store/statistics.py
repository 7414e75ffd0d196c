"""What a database holds, counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from effauto.store import models
from effauto.store.entries import Origin
from effauto.store.record import Store
from effauto.store.session import Database

COUNTED = {
    "tasks": models.Task,
    "models": models.Model,
    "machines": models.Machine,
    "methods": models.MethodRow,
    "studies": models.Study,
    "measurements": models.Measurement,
    "claims": models.Claim,
}


@dataclass(frozen=True)
class Statistics:
    """Of one database: its rows, its trials by state and purpose, and the seconds they took."""

    name: str
    origin: Origin
    counts: dict[str, int]
    states: dict[str, int]
    purposes: dict[str, int]
    sources: dict[str, int]
    seconds: float
    first: datetime | None
    last: datetime | None

    @property
    def trials(self) -> int:
        return sum(self.states.values())

    def to_json(self) -> dict[str, Any]:
        moments = {name: getattr(self, name) for name in ("first", "last")}
        return (
            asdict(self)
            | {"trials": self.trials}
            | {name: moment and moment.isoformat() for name, moment in moments.items()}
        )


def statistics(store: Store) -> list[Statistics]:
    """The user's own database, and what came with effauto."""
    found = [_of(store.own, "own")]
    return found if store.shipped is None else [*found, _of(store.shipped, "shipped")]


def _of(database: Database, origin: Origin) -> Statistics:
    trial = models.Trial

    with database.reading() as session:

        def tally(column: Any) -> dict[str, int]:
            rows = session.execute(select(column, func.count()).group_by(column).order_by(column))
            return {str(name): int(count) for name, count in rows}

        counts = {
            name: int(session.scalar(select(func.count()).select_from(table)) or 0)
            for name, table in COUNTED.items()
        }
        first, last, seconds = session.execute(
            select(
                func.min(trial.started_at, type_=trial.started_at.type),
                func.max(trial.started_at, type_=trial.started_at.type),
                func.coalesce(func.sum(trial.seconds), 0.0),
            )
        ).one()
        states, purposes, sources = map(tally, (trial.state, trial.purpose, trial.source))
    return Statistics(
        database.name, origin, counts, states, purposes, sources, float(seconds or 0.0), first, last
    )
