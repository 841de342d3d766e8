"""Journeys: the tag of a link is kept, and a chat becomes a real one when both have written enough."""

import msgspec

from passerby.dialogue.sanctions import letter
from passerby.domain.entitlement import is_vip
from passerby.domain.farms.sources import HELD_S
from passerby.domain.money.grants import give
from passerby.domain.sanctions import is_bound
from passerby.kernel.decision import NOTHING, Decision
from passerby.kernel.effect import Say
from passerby.kernel.event import WroteEnough
from passerby.kernel.ids import ChatId
from passerby.kernel.journey import Journey, Step
from passerby.kernel.money import GrantSource
from passerby.kernel.money_event import VipEnding
from passerby.kernel.rules import Rules
from passerby.kernel.sanction import SanctionKind
from tests.features.playbook import BOT, NOW, WORDS, Person, Playbook

DAY_S = 86_400.0


def wrote(who: Person, chat: ChatId) -> Decision:
    return who.talk.happens(WroteEnough(who.person, who.bot, chat))


def steps(who: Person) -> int:
    return who.value.journey.steps if who.value.journey is not None else 0


def test_the_first_start_keeps_the_tag_of_its_link_and_asks_as_usual() -> None:
    talk = Playbook()
    ann, plain = talk.stranger(), talk.stranger()
    asked = [each.text for each in ann.writes("/start s_Spring").effects]  # type: ignore[union-attr]
    assert asked == [each.text for each in plain.writes("/start").effects]  # type: ignore[union-attr]
    assert ann.value.journey == Journey("spring", BOT, "en", NOW)
    assert plain.value.journey is None, "the commit begins it"
    ann.writes("/start s_other-place")
    assert ann.value.journey == Journey("spring", BOT, "en", NOW)


def test_somebody_who_is_known_gets_no_source_from_a_link() -> None:
    ann = Playbook().person()
    assert ann.writes("/start s_spring").changes == ()


def said(decision: Decision) -> list[str]:
    return [each.text.key for each in decision.effects if isinstance(each, Say)]


def test_newcomers_by_a_link_of_a_barred_farm_begin_with_held_links_for_three_days_and_learn_why() -> None:
    talk = Playbook()
    known = talk.person()
    talk.env = msgspec.structs.replace(talk.env, watched_sources=frozenset({"spring"}))
    ann, plain = talk.stranger(), talk.stranger()
    decision = ann.writes("/start s_Spring")
    assert said(decision) == ["sanctions.letter", "start.consent"]
    [held] = ann.value.sanctions
    first, *_ = decision.effects
    assert isinstance(first, Say)
    assert first.text == letter(held, NOW)
    assert "accounts used the same invite link" in WORDS.plain(first.text, "en")
    assert is_bound(ann.value, SanctionKind.LINKS_OFF, NOW + HELD_S - 1)
    assert not is_bound(ann.value, SanctionKind.LINKS_OFF, NOW + HELD_S)
    assert said(ann.writes("/start s_spring")) == ["start.consent"], "they begin once"
    assert said(plain.writes("/start s_summer")) == ["start.consent"]
    assert not plain.value.sanctions
    known.writes("/start s_spring")
    assert not known.value.sanctions


def test_a_chat_is_real_when_the_second_of_the_two_has_written_enough() -> None:
    talk = Playbook()
    ann, bob = talk.pair(talk.person(), talk.person())
    wrote(ann, ann.chat)
    assert (steps(ann), steps(bob)) == (0, 0)
    assert wrote(ann, ann.chat) == NOTHING
    wrote(bob, bob.chat)
    assert (steps(ann), steps(bob)) == (Step.TALK, Step.TALK)


def test_words_in_two_different_chats_make_no_real_one() -> None:
    talk = Playbook()
    ann, bob = talk.pair(talk.person(), talk.person())
    first = ann.chat
    wrote(ann, first)
    ann.writes("/stop")
    assert wrote(bob, first) == NOTHING
    talk.later(4000)
    talk.pair(ann, bob)
    assert wrote(bob, first) == NOTHING
    wrote(bob, bob.chat)
    assert steps(bob) == 0


def test_after_their_first_real_chat_people_try_vip_once_and_its_end_is_told_once() -> None:
    talk = Playbook(Rules(trial_days=3, free_filters=()))
    ann, bob = talk.pair(talk.person(), talk.person())
    given = promised(talk, bob)
    wrote(ann, ann.chat)
    decision = wrote(bob, bob.chat)
    assert [each.text.key for each in decision.effects] == ["journeys.trial"]  # type: ignore[union-attr]
    assert (ann.value.vip_until, bob.value.vip_until) == (NOW + 3 * DAY_S, given), "a VIP gets none"
    talk.later(2.5 * DAY_S)
    assert talk.happens(VipEnding(ann.person, ann.bot)) == NOTHING
    talk.later(DAY_S)
    ended = talk.happens(VipEnding(ann.person, ann.bot))
    assert [each.text.key for each in ended.effects] == ["vip.trial_ended"]  # type: ignore[union-attr]
    assert talk.happens(VipEnding(ann.person, ann.bot)) == NOTHING
    ann.writes("/stop")
    talk.later(9000)
    cem = talk.person()
    talk.pair(ann, cem)
    wrote(ann, ann.chat)
    wrote(cem, cem.chat)
    assert not is_vip(ann.value, talk.env.now), "once"
    assert is_vip(cem.value, talk.env.now)


def promised(talk: Playbook, who: Person) -> float:
    """Make somebody a VIP. Returns until when."""
    talk.people[who.person] = give(who.value, GrantSource.STAFF, "g", 30, NOW)
    return NOW + 30 * DAY_S
