"""The ledger: orders, charges, grants, subscriptions, refunds, what we owe, and what bots' transactions say."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Text, nullable=False, comment="random; the payload of the invoice"),
        sa.Column("user_id", sa.BigInteger, nullable=False, comment="the buyer"),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("stars", sa.Integer, nullable=False, comment="the price when it was made"),
        sa.Column("renews", sa.Boolean, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("checked_at", sa.Double, comment="when a checkout was approved last"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        if_not_exists=True,
    )
    op.create_table(
        "charges",
        sa.Column("bot_id", sa.BigInteger, nullable=False, autoincrement=False, comment="who sold it"),
        sa.Column("id", sa.Text, nullable=False, comment="telegram_payment_charge_id"),
        sa.Column("user_id", sa.BigInteger, nullable=False, comment="the buyer; 0: erased"),
        sa.Column("code", sa.Text, nullable=False, comment="what buyer and staff call it"),
        sa.Column("order_id", sa.Text, nullable=False, comment="the payload; perhaps no order of ours"),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("stars", sa.Integer, nullable=False),
        sa.Column("paid_at", sa.Double, nullable=False),
        sa.Column("provider_id", sa.Text, nullable=False, comment="provider_payment_charge_id"),
        sa.Column("renews", sa.Boolean, nullable=False, comment="part of a subscription"),
        sa.Column("first_charge", sa.Text, nullable=False, comment="the first charge of that subscription"),
        sa.Column("found", sa.Boolean, nullable=False, comment="no update brought it; the bot's transactions show it"),
        sa.PrimaryKeyConstraint("bot_id", "id", name="pk_charges"),
        if_not_exists=True,
    )
    op.create_table(
        "grants",
        sa.Column("user_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("code", sa.Text, nullable=False, comment="that of the charge, or a random one"),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("lasts_s", sa.Double, nullable=False, comment="fills the time that no other grant covers"),
        sa.Column("until", sa.Double, nullable=False, comment="a fixed end instead of a length; 0: none"),
        sa.PrimaryKeyConstraint("user_id", "code", name="pk_grants"),
        if_not_exists=True,
    )
    op.create_table(
        "subscriptions",
        sa.Column("bot_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("first_charge", sa.Text, nullable=False, comment="the charge id that cancels it"),
        sa.Column("first_provider", sa.Text, nullable=False, comment="the other id that may cancel it"),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("order_id", sa.Text, nullable=False, comment="every renewal repeats it"),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("stars", sa.Integer, nullable=False),
        sa.Column("paid_until", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "first_charge", name="pk_subscriptions"),
        if_not_exists=True,
    )
    op.create_table(
        "refunds",
        sa.Column("bot_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("charge_id", sa.Text, nullable=False),
        sa.Column("stars", sa.Integer, nullable=False),
        sa.Column("refunded_by", sa.Text, nullable=False, comment="buyer, staff, rule or telegram"),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("bot_id", "charge_id", name="pk_refunds"),
        if_not_exists=True,
    )
    op.create_table(
        "star_calls",
        sa.Column("bot_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("charge_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="refund or cancel"),
        sa.Column("user_id", sa.BigInteger, nullable=False, comment="0 when it is done"),
        sa.Column("provider_id", sa.Text, nullable=False),
        sa.Column("owed_at", sa.Double, nullable=False),
        sa.Column("done_at", sa.Double, comment="when Telegram confirmed it; null: still owed"),
        sa.PrimaryKeyConstraint("bot_id", "charge_id", "kind", name="pk_star_calls"),
        if_not_exists=True,
    )
    op.create_table(
        "star_rows",
        sa.Column("bot_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False, comment="a refund has the id of its sale"),
        sa.Column("incoming", sa.Boolean, nullable=False, comment="the bot got Stars"),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("stars", sa.BigInteger, nullable=False),
        sa.Column("nanostars", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="the type of the other side: user, fragment ..."),
        sa.Column("what", sa.Text, nullable=False, comment="transaction_type"),
        sa.Column("user_id", sa.BigInteger, nullable=False, comment="0: none, or erased"),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("period_s", sa.Integer, nullable=False, comment="of a subscription; 0: a single payment"),
        sa.Column("affiliate", sa.BigInteger, nullable=False, comment="Stars that an affiliate got"),
        sa.Column("affiliate_nano", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.Column("matched_at", sa.Double, comment="when our ledger knew it, too; null: not yet"),
        sa.PrimaryKeyConstraint("bot_id", "id", "incoming", name="pk_star_rows"),
        if_not_exists=True,
    )
    op.create_table(
        "star_sweeps",
        sa.Column("bot_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("rows_seen", sa.BigInteger, nullable=False),
        sa.Column("swept_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("bot_id", name="pk_star_sweeps"),
        if_not_exists=True,
    )
    for table, column in (
        ("orders", "user_id"),
        ("orders", "made_at"),
        ("charges", "user_id"),
        ("charges", "paid_at"),
        ("subscriptions", "user_id"),
        ("star_rows", "at"),
        ("star_rows", "user_id"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column], if_not_exists=True)
    for name, table, column, condition in (
        ("ix_star_calls_open", "star_calls", "owed_at", sa.text("done_at IS NULL")),
        ("ix_star_rows_unmatched", "star_rows", "at", sa.text("matched_at IS NULL")),
    ):
        op.create_index(name, table, [column], sqlite_where=condition, postgresql_where=condition, if_not_exists=True)
