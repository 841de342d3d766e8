"""Edits, reactions and deletions that follow a relayed message."""

import asyncio
from typing import Any

import pytest

from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.event import Refusal
from passerby.kernel.ids import MessageId
from passerby.ports.telegram import DeleteMessages, EditContent, Refused, SetReaction
from tests.adapters.botapi.bot_api import READER, SENDER, A, B, Memory, fleet, photo
from tests.adapters.botapi.stub import ok, refusal
from tests.staged import in_a_loop

TARGET = {"chat_id": READER, "message_id": 7}


def edit(content: Content, *, words_only: bool = False) -> EditContent:
    return EditContent(B, READER, MessageId(7), A, SENDER, content, words_only)


@pytest.mark.parametrize(
    ("content", "words_only", "method", "members"),
    [
        (
            Content(Kind.TEXT, "new", (Entity("bold", 0, 3), Entity("text_mention", 0, 1))),
            True,
            "editMessageText",
            {
                "text": "new",
                "entities": [{"type": "bold", "offset": 0, "length": 3}],
                "link_preview_options": {"is_disabled": True},
            },
        ),
        (
            photo(text="new", caption_above=True),
            True,
            "editMessageCaption",
            {"caption": "new", "show_caption_above_media": True},
        ),
        (photo(spoiler=True), True, "editMessageCaption", {}),
        (
            Content(Kind.LOCATION, detail={"latitude": 1.5, "longitude": 2.5, "live_period": 60, "heading": 9}),
            False,
            "editMessageLiveLocation",
            {"latitude": 1.5, "longitude": 2.5, "live_period": 60, "heading": 9},
        ),
        (
            Content(Kind.RICH, detail={"rebuilt": {"blocks": []}, "copyable": True}),
            False,
            "editMessageText",
            {"rich_message": {"blocks": []}},
        ),
    ],
    ids=["text", "caption", "caption taken away", "live location", "rich"],
)
@in_a_loop
async def test_a_copy_follows_its_original(
    content: Content, words_only: bool, method: str, members: dict[str, Any]
) -> None:
    async with fleet() as (api, stub):
        assert await api.send(edit(content, words_only=words_only)) == (7,)
        assert [(r.method, r.members) for r in stub.calls()] == [(method, TARGET | members)]


def test_a_replaced_file_shows_no_name() -> None:
    content = Content(Kind.DOCUMENT, "look", file=File("d-a", "d", 3, "Ann.pdf", "application/pdf"))

    async def scenario() -> None:
        files = Memory()
        async with fleet(files) as (api, stub):
            stub.files["d-a"] = b"abc"
            document = {"file_id": "d-b", "file_unique_id": "n"}
            stub.answer("editMessageMedia", ok({"message_id": 7, "document": document}))
            assert await api.send(edit(content)) == (7,)
            await api.send(edit(content))
            moved, known = stub.calls("editMessageMedia")
            assert moved.files == {"file0": ("document.pdf", b"abc")}
            assert moved.members["media"]["media"] == "attach://file0"
            assert known.members["media"] == {
                "type": "document",
                "media": "d-b",
                "caption": "look",
                "disable_content_type_detection": True,
            }

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", [Kind.STICKER, Kind.VOICE, Kind.VIDEO_NOTE])
@in_a_loop
async def test_an_exchange_that_telegram_does_not_allow_is_refused(kind: Kind) -> None:
    async with fleet() as (api, stub):
        with pytest.raises(Refused) as caught:
            await api.send(edit(Content(kind, file=File("x-a", "x", 3))))
        assert caught.value.refusal is Refusal.CANNOT_COPY
        assert not stub.requests


@pytest.mark.parametrize(("content", "method"), [(Content(Kind.TEXT, "same"), "Text"), (photo(), "Media")])
@in_a_loop
async def test_an_edit_without_changes_counts_as_done(content: Content, method: str) -> None:
    files = Memory()
    files.ids["photo", B] = "photo-b"
    async with fleet(files) as (api, stub):
        stub.answer(f"editMessage{method}", refusal(400, "Bad Request: message is not modified"))
        assert await api.send(edit(content)) == (7,)


@pytest.mark.parametrize(("emoji", "shown"), [("👍", [{"type": "emoji", "emoji": "👍"}]), (None, [])])
@in_a_loop
async def test_a_reaction_is_set_and_removed(emoji: str | None, shown: Any) -> None:
    async with fleet() as (api, stub):
        stub.answer("setMessageReaction", ok(True), refusal(400, "Bad Request: REACTION_INVALID"))
        for _ in range(2):
            assert await api.send(SetReaction(B, READER, MessageId(7), emoji)) == ()
        assert stub.requests[0].members == TARGET | {"reaction": shown}


@in_a_loop
async def test_a_message_that_is_already_gone_counts_as_deleted() -> None:
    async with fleet() as (api, stub):
        stub.answer("deleteMessages", ok(True), refusal(400, "Bad Request: message to delete not found"))
        for _ in range(2):
            assert await api.send(DeleteMessages(B, READER, (MessageId(7), MessageId(8)))) == ()
        assert stub.requests[0].members == {"chat_id": READER, "message_ids": [7, 8]}
        stub.answer("deleteMessages", refusal(400, "Bad Request: message can't be deleted for everyone"))
        with pytest.raises(Refused):
            await api.send(DeleteMessages(B, READER, (MessageId(7),)))
