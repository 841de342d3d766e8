"""The funnel: how many people reached each step, by the day and the source of their start."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "funnel",
        sa.Column("day", sa.Integer, nullable=False, autoincrement=False, comment="of the start: days since 1970, UTC"),
        sa.Column("source", sa.Text, nullable=False, comment="the tag of the link; empty: none"),
        sa.Column("bot_id", sa.BigInteger, nullable=False, autoincrement=False, comment="where they started"),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("step", sa.SmallInteger, nullable=False, autoincrement=False, comment="see kernel.journey.Step"),
        sa.Column("people", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "source", "bot_id", "language", "step", name="pk_funnel"),
        if_not_exists=True,
    )
