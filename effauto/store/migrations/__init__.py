"""Brings a database to the current schema, by Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

HEAD = "0002"
FOLDER = Path(__file__).parent


def known_revisions() -> set[str]:
    """Every schema that this version of effauto can read or migrate from."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_config())
    return {revision.revision for revision in script.walk_revisions()}


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate inside the transaction of ``connection``, which the caller commits."""
    from alembic import command

    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Undo migrations down to ``revision``, or all of them for ``"base"``."""
    from alembic import command

    command.downgrade(_config(connection), revision)


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
