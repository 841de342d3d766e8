"""Which message of the partner's a relay effect is about, looked up when it leaves."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from passerby.kernel.content import Content, Kind
from passerby.kernel.effect import React, Relay, RelayDelete, RelayEdit, RelayEffect
from passerby.kernel.event import Attempt, Refusal
from passerby.kernel.ids import MessageId, MessageRef
from passerby.ports.message_map import Copied, Mark
from passerby.ports.telegram import DeleteMessages, EditContent, SendContent, SetReaction
from passerby.runtime.delivery.addressing import ATTEMPTS, address, copies, subject
from tests.runtime.virtual import run
from tests.runtime.world import ANN, BEN, BOT, CHAT, OTHER_BOT, PRINTS, Bench, couple, relay
from tests.staged import staged

SOURCE, COPY = MessageRef(BOT, MessageId(1)), MessageRef(OTHER_BOT, MessageId(70))
UNKNOWN = MessageRef(BOT, MessageId(2))
OLD, NEW = Content(Kind.TEXT, "old"), Content(Kind.TEXT, "new")


def with_map(body: Callable[[Bench], Awaitable[None]]) -> None:
    """Run `body` with Ann's message 1, whose copy is Ben's 70 and says "old"."""

    async def main() -> None:
        bench = Bench()
        await bench.put(*couple())
        await bench.store.mark(Mark(chat=CHAT, pairs=(Copied(SOURCE, COPY, PRINTS.of(OLD, CHAT)),)))
        await body(bench)
        await bench.close()

    run(main())


@pytest.mark.parametrize(
    ("relay_effect", "expected"),
    [
        (React(CHAT, ANN, SOURCE, BEN, "👍"), SetReaction(OTHER_BOT, BEN, MessageId(70), "👍")),
        (React(CHAT, BEN, COPY, ANN, None), SetReaction(BOT, ANN, MessageId(1), None)),
        (React(CHAT, ANN, UNKNOWN, BEN, "👍"), None),
        (RelayDelete(CHAT, ANN, SOURCE, BEN), DeleteMessages(OTHER_BOT, BEN, (MessageId(70),))),
        (RelayDelete(CHAT, BEN, COPY, ANN), Refusal.EXPIRED),
        (RelayDelete(CHAT, ANN, UNKNOWN, BEN), Refusal.EXPIRED),
        (RelayEdit(CHAT, ANN, SOURCE, BEN, NEW), EditContent(OTHER_BOT, BEN, MessageId(70), BOT, ANN, NEW, True)),
        (RelayEdit(CHAT, ANN, SOURCE, BEN, OLD), None),
        (RelayEdit(CHAT, BEN, COPY, ANN, NEW), None),
        (RelayEdit(CHAT, ANN, UNKNOWN, BEN, NEW), None),
    ],
)
@staged(with_map)
async def test_edits_reactions_and_deletions_reach_the_partners_copy(
    bench: Bench, /, relay_effect: RelayEffect, expected: object
) -> None:
    """Only the writer may edit or delete a message. If an edit changes nothing, there is nothing to do."""
    assert await address(relay_effect, OTHER_BOT, bench.store, PRINTS) == expected


@pytest.mark.parametrize(
    ("about", "bot", "reply_to"), [(SOURCE, OTHER_BOT, 70), (SOURCE, BOT, None), (UNKNOWN, OTHER_BOT, None)]
)
@staged(with_map)
async def test_a_reply_points_to_the_partners_message_on_the_same_bot(
    bench: Bench, /, about: MessageRef, bot: int, reply_to: int | None
) -> None:
    relay_effect = msgspec.structs.replace(relay(5), reply_to=about, quote="a word")
    sent = await address(relay_effect, type(BOT)(bot), bench.store, PRINTS)
    assert isinstance(sent, SendContent)
    assert (sent.reply_to, sent.quote) == (reply_to, "a word" if reply_to is not None else None)


def test_every_message_of_an_album_is_remembered_beside_its_copy() -> None:
    contents = Content(Kind.PHOTO, "a"), Content(Kind.PHOTO, "b")
    album = Relay(CHAT, ANN, BOT, (MessageId(5), MessageId(6)), BEN, contents)
    assert copies(album, OTHER_BOT, (MessageId(71), MessageId(72)), PRINTS) == tuple(
        Copied(MessageRef(BOT, MessageId(source)), MessageRef(OTHER_BOT, MessageId(copy)), PRINTS.of(content, CHAT))
        for source, copy, content in zip((5, 6), (71, 72), contents, strict=True)
    )


def test_a_relay_without_a_message_adds_nothing_to_the_map() -> None:
    for relay_effect in (relay(1), React(CHAT, ANN, SOURCE, BEN, None), RelayDelete(CHAT, ANN, SOURCE, BEN)):
        assert copies(relay_effect, OTHER_BOT, (), PRINTS) == ()


def test_each_relay_effect_is_about_one_message_of_its_sender() -> None:
    relay_effects: list[RelayEffect] = [
        relay(1),
        RelayEdit(CHAT, ANN, SOURCE, BEN, NEW),
        React(CHAT, ANN, SOURCE, BEN, None),
        RelayDelete(CHAT, ANN, SOURCE, BEN),
    ]
    assert {subject(relay_effect) for relay_effect in relay_effects} == {SOURCE}
    assert {ATTEMPTS[type(relay_effect)] for relay_effect in relay_effects} == set(Attempt)
