"""Samples of people, for counts that need not be exact."""

from passerby.adapters.sql.migrations.beside import create_index_beside

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for below in (64, 256, 1024):
        create_index_beside(f"ix_users_sample_{below}", "users", ["has_started", "bot_id"], f"id % 8191 < {below}")
