"""People, chats, and how far the journal has been stored."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", _ROW_ID, autoincrement=False, nullable=False, comment="Telegram's user id"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("bot_id", sa.BigInteger, comment="used last; null: they cannot be reached"),
        sa.Column("bots", sa.Text, nullable=False, comment="JSON list, most recent first"),
        sa.Column("has_started", sa.Boolean, nullable=False, comment="at least one bot may write to them"),
        sa.Column("consented_at", sa.Double),
        sa.Column("age", sa.Integer),
        sa.Column("age_given_at", sa.Double, nullable=False),
        sa.Column("too_young_at", sa.Double),
        sa.Column("gender", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="idle, searching or chatting"),
        sa.Column("pool", sa.Text),
        sa.Column("searching_since", sa.Double),
        sa.Column("ticket", sa.Text, comment="JSON: the whole ticket, while searching"),
        sa.Column("chat", sa.Text),
        sa.Column("partner", sa.BigInteger),
        sa.Column("chatting_since", sa.Double),
        sa.Column("last_chat", sa.Text),
        sa.Column("last_partner", sa.BigInteger),
        sa.Column("last_closed_at", sa.Double),
        sa.Column("last_reason", sa.Text),
        sa.Column("last_left", sa.Boolean),
        sa.Column("last_active_date", sa.Double, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("vip_gender", sa.Text, comment="the genders they want"),
        sa.Column("banned", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("banned_until", sa.Double, comment="null while banned: for ever"),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_index(
        "ix_users_bot_audience",
        "users",
        ["bot_id", "banned", "has_started", "gender", "vip_gender", "last_active_date"],
    )
    op.create_index("ix_users_audience", "users", ["banned", "has_started", "last_active_date"])
    op.create_index("ix_users_created_at", "users", ["created_at"])
    _partial("ix_users_occupied", "users", ["id"], "state != 'idle'")
    _partial("ix_users_searching", "users", ["pool", "searching_since"], "state = 'searching'")
    _partial("ix_users_banned_until", "users", ["banned_until"], "banned_until IS NOT NULL")

    op.create_table(
        "chats",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("user1", sa.BigInteger, nullable=False),
        sa.Column("user2", sa.BigInteger, nullable=False),
        sa.Column("bot1", sa.BigInteger, nullable=False),
        sa.Column("bot2", sa.BigInteger, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("opened_at", sa.Double, nullable=False),
        sa.Column("closed_at", sa.Double),
        sa.Column("closed_by", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_chats"),
    )
    op.create_index("ix_chats_user1", "chats", ["user1", "active", "opened_at"])
    op.create_index("ix_chats_user2", "chats", ["user2", "active", "opened_at"])
    op.create_index("ix_chats_opened_at", "chats", ["opened_at"])
    _partial("ix_chats_open", "chats", ["opened_at"], "active")

    op.create_table(
        "journal_positions",
        sa.Column("generation", sa.Text, nullable=False),
        sa.Column("applied", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("generation", name="pk_journal_positions"),
    )


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
