"""Where results are kept, and those that came with effauto."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from samples import finished
from sqlalchemy import text

from effauto.errors import StoreError
from effauto.store import Store, location, open_store
from effauto.store.location import default_path, shipped_path
from effauto.store.query import trial, trials


def test_the_users_own_is_made_on_first_use() -> None:
    path = default_path()
    assert not path.parent.exists()
    open_store().close()
    assert path.is_file()


def test_the_environment_names_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFAUTO_DB", str(tmp_path / "a ?#%20 b.db"))
    open_store().close()
    assert (tmp_path / "a ?#%20 b.db").is_file()
    assert not default_path().parent.exists()


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    path.touch()
    store = open_store(f"sqlite:///{path}")
    finished(store)
    assert len(trials(store)) == 1
    store.close()


def test_the_shipped_file_stands_where_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EFFAUTO_REGISTRY")
    assert shipped_path().is_file()


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Knowledge that came with effauto: two trials."""
    path = tmp_path / "registry.db"
    store = open_store(path)
    finished(store, quality=0.95)
    finished(store, quality=0.5)
    with store.own.engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA journal_mode = DELETE")
    store.close()
    monkeypatch.setattr(location, "shipped_path", lambda: path)
    return path


@pytest.fixture
def both(shipped: Path, tmp_path: Path) -> Store:
    store = open_store(tmp_path / "own.db")
    finished(store, quality=0.7)
    return store


def test_own_and_shipped_trials_are_read_together(both: Store) -> None:
    assert [record.id for record in trials(both)] == ["1", "shipped-2", "shipped-1"]
    best = trials(both, sort="quality.accuracy")
    assert [record.id for record in best] == ["shipped-1", "1", "shipped-2"]
    assert [record.id for record in trials(both, sort="quality.accuracy", limit=2)] == [
        "shipped-1",
        "1",
    ]
    assert trial(both, "shipped-2").value("quality.accuracy") == 0.5
    assert trial(both, 1).origin == "own"


def test_what_was_shipped_is_never_written(both: Store, shipped: Path) -> None:
    def state() -> tuple[str, int, list[str]]:
        content = hashlib.sha256(shipped.read_bytes()).hexdigest()
        beside = sorted(path.name for path in shipped.parent.glob("registry.db*"))
        return content, shipped.stat().st_mtime_ns, beside

    before = state()
    finished(both)
    trials(both)
    assert both.shipped is not None
    with pytest.raises(StoreError, match="is read-only"), both.shipped.writing() as session:
        session.execute(text("DELETE FROM measurement"))
    both.close()
    assert state() == before


@pytest.mark.parametrize("content", [None, b""])
def test_without_shipped_knowledge(shipped: Path, tmp_path: Path, content: bytes | None) -> None:
    shipped.unlink()
    if content is not None:
        shipped.write_bytes(content)
    store = open_store(tmp_path / "own.db")
    assert store.shipped is None
    assert trials(store) == []
    store.close()


def test_opening_is_quick_and_imports_nothing_heavy(tmp_path: Path) -> None:
    open_store(tmp_path / "results.db").close()
    program = (
        "import sys, time, sqlalchemy.orm\n"
        "start = time.process_time()\n"
        "from effauto.store import open_store\n"
        f"open_store({str(tmp_path / 'results.db')!r})\n"
        "print(time.process_time() - start)\n"
        "print(*{'torch', 'alembic', 'pandas', 'transformers'} & sys.modules.keys())"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    seconds, heavy = told.stdout.splitlines()
    assert heavy == ""
    assert float(seconds) < 0.3
