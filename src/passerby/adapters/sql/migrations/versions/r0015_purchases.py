"""Purchases are found by their code."""

from passerby.adapters.sql.migrations.beside import create_index_beside

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index_beside("ix_charges_code", "charges", ["code"])
