"""The adapter with the sandbox: what one person sends through a bot reaches another person, on the same bot or not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from botapi_sandbox import Switches, Upload
from botapi_sandbox.service import Sandbox, make_world, running
from botapi_sandbox.world.faults import Fault
from passerby.adapters.botapi import BotApi
from passerby.kernel.content import Content, Kind
from passerby.kernel.event import BotBlocked, BotUnblocked, ButtonPressed, MessageReceived, ReactionChanged, Refusal
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.ports.telegram import (
    AnswerCallback,
    Arrival,
    CommandList,
    Conflict,
    DeleteMessages,
    EditContent,
    EditNotice,
    FloodWait,
    InlineButton,
    InlineRows,
    Refused,
    SendContent,
    SendNotice,
    SetReaction,
    TokenRefused,
    Unavailable,
)
from tests.adapters.botapi.bot_api import Memory
from tests.staged import in_a_loop


@dataclass
class Stage:
    """Two bots, a sender who uses the first bot, a reader who uses both."""

    sandbox: Sandbox
    api: BotApi
    files: Memory
    a: BotId
    b: BotId
    sender: PersonId
    reader: PersonId
    offset: int | None = None

    async def arrivals(self) -> list[Arrival]:
        """Return everything that waits for the first bot."""
        every: list[Arrival] = []
        # One poll is not enough: for a repeated offset, Telegram returns one update at a time.
        while found := await self.api.updates(self.a, self.offset, 100, 0):
            self.offset = found[-1].ref.update + 1
            every += found
        return every

    async def sent(self, content: dict[str, Any], **more: Any) -> MessageReceived:
        """Return what the first bot receives when the sender writes this."""
        self.sandbox.world.phones.send(self.sender, self.a, content, **more)
        (arrival,) = await self.arrivals()
        assert isinstance(arrival.event, MessageReceived)
        return arrival.event

    async def relayed(self, *received: MessageReceived, to: BotId, copyable: bool = False) -> tuple[MessageId, ...]:
        return await self.api.send(
            SendContent(
                bot=to,
                person=self.reader,
                source_bot=self.a,
                source_person=self.sender,
                sources=tuple(event.messages[0] for event in received),
                contents=tuple(event.contents[0] for event in received),
                copyable=copyable,
            )
        )

    def seen(self, bot: BotId) -> list[dict[str, Any]]:
        """Return the messages in the reader's chat with a bot, without /start."""
        _, held = self.sandbox.world.phones.view(self.reader, bot)
        return [one.message for one in held if not one.outgoing]

    def requests(self, method: str) -> list[dict[str, Any]]:
        entries = self.sandbox.world.journal.after(0)
        return [entry for entry in entries if entry["kind"] == "request" and entry["method"].lower() == method.lower()]


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    world = make_world(bots=2, seed=1, switches=Switches(check_own=True, limits=False))
    first, second = world.state.bots.values()
    sender = world.add_person("Canary", "canary_person").id
    reader = world.add_person("Reader").id
    tokens = {BotId(bot.id): bot.token for bot in (first, second)}
    files = Memory()
    async with running(world) as sandbox:
        api = BotApi(tokens, files, base_url=sandbox.url)
        a, b = tokens
        # The first poll tells the sandbox which kinds of updates we want, as with Telegram.
        await api.updates(a, None, 1, 0)
        world.phones.start(sender, a)
        for bot in (a, b):
            world.phones.start(reader, bot)
        ready = Stage(sandbox, api, files, a, b, PersonId(sender), PersonId(reader))
        await ready.arrivals()
        try:
            yield ready
        finally:
            await api.aclose()


