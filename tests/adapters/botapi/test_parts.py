"""One refused part does not stop the message: it is sent without that part, and with all the others."""

import asyncio
import json
from typing import Any

import pytest

from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.event import Refusal
from passerby.kernel.ids import MessageId
from passerby.ports.telegram import (
    EditContent,
    EditNotice,
    InlineButton,
    InlineRows,
    OutgoingCall,
    Refused,
    ReplyRows,
    SendNotice,
)
from tests.adapters.botapi.bot_api import READER, SENDER, TOKENS, A, Memory, Popular, content_call, fleet, photo
from tests.adapters.botapi.stub import Request, Stub, refusal
from tests.staged import in_a_loop

EMOJI = Entity("custom_emoji", 3, 2, custom_emoji_id="777000")
BOLD = Entity("bold", 0, 2)
DECORATED: dict[str, Any] = {"entities": (BOLD, EMOJI), "effect": "5104841245755180586"}
REPLY: dict[str, Any] = {"reply_to": MessageId(3), "quote": "what", "thread": MessageId(55)}
KEYS = InlineRows(((InlineButton("Go", "go:1"),),))


def text(**more: Any) -> Content:
    return Content(Kind.TEXT, "so 👍", **more)


SENT: dict[str, OutgoingCall] = {
    "text": content_call(text(**DECORATED), to=A, **REPLY),
    "photo": content_call(photo(text="so 👍", **DECORATED), to=A, **REPLY),
    "voice": content_call(Content(Kind.VOICE, "so 👍", file=File("v", "v", 3), **DECORATED), to=A, **REPLY),
    "album": content_call(
        photo(text="so 👍", **DECORATED), photo("p2", "p2", text="so 👍", entities=(BOLD, EMOJI)), to=A, **REPLY
    ),
    "edit": EditContent(A, READER, MessageId(9), A, SENDER, text(entities=(BOLD, EMOJI)), words_only=True),
    "edited caption": EditContent(
        A, READER, MessageId(9), A, SENDER, photo(text="so 👍", entities=(BOLD, EMOJI)), words_only=True
    ),
    "exchange": EditContent(
        A, READER, MessageId(9), A, SENDER, photo(text="so 👍", entities=(BOLD, EMOJI)), words_only=False
    ),
    "notice": SendNotice(A, READER, "<b>hi</b> &amp; <tg-emoji emoji-id='777000'>👍</tg-emoji>", KEYS, MessageId(3)),
    "notice with keys": SendNotice(A, READER, "<b>hi</b>", ReplyRows((("Find",),)), MessageId(3)),
    "menu": EditNotice(A, READER, MessageId(9), "<b>hi</b>", KEYS),
}

# subject of the refusal: the part of a request, and the wordings
PARTS = {
    "message_effect_id": ("EFFECT_ID_INVALID", "MESSAGE_EFFECT_NOT_AVAILABLE", "wrong message effect identifier"),
    "777000": ("DOCUMENT_INVALID", "custom emoji not found", "PREMIUM_ACCOUNT_REQUIRED", "EMOJI_INVALID"),
    '"bold"': ("ENTITY_BOUNDS_INVALID", "ENTITIES_TOO_LONG", "can't parse entities: no", "never heard of it"),
    "<b>": ("can't parse entities: unsupported start tag", "never heard of it"),
    '"quote"': ("QUOTE_TEXT_INVALID", "the quote is not there", "never heard of it"),
    "reply_parameters": ("message to be replied not found", "REPLY_MESSAGE_ID_INVALID", "replied to nothing"),
    "link_preview_options": ("WEBPAGE_CURL_FAILED", "WEBPAGE_NOT_FOUND"),
    "message_thread_id": ("message thread not found", "TOPIC_CLOSED", "the topic is gone", "no such forum"),
    "callback_data": ("BUTTON_DATA_INVALID", "BUTTON_TYPE_INVALID", "can't parse inline keyboard", "never heard of it"),
}


def _body(request: Request) -> str:
    return json.dumps(request.members, ensure_ascii=False)


def _refusing(stub: Stub, having: str, description: str) -> None:
    """Let Telegram refuse every request that contains this."""
    for method in (
        "sendMessage", "sendPhoto", "sendVoice", "sendMediaGroup", "editMessageText", "editMessageCaption",
        "editMessageMedia",
    ):  # fmt: skip

        async def answer(request: Request) -> Any:
            if having in _body(request):
                return refusal(400, f"Bad Request: {description}")
            return stub._usual(request)

        stub.handlers[method] = answer


def _cases() -> list[Any]:
    cases = []
    for name, outgoing in SENT.items():
        whole = _request_of(outgoing)
        for having, wordings in PARTS.items():
            cases += [pytest.param(outgoing, having, w, id=f"{name}: {w}") for w in wordings if having in whole]
    return cases


def _request_of(outgoing: OutgoingCall) -> str:
    async def scenario() -> str:
        async with fleet(Popular()) as (api, stub):
            await api.send(outgoing)
            return _body(stub.calls()[-1])

    return asyncio.run(scenario())


