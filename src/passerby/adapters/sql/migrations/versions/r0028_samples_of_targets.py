"""Samples of a broadcast's people, so that its figures cost the same however many there are; refused refunds."""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import create_index_beside

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

DONE_AT = "when Telegram confirmed it, or refused it for good; null: still owed"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite has no comments
        op.alter_column("star_calls", "done_at", existing_type=sa.Double, comment=DONE_AT)
    create_index_beside("ix_broadcast_targets_sample", "broadcast_targets", ["broadcast", "place"], "place < 200000000")
