"""The tables of the ledger. `docs/explanation/money.md` says what each is for.

No row of `charges` and `refunds` is ever changed, except that the buyer's id becomes 0 when their data is erased. Stars
are whole numbers; nanostars are billionths.
"""

import sqlalchemy as sa

from passerby.adapters.sql.metadata import metadata, partial_index

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="random; the payload of the invoice"),
    sa.Column("user_id", sa.BigInteger, nullable=False, comment="the buyer"),
    sa.Column("bot_id", sa.BigInteger, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("stars", sa.Integer, nullable=False, comment="the price when it was made"),
    sa.Column("renews", sa.Boolean, nullable=False),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Column("checked_at", sa.Double, comment="when a checkout was approved last"),
    sa.Column("promo", sa.Text, comment="the promo code that lowered the price; null: none"),
    sa.Column("gift_to", sa.BigInteger, comment="who gets the VIP time; null: the buyer"),
)

charges = sa.Table(
    "charges",
    metadata,
    sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False, comment="who sold it"),
    sa.Column("id", sa.Text, primary_key=True, comment="telegram_payment_charge_id"),
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
    sa.Column("gift_to", sa.BigInteger, comment="who got the VIP time; null: the buyer; 0: erased"),
    sa.Column("gift_grant", sa.Text, comment="the code of the receiver's grant; null: no gift"),
    sa.Column("source", sa.Text, comment="the tag of the link by which the buyer came; null: none"),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("code", sa.Text, primary_key=True, comment="that of the charge, or a random one"),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("lasts_s", sa.Double, nullable=False, comment="fills the time that no other grant covers"),
    sa.Column("until", sa.Double, nullable=False, comment="a fixed end instead of a length; 0: none"),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_charge", sa.Text, primary_key=True, comment="the charge id that cancels it"),
    sa.Column("first_provider", sa.Text, nullable=False, comment="the other id that may cancel it"),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("order_id", sa.Text, nullable=False, comment="every renewal repeats it"),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("stars", sa.Integer, nullable=False),
    sa.Column("paid_until", sa.Double, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
)

refunds = sa.Table(
    "refunds",
    metadata,
    sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("charge_id", sa.Text, primary_key=True),
    sa.Column("stars", sa.Integer, nullable=False),
    sa.Column("refunded_by", sa.Text, nullable=False, comment="buyer, staff, rule or telegram"),
    sa.Column("at", sa.Double, nullable=False),
)

star_calls = sa.Table(
    "star_calls",
    metadata,
    sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("charge_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True, comment="refund or cancel"),
    sa.Column("user_id", sa.BigInteger, nullable=False, comment="0 when it is done"),
    sa.Column("provider_id", sa.Text, nullable=False),
    sa.Column("owed_at", sa.Double, nullable=False),
    sa.Column("done_at", sa.Double, comment="when Telegram confirmed it, or refused it for good; null: still owed"),
)

star_rows = sa.Table(
    "star_rows",
    metadata,
    # The answer of getStarTransactions. Revenue is computed from these rows.
    sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, primary_key=True, comment="a refund has the id of its sale"),
    sa.Column("incoming", sa.Boolean, primary_key=True, comment="the bot got Stars"),
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
)

star_sweeps = sa.Table(
    "star_sweeps",
    metadata,
    sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("rows_seen", sa.BigInteger, nullable=False),
    sa.Column("swept_at", sa.Double, nullable=False),
)

payment_cases = sa.Table(
    "payment_cases",
    metadata,
    sa.Column("code", sa.Text, primary_key=True, comment="what the person and staff call it"),
    sa.Column("user_id", sa.BigInteger, nullable=False, comment="who asks"),
    sa.Column("words", sa.LargeBinary, comment="the question, encrypted with SECRET_KEY; null: answered"),
    sa.Column("opened_at", sa.Double, nullable=False),
    sa.Column("answered_at", sa.Double, comment="null: it is open"),
    sa.Column("answered_by", sa.Integer, comment="the number of a staff member; 0: the command line"),
)
referral_links = sa.Table(
    "referral_links",
    metadata,
    sa.Column("token", sa.Text, primary_key=True, comment="random; what the link carries"),
    sa.Column("user_id", sa.BigInteger, nullable=False, comment="whose link it is"),
    sa.Column("made_at", sa.Double, nullable=False),
)

referrals = sa.Table(
    "referrals",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False, comment="the friend who came"),
    sa.Column("token", sa.Text, nullable=False, comment="that of the link by which they came"),
    sa.Column("reached_at", sa.Double, nullable=False, comment="when they had had enough real chats"),
    sa.Column("decided_at", sa.Double, comment="null: not yet"),
    sa.Column("outcome", sa.Text, comment="see kernel.referral; null: not decided"),
    sa.Column("grant_code", sa.Text, comment="the VIP grant of the inviter"),
    sa.Column("friend_grant", sa.Text, comment="the VIP grant of the friend"),
)

# A person's orders and charges; those of a period.
sa.Index("ix_orders_user_id", orders.c.user_id)
sa.Index("ix_orders_made_at", orders.c.made_at)
sa.Index("ix_charges_user_id", charges.c.user_id)
sa.Index("ix_charges_paid_at", charges.c.paid_at)
sa.Index("ix_charges_code", charges.c.code)
sa.Index("ix_subscriptions_user_id", subscriptions.c.user_id)
# Gifts by their receiver, whose data may be erased.
partial_index("ix_orders_gift_to", orders.c.gift_to, where=orders.c.gift_to.is_not(None))
partial_index("ix_charges_gift_to", charges.c.gift_to, where=charges.c.gift_to.is_not(None))
# A person's payment cases, and those that are open.
sa.Index("ix_payment_cases_user_id", payment_cases.c.user_id)
partial_index("ix_payment_cases_open", payment_cases.c.opened_at, where=payment_cases.c.answered_at.is_(None))
# A person's referral link; who came by it; and those that are not decided.
sa.Index("ix_referral_links_user_id", referral_links.c.user_id)
sa.Index("ix_referrals_token", referrals.c.token)
partial_index("ix_referrals_open", referrals.c.reached_at, where=referrals.c.decided_at.is_(None))
sa.Index("ix_referrals_decided_at", referrals.c.decided_at)
# Our debts.
partial_index("ix_star_calls_open", star_calls.c.owed_at, where=star_calls.c.done_at.is_(None))
# Transactions of a period; of a person; and those that our ledger does not know.
sa.Index("ix_star_rows_at", star_rows.c.at)
sa.Index("ix_star_rows_user_id", star_rows.c.user_id)
partial_index("ix_star_rows_unmatched", star_rows.c.at, where=star_rows.c.matched_at.is_(None))
