"""Promo codes, who used them, and which one lowered the price of an order."""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import has_column

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "promo_codes",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("days", sa.Integer, nullable=False, comment="VIP days that it gives; 0: it is a discount"),
        sa.Column("percent", sa.Integer, nullable=False, comment="off the price of the first purchase"),
        sa.Column("most_uses", sa.Integer, nullable=False),
        sa.Column("starts_at", sa.Double, nullable=False, comment="0: no limit"),
        sa.Column("ends_at", sa.Double, nullable=False, comment="0: no limit"),
        sa.Column("new_buyers", sa.Boolean, nullable=False, comment="only for people who have bought nothing yet"),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("made_by", sa.Integer, nullable=False, comment="the number of a staff member; 0: the command line"),
        sa.Column("revoked_at", sa.Double),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_promo_codes"),
        if_not_exists=True,
    )
    op.create_table(
        "promo_uses",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("grant_code", sa.Text, nullable=False, comment="the VIP grant that follows from it"),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("code", "user_id", name="pk_promo_uses"),
        if_not_exists=True,
    )
    op.create_index("ix_promo_uses_user_id", "promo_uses", ["user_id"], if_not_exists=True)
    if not has_column("orders", "promo"):
        op.add_column(
            "orders", sa.Column("promo", sa.Text, comment="the promo code that lowered the price; null: none")
        )
