"""The tables, as the newest migration leaves them. A test compares the two.

Times are double precision Unix seconds, UTC, in both databases. The kernel uses the same, so a value comes back as
exactly the float that was stored (`timestamptz` rounds to microseconds). SQLite has no time type anyway, and a row
needs about ten conversions less. To read one: `to_timestamp(opened_at)` in PostgreSQL, `datetime(opened_at,
'unixepoch')` in SQLite.

There is no column for the content of a relay or for a person's name. The nicknames that people gave to those they saved
are in `details`.
"""

import sqlalchemy as sa

from passerby.adapters.sql.approvals import approvals as approvals
from passerby.adapters.sql.broadcast_tables import broadcast_targets as broadcast_targets
from passerby.adapters.sql.broadcast_tables import broadcasts as broadcasts
from passerby.adapters.sql.funnel import funnel as funnel
from passerby.adapters.sql.installation import installation as installation
from passerby.adapters.sql.metadata import ROW_ID as _ROW_ID
from passerby.adapters.sql.metadata import metadata as metadata
from passerby.adapters.sql.metadata import options_for_postgres as _options_for_postgres
from passerby.adapters.sql.metadata import partial_index as _partial
from passerby.adapters.sql.money_tables import charges as charges
from passerby.adapters.sql.money_tables import grants as grants
from passerby.adapters.sql.money_tables import orders as orders
from passerby.adapters.sql.money_tables import payment_cases as payment_cases
from passerby.adapters.sql.money_tables import referral_links as referral_links
from passerby.adapters.sql.money_tables import referrals as referrals
from passerby.adapters.sql.money_tables import refunds as refunds
from passerby.adapters.sql.money_tables import star_calls as star_calls
from passerby.adapters.sql.money_tables import star_rows as star_rows
from passerby.adapters.sql.money_tables import star_sweeps as star_sweeps
from passerby.adapters.sql.money_tables import subscriptions as subscriptions
from passerby.adapters.sql.promo_tables import promo_codes as promo_codes
from passerby.adapters.sql.promo_tables import promo_uses as promo_uses
from passerby.adapters.sql.samples import SAMPLES, in_sample
from passerby.adapters.sql.tombstones import tombstones as tombstones

_NO = sa.false()

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", _ROW_ID, primary_key=True, autoincrement=False, comment="Telegram's user id"),
    sa.Column("version", sa.BigInteger, nullable=False),
    # How to reach them.
    sa.Column("bot_id", sa.BigInteger, comment="used last; null: they cannot be reached"),
    sa.Column("bots", sa.Text, nullable=False, comment="JSON list, most recent first"),
    sa.Column("has_started", sa.Boolean, nullable=False, comment="at least one bot may write to them"),
    # Their description of themselves.
    sa.Column("consented_at", sa.Double),
    sa.Column("age", sa.Integer),
    sa.Column("age_given_at", sa.Double, nullable=False),
    sa.Column("too_young_at", sa.Double),
    sa.Column("age_mended_at", sa.Double, comment="when they corrected such an age"),
    sa.Column("gender", sa.Text),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("languages", sa.Text, nullable=False, server_default="[]", comment="JSON list, the preferred one first"),
    sa.Column("interests", sa.Text, nullable=False, server_default="[]", comment="JSON list"),
    sa.Column("country", sa.Text, comment="ISO 3166-1"),
    # Their wishes, and what they paid for. The rest of their wishes is in `details`.
    sa.Column("vip_gender", sa.Text, comment="the genders they want"),
    sa.Column("vip_age_min", sa.Integer),
    sa.Column("vip_age_max", sa.Integer),
    sa.Column("vip_until", sa.Double, nullable=False, server_default="0"),
    # Others' opinion of them, and when it was computed.
    sa.Column("karma", sa.Double, nullable=False, server_default="0"),
    sa.Column("karma_at", sa.Double, nullable=False, server_default="0"),
    sa.Column("details", sa.Text, nullable=False, server_default="{}", comment="JSON: fields that no query uses"),
    # The current state. It is in this row, so that one row is enough to restore a person.
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
    # Their requests about their data. `details` has the whole request; these are for queries.
    sa.Column("copy_asked_at", sa.Double, comment="they wait for a copy of their data since then"),
    sa.Column("erase_at", sa.Double, comment="when their data will be erased"),
    # So that staff find them, and nobody else.
    sa.Column("support_code", sa.Text, comment="what they show to the staff; null: none yet"),
    sa.Column("support_until", sa.Double, comment="the code is valid until then"),
    sa.Column("barred_until", sa.Double, comment="suspended or banned until then, infinity: for good; null: never was"),
    sa.Column("muted", sa.Text, comment="categories of broadcasts that they do not want, with commas"),
)

