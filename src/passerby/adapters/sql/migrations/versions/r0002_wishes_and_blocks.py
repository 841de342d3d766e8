"""Wishes, entitlements, ratings, blocks, complaints; the notices that told people about their chat.

Every column has a default or may be null, so the release before this one can still write its rows.
"""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import create_index_beside, has_column

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add(
        "users",
        sa.Column(
            "languages", sa.Text, nullable=False, server_default="[]", comment="JSON list, the preferred one first"
        ),
        sa.Column("interests", sa.Text, nullable=False, server_default="[]", comment="JSON list"),
        sa.Column("country", sa.Text, comment="ISO 3166-1"),
        sa.Column("vip_age_min", sa.Integer),
        sa.Column("vip_age_max", sa.Integer),
        sa.Column("vip_until", sa.Double, nullable=False, server_default="0"),
        sa.Column("karma", sa.Double, nullable=False, server_default="0"),
        sa.Column("karma_at", sa.Double, nullable=False, server_default="0"),
        sa.Column("details", sa.Text, nullable=False, server_default="{}", comment="JSON: fields that no query uses"),
    )
    _add(
        "chats",
        sa.Column("told1_bot", sa.BigInteger),
        sa.Column("told1_message", sa.BigInteger),
        sa.Column("told2_bot", sa.BigInteger),
        sa.Column("told2_message", sa.BigInteger),
        sa.Column("rating1", sa.Text, comment="how user1 rated user2"),
        sa.Column("rating2", sa.Text, comment="how user2 rated user1"),
    )
    _add(
        "journal_positions",
        sa.Column("touched_at", sa.Double, comment="time of the newest fact; null: unknown"),
    )
    op.create_table(
        "blocks",
        sa.Column("user_id", sa.BigInteger, nullable=False, comment="who blocked"),
        sa.Column("blocked_id", sa.BigInteger, nullable=False, comment="who was blocked"),
        sa.Column("blocked_at", sa.Double, nullable=False),
        sa.Column(
            "lifted_at",
            sa.Double,
            comment="null: still blocked. Lifted blocks are kept, to count how often somebody is blocked",
        ),
        sa.PrimaryKeyConstraint("user_id", "blocked_id", name="pk_blocks"),
        if_not_exists=True,
    )
    op.create_index("ix_blocks_blocked_id", "blocks", ["blocked_id", "blocked_at"], if_not_exists=True)
    op.create_table(
        "complaints",
        sa.Column("chat_id", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False, comment="who reported"),
        sa.Column("accused_id", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("filed_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("chat_id", "user_id", name="pk_complaints"),
        if_not_exists=True,
    )
    op.create_index("ix_complaints_accused_id", "complaints", ["accused_id", "filed_at"], if_not_exists=True)
    create_index_beside("ix_users_vip_until", "users", ["vip_until"], "vip_until > 0")


def _add(table: str, *columns: sa.Column[object]) -> None:
    """Add a column with a constant default, for which neither database rewrites the rows."""
    for column in columns:
        if not has_column(table, column.name):
            op.add_column(table, column)
