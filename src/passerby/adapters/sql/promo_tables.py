"""The tables of promo codes and of who used them. They are in the same metadata as `tables`."""

import sqlalchemy as sa

from passerby.adapters.sql.metadata import metadata

promo_codes = sa.Table(
    "promo_codes",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
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
)

promo_uses = sa.Table(
    "promo_uses",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("grant_code", sa.Text, nullable=False, comment="the VIP grant that follows from it"),
    sa.Column("at", sa.Double, nullable=False),
)

sa.Index("ix_promo_uses_user_id", promo_uses.c.user_id)
