"""The tables of the results database.

Names are those a stranger would look for: the database is meant to be read with plain SQL too.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, kept in UTC also by databases that know no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        dict[str, Any]: JSON,
        list[dict[str, Any]]: JSON,
        datetime: UtcDateTime,
        float: Double,
        str: Text,
    }


class OwnedByProcess:
    """Columns of work that some process does: how far, who, where, and its last sign of life."""

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(index=True)
    process_id: Mapped[int]
    process_started: Mapped[float]
    host: Mapped[str]
    heartbeat_at: Mapped[datetime]


class Task(Base):
    __tablename__ = "task"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    metric: Mapped[str]
    classes: Mapped[int]
    examples: Mapped[int]
    traits: Mapped[dict[str, Any]]


class Model(Base):
    __tablename__ = "model"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(index=True)
    family: Mapped[str]
    traits: Mapped[dict[str, Any]]


class Machine(Base):
    __tablename__ = "hardware"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    origin: Mapped[str]
    threads: Mapped[int]
    details: Mapped[dict[str, Any]]


class MethodRow(Base):
    __tablename__ = "method"
    __table_args__ = (UniqueConstraint("name", "version", "origin", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[str]
    origin: Mapped[str]
    code_hash: Mapped[str]


class Study(OwnedByProcess, Base):
    __tablename__ = "study"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'finished', 'interrupted', 'failed')", "state"),
    )

    uuid: Mapped[str] = mapped_column(unique=True, default=lambda: str(uuid4()))
    created_at: Mapped[datetime]
    request: Mapped[dict[str, Any]]
    request_key: Mapped[str] = mapped_column(index=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), index=True)
    hardware_id: Mapped[int] = mapped_column(ForeignKey("hardware.id"), index=True)
    seed: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float | None]
    effauto_version: Mapped[str]


class Trial(OwnedByProcess, Base):
    __tablename__ = "trial"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'finished', 'interrupted', 'failed')", "state"),
        CheckConstraint("purpose IN ('search', 'run', 'benchmark')", "purpose"),
    )

    uuid: Mapped[str] = mapped_column(unique=True, default=lambda: str(uuid4()))
    study_id: Mapped[int | None] = mapped_column(ForeignKey("study.id"), index=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id"), index=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model.id"), index=True)
    hardware_id: Mapped[int] = mapped_column(ForeignKey("hardware.id"), index=True)
    recipe: Mapped[list[dict[str, Any]]]
    recipe_key: Mapped[str] = mapped_column(index=True)
    fidelity: Mapped[float]
    seed: Mapped[int] = mapped_column(BigInteger)
    purpose: Mapped[str]
    error: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
    versions: Mapped[dict[str, Any]]
    source: Mapped[str] = mapped_column(default="", server_default="")

    task: Mapped[Task] = relationship()
    model: Mapped[Model] = relationship()
    hardware: Mapped[Machine] = relationship()
    methods: Mapped[list[TrialMethod]] = relationship()
    measurements: Mapped[list[Measurement]] = relationship()
    artefacts: Mapped[list[ArtefactRow]] = relationship()


class TrialMethod(Base):
    __tablename__ = "trial_method"

    trial_id: Mapped[int] = mapped_column(ForeignKey("trial.id"), primary_key=True)
    method_id: Mapped[int] = mapped_column(ForeignKey("method.id"), primary_key=True, index=True)
    setting: Mapped[dict[str, Any]]

    method: Mapped[MethodRow] = relationship()


class Measurement(Base):
    """One figure of a trial: ``low`` to ``high`` is its 80 % range, ``unit`` SI or byte."""

    __tablename__ = "measurement"
    __table_args__ = (
        CheckConstraint("kind IN ('foretold', 'measured')", "kind"),
        Index(None, "resource", "kind", "value"),
    )

    trial_id: Mapped[int] = mapped_column(ForeignKey("trial.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float]
    unit: Mapped[str]
    low: Mapped[float]
    high: Mapped[float]
    tier: Mapped[str]
    note: Mapped[str]


class ArtefactRow(Base):
    __tablename__ = "artefact"

    id: Mapped[int] = mapped_column(primary_key=True)
    trial_id: Mapped[int] = mapped_column(ForeignKey("trial.id"), index=True)
    path: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)


class Claim(Base):
    """A published figure of a method: what was claimed, where, and how it was checked."""

    __tablename__ = "claim"

    id: Mapped[int] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(index=True)
    text: Mapped[str]
    source: Mapped[str]
    setting: Mapped[str]
    checked: Mapped[str]