@pytest.mark.parametrize(("outgoing", "having", "wording"), _cases())
@in_a_loop
async def test_a_message_is_sent_without_the_part_that_telegram_refuses(
    outgoing: OutgoingCall, having: str, wording: str
) -> None:
    async with fleet(Popular()) as (api, stub):
        stub.files.update({"photo-a": b"abc", "p2": b"abc", "v": b"abc"})
        _refusing(stub, having, wording)
        await api.send(outgoing)
        first, last = stub.calls()[0], stub.calls()[-1]
        assert having not in _body(last)
        words = "hi" if isinstance(outgoing, SendNotice | EditNotice) else "so 👍"
        assert words in _body(last)
        if wording == "never heard of it":
            return  # then the plain attempt follows
        for part in PARTS:
            kept = part in _body(first) and part != having
            within = (having, part) in {
                ('"bold"', "777000"),
                ("reply_parameters", '"quote"'),
                ("<b>", "777000"),
                ("link_preview_options", "777000"),
                ("message_thread_id", '"quote"'),
                ("message_thread_id", "reply_parameters"),
            }
            assert not kept or within or part in _body(last), part


@in_a_loop
async def test_several_refused_parts_are_removed_one_by_one() -> None:
    async with fleet(Popular()) as (api, stub):
        stub.answer(
            "sendMessage",
            refusal(400, "Bad Request: EFFECT_ID_INVALID"),
            refusal(400, "Bad Request: DOCUMENT_INVALID"),
            refusal(400, "Bad Request: QUOTE_TEXT_INVALID"),
        )
        await api.send(SENT["text"])
        assert stub.calls()[-1].members == {
            "chat_id": READER,
            "text": "so 👍",
            "entities": [{"type": "bold", "offset": 0, "length": 2}],
            "link_preview_options": {"is_disabled": True},
            "reply_parameters": {"message_id": 3},
            "message_thread_id": 55,
        }


@pytest.mark.parametrize(("name", "attempts"), [("text", 2), ("notice", 3)])
@in_a_loop
async def test_an_unknown_refusal_ends_after_a_plain_attempt(name: str, attempts: int) -> None:
    async with fleet(Popular()) as (api, stub):
        _refusing(stub, "chat_id", "never heard of it")
        with pytest.raises(Refused) as caught:
            await api.send(SENT[name])
        assert caught.value.refusal is Refusal.BROKEN
        assert len(stub.calls()) == attempts


@pytest.mark.parametrize("wording", ["bot was blocked by the user", "VOICE_MESSAGES_FORBIDDEN", "chat not found"])
@in_a_loop
async def test_a_refused_message_is_not_tried_again(wording: str) -> None:
    async with fleet(Popular()) as (api, stub):
        _refusing(stub, "chat_id", wording)
        with pytest.raises(Refused):
            await api.send(SENT["text"])
        assert len(stub.calls()) == 1


@pytest.mark.parametrize(
    "wording",
    ["PHOTO_SOMETHING_NEW", "the file is not to our taste", "DOCUMENT_INVALID", "MEDIA_INVALID", "never heard of it"],
)
@pytest.mark.parametrize("known", [True, False], ids=["same bot", "other bot"])
def test_an_unknown_refusal_of_a_file_is_answered_with_a_fresh_upload_once(wording: str, known: bool) -> None:
    content = photo()

    async def scenario() -> None:
        files = Memory()
        to = A
        outgoing = content_call(content, to=A)
        if not known:
            outgoing = content_call(content)
            to = outgoing.bot
            files.ids["photo", to] = "photo-b"
        async with fleet(files) as (api, stub):
            stub.files["photo-a"] = b"abc"

            async def by_id_refused(request: Request) -> Any:
                if request.files:
                    return stub._usual(request)
                return refusal(400, f"Bad Request: {wording}")

            stub.handlers["sendPhoto"] = by_id_refused
            await api.send(outgoing)
            assert stub.calls("sendPhoto")[-1].files["photo"][1] == b"abc"

    asyncio.run(scenario())


@in_a_loop
async def test_a_file_refused_by_id_and_as_upload_fails_after_one_upload() -> None:
    async with fleet(Popular()) as (api, stub):
        stub.files["photo-a"] = b"abc"
        _refusing(stub, "chat_id", "never heard of it")
        with pytest.raises(Refused) as caught:
            await api.send(content_call(photo(), to=A))
        assert caught.value.refusal is Refusal.BROKEN
        assert [bool(call.files) for call in stub.calls("sendPhoto")] == [False, True]


def test_a_file_too_large_to_upload_is_not_blamed_for_an_unknown_refusal() -> None:
    huge = Content(Kind.VIDEO, file=File("v", "v", 30 * 2**20))

    async def scenario() -> None:
        async with fleet(tokens={A: TOKENS[A]}) as (api, stub):
            stub.answer("sendVideo", refusal(400, "Bad Request: never heard of it"))
            with pytest.raises(Refused) as caught:
                await api.send(content_call(huge, to=A))
            assert caught.value.refusal is Refusal.BROKEN

    asyncio.run(scenario())
