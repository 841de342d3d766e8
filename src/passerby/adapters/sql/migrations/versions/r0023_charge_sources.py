"""Charges say by which link their buyer came, for the report."""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import has_column

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if not has_column("charges", "source"):
        op.add_column(
            "charges", sa.Column("source", sa.Text, comment="the tag of the link by which the buyer came; null: none")
        )