CONTENTS: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"text": "hello", "entities": [{"type": "bold", "offset": 0, "length": 5}]},
    Kind.PHOTO: {"photo": {}, "caption": "look", "has_media_spoiler": True},
    Kind.VIDEO: {"video": {"duration": 3}},
    Kind.ANIMATION: {"animation": {"duration": 3}},
    Kind.AUDIO: {"audio": {"duration": 3, "title": "Canary song", "performer": "Canary"}},
    Kind.VOICE: {"voice": {"duration": 3}},
    Kind.VIDEO_NOTE: {"video_note": {"duration": 3, "length": 240}},
    Kind.DOCUMENT: {"document": {"file_name": "Canary.pdf", "mime_type": "application/pdf"}},
    Kind.STICKER: {"sticker": {}},
    Kind.LIVE_PHOTO: {"live_photo": {"duration": 3}},
    Kind.POLL: {"poll": {"question": "well?", "options": [{"text": "yes"}, {"text": "no"}]}},
    Kind.LOCATION: {"location": {"latitude": 1.5, "longitude": 2.5}},
    Kind.VENUE: {
        "venue": {"location": {"latitude": 1.5, "longitude": 2.5}, "title": "Cafe", "address": "Street"},
    },
    Kind.CONTACT: {"contact": {"phone_number": "+1555", "first_name": "Friend"}},
}


@pytest.mark.parametrize("copyable", [True, False], ids=["copyable", "rebuilt"])
@pytest.mark.parametrize("home", [True, False], ids=["one bot", "two bots"])
@in_a_loop
async def test_every_kind_arrives_unchanged_and_reveals_nothing_about_its_sender(home: bool, copyable: bool) -> None:
    async with stage() as on:
        to = on.a if home else on.b
        for kind, members in CONTENTS.items():
            received = await on.sent(members)
            assert received.contents[0].kind is kind
            (message,) = await on.relayed(received, to=to, copyable=copyable)
            seen = on.seen(to)[-1]
            assert seen["message_id"] == message
            assert kind.value in seen
            assert seen.get("caption") == members.get("caption")
            shown = json.dumps(seen)
            assert "anary" not in shown
            assert str(on.sender) not in shown
            # Send it again: by now the reader's bot knows the file.
            before = len(on.requests("getFile"))
            await on.relayed(received, to=to, copyable=copyable)
            assert len(on.requests("getFile")) == before, kind


@pytest.mark.parametrize("home", [True, False], ids=["one bot", "two bots"])
@in_a_loop
async def test_a_dice_shows_the_reader_what_the_sender_saw(home: bool) -> None:
    async with stage() as on:
        received = await on.sent({"dice": {"emoji": "🎯", "value": 6}})
        to = on.a if home else on.b
        await on.relayed(received, to=to, copyable=True)
        assert on.seen(to)[0]["text"] == "🎯 6"


@pytest.mark.parametrize("home", [True, False], ids=["one bot", "two bots"])
@in_a_loop
async def test_an_album_arrives_as_one(home: bool) -> None:
    async with stage() as on:
        on.sandbox.world.phones.album(
            on.sender, on.a, [{"photo": {}, "caption": "two"}, {"video": {"duration": 2}}, {"photo": {}}]
        )
        events = [arrival.event for arrival in await on.arrivals()]
        received = [event for event in events if isinstance(event, MessageReceived)]
        assert len({event.contents[0].group for event in received}) == 1
        to = on.a if home else on.b
        messages = await on.relayed(*received, to=to, copyable=True)
        seen = on.seen(to)
        assert tuple(message["message_id"] for message in seen) == messages
        assert [next(k for k in ("photo", "video") if k in m) for m in seen] == ["photo", "video", "photo"]
        assert len({message["media_group_id"] for message in seen}) == 1
        assert seen[0]["caption"] == "two"


