"""Edits, reactions and deletions follow a message to the partner, and change nothing else there."""

import msgspec
import pytest

from passerby.domain.sanitise import REFUSED
from passerby.kernel.content import Content, Entity, Kind
from passerby.kernel.decision import NOTHING, Counterpart, Decision
from passerby.kernel.effect import React, RelayDelete, RelayEdit
from passerby.kernel.event import Attempt, DeliveryFailed, MessageEdited, Refusal
from passerby.kernel.ids import ChatId, MessageId, MessageRef
from passerby.kernel.participant import Idle
from passerby.kernel.rules import ContactPolicy, Rules
from tests.features.playbook import BOT, OTHER_BOT, Person, Playbook, says

SOURCE = MessageRef(BOT, MessageId(7))
COPY = MessageRef(OTHER_BOT, MessageId(70))


def couple(rules: Rules | None = None) -> tuple[Playbook, Person, Person]:
    """Ann's message 7 is Ben's 70."""
    talk = Playbook(rules or Rules())
    ann, ben = talk.pair(talk.person(), talk.person(bot=OTHER_BOT))
    talk.map[SOURCE] = Counterpart(COPY, mine=True)
    talk.map[COPY] = Counterpart(SOURCE, mine=False)
    return talk, ann, ben


def parted(talk: Playbook, ann: Person, ben: Person, how: str) -> None:
    if how == "idle":
        ann.writes("/stop")
    elif how == "searching":
        ann.writes("/next")
    elif how == "partner gone":
        del talk.people[ben.person]
    else:
        talk.people[ben.person] = msgspec.structs.replace(ben.value, state=Idle())


ELSEWHERE = ["idle", "searching", "partner gone", "partner idle"]


def test_an_edit_follows_its_message() -> None:
    _, ann, ben = couple()
    content = Content(Kind.TEXT, "hello there")
    expected = RelayEdit(ann.chat, ann.person, SOURCE, ben.person, content)
    assert ann.edits(7, "hello there") == Decision(effects=(expected,))


def test_an_edit_follows_a_message_that_is_still_on_its_way() -> None:
    _, ann, ben = couple()
    on_its_way = MessageRef(BOT, MessageId(8))
    expected = RelayEdit(ann.chat, ann.person, on_its_way, ben.person, Content(Kind.TEXT, "/stop"))
    assert ann.edits(8, "/stop") == Decision(effects=(expected,)), "and no edit is a command"


def test_an_edit_is_sanitised() -> None:
    talk, ann, ben = couple(Rules(contact_policy=ContactPolicy.OFF))
    edit = Content(Kind.TEXT, "it is me", (Entity("text_mention", 0, 2), Entity("bold", 0, 2)))
    decision = talk.happens(MessageEdited(ann.person, *SOURCE, edit, talk.env.now), SOURCE)
    clean = Content(Kind.TEXT, "it is me", (Entity("bold", 0, 2),))
    assert decision == Decision(effects=(RelayEdit(ann.chat, ann.person, SOURCE, ben.person, clean),))


@pytest.mark.parametrize("how", ELSEWHERE)
def test_an_edit_or_a_reaction_outside_a_chat_reaches_nobody(how: str) -> None:
    talk, ann, ben = couple()
    parted(talk, ann, ben, how)
    assert ann.edits(7, "hello there") == NOTHING
    assert ann.reacts(7, "👍") == NOTHING


def test_a_reaction_is_an_emoji_and_never_words() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    assert ann.reacts(7, "t.me/annsmith") == NOTHING


@pytest.mark.parametrize("kind", REFUSED)
def test_an_edit_into_a_refused_kind_reaches_nobody_and_its_writer_is_told(kind: Kind) -> None:
    talk, ann, _ = couple()
    event = MessageEdited(ann.person, *SOURCE, Content(kind), talk.env.now)
    told = says(ann, "chat.edit_failed", None, reply_to=SOURCE.message)
    assert talk.happens(event, SOURCE) == Decision(effects=(told,))
    talk.map.clear()
    assert talk.happens(event, SOURCE) == NOTHING, "the partner has never seen it"


