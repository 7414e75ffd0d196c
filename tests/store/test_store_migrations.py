"""The schema that migrations make is the one the code expects, and no migration loses data."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from samples import finished
from sqlalchemy import inspect, text

from effauto.errors import StoreError
from effauto.store import Store, migrations, open_store
from effauto.store.models import Base
from effauto.store.query import trials

ADDS_A_COLUMN = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "0003", "0002"
def upgrade():
    with op.batch_alter_table("task") as table:
        table.add_column(sa.Column("language", sa.Text, nullable=False, server_default="en"))
        table.alter_column("name", type_=sa.String(200))
def downgrade():
    with op.batch_alter_table("task") as table:
        table.drop_column("language")
"""


def test_models_match_the_migrations(store: Store) -> None:
    with store.own.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_expected_revision_is_the_last() -> None:
    assert ScriptDirectory(str(migrations.FOLDER)).get_heads() == [migrations.HEAD]


def test_down_and_up_again(store: Store) -> None:
    finished(store)
    with store.own.engine.begin() as connection:
        migrations.downgrade(connection, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        migrations.upgrade(connection)
    assert trials(store) == []
    finished(store)
    assert len(trials(store)) == 1


@pytest.mark.parametrize("revision", ["0001"])
def test_down_to_an_older_schema_and_up_again_keeps_the_trials(store: Store, revision: str) -> None:
    finished(store)
    before = [record.to_json() for record in trials(store)]
    with store.own.engine.begin() as connection:
        migrations.downgrade(connection, revision)
        assert connection.scalar(text("SELECT count(*) FROM measurement")) == 2
        migrations.upgrade(connection)
    assert [record.to_json() for record in trials(store)] == before


@pytest.fixture
def newer_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An effauto with one more migration."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.FOLDER, folder)
    (folder / "versions" / "0003_language.py").write_text(ADDS_A_COLUMN)
    monkeypatch.setattr(migrations, "FOLDER", folder)
    monkeypatch.setattr(migrations, "HEAD", "0003")


def test_an_older_database_is_migrated_after_a_copy(
    url: str, request: pytest.FixtureRequest
) -> None:
    with_old_code = open_store(url)
    finished(with_old_code)
    before = [record.to_json() for record in trials(with_old_code)]
    with_old_code.close()
    request.getfixturevalue("newer_code")
    store = open_store(url)
    assert [record.to_json() for record in trials(store)] == before
    with store.own.reading() as session:
        assert session.scalar(text("SELECT language FROM task")) == "en"
    store.close()
    request.getfixturevalue("monkeypatch").undo()
    with pytest.raises(StoreError, match=r"schema 0003.*upgrade effauto"):
        open_store(url)
    if "://" not in url:
        copy = open_store(f"{url}.backup-0002")
        assert [record.to_json() for record in trials(copy)] == before
        copy.close()
