"""Referrals: a link of one's own, which friends count, and what both get for it."""

import msgspec
import pytest

from passerby.domain.money.referrals import WEEK_S, invited, is_over, reached, verdict
from passerby.domain.support import LETTERS
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import NOTHING, Decision
from passerby.kernel.effect import Menu, Say
from passerby.kernel.event import ButtonPressed
from passerby.kernel.ids import BotId, MessageId
from passerby.kernel.journey import Journey
from passerby.kernel.money import GrantSource
from passerby.kernel.money_event import GrantTakenBack, ReferralGiven
from passerby.kernel.participant import Participant, Watched
from passerby.kernel.referral import Referral, ReferralOutcome
from passerby.kernel.rules import Rules
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.text import text
from tests.features.playbook import BOT, NOW, Person, Playbook
from tests.features.test_journeys import DAY_S, wrote
from tests.features.test_vip import SOLD

ASKS = Rules(referral_days=3)
O = ReferralOutcome  # noqa: E741


def invites(who: Person, name: str = "our_bot") -> Decision:
    """`/invite`, in a bot with this username."""
    talk = who.talk
    event = who.message(Content(Kind.TEXT, "/invite"))
    facts = msgspec.structs.replace(talk.facts(who.person, None), bot_name=name)
    decider = talk.router.route(event, facts)
    assert talk.router.names_bot(decider)
    decision = talk.router.decide(decider, event, facts, talk.env)
    talk.apply(decision)
    return decision


def link_of(who: Person) -> str:
    (said,) = invites(who).effects
    assert isinstance(said, Say)
    args = dict(said.text.args)
    assert (said.text.key, args["n"], args["talks"]) == ("referrals.link", 3, 3)
    link = str(args["link"])
    assert link.startswith("https://t.me/our_bot?start=r_")
    return link.partition("?start=")[2]


def friend_of(who: Person) -> Person:
    """Somebody who starts by this person's link, and answers the first questions."""
    friend = who.talk.stranger()
    friend.writes(f"/start {link_of(who)}")
    for action, token in (("agree", ""), ("age", "25"), ("gender", "female")):
        friend.presses(action, token)
    return friend


def real_chat(one: Person, other: Person) -> None:
    talk = one.talk
    talk.pair(one, other)
    wrote(one, one.chat)
    wrote(other, other.chat)
    one.writes("/stop")


def talks(of: Person) -> int:
    return len(of.value.journey.talks) if of.value.journey is not None else 0


def test_a_link_is_the_same_each_time_and_has_nothing_of_the_person_in_it() -> None:
    talk = Playbook(ASKS)
    ann = talk.person()
    first = link_of(ann)
    assert (link_of(ann), len(first)) == (first, len("r_") + 10)
    assert set(first.removeprefix("r_")) <= set(LETTERS)
    assert link_of(talk.person()) != first


def test_without_referrals_or_while_telegram_does_not_name_the_bot_there_is_no_link() -> None:
    (off,) = invites(Playbook().person()).effects
    (later,) = invites(Playbook(ASKS).person(), "").effects
    assert isinstance(off, Say)
    assert isinstance(later, Say)
    assert (off.text.key, later.text.key) == ("referrals.off", "referrals.later")


def test_the_page_of_vip_has_a_button_for_the_link() -> None:
    talk = Playbook(msgspec.structs.replace(SOLD, referral_days=3))
    ann = talk.person()
    (offer,) = ann.writes("/vip").effects
    assert isinstance(offer, Say)
    assert isinstance(offer.keyboard, Menu)
    assert "invite" in [button.action for row in offer.keyboard.rows for button in row]
    event = ButtonPressed(ann.person, BOT, "q", MessageId(5), "invite", "")
    facts = msgspec.structs.replace(talk.facts(ann.person, None), bot_name="our_bot")
    done = talk.router.decide(talk.router.route(event, facts), event, facts, talk.env)
    assert [each.text.key for each in done.effects if isinstance(each, Say)] == ["referrals.link"]


def test_a_friend_counts_after_three_real_chats_with_different_people_within_a_week() -> None:
    talk = Playbook(ASKS)
    ann = talk.person()
    friend, others = friend_of(ann), [talk.person() for _ in range(4)]
    assert friend.value.journey is not None
    assert friend.value.journey.source == "invite"
    real_chat(friend, others[0])
    real_chat(friend, others[0])
    assert talks(friend) == 1, "the same partner again"
    real_chat(others[1], friend)
    before = friend.value
    real_chat(friend, others[2])
    assert talks(friend) == 3
    assert reached(before, friend.value) == link_of(ann).removeprefix("r_")
    assert reached(friend.value, friend.value) == ""
    assert reached(Participant(friend.person), friend.value) != ""
    before = friend.value
    real_chat(friend, others[3])
    assert (talks(friend), reached(before, friend.value)) == (3, "")
    assert talks(others[0]) == 0, "who came without a link counts for nobody"