@pytest.mark.parametrize("policy", [ContactPolicy.WARN, ContactPolicy.HOLD])
def test_an_edit_cannot_add_an_address_between_people_who_just_met(policy: ContactPolicy) -> None:
    talk, ann, ben = couple(Rules(contact_policy=policy))
    assert ann.edits(7, "write to @somebody") == Decision(effects=(says(ann, "chat.edit_held", None, reply_to=7),))
    assert ann.edits(8, "write to @somebody") == NOTHING, "of a message that never reached the partner"
    talk.later(talk.env.rules.just_met_s)
    expected = RelayEdit(ann.chat, ann.person, SOURCE, ben.person, Content(Kind.TEXT, "write to @somebody"))
    assert ann.edits(7, "write to @somebody") == Decision(effects=(expected,))


@pytest.mark.parametrize("emoji", ["👍", None])
def test_a_reaction_reaches_the_other_side_of_any_message(emoji: str | None) -> None:
    _, ann, ben = couple()
    assert ann.reacts(7, emoji) == Decision(effects=(React(ann.chat, ann.person, SOURCE, ben.person, emoji),))
    assert ben.reacts(70, emoji) == Decision(effects=(React(ben.chat, ben.person, COPY, ann.person, emoji),))


@pytest.mark.parametrize("words", ["/delete", "/DELETE@some_bot", "/delete please"])
def test_taking_back_deletes_both_messages_and_the_command(words: str) -> None:
    _, ann, ben = couple()
    decision = ann.writes(words, reply_to=7)
    relay_delete = RelayDelete(ann.chat, ann.person, SOURCE, ben.person, (MessageId(7), ann.last_message))
    assert decision == Decision(effects=(relay_delete,))


def test_a_message_on_its_way_is_taken_back_once_it_has_arrived() -> None:
    _, ann, ben = couple()
    decision = ann.writes("/delete", reply_to=8)
    relay_delete = RelayDelete(
        ann.chat, ann.person, MessageRef(ann.bot, MessageId(8)), ben.person, (MessageId(8), ann.last_message)
    )
    assert decision == Decision(effects=(relay_delete,))


def test_nobody_can_take_back_the_partners_message() -> None:
    _, _, ben = couple()
    assert ben.writes("/delete", reply_to=70) == Decision(effects=(says(ben, "chat.delete_not_yours", None),))


def test_taking_back_without_a_reply_explains_how() -> None:
    _, ann, _ = couple()
    assert ann.writes("/delete") == Decision(effects=(says(ann, "chat.delete_how", None),))


def test_nothing_can_be_taken_back_outside_a_chat() -> None:
    talk = Playbook()
    for each in (talk.person(), talk.searching()):
        assert each.writes("/delete", reply_to=7) == Decision(effects=(says(each, "chat.delete_outside", None),))


@pytest.mark.parametrize("refusal", Refusal)
@pytest.mark.parametrize(
    ("attempt", "key"),
    [(Attempt.EDIT, "chat.edit_failed"), (Attempt.DELETE, "chat.delete_failed"), (Attempt.REACT, None)],
)
def test_a_lost_edit_is_reported_and_a_lost_reaction_is_not(
    attempt: Attempt, key: str | None, refusal: Refusal
) -> None:
    talk, ann, ben = couple()
    failed = DeliveryFailed(ann.person, *SOURCE, ChatId("c"), ben.person, ben.bot, refusal, attempt)
    told = key if refusal not in (Refusal.UNREACHABLE, Refusal.LEFT) else None
    if attempt is Attempt.DELETE and refusal is Refusal.EXPIRED:
        told = "chat.delete_too_late"
    expected = Decision(effects=(says(ann, told, None, reply_to=7),)) if told is not None else NOTHING
    assert talk.happens(failed) == expected
