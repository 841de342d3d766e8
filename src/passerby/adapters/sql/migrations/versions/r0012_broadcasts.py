"""Broadcasts with a row for each person, and the categories that people do not want."""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import has_column

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NO = sa.false()


def upgrade() -> None:
    if not has_column("users", "muted"):
        muted = sa.Column("muted", sa.Text, comment="categories of broadcasts that they do not want, with commas")
        op.add_column("users", muted)
    op.create_table(
        "broadcasts",
        sa.Column("number", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("is_open", sa.Boolean, nullable=False, comment="the fleet has something to do for it"),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("is_test", sa.Boolean, nullable=False, comment="a preview or a test: it does not count for anybody"),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False, comment="JSON: the broadcast with its message"),
        sa.PrimaryKeyConstraint("number", name="pk_broadcasts"),
        if_not_exists=True,
    )
    op.create_table(
        "broadcast_targets",
        sa.Column("broadcast", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("person_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("place", sa.Integer, nullable=False, comment="random; turns go by place"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False, server_default="0", comment="not before then"),
        sa.Column("is_planned", sa.Boolean, nullable=False, server_default=_NO, comment="their usual hour was chosen"),
        sa.Column("claim", sa.Text, comment="who claimed it last"),
        sa.Column("at", sa.Double, comment="when it was claimed or settled"),
        sa.Column("message_id", sa.BigInteger, comment="null: not sent, or it cannot be changed any more"),
        sa.Column("arm", sa.Text),
        sa.Column("language", sa.Text, comment="the person's when it was sent"),
        sa.Column("revision", sa.Integer, nullable=False, server_default="0", comment="the correction that they have"),
        sa.PrimaryKeyConstraint("broadcast", "person_id", name="pk_broadcast_targets"),
        if_not_exists=True,
    )
    for name, table, columns, where in (
        ("ix_broadcasts_open", "broadcasts", ["number"], "is_open"),
        ("ix_broadcast_targets_waiting", "broadcast_targets", ["broadcast", "bot_id", "place"], "state = 'waiting'"),
        ("ix_broadcast_targets_sending", "broadcast_targets", ["broadcast"], "state = 'sending'"),
    ):
        condition = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition, if_not_exists=True)
    op.create_index("ix_broadcast_targets_person_id", "broadcast_targets", ["person_id", "at"], if_not_exists=True)
