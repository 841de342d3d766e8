"""Which message a passage is about on the partner's side, looked up when it leaves."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest

from passerby.kernel.content import Content, Kind
from passerby.kernel.effect import Amend, Erase, Passage, React, Relay
from passerby.kernel.event import Attempt, Refusal
from passerby.kernel.ids import MessageId, MessageRef
from passerby.ports.live_store import Copied, Mark
from passerby.ports.telegram import Carry, Delete, Edit, SetReaction
from passerby.runtime.delivery.addressing import ATTEMPTS, address, copies, subject
from tests.runtime.virtual import run
from tests.runtime.world import ANN, BEN, BOT, CHAT, OTHER_BOT, PRINTS, Bench, couple, relay
from tests.staged import staged

SOURCE, COPY = MessageRef(BOT, MessageId(1)), MessageRef(OTHER_BOT, MessageId(70))
UNKNOWN = MessageRef(BOT, MessageId(2))
OLD, NEW = Content(Kind.TEXT, "old"), Content(Kind.TEXT, "new")


def with_map(body: Callable[[Bench], Awaitable[None]]) -> None:
    """Ann's message 1 is Ben's 70 and says "old"."""

    async def main() -> None:
        bench = Bench()
        await bench.put(*couple())
        await bench.store.mark(Mark(chat=CHAT, pairs=(Copied(SOURCE, COPY, PRINTS.of(OLD, CHAT)),)))
        await body(bench)
        await bench.close()

    run(main())


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (React(CHAT, ANN, SOURCE, BEN, "👍"), SetReaction(OTHER_BOT, BEN, MessageId(70), "👍")),
        (React(CHAT, BEN, COPY, ANN, None), SetReaction(BOT, ANN, MessageId(1), None)),
        (React(CHAT, ANN, UNKNOWN, BEN, "👍"), None),
        (Erase(CHAT, ANN, SOURCE, BEN), Delete(OTHER_BOT, BEN, (MessageId(70),))),
        (Erase(CHAT, BEN, COPY, ANN), Refusal.EXPIRED),
        (Erase(CHAT, ANN, UNKNOWN, BEN), Refusal.EXPIRED),
        (Amend(CHAT, ANN, SOURCE, BEN, NEW), Edit(OTHER_BOT, BEN, MessageId(70), BOT, ANN, NEW, True)),
        (Amend(CHAT, ANN, SOURCE, BEN, OLD), None),
        (Amend(CHAT, BEN, COPY, ANN, NEW), None),
        (Amend(CHAT, ANN, UNKNOWN, BEN, NEW), None),
    ],
)
@staged(with_map)
async def test_what_follows_a_message_goes_where_its_counterpart_stands(
    bench: Bench, /, passage: Passage, expected: object
) -> None:
    """Whoever wrote it may change or erase it, nobody else; what is already so needs no doing."""
    assert await address(passage, OTHER_BOT, bench.store, PRINTS) == expected


@pytest.mark.parametrize(
    ("about", "bot", "reply_to"), [(SOURCE, OTHER_BOT, 70), (SOURCE, BOT, None), (UNKNOWN, OTHER_BOT, None)]
)
@staged(with_map)
async def test_a_reply_answers_the_partners_message_where_it_stands_on_the_same_bot(
    bench: Bench, /, about: MessageRef, bot: int, reply_to: int | None
) -> None:
    passage = msgspec.structs.replace(relay(5), reply_to=about, quote="a word")
    carried = await address(passage, type(BOT)(bot), bench.store, PRINTS)
    assert isinstance(carried, Carry)
    assert (carried.reply_to, carried.quote) == (reply_to, "a word" if reply_to is not None else None)


def test_every_message_of_an_album_is_remembered_beside_its_copy() -> None:
    contents = Content(Kind.PHOTO, "a"), Content(Kind.PHOTO, "b")
    album = Relay(CHAT, ANN, BOT, (MessageId(5), MessageId(6)), BEN, contents)
    assert copies(album, OTHER_BOT, (MessageId(71), MessageId(72)), PRINTS) == tuple(
        Copied(MessageRef(BOT, MessageId(source)), MessageRef(OTHER_BOT, MessageId(copy)), PRINTS.of(content, CHAT))
        for source, copy, content in zip((5, 6), (71, 72), contents, strict=True)
    )


def test_what_left_no_message_leaves_nothing_to_remember() -> None:
    for passage in (relay(1), React(CHAT, ANN, SOURCE, BEN, None), Erase(CHAT, ANN, SOURCE, BEN)):
        assert copies(passage, OTHER_BOT, (), PRINTS) == ()


def test_each_passage_is_about_one_message_of_its_senders() -> None:
    passages: list[Passage] = [
        relay(1),
        Amend(CHAT, ANN, SOURCE, BEN, NEW),
        React(CHAT, ANN, SOURCE, BEN, None),
        Erase(CHAT, ANN, SOURCE, BEN),
    ]
    assert {subject(passage) for passage in passages} == {SOURCE}
    assert {ATTEMPTS[type(passage)] for passage in passages} == set(Attempt)
