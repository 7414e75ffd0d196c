"""Opens databases: the only place that makes an engine, and that decides a database is ours."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.orm import Session

from effauto.errors import StoreError
from effauto.store import migrations
from effauto.store.failures import CUT_SHORT, in_sentences
from effauto.store.location import check_file, locate

BUSY_SECONDS, BUSY_PAUSE = 30.0, 0.02
_MIGRATION_LOCK = 0xEFFA


@dataclass(frozen=True)
class Database:
    """An open database; ``name`` is how messages call it, never with a password."""

    engine: Engine
    name: str

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for questions; what it changes is not kept."""
        with in_sentences(self.name), Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are all kept once the block ends, or none if it fails.

        SQLite's writers queue up before they read: one that reads first and then wants to write
        is refused at once if another wrote in between.
        """
        engine = self.engine.execution_options(begin="IMMEDIATE")
        with in_sentences(self.name), Session(engine) as session, session.begin():
            yield session

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str | Path | None = None, *, create: bool = True) -> Database:
    """Open a database by path or URL in the current schema; see :func:`~.location.locate`.

    A missing one is made if ``create``; an older one is migrated, after a copy if it is a file.
    Raises StoreError for one that cannot be used, and leaves that as it was.
    """
    address = locate(url)
    if address.get_backend_name() == "sqlite":
        path = Path(address.database or "")
        check_file(path, create=create)
        database = Database(_file_engine(path), str(path))
    else:
        database = Database(_server_engine(address), repr(address))
    try:
        with in_sentences(database.name):
            _bring_up_to_date(database)
            if database.engine.dialect.name == "sqlite":
                _prepare_file(database)
    except BaseException:
        database.close()
        raise
    return database


def open_shipped(path: Path) -> Database | None:
    """Open knowledge that came with effauto, never to be written; None if there is none."""
    if not path.is_file() or path.stat().st_size == 0:
        return None
    uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False)
    )
    database = Database(engine, str(path))
    with in_sentences(database.name):
        current = _revision(database) == migrations.HEAD
    return database if current else None


def _server_engine(url: URL) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"Results at {url.drivername}://… need the package {error.name}:"
            f" pip install '{error.name}[binary]'."
        ) from error


def _file_engine(path: Path) -> Engine:
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not when Python thinks so
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


def _bring_up_to_date(database: Database) -> None:
    if (revision := _revision(database)) != migrations.HEAD:
        _check_known(database, revision)
        _migrate(database)


def _revision(database: Database) -> str | None:
    """The schema's revision; None of an empty database, ``""`` of somebody else's."""
    with database.engine.connect() as connection:
        return _revision_seen(connection)


def _revision_seen(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision
    return "" if tables else None


def _check_known(database: Database, revision: str | None) -> None:
    if revision == "":
        raise StoreError(
            f"The database {database.name} holds something else than effauto's results;"
            " give effauto one of its own."
        )
    if revision is not None and revision not in migrations.known_revisions():
        raise StoreError(
            f"The results database {database.name} has the schema {revision}, which this effauto"
            f" (schema {migrations.HEAD}) does not know: upgrade effauto, or name another database."
        )


def _migrate(database: Database) -> None:
    engine = database.engine.execution_options(begin="IMMEDIATE")
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        if sqlite:  # a table that is altered is copied and dropped, though others refer to it
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
            connection.detach()
        with connection.begin():
            if not sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            revision = _revision_seen(connection)  # another process may have been faster
            if revision == migrations.HEAD:
                return
            if sqlite and revision:
                _back_up(Path(database.name), revision)
            migrations.upgrade(connection)


def _back_up(path: Path, revision: str) -> None:
    copy = path.with_name(f"{path.name}.backup-{revision}")
    if copy.exists():  # from a migration that failed: the older copy is the safer one
        return
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)


def _write_ahead(cursor: Any) -> None:
    """Set the log. For this SQLite does not wait until others let go of the file, so we do."""
    end = time.monotonic() + BUSY_SECONDS
    while cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(BUSY_PAUSE)


def _prepare_file(database: Database) -> None:
    """Let readers and a writer work at once; a file system that cannot keeps its own way."""
    with closing(database.engine.raw_connection()) as connection:
        cursor = connection.cursor()
        _write_ahead(cursor)
        (page,) = cursor.execute("PRAGMA page_size").fetchone()
    # SQLite itself does not mind a last page that is cut short, and reads zeros.
    path = Path(database.name)
    log = path.with_name(f"{path.name}-wal")
    if path.stat().st_size % page and not (log.exists() and log.stat().st_size):
        raise StoreError(f"The results database {path} {CUT_SHORT}.")
