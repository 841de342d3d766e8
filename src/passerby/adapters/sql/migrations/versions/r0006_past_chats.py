"""Chats of earlier days in few bytes, and what is left of deleted rows."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "past_chats",
        sa.Column("user1", sa.BigInteger, nullable=False),
        sa.Column("user2", sa.BigInteger, nullable=False),
        sa.Column("opened_min", sa.Integer, nullable=False, comment="when it began, in minutes since 1970"),
        sa.Column("lasted_s", sa.SmallInteger, nullable=False, comment="32767: nine hours or more"),
        sa.Column(
            "outcome",
            sa.SmallInteger,
            nullable=False,
            comment="digits: reason, who closed it, both ratings (see `retention`)",
        ),
        if_not_exists=True,
    )
    op.create_index("ix_past_chats_user1", "past_chats", ["user1"], if_not_exists=True)
    op.create_index("ix_past_chats_user2", "past_chats", ["user2"], if_not_exists=True)
    op.create_index("ix_past_chats_opened_min", "past_chats", ["opened_min"], if_not_exists=True)
    op.create_table(
        "daily_figures",
        sa.Column("day", sa.Integer, autoincrement=False, nullable=False, comment="days since 1970, UTC"),
        sa.Column(
            "chats", sa.BigInteger, nullable=False, comment="chats of this day in `past_chats`, also deleted ones"
        ),
        sa.Column("chatted_s", sa.BigInteger, nullable=False, comment="how long they lasted in all"),
        sa.Column("rated_good", sa.BigInteger, nullable=False),
        sa.Column("rated_bad", sa.BigInteger, nullable=False),
        sa.Column("complaints", sa.BigInteger, nullable=False, comment="deleted complaints of this day"),
        sa.Column("blocks", sa.BigInteger, nullable=False, comment="deleted blocks of this day"),
        sa.Column("people", sa.BigInteger, nullable=False, comment="deleted people who were new on this day"),
        sa.PrimaryKeyConstraint("day", name="pk_daily_figures"),
        if_not_exists=True,
    )
