"""A database that cannot be used is refused in a sentence, and left as it was."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from samples import finished

from effauto.errors import StoreError
from effauto.store import Store, open_store, session
from effauto.store.query import trials


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with five trials."""
    path = tmp_path / "results.db"
    store = open_store(path)
    for seed in range(5):
        finished(store, seed=seed)
    store.close()
    return path


@contextmanager
def refused(path: Path, sentence: str) -> Iterator[None]:
    before = _hash(path)
    with pytest.raises(StoreError, match=sentence) as caught:
        yield
    assert str(path) in str(caught.value)
    assert _hash(path) == before


def _hash(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_newer_schema(path: Path) -> None:
    _change(path, "UPDATE alembic_version SET version_num = '9999'")
    with refused(path, "schema 9999.*upgrade effauto"):
        open_store(path)


def test_somebody_elses_database(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.db"
    _change(path, "CREATE TABLE bookmark (url TEXT)")
    with refused(path, "something else than effauto's results"):
        open_store(path)


def test_no_database_at_all(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("To do: nothing.\n" * 100)
    with refused(path, "is not a results database"):
        open_store(path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_cut_short(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))
    with refused(path, "damaged or cut short|is not a results database"):
        open_store(path)


def test_damaged_inside(path: Path) -> None:
    middle = path.stat().st_size // 4096 // 2 * 4096
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * middle)
    with refused(path, "damaged"):
        trials(open_store(path))


def test_a_damaged_row(path: Path) -> None:
    _change(path, """UPDATE trial SET recipe = '[{"method": 3}]' WHERE id = 2""")
    with refused(path, "Trial 2 .* is damaged"):
        trials(open_store(path))


def test_a_folder_and_no_folder(tmp_path: Path) -> None:
    with refused(tmp_path, "is a folder"):
        open_store(tmp_path)
    with refused(tmp_path / "no" / "results.db", "has no folder"):
        open_store(tmp_path / "no" / "results.db")
    with refused(Path("/dev/null"), "is no regular file"):
        open_store("/dev/null")
    with refused(tmp_path / "typo.db", "does not exist"):
        open_store(tmp_path / "typo.db", create=False)
    assert not (tmp_path / "typo.db").exists()


@contextmanager
def _without_privileges() -> Iterator[None]:
    """Permissions do not stop root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def readable_path(path: Path) -> Iterator[Path]:
    """The same database where also others may read it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "results.db"
        copy.write_bytes(path.read_bytes())
        yield copy
        os.chmod(folder, 0o700)


@pytest.mark.parametrize("modes", [(0o444, 0o777), (0o666, 0o555), (0o444, 0o555)])
def test_read_only(readable_path: Path, modes: tuple[int, int]) -> None:
    readable_path.chmod(modes[0])
    readable_path.parent.chmod(modes[1])
    with refused(readable_path, "is read-only"), _without_privileges():
        open_store(readable_path)


def test_a_new_one_where_nothing_may_be_written(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        with refused(Path(folder) / "results.db", "is read-only"), _without_privileges():
            open_store(Path(folder) / "results.db")


def test_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "BUSY_SECONDS", 0.1)
    store = open_store(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with refused(path, "is locked by another program"):
            finished(store)
        assert len(trials(store)) == 5, "readers need not wait"
    finished(store)
    assert len(trials(store)) == 6
    store.close()


def test_a_full_disk(path: Path) -> None:
    store = open_store(path)
    with closing(store.own.engine.raw_connection()) as connection:
        pages = connection.cursor().execute("PRAGMA page_count").fetchone()[0]
        connection.cursor().execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="no room left"):
        _fill(store)
    written = trials(store)
    store.close()
    again = open_store(path)
    assert [record.number for record in trials(again)] == [record.number for record in written]
    again.close()


def _fill(store: Store) -> None:
    for seed in range(10_000):
        finished(store, seed=seed)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://host/name", "SQLite or PostgreSQL, not in mysql"),
        ("nonsense://x", "no database that effauto can use"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("postgresql://host:port/name", "no database that effauto can use"),
    ],
)
def test_other_addresses(url: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence):
        open_store(url)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(StoreError, match=r"cannot be used|need the package") as caught:
        open_store("postgresql+psycopg://me:secret@127.0.0.1:1/name")
    assert "secret" not in str(caught.value)
