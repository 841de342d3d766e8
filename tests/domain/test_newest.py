"""Edits and reactions that nobody needs to see, because something newer is on its way."""

import msgspec
import pytest

from passerby.domain.newest import is_more_of, supersedes, together, with_edit
from passerby.kernel.content import Content, Kind
from passerby.kernel.effect import React, Relay, RelayDelete, RelayEdit, RelayEffect
from passerby.kernel.event import (
    Attempt,
    DeliveryFailed,
    Event,
    MessageEdited,
    MessageReceived,
    Overrun,
    ReactionChanged,
    Refusal,
    Unusable,
)
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId

BOT, CHAT, ANN, BEN = BotId(1), ChatId("c"), PersonId(1), PersonId(2)
ONE, OTHER = MessageRef(BOT, MessageId(10)), MessageRef(BOT, MessageId(11))


def relay_edit(at: MessageRef = ONE, words: str = "new", kind: Kind = Kind.TEXT) -> RelayEdit:
    return RelayEdit(CHAT, ANN, at, BEN, Content(kind, words))


def react(at: MessageRef = ONE) -> React:
    return React(CHAT, ANN, at, BEN, "👍")


def relay_delete(at: MessageRef = ONE) -> RelayDelete:
    return RelayDelete(CHAT, ANN, at, BEN)


RELAY = Relay(CHAT, ANN, BOT, (ONE.message,), BEN, (Content(Kind.TEXT, "old"),), copyable=True)


@pytest.mark.parametrize(
    ("newer", "older"),
    [(relay_edit(), relay_edit()), (react(), react()), (relay_delete(), relay_edit()), (relay_delete(), react())],
)
def test_only_the_newest_edit_or_reaction_of_a_message_is_needed(newer: RelayEffect, older: RelayEffect) -> None:
    assert supersedes(newer, older)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (relay_edit(), relay_edit(OTHER)),
        (react(), react(OTHER)),
        (relay_delete(), relay_edit(OTHER)),
        (msgspec.structs.replace(relay_edit(), chat=ChatId("d")), relay_edit()),
        (relay_edit(), react()),
        (react(), relay_edit()),
        (relay_edit(), RELAY),
        (relay_delete(), RELAY),
        (RELAY, RELAY),
        (relay_edit(), relay_delete()),
    ],
)
def test_effects_about_different_things_are_all_sent(newer: RelayEffect, older: RelayEffect) -> None:
    assert not supersedes(newer, older)


def test_an_edit_changes_a_message_that_has_not_been_sent() -> None:
    edited = with_edit(RELAY, relay_edit(words="new"))
    assert edited == msgspec.structs.replace(RELAY, contents=(Content(Kind.TEXT, "new"),), copyable=False)


def test_an_edit_of_one_picture_leaves_the_rest_of_its_album_as_it_is() -> None:
    pictures = tuple(Content(Kind.PHOTO, words, group="g") for words in ("a", "b", "c"))
    album = msgspec.structs.replace(RELAY, sources=(MessageId(9), MessageId(10), MessageId(11)), contents=pictures)
    edited = with_edit(album, relay_edit(words="new", kind=Kind.PHOTO))
    assert edited is not None
    assert [each.text for each in edited.contents] == ["a", "new", "c"]
    assert {each.group for each in edited.contents} == {"g"}


@pytest.mark.parametrize(
    "edit",
    [
        relay_edit(OTHER),
        relay_edit(MessageRef(BotId(2), ONE.message)),
        msgspec.structs.replace(relay_edit(), chat=ChatId("d")),
        relay_edit(kind=Kind.PHOTO),
    ],
)
def test_an_edit_of_something_else_changes_nothing(edit: RelayEdit) -> None:
    assert with_edit(RELAY, edit) is None


def edit(message: int, words: str, bot: BotId = BOT) -> MessageEdited:
    return MessageEdited(ANN, bot, MessageId(message), Content(Kind.TEXT, words), 1.0)


def overrun(count: int, *, spell: str = "s", begins: bool = False, query: str = "") -> Overrun:
    return Overrun(ANN, BOT, spell, count, begins, MessageId(5) if begins else None, query)


def test_edits_of_a_message_that_follow_each_other_are_one_edit() -> None:
    assert together(edit(1, "a"), edit(1, "b")) == edit(1, "b")
    reactions = [ReactionChanged(ANN, BOT, MessageId(1), emoji) for emoji in ("👍", None)]
    assert together(*reactions) == reactions[1]


@pytest.mark.parametrize(
    "newer",
    [edit(2, "b"), edit(1, "b", BotId(2)), ReactionChanged(ANN, BOT, MessageId(1), "👍"), overrun(1)],
)
def test_events_about_different_things_are_not_merged(newer: Event) -> None:
    assert together(edit(1, "a"), newer) is None


def test_unused_updates_are_merged() -> None:
    assert together(Unusable(ANN, BOT), Unusable(ANN, BOT)) == Unusable(ANN, BOT)


def test_refusals_of_one_spell_are_merged_and_counted() -> None:
    first, second = overrun(1, begins=True, query="q"), overrun(2)
    assert together(first, second) == msgspec.structs.replace(first, count=2)
    assert together(first, overrun(2, query="r")) == msgspec.structs.replace(first, count=2, query="r")
    assert together(first, overrun(1, spell="t")) is None


def test_messages_are_never_merged() -> None:
    messages = [MessageReceived(ANN, BOT, (MessageId(number),), (Content(Kind.TEXT, "x"),), 1.0) for number in (1, 2)]
    assert together(*messages) is None


def failed(message: int, chat: str = "c", why: Refusal = Refusal.LEFT, what: Attempt = Attempt.RELAY) -> DeliveryFailed:
    return DeliveryFailed(ANN, BOT, MessageId(message), ChatId(chat), BEN, BOT, why, what)


def test_messages_that_missed_the_same_chat_share_one_notice() -> None:
    assert is_more_of(failed(1), failed(2))


@pytest.mark.parametrize(
    ("first", "following"),
    [
        (failed(1), failed(2, "d")),
        (failed(1), failed(2, why=Refusal.EXPIRED)),
        (failed(1, why=Refusal.EXPIRED), failed(2, why=Refusal.EXPIRED)),
        (failed(1, what=Attempt.EDIT), failed(2, what=Attempt.EDIT)),
        (failed(1), edit(1, "a")),
        (edit(1, "a"), failed(1)),
    ],
)
def test_messages_that_failed_for_other_reasons_have_their_own_notices(first: Event, following: Event) -> None:
    assert not is_more_of(first, following)
