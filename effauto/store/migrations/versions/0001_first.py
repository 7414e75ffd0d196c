"""The first schema. Names of keys and indexes follow the convention of the metadata."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TABLES = (
    "task",
    "model",
    "hardware",
    "method",
    "study",
    "trial",
    "trial_method",
    "measurement",
    "artefact",
    "claim",
)
STATES = "state IN ('running', 'finished', 'interrupted', 'failed')"


def upgrade() -> None:
    _create_what_trials_are_about()
    _create_study()
    _create_trial()
    _create_what_trials_yield()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_what_trials_are_about() -> None:
    op.create_table(
        "task",
        _id(),
        _text("fingerprint", unique=True),
        _text("name", index=True),
        _text("kind"),
        _text("metric"),
        sa.Column("classes", sa.Integer, nullable=False),
        sa.Column("examples", sa.Integer, nullable=False),
        _json("traits"),
    )
    op.create_table(
        "model",
        _id(),
        _text("key", unique=True),
        _text("name", index=True),
        _text("family"),
        _json("traits"),
    )
    op.create_table(
        "hardware",
        _id(),
        _text("key", unique=True),
        _text("name"),
        _text("origin"),
        sa.Column("threads", sa.Integer, nullable=False),
        _json("details"),
    )
    op.create_table(
        "method",
        _id(),
        _text("name"),
        _text("version"),
        _text("origin"),
        _text("code_hash"),
        sa.UniqueConstraint("name", "version", "origin", "code_hash"),
    )
    op.create_table(
        "claim",
        _id(),
        _text("method", index=True),
        _text("text"),
        _text("source"),
        _text("setting"),
        _text("checked"),
    )


def _create_study() -> None:
    op.create_table(
        "study",
        _id(),
        _text("uuid", unique=True),
        _moment("created_at"),
        _json("request"),
        _text("request_key", index=True),
        _link("task"),
        _link("model"),
        _link("hardware"),
        sa.Column("seed", sa.BigInteger, nullable=False),
        _text("state", index=True),
        sa.Column("seconds", sa.Double),
        _text("effauto_version"),
        *_owner(),
        sa.CheckConstraint(STATES, "state"),
    )


def _create_trial() -> None:
    op.create_table(
        "trial",
        _id(),
        _text("uuid", unique=True),
        _link("study", nullable=True),
        _link("task"),
        _link("model"),
        _link("hardware"),
        _json("recipe"),
        _text("recipe_key", index=True),
        sa.Column("fidelity", sa.Double, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        _text("purpose"),
        _text("state", index=True),
        _text("error"),
        _moment("started_at", index=True),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("seconds", sa.Double),
        _json("versions"),
        *_owner(),
        sa.CheckConstraint(STATES, "state"),
        sa.CheckConstraint("purpose IN ('search', 'run', 'benchmark')", "purpose"),
    )


def _create_what_trials_yield() -> None:
    op.create_table(
        "trial_method",
        _part_of_key("trial"),
        _part_of_key("method", index=True),
        _json("setting"),
    )
    op.create_table(
        "measurement",
        _part_of_key("trial"),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("resource", sa.Text, primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
        _text("unit"),
        sa.Column("low", sa.Double, nullable=False),
        sa.Column("high", sa.Double, nullable=False),
        _text("tier"),
        _text("note"),
        sa.CheckConstraint("kind IN ('foretold', 'measured')", "kind"),
        sa.Index(None, "resource", "kind", "value"),
    )
    op.create_table(
        "artefact",
        _id(),
        _link("trial"),
        _text("path"),
        _text("sha256"),
        sa.Column("size", sa.BigInteger, nullable=False),
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, **options)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON, nullable=False)


def _moment(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, **options)


def _link(table: str, *, nullable: bool = False) -> sa.Column[Any]:
    link = sa.ForeignKey(f"{table}.id")
    return sa.Column(f"{table}_id", sa.Integer, link, nullable=nullable, index=True)


def _part_of_key(table: str, **options: Any) -> sa.Column[Any]:
    link = sa.ForeignKey(f"{table}.id")
    return sa.Column(f"{table}_id", sa.Integer, link, primary_key=True, **options)


def _owner() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("process_id", sa.Integer, nullable=False),
        sa.Column("process_started", sa.Double, nullable=False),
        _text("host"),
        _moment("heartbeat_at"),
    )