chats = sa.Table(
    "chats",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user1", sa.BigInteger, nullable=False),
    sa.Column("user2", sa.BigInteger, nullable=False),
    sa.Column("bot1", sa.BigInteger, nullable=False),
    sa.Column("bot2", sa.BigInteger, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("opened_at", sa.Double, nullable=False),
    sa.Column("closed_at", sa.Double),
    sa.Column("closed_by", sa.BigInteger),
    sa.Column("reason", sa.Text),
    # The only part of the message map that is stored: the notice that told each side about the chat.
    sa.Column("told1_bot", sa.BigInteger),
    sa.Column("told1_message", sa.BigInteger),
    sa.Column("told2_bot", sa.BigInteger),
    sa.Column("told2_message", sa.BigInteger),
    sa.Column("rating1", sa.Text, comment="how user1 rated user2"),
    sa.Column("rating2", sa.Text, comment="how user2 rated user1"),
)

past_chats = sa.Table(
    "past_chats",
    metadata,
    # Chats that ended more than a day ago, in as few bytes as possible (see `retention`). There is no primary key: its
    # index would be a third of the table.
    sa.Column("user1", sa.BigInteger, nullable=False),
    sa.Column("user2", sa.BigInteger, nullable=False),
    sa.Column("opened_min", sa.Integer, nullable=False, comment="when it began, in minutes since 1970"),
    sa.Column("lasted_s", sa.SmallInteger, nullable=False, comment="32767: nine hours or more"),
    sa.Column(
        "outcome",
        sa.SmallInteger,
        nullable=False,
        comment="digits: reason, who closed it, both ratings (see `retention`)",
    ),
)

daily_figures = sa.Table(
    "daily_figures",
    metadata,
    # Sums that remain of deleted rows. They name nobody.
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False, comment="days since 1970, UTC"),
    sa.Column("chats", sa.BigInteger, nullable=False, comment="chats of this day in `past_chats`, also deleted ones"),
    sa.Column("chatted_s", sa.BigInteger, nullable=False, comment="how long they lasted in all"),
    sa.Column("rated_good", sa.BigInteger, nullable=False),
    sa.Column("rated_bad", sa.BigInteger, nullable=False),
    sa.Column("complaints", sa.BigInteger, nullable=False, comment="deleted complaints of this day"),
    sa.Column("blocks", sa.BigInteger, nullable=False, comment="deleted blocks of this day"),
    sa.Column("people", sa.BigInteger, nullable=False, comment="deleted people who were new on this day"),
)

blocks = sa.Table(
    "blocks",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, comment="who blocked"),
    sa.Column("blocked_id", sa.BigInteger, primary_key=True, comment="who was blocked"),
    sa.Column("blocked_at", sa.Double, nullable=False),
    sa.Column(
        "lifted_at",
        sa.Double,
        comment="null: still blocked. Lifted blocks are kept, to count how often somebody is blocked",
    ),
)

