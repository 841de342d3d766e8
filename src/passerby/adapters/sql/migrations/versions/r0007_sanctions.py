"""Sanctions, and the codes that people show to the staff. They replace two columns that nothing read.

The release before this one neither reads nor writes those columns.
"""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import create_index_beside, has_column

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in (
        sa.Column("support_code", sa.Text, comment="what they show to the staff; null: none yet"),
        sa.Column("support_until", sa.Double, comment="the code is valid until then"),
        sa.Column(
            "barred_until", sa.Double, comment="suspended or banned until then, infinity: for good; null: never was"
        ),
    ):
        if not has_column("users", column.name):
            op.add_column("users", column)
    op.create_table(
        "sanctions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("until", sa.Double, comment="null: for good"),
        sa.Column("by_staff", sa.BigInteger, comment="the number of a staff member; 0: the command line; null: a rule"),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False, comment="an opaque reference"),
        sa.Column("appeal", sa.Text, nullable=False),
        sa.Column("appealed_at", sa.Double),
        sa.Column("lifted_at", sa.Double, comment="when it was ended before its time"),
        sa.PrimaryKeyConstraint("id", name="pk_sanctions"),
        if_not_exists=True,
    )
    op.create_table(
        "staff_orders",
        sa.Column("number", _ROW_ID, nullable=False, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False, comment="JSON: what the fleet is to do to whom; empty: it was done"),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("done_at", sa.Double),
        sa.PrimaryKeyConstraint("number", name="pk_staff_orders"),
        if_not_exists=True,
    )
    is_open = sa.text("done_at IS NULL")
    op.create_index(
        "ix_staff_orders_open",
        "staff_orders",
        ["number"],
        sqlite_where=is_open,
        postgresql_where=is_open,
        if_not_exists=True,
    )
    op.create_index("ix_sanctions_user_id", "sanctions", ["user_id", "since"], if_not_exists=True)
    op.create_index("ix_sanctions_since", "sanctions", ["since"], if_not_exists=True)
    for name in ("ix_users_bot_audience", "ix_users_audience", "ix_users_banned_until"):
        op.drop_index(name, "users", if_exists=True)
    for name in ("banned", "banned_until"):
        if has_column("users", name):
            op.drop_column("users", name)
    audience = ["has_started", "gender", "vip_gender", "last_active_date"]
    create_index_beside("ix_users_bot_audience", "users", ["bot_id", *audience])
    create_index_beside("ix_users_audience", "users", ["has_started", "last_active_date"])
    create_index_beside("ix_users_support_code", "users", ["support_code"], "support_code IS NOT NULL")
