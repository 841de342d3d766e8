"""Gifts: who gets what an order is for, and the code of the receiver's grant."""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import create_index_beside, has_column

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (
        ("orders", sa.Column("gift_to", sa.BigInteger, comment="who gets the VIP time; null: the buyer")),
        ("charges", sa.Column("gift_to", sa.BigInteger, comment="who got the VIP time; null: the buyer; 0: erased")),
        ("charges", sa.Column("gift_grant", sa.Text, comment="the code of the receiver's grant; null: no gift")),
    ):
        if not has_column(table, column.name):
            op.add_column(table, column)
    create_index_beside("ix_orders_gift_to", "orders", ["gift_to"], "gift_to IS NOT NULL")
    create_index_beside("ix_charges_gift_to", "charges", ["gift_to"], "gift_to IS NOT NULL")
