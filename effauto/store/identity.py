"""Finds the row of a task, model, machine or method by its content, or makes it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from effauto.machine import Hardware
from effauto.store import models
from effauto.store.entries import MethodVersion, Situation

_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def remember_situation(
    session: Session, situation: Situation, *, renew: bool = True
) -> dict[str, int]:
    """The ids of its task, model and machine, whose rows take the latest name and traits.

    Unless ``renew``, rows that are there stay as they are: others do not rename our tasks, nor
    calibrate our machine.
    """
    remember = _remember if renew else _find_or_make
    task, model, hardware = situation.task, situation.model, situation.hardware
    return {
        "task_id": remember(
            session,
            models.Task,
            {"fingerprint": situation.fingerprint},
            name=situation.task_name,
            metric=task.metric,
            kind=task.kind,
            classes=task.classes,
            examples=task.examples,
            traits=task.to_json(),
        ),
        "model_id": remember(
            session,
            models.Model,
            {"key": content_key(model.to_json())},
            name=model.name,
            family=model.family,
            traits=model.to_json(),
        ),
        "hardware_id": remember(
            session,
            models.Machine,
            {"key": hardware_key(hardware)},
            name=hardware.name,
            origin=hardware.origin,
            threads=hardware.threads,
            details=hardware.to_json(),
        ),
    }


def remember_method(session: Session, name: str, seen: MethodVersion | None) -> int:
    """The id of this code of the method."""
    seen = seen or MethodVersion()
    key = {
        "name": name,
        "version": seen.version,
        "origin": seen.origin,
        "code_hash": seen.code_hash,
    }
    return _remember(session, models.MethodRow, key, name=name)


def hardware_key(hardware: Hardware) -> str:
    """The same for a machine however often it is calibrated, and another with other threads."""
    gpus = [accelerator.name for accelerator in hardware.accelerators]
    traits = (hardware.name, hardware.origin, hardware.processor, hardware.cores, hardware.threads)
    return content_key([*traits, *gpus])


def content_key(content: Any) -> str:
    """A short hash of plain JSON, whatever the order of its keys."""
    canonical = json.dumps(content, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _remember(
    session: Session, table: type[models.Base], key: Mapping[str, Any], **values: Any
) -> int:
    insert = _INSERT[session.get_bind().dialect.name]
    statement = (
        insert(table)
        .values(**{**key, **values})
        .on_conflict_do_update(index_elements=list(key), set_=values)
        .returning(table.__table__.c.id)
    )
    return int(session.scalars(statement).one())


def _find_or_make(
    session: Session, table: type[models.Base], key: Mapping[str, Any], **values: Any
) -> int:
    columns = table.__table__.c
    found = select(columns.id).where(*(columns[name] == value for name, value in key.items()))
    if (number := session.scalar(found)) is not None:
        return int(number)
    return _remember(session, table, key, **values)


@cache
def versions() -> dict[str, str]:
    """The versions that figures depend on, of what is installed."""
    from effauto import __version__

    found = {"effauto": __version__, "python": platform.python_version()}
    for library in ("torch", "transformers"):
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
