"""Trials remember who measured them, if it was not the owner of the database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("trial", sa.Column("source", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("trial", "source")