def test_a_big_file_arrives_byte_for_byte() -> None:
    data = bytes(range(256)) * (5 * 2**20 // 256)

    async def scenario() -> None:
        async with stage() as on:
            upload = Upload(data, "Canary.zip", "application/zip")
            on.sandbox.world.phones.upload(on.sender, on.a, "document", upload)
            (arrival,) = await on.arrivals()
            assert isinstance(arrival.event, MessageReceived)
            await on.relayed(arrival.event, to=on.b)
            (seen,) = on.seen(on.b)
            assert seen["document"]["file_name"] == "document.zip"
            found = on.sandbox.world.blob(seen["document"]["file_id"])
            assert found is not None
            assert found[0] == data

    asyncio.run(scenario())


@in_a_loop
async def test_a_stale_file_id_is_replaced() -> None:
    async with stage() as on:
        received = await on.sent({"voice": {"duration": 3}})
        file = received.contents[0].file
        assert file is not None
        on.files.ids[file.unique, on.b] = file.file_id  # an id of another bot: Telegram refuses it
        await on.relayed(received, to=on.b)
        assert "voice" in on.seen(on.b)[0]
        assert on.files.ids[file.unique, on.b] != file.file_id


@in_a_loop
async def test_replies_quotes_and_deleted_messages_work() -> None:
    async with stage() as on:
        (first,) = await on.api.send(SendNotice(on.b, on.reader, "<b>question</b> here"))
        received = await on.sent({"text": "answer"})

        def reply(to: int, quote: str | None) -> SendContent:
            return SendContent(
                bot=on.b,
                person=on.reader,
                source_bot=on.a,
                source_person=on.sender,
                sources=received.messages,
                contents=received.contents,
                reply_to=MessageId(to),
                quote=quote,
            )

        for target, quote in ((first, None), (first, "never said"), (first + 999, None)):
            await on.api.send(reply(target, quote))
        replies = [message.get("reply_to_message", {}).get("message_id") for message in on.seen(on.b)[1:]]
        assert replies == [first, first, None]


@in_a_loop
async def test_notices_buttons_edits_and_presses_work() -> None:
    async with stage() as on:
        rows = InlineRows(((InlineButton("Next", "next:abc"),),))
        (message,) = await on.api.send(SendNotice(on.a, on.reader, "menu <i>x</i>", rows))
        on.sandbox.world.phones.press(on.reader, on.a, message, 0, 0)
        (arrival,) = await on.arrivals()
        press = arrival.event
        assert isinstance(press, ButtonPressed)
        assert (press.person, press.action, press.token, press.message) == (on.reader, "next", "abc", message)
        for _ in range(2):
            await on.api.send(AnswerCallback(on.a, press.query, "ok"))
        for _ in range(2):
            assert await on.api.send(EditNotice(on.a, on.reader, message, "done")) == (message,)
        assert on.seen(on.a)[0]["text"] == "done"


@in_a_loop
async def test_blocking_reactions_and_refusals_work() -> None:
    async with stage() as on:
        phones = on.sandbox.world.phones
        (message,) = await on.api.send(SendNotice(on.a, on.reader, "hi"))
        phones.react(on.reader, on.a, message, "👍")
        phones.block(on.reader, on.a)
        with pytest.raises(Refused) as caught:
            await on.api.send(SendNotice(on.a, on.reader, "hi"))
        assert caught.value.refusal is Refusal.UNREACHABLE
        phones.unblock(on.reader, on.a)
        assert [arrival.event for arrival in await on.arrivals()] == [
            ReactionChanged(on.reader, on.a, message, "👍"),
            BotBlocked(on.reader, on.a),
            BotUnblocked(on.reader, on.a),
        ]


@in_a_loop
async def test_edits_reactions_and_deletions_reach_the_copy() -> None:
    async with stage() as on:
        (text,) = await on.relayed(await on.sent({"text": "old"}), to=on.b)
        received = await on.sent({"photo": {}, "caption": "old"})
        (picture,) = await on.relayed(received, to=on.b)

        def edit(message: MessageId, content: Content, *, words_only: bool) -> EditContent:
            return EditContent(on.b, on.reader, message, on.a, on.sender, content, words_only)

        await on.api.send(edit(text, Content(Kind.TEXT, "new"), words_only=True))
        await on.api.send(edit(picture, replace(received.contents[0], text="newer"), words_only=True))
        other = await on.sent({"photo": {}, "caption": "other"})
        await on.api.send(edit(picture, other.contents[0], words_only=False))
        first, second = on.seen(on.b)
        assert (first["text"], second["caption"]) == ("new", "other")
        file = other.contents[0].file
        assert file is not None
        assert second["photo"][-1]["file_id"] == on.files.ids[file.unique, on.b]
        await on.api.send(SetReaction(on.b, on.reader, text, "👍"))
        await on.api.send(DeleteMessages(on.b, on.reader, (text, picture)))
        assert on.seen(on.b) == []


@in_a_loop
async def test_a_deleted_original_is_not_copied() -> None:
    async with stage() as on:
        received = await on.sent({"photo": {}})
        rich = replace(received, contents=(Content(Kind.RICH, detail={"copyable": True}),))
        on.sandbox.world.phones.delete(on.sender, on.a, received.messages[0])
        with pytest.raises(Refused) as caught:
            await on.relayed(rich, to=on.a, copyable=True)
        assert caught.value.refusal is Refusal.CANNOT_COPY


@pytest.mark.parametrize("kind", ["story", "game", "invoice"])
@in_a_loop
async def test_kinds_that_telegram_would_refuse_are_refused_without_a_call(kind: str) -> None:
    async with stage() as on:
        content = Content(Kind(kind))
        with pytest.raises(Refused):
            await on.api.send(SendContent(on.b, on.reader, on.a, on.sender, (MessageId(1),), (content,), copyable=True))


@pytest.mark.parametrize(
    ("fault", "uncertain", "arrived"),
    [
        (Fault(kind="reset_after", count=1), True, True),
        (Fault(kind="reset_before", count=1), True, False),
        (Fault(kind="502", count=1), True, False),
        (Fault(kind="500", count=1, effect=True), True, True),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.VOICE])
@in_a_loop
async def test_after_a_fault_the_outcome_is_unknown(kind: Kind, fault: Fault, uncertain: bool, arrived: bool) -> None:
    async with stage() as on:
        received = await on.sent(CONTENTS[kind])
        spoil = {"method": "send*", "count": 1}
        on.sandbox.world.faults = [Fault(kind=fault.kind, effect=fault.effect, **spoil)]  # type: ignore[arg-type]
        with pytest.raises(Unavailable) as caught:
            await on.relayed(received, to=on.b)
        assert caught.value.uncertain is uncertain
        assert len(on.seen(on.b)) == arrived


@in_a_loop
async def test_flood_waits_revoked_tokens_and_second_pollers_are_recognised() -> None:
    async with stage() as on:
        on.sandbox.world.faults = [Fault(kind="429", count=1, retry_after=7)]
        with pytest.raises(FloodWait) as caught:
            await on.api.send(SendNotice(on.a, on.reader, "hi"))
        assert caught.value.retry_after_s == 7
        older = asyncio.ensure_future(on.api.updates(on.a, on.offset, 100, 20))
        while on.sandbox.world.polls[on.a].waiting is None:
            await asyncio.sleep(0.01)
        await on.api.updates(on.a, on.offset, 100, 0)
        with pytest.raises(Conflict):
            await older
        on.sandbox.world.faults = [Fault(kind="401")]
        with pytest.raises(TokenRefused):
            await on.api.identify(on.a)


@in_a_loop
async def test_identity_and_menus_work() -> None:
    async with stage() as on:
        me = await on.api.identify(on.b)
        assert (me.bot, me.title) == (on.b, on.sandbox.world.state.bots[on.b].first_name)
        await on.api.prepare(on.b, (CommandList("", (("start", "Begin"),)), CommandList("ru", (("start", "Начать"),))))
        assert [entry["status"] for entry in on.requests("setMyCommands")] == [200, 200]
