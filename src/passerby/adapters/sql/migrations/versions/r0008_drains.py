"""Bots that close, and where their people go on."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drains",
        sa.Column("bot_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("sister_id", sa.BigInteger, nullable=False, comment="where its people go on"),
        sa.Column("sister_username", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("bot_id", name="pk_drains"),
        if_not_exists=True,
    )
