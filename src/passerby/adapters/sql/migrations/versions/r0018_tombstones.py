"""Rows that stay of people who are erased while a restriction binds them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("pseudonym", sa.Text, nullable=False, comment="a keyed hash of a Telegram user id"),
        sa.Column("until", sa.Double, comment="when the last restriction ends; null: never"),
        sa.Column("body", sa.Text, nullable=False, comment="JSON: the restrictions that bind"),
        sa.PrimaryKeyConstraint("pseudonym", name="pk_tombstones"),
        if_not_exists=True,
    )
    op.create_index("ix_tombstones_until", "tombstones", ["until"], if_not_exists=True)
