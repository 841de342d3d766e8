"""A sticker or custom emoji set that few people use is not passed on, on one bot or across two."""

import asyncio
from typing import Any

import msgspec
import pytest

from passerby.domain.popularity import ENOUGH
from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.telegram import EditContent, SendContent
from tests.adapters.botapi.bot_api import READER, A, B, Memory, content_call, fleet
from tests.adapters.botapi.stub import Stub, ok

EMOJI = Entity("custom_emoji", 0, 2, custom_emoji_id="5301")
BOLD = Entity("bold", 0, 2)
CROWD = [PersonId(1000 + number) for number in range(4 * ENOUGH)]
both = pytest.mark.parametrize("to", [A, B], ids=["one bot", "two bots"])


def sticker(**detail: Any) -> Content:
    return Content(Kind.STICKER, file=File("st-a", "st", 3), detail={"format": "static", **detail})


def by(person: PersonId, outgoing: SendContent) -> SendContent:
    return msgspec.structs.replace(outgoing, source_person=person)


def play(*calls: SendContent | EditContent, files: Memory | None = None) -> Stub:
    """Send one after the other, each alone. Returns the server."""

    async def scenario() -> Stub:
        async with fleet(files) as (api, stub):
            stub.files["st-a"] = b"abc"
            members = [{"file_id": "st-b", "file_unique_id": "st"}]
            stub.answer("getStickerSet", *[ok({"stickers": members})] * len(calls))
            for outgoing in calls:
                await api.send(outgoing)
            return stub

    return asyncio.run(scenario())


@both
def test_a_sticker_of_a_set_that_nobody_else_uses_is_uploaded_once(to: BotId) -> None:
    files = Memory()
    stub = play(*[content_call(sticker(set_name="ann_by_bot"), to=to)] * 2, files=files)
    first, second = stub.calls("sendSticker")
    assert first.files == {"sticker": ("sticker.webp", b"abc")}
    assert second.members["sticker"] == files.ids["renamed:st", to] != "st-a"
    assert not stub.calls("getStickerSet")
    assert not [request for request in stub.requests if b"ann_by_bot" in request.raw]
    assert set(files.ids) == {("renamed:st", to)}


@both
def test_a_sticker_of_a_popular_set_keeps_its_set_without_an_upload(to: BotId) -> None:
    stub = play(*[by(person, content_call(sticker(set_name="cats"), to=to)) for person in CROWD])
    *_, last = stub.calls("sendSticker")
    assert last.members["sticker"] == {A: "st-a", B: "st-b"}[to]
    assert len(stub.calls("getStickerSet")) == (to == B)


def test_one_person_who_sends_a_sticker_often_does_not_make_its_set_popular() -> None:
    files = Memory()
    play(*[content_call(sticker(set_name="cats"), to=A)] * (3 * ENOUGH), files=files)
    assert files.ids.keys() == {("renamed:st", A)}


@both
def test_a_sticker_without_a_set_is_sent_by_its_id_if_it_has_one(to: BotId) -> None:
    stub = play(content_call(sticker(), to=to))
    assert (len(stub.calls("getFile")) == 0) is (to == A)


TEXT = Content(Kind.TEXT, "\U0001f600 hi", (EMOJI, BOLD))
CAPTION = Content(Kind.PHOTO, "\U0001f600 hi", (EMOJI, BOLD), file=File("st-a", "ph", 3))


@both
@pytest.mark.parametrize(
    ("content", "place"), [(TEXT, "entities"), (CAPTION, "caption_entities")], ids=["text", "caption"]
)
def test_a_custom_emoji_that_few_people_use_becomes_the_plain_one(content: Content, place: str, to: BotId) -> None:
    *_, sent = play(content_call(content, to=to)).requests
    assert "5301" not in sent.raw.decode()
    assert sent.members[place] == [{"type": "bold", "offset": 0, "length": 2}]
    *_, sent = play(*[by(person, content_call(content, to=to)) for person in CROWD]).requests
    assert sent.members[place][0]["custom_emoji_id"] == "5301"


def test_rare_custom_emoji_in_an_edit_quote_or_poll_become_plain_too() -> None:
    edit = EditContent(B, READER, MessageId(5), A, CROWD[0], TEXT, True)
    quoting = content_call(
        Content(Kind.TEXT, "yes"), reply_to=MessageId(4), quote="\U0001f600", quote_entities=(EMOJI, BOLD)
    )
    emoji = [msgspec.to_builtins(EMOJI)]
    options = [{"text": "\U0001f600", "text_entities": emoji}, {"text": "no", "text_entities": []}]
    poll = content_call(
        Content(Kind.POLL, detail={"question": "\U0001f600?", "question_entities": emoji, "options": options})
    )
    empty = content_call(Content(Kind.POLL))
    stub = play(edit, quoting, poll)
    assert not [request for request in stub.requests if b"5301" in request.raw]
    assert stub.calls("sendMessage")[0].members["reply_parameters"]["quote_entities"] == [msgspec.to_builtins(BOLD)]
    many = [by(person, poll) for person in CROWD]
    *_, asked = play(*many).requests
    assert asked.members["options"][0]["text_entities"] == asked.members["question_entities"] == emoji
    assert empty.contents[0].detail is None


def test_while_the_store_is_away_no_set_counts_as_popular() -> None:
    class Away(Memory):
        async def sight(self, bits: Any) -> int:
            raise LiveStoreLost

    stub = play(*[by(person, content_call(TEXT)) for person in CROWD], files=Away())
    assert b"5301" not in stub.requests[-1].raw
