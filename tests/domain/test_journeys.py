"""Where people come from, and how far they get."""

import msgspec
import pytest

from passerby.domain import journeys
from passerby.domain.farms.conduct import LISTENED_TO
from passerby.domain.journeys import begin, gone_on, is_source, new_steps, payload_of, reached, source_of, tag_of
from passerby.kernel.ids import BotId, ChatId, PersonId, PoolId
from passerby.kernel.journey import Journey, Step
from passerby.kernel.money import Charge, ChargeId, PurchaseId, PurchaseOrder, Wallet
from passerby.kernel.participant import Chatting, Gender, Participant, Profile, Searching, State, Ticket
from passerby.kernel.rules import MOST_REAL_CHAT_MESSAGES

NOW = 1_800_000_000.0
BOT = BotId(7)
DONE = Profile(NOW, 30, NOW, Gender.UNSAID, "de-AT")
ORDER = PurchaseOrder(PurchaseId("o"), "month", 30, 250, BOT, NOW, NOW + 1)
CHARGE = Charge(ChargeId("c"), BOT, "code", "o", "month", 250, NOW)
TICKET = Ticket(PersonId(1), PoolId("adults"), NOW, Gender.UNSAID, 30)


def person(**fields: object) -> Participant:
    return msgspec.structs.replace(Participant(PersonId(1), 0, BOT, (BOT,), seen_at=NOW), **fields)


def test_a_real_chat_asks_for_no_more_messages_than_are_counted() -> None:
    assert MOST_REAL_CHAT_MESSAGES == LISTENED_TO


@pytest.mark.parametrize(
    ("words", "source"),
    [
        ("/start s_Spring-24", "spring-24"),
        ("/start  s_a_b ", "a_b"),
        ("/start@our_bot s_x", "x"),
        ("/start _tgr_abc", "affiliate"),
        ("/start r_abc", "invite"),
        ("/start p_abc", "promo"),
        ("/start s_", ""),
        ("/start s_-x", ""),
        ("/start s_=1+1", ""),
        ("/start s_invite", ""),
        ("/start s_" + "x" * 33, ""),
        ("/start hello", ""),
        ("/start", ""),
    ],
)
def test_a_link_names_the_source(words: str, source: str) -> None:
    assert source_of(payload_of(words)) == source


def test_a_word_of_a_damaged_row_is_no_source() -> None:
    assert [is_source(each) for each in ("spring-24", "invite", "other")] == [True] * 3
    assert [is_source(each) for each in ("", "Ann, 0123 456", "a b", "x" * 33)] == [False] * 4


def test_a_tag_is_short_and_opens_no_formula_in_a_spreadsheet() -> None:
    assert tag_of("TikTok_1") == "tiktok_1"
    assert [tag_of(each) for each in ("", "=1", "-1", "_1", "a b", "ä", "other", "x" * 33)] == [None] * 8


def test_the_first_link_decides_and_a_later_one_changes_nothing() -> None:
    came = begin(person(profile=Profile(language="de-AT")), BOT, "spring", NOW)
    assert came.journey == Journey("spring", BOT, "de", NOW)
    assert begin(came, BotId(8), "tiktok", NOW + 9) is came
    known = person(profile=DONE)
    assert begin(known, BOT, "spring", NOW) is known


def test_somebody_who_comes_without_a_link_begins_a_journey_too() -> None:
    nobody = Participant(PersonId(1))
    assert gone_on(nobody, person(profile=Profile(language="??")), NOW) == Journey("", BOT, "?", NOW, Step.START)
    assert gone_on(nobody, nobody, NOW) is None
    assert gone_on(nobody, person(bot=None), NOW) is None
    assert gone_on(person(), person(profile=DONE), NOW) is None, "they came before anybody counted"


@pytest.mark.parametrize(
    ("fields", "steps"),
    [
        ({}, 0),
        ({"profile": DONE}, Step.PROFILE),
        ({"state": Searching(TICKET)}, Step.SEARCH),
        ({"state": Chatting(ChatId("c"), PersonId(2), NOW)}, Step.SEARCH | Step.CHAT),
        ({"wallet": Wallet()}, 0),
        ({"wallet": Wallet((ORDER,))}, Step.INVOICE),
        ({"wallet": Wallet((msgspec.structs.replace(ORDER, checked_at=NOW),))}, Step.INVOICE | Step.CHECKOUT),
        ({"wallet": Wallet(charges=(CHARGE,))}, Step.INVOICE | Step.CHECKOUT | Step.PAID),
    ],
)
def test_steps_follow_from_what_a_person_is_and_has(fields: dict[str, State], steps: int) -> None:
    assert reached(person(**fields)) == steps


def test_each_step_is_counted_once() -> None:
    came = begin(person(), BOT, "spring", NOW)
    started = msgspec.structs.replace(came, journey=gone_on(Participant(PersonId(1)), came, NOW))
    assert new_steps(Participant(PersonId(1)), started) == (Step.START,)
    answered = msgspec.structs.replace(started, profile=DONE)
    answered = msgspec.structs.replace(answered, journey=gone_on(started, answered, NOW))
    assert new_steps(started, answered) == (Step.PROFILE,)
    assert gone_on(answered, answered, NOW) is answered.journey
    assert new_steps(answered, answered) == ()


def test_somebody_who_was_erased_and_comes_back_is_a_new_start() -> None:
    before = person(journey=Journey("spring", BOT, "de", NOW, Step.START | Step.PROFILE))
    after = person(journey=Journey("", BOT, "de", NOW + 9, Step.START))
    assert new_steps(before, after) == (Step.START,)
    assert new_steps(before, person(journey=None)) == ()


def test_a_real_chat_is_noted_once_also_for_people_who_are_not_counted() -> None:
    old = person(profile=DONE)
    assert journeys.is_open(old)
    wrote = journeys.wrote_enough(old, ChatId("c"))
    assert journeys.has_talked(wrote, ChatId("c"))
    assert not journeys.has_talked(old, ChatId("c"))
    talked = journeys.after_real_chat(wrote)
    assert not journeys.is_open(talked)
    invited = person(profile=DONE, journey=Journey(steps=Step.TALK, invite="token"))
    assert journeys.is_open(invited), "it may count for somebody's referral"
    done = Journey(steps=Step.TALK, invite="token", talks=(ChatId("1"), ChatId("2"), ChatId("3")))
    assert not journeys.is_open(person(profile=DONE, journey=done))
    assert journeys.after_real_chat(talked) is talked
    assert journeys.after_real_chat(old).journey == Journey(steps=Step.TALK)
    assert gone_on(talked, talked, NOW) is talked.journey
    assert new_steps(old, talked) == ()
