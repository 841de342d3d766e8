"""Referrals: people's own links, and the friends who came by them."""

import sqlalchemy as sa
from alembic import op

from passerby.adapters.sql.migrations.beside import create_index_beside

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "referral_links",
        sa.Column("token", sa.Text, nullable=False, comment="random; what the link carries"),
        sa.Column("user_id", sa.BigInteger, nullable=False, comment="whose link it is"),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_referral_links"),
        if_not_exists=True,
    )
    op.create_table(
        "referrals",
        sa.Column("user_id", sa.BigInteger, nullable=False, autoincrement=False, comment="the friend who came"),
        sa.Column("token", sa.Text, nullable=False, comment="that of the link by which they came"),
        sa.Column("reached_at", sa.Double, nullable=False, comment="when they had had enough real chats"),
        sa.Column("decided_at", sa.Double, comment="null: not yet"),
        sa.Column("outcome", sa.Text, comment="see kernel.referral; null: not decided"),
        sa.Column("grant_code", sa.Text, comment="the VIP grant of the inviter"),
        sa.Column("friend_grant", sa.Text, comment="the VIP grant of the friend"),
        sa.PrimaryKeyConstraint("user_id", name="pk_referrals"),
        if_not_exists=True,
    )
    op.create_index("ix_referral_links_user_id", "referral_links", ["user_id"], if_not_exists=True)
    op.create_index("ix_referrals_token", "referrals", ["token"], if_not_exists=True)
    create_index_beside("ix_referrals_open", "referrals", ["reached_at"], "decided_at IS NULL")
    op.create_index("ix_referrals_decided_at", "referrals", ["decided_at"], if_not_exists=True)
