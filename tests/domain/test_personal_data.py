"""The copy of a person's data: complete, and silent about everybody else."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from passerby.adapters.redis.keys import Keys
from passerby.adapters.sql.tables import (
    blocks,
    broadcast_targets,
    charges,
    chats,
    complaints,
    evidence,
    grants,
    metadata,
    muted_reporters,
    orders,
    payment_cases,
    promo_uses,
    referral_links,
    referrals,
    refunds,
    sanctions,
    subscriptions,
    users,
)
from passerby.domain.farms.conduct import Conduct
from passerby.domain.karma import rated
from passerby.domain.personal_data import SOMEBODY, copy_of
from passerby.kernel.broadcast import Category, TargetState
from passerby.kernel.history import (
    History,
    PastBlock,
    PastBroadcast,
    PastCase,
    PastChat,
    PastEvidence,
    PastMoney,
    PastRedemption,
    PastReferral,
    PastRefund,
    PastReport,
    PastSanction,
)
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, PoolId
from passerby.kernel.journey import Journey
from passerby.kernel.money import (
    Charge,
    ChargeId,
    EarlyRefund,
    GrantSource,
    OpenCase,
    PurchaseId,
    PurchaseOrder,
    RefundedBy,
    Subscription,
    SubscriptionState,
    VipGrant,
    Wallet,
)
from passerby.kernel.participant import (
    Blur,
    Chatting,
    Commenting,
    Complaint,
    DataRequests,
    Gender,
    Karma,
    LastChat,
    Met,
    Participant,
    Preferences,
    Profile,
    Rating,
    Saved,
    Searching,
    Ticket,
    Watched,
)
from passerby.kernel.payment_case import SealedWords
from passerby.kernel.promo import Discount
from passerby.kernel.sanction import Appeal, Reason, Sanction, SanctionKind, SupportCode
from passerby.kernel.spent import Spent
from tests.contract.records_facts import participants

NOW = 1_800_000_000.0
OTHERS = [PersonId(888_000_000 + number) for number in range(9)]
ME = PersonId(777_000_000)

PROFILE = Profile(1.5, 31, 2.5, Gender.FEMALE, "pt", 3.5, ("es", "it"), ("chess",), "BR", True, 4.5)
WISHES = Preferences((Gender.OTHER,), 22, 44, False, False, Blur.ALWAYS)
LAST = LastChat(ChatId("l"), OTHERS[1], 5.5, "next", True, Rating.BAD, 6.5, Complaint.SPAM)
CHARGE = Charge(
    ChargeId("ch1"),
    BotId(55),
    "code2",
    "o2",
    "plan2",
    83,
    84.5,
    "prov1",
    "ch6",
    True,
    85.5,
    RefundedBy.RULE,
    86.5,
    OTHERS[8],
    "gift1",
    87.5,
)
SUBSCRIPTION = Subscription("o3", BotId(56), "plan3", 87, ChargeId("ch2"), "prov2", 88.5, SubscriptionState.FAILED)
PERSON = Participant(
    ME,
    41,
    BotId(51),
    (BotId(51), BotId(52)),
    PROFILE,
    Chatting(ChatId("n"), OTHERS[0], 7.5, 8.5),
    LAST,
    9.5,
    WISHES,
    10.5,
    Karma(0.0, 11.5),
    (Met(OTHERS[2], 12.5, True, ChatId("m"), Complaint.RUDE),),
    (OTHERS[3], OTHERS[4]),
    (Saved("tok", OTHERS[5], "nick", True, 13.5),),
    MessageId(61),
    (14.5,),
    Commenting(ChatId("m"), 15.5, MessageRef(BotId(51), MessageId(62)), True, True),
    DataRequests(16.5, 17.5, 18.5, True),
    (Sanction("ban", SanctionKind.BANNED, Reason.SCAM, 31.5, 32.5, 0, "rule", "case", Appeal.OPEN, 33.5),),
    SupportCode("ABCDEFGH", 34.5),
    Wallet(
        (PurchaseOrder(PurchaseId("o1"), "plan1", 71, 72, BotId(54), 73.5, 74.5, True, 75.5, "promo1", OTHERS[7]),),
        (CHARGE,),
        (VipGrant("code1", GrantSource.TRIAL, 76.5, 77.5, 78.5),),
        (SUBSCRIPTION,),
        79.5,
        80.5,
        81.5,
        82.5,
        Discount("promo2", 781, 782.5),
        (783.5,),
        (EarlyRefund(BotId(55), ChargeId("ch9"), 784.5),),
        OpenCase("case1", 785.5),
        "invite1",
        (("promo5", 786.5),),
    ),
    ("promo",),
    Watched(51.5, "feed", 52.5, 3, 5, 53.5, 54.5),
    Journey("spring", BotId(771), "gl", 772.5, 773, ChatId("j"), "promo3", "invite2", (ChatId("j1"),)),
    ((OTHERS[3], "nick2"),),
    (Preferences((Gender.MALE,), 23, 45, False, False, Blur.NEVER),),
    Spent(110.5, 144, 111.5, (("promo6", 112.5),)),
)
PAST = Sanction("past", SanctionKind.SLOW, Reason.SPAM, 41.5, 42.5, 0, "old rule", "old case", Appeal.UPHELD, 43.5)
SENT = PastBroadcast(
    number=71,
    category=Category.COMEBACK,
    state=TargetState.RECALLED,
    bot=BotId(54),
    at=51.5,
    message=MessageId(63),
    arm="B",
    language="gl",
)
HISTORY = History(
    19.5,
    (
        PastChat(
            chat=ChatId("p"),
            partner=OTHERS[6],
            bot=BotId(53),
            opened_at=20.5,
            closed_at=21.5,
            left=True,
            reason="stop",
            rating=Rating.GOOD,
        ),
    ),
    (PastBlock(whom=OTHERS[7], blocked_at=22.5, lifted_at=23.5),),
    (
        PastReport(
            chat=ChatId("q"),
            whom=OTHERS[8],
            reason=Complaint.THREAT,
            filed_at=24.5,
            words=b"sealed",
            verdict="upheld",
            decided_at=25.5,
        ),
    ),
    (PastSanction(sanction=PAST, lifted_at=44.5),),
    PastMoney(
        (PurchaseOrder(PurchaseId("o4"), "plan4", 91, 92, BotId(57), 93.5, 94.5),),
        (Charge(ChargeId("ch3"), BotId(58), "code3", "o5", "plan5", 95, 96.5, "prov3"),),
        (VipGrant("code4", GrantSource.PROMO, 97.5, 98.5, 99.5),),
        (Subscription("o6", BotId(59), "plan6", 101, ChargeId("ch4"), "prov4", 102.5),),
        (PastRefund("ch5", 103, "buyer", 104.5),),
        (PastRedemption("promo4", "code5", 105.5),),
        (PastCase("case2", 106.5, 107.5, (SealedWords(106.5, b"sealed"),)),),
        (PastReferral("token2", 108.5, 109.5, "given", "grant2"),),
    ),
    (SENT,),
    (PastEvidence(chat=ChatId("q"), place=3, chosen_at=26.5, erase_at=27.5, held=True),),
    28.5,
)
COPY = copy_of(PERSON, HISTORY, {ChatId("q"): "their words", "case2": "their question"}, NOW)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list | tuple):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]


def test_every_value_that_is_held_about_a_person_is_in_the_copy() -> None:
    """Each field of the two structures has a value of its own here, so a new field that the copy leaves out is seen."""
    given_away = {PERSON.version, PERSON.karma.at}
    receivers = {each.gift for each in (*HISTORY.money.charges, *(PERSON.wallet.charges if PERSON.wallet else ()))}
    unsaid = {*OTHERS, b"sealed", 0.0} | given_away | receivers
    held = [leaf for leaf in leaves([_all(PERSON), _all(HISTORY)]) if leaf not in unsaid]
    shown = leaves(COPY)
    assert [leaf for leaf in held if leaf not in shown] == []
    assert "their words" in shown
    assert "their question" in shown


def _all(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return {name: _all(getattr(value, name)) for name in value.__struct_fields__}
    return tuple(map(_all, value)) if isinstance(value, tuple) else value


EXAMPLES = [PERSON, PROFILE, WISHES, LAST, PERSON.requests, HISTORY.chats[0], PERSON.wallet, CHARGE, SUBSCRIPTION, SENT]


@pytest.mark.parametrize("struct", EXAMPLES)
def test_the_example_leaves_no_field_at_its_default(struct: msgspec.Struct) -> None:
    defaults = {field.name: field.default for field in msgspec.structs.fields(struct)}
    assert [name for name, default in defaults.items() if getattr(struct, name) == default] == []


STORED_ELSEWHERE = {
    # Columns that repeat parts of a participant, for queries.
    "users": {
        "details",
        "ticket",
        "pool",
        "searching_since",
        "has_started",
        "copy_asked_at",
        "erase_at",
        "barred_until",
    },
    # The other side, and the notices that told the two.
    "chats": {"user1", "user2", "bot1", "bot2", "active", "told1_bot", "told1_message", "told2_bot", "told2_message"},
    "blocks": {"user_id", "blocked_id"},
    # Which case it is part of, and how much it weighs.
    "complaints": {"user_id", "accused_id", "case_number", "cost", "retaliates"},
    # Its content is the partner's.
    "evidence": {"user_id", "accused_id", "sealed", "digest"},
    "muted_reporters": {"user_id"},
    # Which one of the team decided.
    "sanctions": {"user_id", "by_staff"},
    **{name: {"user_id"} for name in ("orders", "charges", "grants", "subscriptions")},
    "refunds": {"bot_id"},
    "promo_uses": {"user_id"},
    # Which one of the team answered.
    "payment_cases": {"user_id", "answered_by"},
    "referral_links": {"user_id", "made_at"},
    "referrals": {"user_id"},
    # The order of requests, and the process that has each.
    "broadcast_targets": {"person_id", "place", "due_at", "is_planned", "claim", "revision"},
}


def test_every_column_of_the_records_is_in_the_copy_or_is_named_here() -> None:
    """If you add a column, show it in the copy, or say above why it need not be there."""
    known = {
        "users": {
            "id", "version", "bot_id", "bots", "consented_at", "age", "age_given_at", "too_young_at", "age_mended_at",
            "gender", "language", "languages", "interests", "country", "vip_gender", "vip_age_min", "vip_age_max",
            "vip_until", "karma", "karma_at", "state", "chat", "partner", "chatting_since", "last_chat", "last_partner",
            "last_closed_at", "last_reason", "last_left", "last_active_date", "created_at",
            "support_code", "support_until", "muted",
        },
        "chats": {"id", "opened_at", "closed_at", "closed_by", "reason", "rating1", "rating2"},
        "blocks": {"blocked_at", "lifted_at"},
        "complaints": {"chat_id", "reason", "filed_at", "words", "verdict", "decided_at"},
        "evidence": {"chat_id", "place", "chosen_at", "erase_at", "held"},
        "muted_reporters": {"until"},
        "broadcast_targets": {"broadcast", "bot_id", "state", "at", "message_id", "arm", "language"},
        "sanctions": {
            "id", "kind", "reason", "since", "until", "rule", "evidence", "appeal", "appealed_at", "lifted_at",
        },
        "orders": {
            "id", "bot_id", "plan", "days", "stars", "renews", "made_at", "expires_at", "checked_at", "promo",
            "gift_to",
        },
        "charges": {
            "id", "bot_id", "code", "order_id", "plan", "stars", "paid_at", "provider_id", "renews", "found",
            "first_charge", "gift_to", "gift_grant", "source",
        },
        "grants": {"code", "source", "since", "lasts_s", "until"},
        "subscriptions": {
            "bot_id", "first_charge", "first_provider", "order_id", "plan", "stars", "paid_until", "state",
        },
        "refunds": {"charge_id", "stars", "refunded_by", "at"},
        "promo_uses": {"code", "grant_code", "at"},
        "payment_cases": {"code", "opened_at", "answered_at", "words"},
        "referral_links": {"token"},
        "referrals": {"token", "reached_at", "decided_at", "outcome", "grant_code", "friend_grant"},
    }  # fmt: skip
    for table in (
        users,
        chats,
        blocks,
        complaints,
        evidence,
        muted_reporters,
        sanctions,
        broadcast_targets,
        orders,
        charges,
        grants,
        subscriptions,
        refunds,
        promo_uses,
        payment_cases,
        referral_links,
        referrals,
    ):
        assert set(table.c.keys()) == known[table.name] | STORED_ELSEWHERE[table.name]


BESIDE_THE_COPY = {
    "past_chats": "the chats in the copy, packed",
    "tombstones": "what is left of people who are erased: bans, and what they had once, under a keyed hash",
    "cases": "what staff decide about reports of others, which are about those, too",
    "farm_accounts": "whom a case about a farm lists: the copy shows that they are set apart, and their sanctions",
    "approvals": "what staff ask each other; forgotten with the person",
    "staff": "who runs the service; they see their role in the staff bot",
    "staff_answers": "what the staff bot said; for three days",
    "staff_invites": "links for new staff",
    "staff_orders": "what the fleet is to do; emptied when it is done, and then it shows in the copy",
    "panel_logins": "of the panel, by number of the member",
    "panel_sessions": "of the panel, by number of the member",
    "panel_passkeys": "of the panel, by number of the member",
    "star_calls": "a refund or cancellation that we owe; shows as a refund when it is done",
    "star_rows": "Telegram's own list of payments: the purchases once more",
    "audit": "what staff did, by codes that change",
    **dict.fromkeys(
        ("broadcasts", "daily_figures", "panel_figures", "overrides", "drains", "installation"), "about nobody"
    ),
    **dict.fromkeys(("faults", "journal_positions", "panel_limits", "star_sweeps", "promo_codes"), "about nobody"),
    "funnel": "how many people came how far, by link",
}
"""Tables that the copy does not show, and why."""


def test_every_table_of_the_records_is_in_the_copy_or_is_named_here() -> None:
    """If you add a table, show it in the copy and have an erasure remove it, or say above why not."""
    assert set(metadata.tables) == set(STORED_ELSEWHERE) | set(BESIDE_THE_COPY)
    assert set(STORED_ELSEWHERE).isdisjoint(BESIDE_THE_COPY)


IN_THE_LIVE_STORE = {
    "people": "the participant, which the copy shows",
    "chats": "who chats with whom: `now` in the copy",
    "conducts": "`last_days_in_numbers` in the copy",
    "idle_chats": "when somebody last wrote in an open chat; gone with it",
    **dict.fromkeys(("idle", "waiting", "gone", "tickets"), "the participant once more, for quick search"),
    **dict.fromkeys(("outbox", "order", "turns", "stored"), "messages on their way: see ELSEWHERE"),
    **dict.fromkeys(("done", "done_block", "crashes"), "numbers of updates: see ELSEWHERE"),
    **dict.fromkeys(("map", "maps", "received"), "numbers of messages: see ELSEWHERE"),
    "journal": "facts on their way to the records",
    "budget": "how many messages somebody may get now; for seconds",
    **dict.fromkeys(("store", "pools", "workers", "leases", "epochs", "evicted"), "about nobody"),
    "restore": "how far a restore of a backup is; until it is done, the content of before is set aside",
    "memos": "about nobody, except for accounts of a farm, while the watch sees it: see `conducts`",
    **dict.fromkeys(("file", "sightings", "never", "pubsub", "name"), "about nobody"),
    "of_people": "a list of the keys above, and no key itself",
}
"""The keys of the live store, and where the copy has what they hold."""


def test_every_key_of_the_live_store_is_in_the_copy_or_is_named_here() -> None:
    """If you add a key, show it in the copy and have an erasure remove it, or say above why not."""
    assert {name for name in dir(Keys("p")) if not name.startswith("_")} == set(IN_THE_LIVE_STORE)


def test_a_restriction_is_in_the_copy_once_as_it_is_now_also_if_the_records_are_behind() -> None:
    (ban,) = PERSON.sanctions
    before = PastSanction(sanction=msgspec.structs.replace(ban, appeal=Appeal.NONE, appealed_at=None), lifted_at=None)
    behind = msgspec.structs.replace(HISTORY, sanctions=(*HISTORY.sanctions, before))
    for history in (behind, HISTORY):
        shown = copy_of(PERSON, history, {}, NOW)["restrictions"]
        assert [(each["id"], each["appeal"], each["lifted_at"]) for each in shown] == [
            ("past", Appeal.UPHELD, 44.5),
            ("ban", Appeal.OPEN, None),
        ]


def test_the_copy_names_nobody_else() -> None:
    shown = json.dumps(COPY)
    assert [person for person in OTHERS if str(person) in shown] == []
    assert SOMEBODY in shown


@given(participants)
def test_nobody_else_is_named_whatever_the_person_did(person: Participant) -> None:
    person = msgspec.structs.replace(person, person=ME)
    shown = copy_of(person, History(), {}, NOW)
    labels = [
        *(each["partner"] for each in shown["recent_partners"]),
        *(each["partner"] for each in shown["blocked"]),
        *(each["partner"] for each in shown["saved"]),
    ]
    assert set(labels) <= {SOMEBODY}


def test_nobody_learns_that_the_present_stranger_is_a_friend_or_an_earlier_partner() -> None:
    """The copy differs only in when things were, not in who it was."""
    chatting = Chatting(ChatId("now"), OTHERS[0], NOW)
    saved = Saved("t", OTHERS[0], "Sunny", mutual=True)
    stranger = msgspec.structs.replace(chatting, partner=OTHERS[1])
    both = [msgspec.structs.replace(PERSON, state=state, saved=(saved,)) for state in (chatting, stranger)]
    assert copy_of(both[0], HISTORY, {}, NOW) == copy_of(both[1], HISTORY, {}, NOW)


def test_the_copy_is_the_same_whatever_partners_did_after_a_chat() -> None:
    plain = Conduct(chats=1, ended=1)
    found = msgspec.structs.replace(plain, cut=1, disliked=2)
    assert copy_of(PERSON, HISTORY, {}, NOW, (found,)) == copy_of(PERSON, HISTORY, {}, NOW, (plain,))


def test_the_copy_of_a_giver_does_not_have_the_code_of_the_receivers_grant() -> None:
    charge = next(each for each in HISTORY.money.charges)
    given = msgspec.structs.replace(charge, gift_to=OTHERS[0], gift="RECEIVERS1")
    money = msgspec.structs.replace(HISTORY.money, charges=(given,))
    shown = json.dumps(copy_of(PERSON, msgspec.structs.replace(HISTORY, money=money), {}, NOW)["purchases"])
    assert "RECEIVERS1" not in shown
    assert SOMEBODY in shown


def test_the_copy_is_the_same_whether_a_partner_rated_the_person_or_not() -> None:
    karma = rated(PERSON.karma, Rating.BAD, 1.0, NOW - 60)
    other = msgspec.structs.replace(PERSON, karma=karma, version=PERSON.version + 1)
    assert copy_of(other, HISTORY, {}, NOW) == copy_of(PERSON, HISTORY, {}, NOW)


def test_how_a_chat_ended_is_only_told_to_the_person_who_ended_it() -> None:
    """ "blocked" and "reported" would tell what the partner did."""
    last = msgspec.structs.replace(LAST, left=False, reason="blocked")
    past = msgspec.structs.replace(HISTORY.chats[0], left=False, reason="blocked")
    shown = copy_of(msgspec.structs.replace(PERSON, last=last), History(chats=(past,)), {}, NOW)
    assert "blocked" not in leaves([shown["last_chat"], shown["chats"]])


def test_the_copy_says_what_a_person_is_doing_now() -> None:
    ticket = Ticket(ME, PoolId("adults"), 25.5, Gender.FEMALE, 31)
    searching = msgspec.structs.replace(PERSON, state=Searching(ticket))
    assert copy_of(searching, HISTORY, {}, NOW)["now"] == {"doing": "searching", "since": 25.5, "pool": "adults"}
    nothing = copy_of(Participant(ME), History(), {}, NOW)
    assert (nothing["now"], nothing["last_chat"], nothing["requests"]) == ({"doing": "nothing"}, None, None)


def test_the_standing_tells_no_single_rating() -> None:
    def reputation(score: float) -> str:
        person = msgspec.structs.replace(PERSON, karma=Karma(score, NOW))
        return str(copy_of(person, History(), {}, NOW)["you"]["reputation"])

    assert [reputation(score) for score in (9.0, 0.0, -1.9, -3.0, -6.0)] == ["usual"] * 3 + ["low", "very low"]