complaints = sa.Table(
    "complaints",
    metadata,
    sa.Column("chat_id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, comment="who reported"),
    sa.Column("accused_id", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("filed_at", sa.Double, nullable=False),
    sa.Column("words", sa.LargeBinary, comment="their comment, encrypted with SECRET_KEY; null: none"),
    sa.Column("cost", sa.Double, nullable=False, server_default="0", comment="how much it lowered the karma"),
    sa.Column("retaliates", sa.Boolean, nullable=False, server_default=_NO, comment="after the other's"),
    sa.Column("case_number", sa.BigInteger, comment="null: in no case yet"),
    sa.Column("verdict", sa.Text, comment="upheld or dismissed; null: not decided"),
    sa.Column("decided_at", sa.Double),
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("chat_id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, comment="who chose it"),
    sa.Column("place", sa.SmallInteger, primary_key=True),
    sa.Column("accused_id", sa.BigInteger, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False, comment="a wrapped key, and what it encrypts"),
    sa.Column("digest", sa.Text, nullable=False, comment="SHA-256 of it"),
    sa.Column("chosen_at", sa.Double, nullable=False),
    sa.Column("erase_at", sa.Double, comment="null: its case is not decided"),
    sa.Column("held", sa.Boolean, nullable=False, server_default=_NO, comment="the law asks to keep it"),
)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("number", _ROW_ID, primary_key=True, autoincrement=False),
    sa.Column("about", sa.Text, nullable=False, comment="reports, appeal or farm"),
    sa.Column("accused_id", sa.BigInteger, nullable=False),
    sa.Column("lane", sa.SmallInteger, nullable=False, comment="the lowest goes first"),
    sa.Column("state", sa.Text, nullable=False, comment="open, second (waits for a second member) or decided"),
    sa.Column("opened_at", sa.Double, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("salt", sa.Text, nullable=False, comment="random: pseudonyms come from it"),
    sa.Column("claimed_by", sa.BigInteger, comment="the number of a staff member"),
    sa.Column("claimed_until", sa.Double),
    sa.Column("proposal", sa.Text, comment="JSON: what a second member must confirm"),
    sa.Column("measure", sa.Text, comment="the sanction that a rule imposed"),
    sa.Column("sanction", sa.Text, comment="the sanction that it led to, or whose appeal it is"),
    sa.Column("reason", sa.Text),
    sa.Column("outcome", sa.Text),
    sa.Column("decided_by", sa.BigInteger, comment="the number of a staff member; null: nobody did"),
    sa.Column("decided_at", sa.Double),
    sa.Column("passed_by", sa.Text, nullable=False, server_default="[]", comment="JSON: who handed it over"),
    sa.Column("measured", sa.Text, comment="JSON: what was measured about a farm"),
)

farm_accounts = sa.Table(
    "farm_accounts",
    metadata,
    sa.Column("case_number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("place", sa.Integer, primary_key=True, comment="numbers them within the case, from 1"),
    sa.Column("user_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("is_recruit", sa.Boolean, nullable=False, comment="only uses the places of the farm"),
)

muted_reporters = sa.Table(
    "muted_reporters",
    metadata,
    sa.Column("user_id", _ROW_ID, primary_key=True, autoincrement=False),
    sa.Column("until", sa.Double, nullable=False, comment="their reports count nothing until then"),
)

sanctions = sa.Table(
    "sanctions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
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
)

# Staff decisions are transactions of their own (see `staff`). The recorder does not write these tables, except for the
# audit of what rules did.
staff = sa.Table(
    "staff",
    metadata,
    sa.Column("number", _ROW_ID, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("alerts", sa.Boolean, nullable=False, server_default=_NO, comment="they want to get alerts"),
    sa.Column("joined_at", sa.Double, nullable=False),
    sa.Column("revoked_at", sa.Double),
)

staff_invites = sa.Table(
    "staff_invites",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True, comment="SHA-256 of the secret in the link"),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("made_by", sa.BigInteger, nullable=False, comment="the number of a staff member; 0: the command line"),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    sa.Column("used_by", sa.BigInteger),
    sa.Column("used_at", sa.Double),
)

staff_answers = sa.Table(
    "staff_answers",
    metadata,
    sa.Column("bot_id", sa.BigInteger, primary_key=True),
    sa.Column("update_id", sa.BigInteger, primary_key=True),
    sa.Column("answer", sa.Text, nullable=False, comment="JSON: what was answered to this update of the staff bot"),
    sa.Column("at", sa.Double, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("number", _ROW_ID, primary_key=True, autoincrement=False, comment="without gaps"),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("actor", sa.BigInteger, comment="the number of a staff member; 0: the command line; null: a rule"),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False, comment="JSON"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, comment="covers this row and the hash of the row before it"),
)

staff_orders = sa.Table(
    "staff_orders",
    metadata,
    sa.Column("number", _ROW_ID, primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False, comment="JSON: what the fleet is to do to whom; empty: it was done"),
    sa.Column("made_at", sa.Double, nullable=False),
    sa.Column("done_at", sa.Double),
)

drains = sa.Table(
    "drains",
    metadata,
    sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sister_id", sa.BigInteger, nullable=False, comment="where its people go on"),
    sa.Column("sister_username", sa.Text, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
)

journal_positions = sa.Table(
    "journal_positions",
    metadata,
    sa.Column("generation", sa.Text, primary_key=True),
    sa.Column("applied", sa.BigInteger, nullable=False),
    sa.Column("touched_at", sa.Double, comment="time of the newest fact; null: unknown"),
)


# The people that a broadcast through one bot, or through all bots, goes to.
sa.Index(
    "ix_users_bot_audience",
    *(users.c[name] for name in ("bot_id", "has_started", "gender", "vip_gender", "last_active_date")),
)
sa.Index("ix_users_audience", users.c.has_started, users.c.last_active_date)
# Samples of all people, for counts that need not be exact (see `audiences`).
for _below in SAMPLES:
    # With these two columns, which are in the conditions of each audience, SQLite prefers it to all other indexes.
    _partial(f"ix_users_sample_{_below}", users.c.has_started, users.c.bot_id, where=in_sample(_below))
# Growth by day.
sa.Index("ix_users_created_at", users.c.created_at)
# For a rebuild, which reads only these people. It stays small even if many people are stored.
_partial("ix_users_occupied", users.c.id, where=users.c.state != sa.literal_column("'idle'"))
# The longest waiting people, by pool.
_partial(
    "ix_users_searching",
    users.c.pool,
    users.c.searching_since,
    where=users.c.state == sa.literal_column("'searching'"),
)
# The orders that the fleet has not carried out yet.
_partial("ix_staff_orders_open", staff_orders.c.number, where=staff_orders.c.done_at.is_(None))
# The person who shows a support code.
_partial("ix_users_support_code", users.c.support_code, where=users.c.support_code.is_not(None))
# A person's sanctions, and those that begin in a period.
sa.Index("ix_sanctions_user_id", sanctions.c.user_id, sanctions.c.since)
sa.Index("ix_sanctions_since", sanctions.c.since)
# Cases that are not decided; a person has one at most about reports, and one for each appeal.
_partial("ix_cases_open", cases.c.lane, cases.c.opened_at, where=cases.c.decided_at.is_(None))
sa.Index("ix_cases_accused_id", cases.c.accused_id)
sa.Index("ix_cases_decided_at", cases.c.decided_at)
# Reports that are in no case yet; and those of a case.
_partial("ix_complaints_new", complaints.c.filed_at, where=complaints.c.case_number.is_(None))
_partial("ix_complaints_case", complaints.c.case_number, where=complaints.c.case_number.is_not(None))
# Appeals that wait.
_partial("ix_sanctions_appealed", sanctions.c.appealed_at, where=sanctions.c.appeal == sa.literal_column("'open'"))
# Evidence about a person, and evidence that is too old.
sa.Index("ix_evidence_accused_id", evidence.c.accused_id)
sa.Index("ix_evidence_user_id", evidence.c.user_id)
_partial("ix_evidence_erase_at", evidence.c.erase_at, where=evidence.c.erase_at.is_not(None))
# Entitlements that run out.
_partial("ix_users_vip_until", users.c.vip_until, where=users.c.vip_until > sa.literal_column("0"))
# People who wait for a copy of their data, and people whose data will be erased.
_partial("ix_users_copy_asked_at", users.c.copy_asked_at, where=users.c.copy_asked_at.is_not(None))
_partial("ix_users_erase_at", users.c.erase_at, where=users.c.erase_at.is_not(None))
# How many people blocked somebody recently.
sa.Index("ix_blocks_blocked_id", blocks.c.blocked_id, blocks.c.blocked_at)
# How many people reported somebody recently.
sa.Index("ix_complaints_accused_id", complaints.c.accused_id, complaints.c.filed_at)
# The reports that a person made.
sa.Index("ix_complaints_user_id", complaints.c.user_id, complaints.c.filed_at)
# A person's chats, the newest last. Open ones are separate.
sa.Index("ix_chats_user1", chats.c.user1, chats.c.active, chats.c.opened_at)
sa.Index("ix_chats_user2", chats.c.user2, chats.c.active, chats.c.opened_at)
# A person is staff once.
_partial("ix_staff_user_id", staff.c.user_id, where=staff.c.revoked_at.is_(None), unique=True)
# Open chats by age; and the number of chats in a period.
_partial("ix_chats_open", chats.c.opened_at, where=chats.c.active)
sa.Index("ix_chats_opened_at", chats.c.opened_at)
# A person's past chats. PostgreSQL keeps equal keys once, so an entry takes about nine bytes.
sa.Index("ix_past_chats_user1", past_chats.c.user1)
sa.Index("ix_past_chats_user2", past_chats.c.user2)
# The oldest ones, which are deleted first. They are written in this order, so PostgreSQL needs only a summary of each
# megabyte, which the retention renews every day.
_options_for_postgres(
    sa.Index("ix_past_chats_opened_min", past_chats.c.opened_min), using="brin", **{"with": {"autosummarize": "on"}}
)