def test_real_chats_after_the_first_week_do_not_count() -> None:
    talk = Playbook(ASKS)
    friend, other = friend_of(talk.person()), talk.person()
    talk.later(WEEK_S + 1)
    real_chat(friend, other)
    assert (talks(friend), reached(friend.value, friend.value)) == (0, "")


def test_only_somebody_new_to_the_whole_fleet_is_a_friend() -> None:
    talk = Playbook(ASKS)
    ann, known = talk.person(), talk.person()
    token = link_of(ann)
    known.writes(f"/start {token}")
    assert known.value.journey is None
    came = talk.stranger()
    came.writes("/start s_spring")
    came.writes(f"/start {token}")
    assert came.value.journey == Journey("spring", BOT, "en", NOW)
    odd = talk.stranger()
    odd.writes("/start r_not-a-token")
    assert odd.value.journey is not None
    assert odd.value.journey.invite == ""


FRIEND = Participant(Playbook().stranger().person, seen_at=NOW)
INVITER = msgspec.structs.replace(FRIEND, person=type(FRIEND.person)(99))
REACHED = Referral(FRIEND.person, INVITER.person, NOW, met=5)


def but(**changes: object) -> Referral:
    return msgspec.structs.replace(REACHED, **changes)


APART = Watched(apart_until=NOW + DAY_S)
BANNED = (Sanction("s", SanctionKind.BANNED, Reason.SPAM, NOW - 60, None),)
SLOWED = (Sanction("s", SanctionKind.SUSPENDED, Reason.SPAM, NOW - 60, NOW + DAY_S),)


@pytest.mark.parametrize(
    ("referral", "friend", "inviter", "outcome"),
    [
        (REACHED, {}, {}, O.GIVEN),
        (REACHED, None, {}, O.GONE),
        (REACHED, {}, None, O.GONE),
        (REACHED, {}, {"person": FRIEND.person}, O.GONE),
        (REACHED, {"watched": APART}, {}, O.FARM),
        (REACHED, {}, {"watched": APART}, O.FARM),
        (REACHED, {"watched": Watched(apart_until=NOW - 1)}, {}, O.GIVEN),
        (REACHED, {"sanctions": BANNED}, {}, O.BARRED),
        (REACHED, {}, {"sanctions": BANNED}, O.BARRED),
        (REACHED, {"sanctions": SLOWED}, {}, O.GIVEN),
        (but(affiliate=True), {}, {}, O.AFFILIATE),
        (but(blocked_by=3), {}, {}, O.BLOCKED),
        (but(blocked_by=2), {}, {}, O.GIVEN),
        (but(met=0, blocked_by=2), {}, {}, O.BLOCKED),
        (but(given=10), {}, {}, O.CAP),
        (but(given=9), {}, {}, O.GIVEN),
        (REACHED, {"watched": Watched(asked_at=NOW - 1)}, {}, None),
        (but(reached_at=NOW - WEEK_S), {"watched": Watched(asked_at=NOW - 1)}, {}, O.GIVEN),
    ],
)
def test_a_referral_gives_days_unless_a_rule_says_no(
    referral: Referral, friend: dict[str, object] | None, inviter: dict[str, object] | None, outcome: O | None
) -> None:
    one = None if friend is None else msgspec.structs.replace(FRIEND, **friend)
    other = None if inviter is None else msgspec.structs.replace(INVITER, **inviter)
    assert verdict(referral, one, other, 10, NOW) is outcome


def test_only_grants_from_farms_and_banned_people_end() -> None:
    assert is_over(msgspec.structs.replace(FRIEND, watched=APART), NOW)
    assert is_over(msgspec.structs.replace(FRIEND, sanctions=BANNED), NOW)
    assert not is_over(FRIEND, NOW)
    assert not is_over(None, NOW)


def test_both_get_the_days_once_and_can_lose_them_again_and_neither_is_named() -> None:
    talk = Playbook(ASKS)
    ann, friend = talk.person(), talk.person()
    for who, for_friend, key in ((ann, False, "referrals.given"), (friend, True, "referrals.for_friend")):
        event = ReferralGiven(who.person, BotId(0), f"grant-{who.person}", for_friend)
        (said,) = talk.happens(event).effects
        assert isinstance(said, Say)
        assert said.text == text(key, day=text("days.20836"))
        assert who.value.vip_until == NOW + 3 * DAY_S
        assert who.value.wallet is not None
        assert [each.source for each in who.value.wallet.grants] == [GrantSource.REFERRAL]
        assert talk.happens(event) == NOTHING
    (over,) = talk.happens(GrantTakenBack(ann.person, BotId(0), f"grant-{ann.person}")).effects
    assert isinstance(over, Say)
    assert (over.text.key, ann.value.vip_until <= NOW) == ("vip.referral_over", True)
    erased = talk.stranger()
    assert talk.happens(ReferralGiven(erased.person, BotId(0), "x", for_friend=True)) == NOTHING
    assert invited(msgspec.structs.replace(FRIEND, journey=Journey()), "t").journey == Journey(invite="t")
