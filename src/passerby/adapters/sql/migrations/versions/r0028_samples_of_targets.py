"""Samples of a broadcast's people, so that its figures cost the same however many there are."""

from passerby.adapters.sql.migrations.beside import create_index_beside

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_beside("ix_broadcast_targets_sample", "broadcast_targets", ["broadcast", "place"], "place < 200000000")
