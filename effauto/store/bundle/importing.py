"""Merges a bundle into a database: what is known is passed over, what is wrong refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.orm import Session

from effauto.errors import StoreError
from effauto.store import models
from effauto.store.bundle.files import read
from effauto.store.bundle.lines import Line, digest_of, from_line
from effauto.store.entries import MethodVersion
from effauto.store.identity import remember_method, remember_situation
from effauto.store.record import Store

BATCH = 1000
TOLD = 5
_IMPORT_LOCK = 0xEFFB


@dataclass(frozen=True)
class Imported:
    """What became of a bundle's rows; ``refused`` are the numbers of rows, and why."""

    added: int
    known: int
    refused: tuple[tuple[int, str], ...] = ()


def import_results(
    store: Store, path: Path, *, source: str = "", skip_invalid: bool = False
) -> Imported:
    """Add the trials of a bundle that are not there yet, all or none.

    ``source`` says whose they are, unless they say so themselves; by default the file's name.
    Raises StoreError, naming rows and reasons, if some are invalid and not to be skipped.
    """
    lines: list[Line] = []
    refused: list[tuple[int, str]] = []
    for number, row in read(path):
        try:
            if isinstance(row, ValueError):
                raise row
            lines.append(from_line(row))
        except ValueError as error:
            refused.append((number, str(error)))
    if refused and not skip_invalid:
        told = "; ".join(f"row {number}: {reason}" for number, reason in refused[:TOLD])
        more = f"; and {len(refused) - TOLD} more" if len(refused) > TOLD else ""
        raise StoreError(
            f"Nothing of {path} was imported, for {len(refused)} of its rows are invalid: "
            f"{told}{more}. Mend them, or leave them out with --skip-invalid."
        )
    added = add_lines(store, lines, source or path.name)
    return Imported(added, len(lines) - added, tuple(refused))


def add_lines(store: Store, lines: Iterable[Line], source: str) -> int:
    """Add those that are not there yet, in one transaction; return how many."""
    with store.own.writing() as session:
        _wait_for_other_imports(session)
        fresh = list(_fresh(session, lines))
        rows = _Rows(session)
        for start in range(0, len(fresh), BATCH):
            rows.add(fresh[start : start + BATCH], source)
    return len(fresh)


def _wait_for_other_imports(session: Session) -> None:
    """Two that saw the same trials missing would both add them; SQLite's writers queue anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_IMPORT_LOCK)))


def _fresh(session: Session, lines: Iterable[Line]) -> Iterator[Line]:
    """Those whose uuid and content are not in the database, each once."""
    trial = models.Trial
    known = select(
        trial.uuid, models.Task.fingerprint, trial.recipe_key, trial.fidelity, trial.seed,
        trial.purpose, trial.started_at,
    ).join(models.Task, models.Task.id == trial.task_id)  # fmt: skip
    seen: set[str] = set()
    for row in session.execute(known):
        seen |= {row.uuid, digest_of(*row[1:])}
    for line in lines:
        if line.uuid not in seen and line.digest not in seen:
            seen |= {line.uuid, line.digest}
            yield line


class _Rows:
    """Makes the rows of trials, many in one statement; looks each task and method up once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._situations: dict[Any, dict[str, int]] = {}
        self._methods: dict[tuple[str, MethodVersion], int] = {}

    def add(self, lines: Sequence[Line], source: str) -> None:
        trials = [self._trial(line, source) for line in lines]
        numbers = self._session.scalars(
            insert(models.Trial).returning(models.Trial.id, sort_by_parameter_order=True), trials
        ).all()
        placed = list(zip(numbers, lines, strict=True))
        figures = [row for number, line in placed for row in _figures(number, line)]
        used = [row for number, line in placed for row in self._used(number, line)]
        connection = self._session.connection()
        if figures:
            _insert(connection, models.Measurement.__table__, figures)
        if used:
            _insert(connection, models.TrialMethod.__table__, used)

    def _trial(self, line: Line, source: str) -> dict[str, Any]:
        columns = dict(line.columns)
        return columns | {
            **self._situation(line),
            "uuid": line.uuid,
            "recipe": line.recipe.to_json(),
            "recipe_key": line.recipe.key,
            "source": columns["source"] or source,
            # Nobody works on it.
            "process_id": 0, "process_started": 0.0, "host": "",
            "heartbeat_at": columns["finished_at"] or columns["started_at"],
        }  # fmt: skip

    def _situation(self, line: Line) -> dict[str, int]:
        situation = line.situation
        key = (situation.fingerprint, situation.model, situation.hardware.name,
               situation.hardware.threads)  # fmt: skip
        if key not in self._situations:
            self._situations[key] = remember_situation(self._session, situation, renew=False)
        return self._situations[key]

    def _used(self, number: int, line: Line) -> Iterator[dict[str, Any]]:
        for step in line.recipe.steps:
            version = line.methods.get(step.method, MethodVersion())
            key = (step.method, version)
            if key not in self._methods:
                self._methods[key] = remember_method(self._session, step.method, version)
            yield {"trial_id": number, "method_id": self._methods[key], "setting": step.setting}


def _figures(number: int, line: Line) -> Iterator[dict[str, Any]]:
    for kind, figures in (("foretold", line.foretold), ("measured", line.measured)):
        for resource, figure in figures.items():
            yield {"trial_id": number, "kind": kind, "resource": resource, **vars(figure)}


def _insert(connection: Connection, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Many rows of plain values or JSON, for which PostgreSQL has a statement of its own."""
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), rows)
        return
    columns = list(rows[0])
    statement = f"COPY {table.name} ({', '.join(columns)}) FROM STDIN"
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[attr-defined]
        for row in rows:
            copy.write_row([_plain(row[name]) for name in columns])


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value
