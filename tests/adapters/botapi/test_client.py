"""Calls: what a lost answer means, and that no token leaks."""

import asyncio
import logging
import traceback
from collections.abc import Awaitable

import msgspec
import pytest

from passerby.adapters.botapi import BotApi
from passerby.kernel.content import Content, Kind
from passerby.kernel.event import Refusal, Unusable
from passerby.kernel.ids import MessageId
from passerby.ports.soon import Outstanding
from passerby.ports.telegram import (
    AnswerCallback,
    BotIdentity,
    CommandList,
    EditNotice,
    InlineButton,
    InlineRows,
    Refused,
    ReplyRows,
    SendNotice,
    TelegramError,
    TokenRefused,
    Unavailable,
)
from tests.adapters.botapi.bot_api import READER, TOKENS, A, Memory, content_call, fleet
from tests.adapters.botapi.stub import RESET, Reply, Stub, ok, refusal
from tests.staged import in_a_loop

HELLO = SendNotice(A, READER, "hello")
TEXT = content_call(Content(Kind.TEXT, "hello"))


async def outcome(api: BotApi, stub: Stub, *replies: Reply) -> TelegramError:
    stub.answer("sendMessage", *replies)
    with pytest.raises(TelegramError) as caught:
        await api.send(HELLO)
    return caught.value


@in_a_loop
async def test_a_reset_after_the_request_left_is_uncertain() -> None:
    async with fleet() as (api, stub):
        error = await outcome(api, stub, RESET)
        assert isinstance(error, Unavailable)
        assert error.uncertain
        assert len(stub.requests) == 1


def test_an_answer_cut_short_is_uncertain() -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"ok":true,')
        await writer.drain()

    async def scenario() -> None:
        async with fleet() as (api, stub):
            error = await outcome(api, stub, Reply(then=half, silent=True))
            assert isinstance(error, Unavailable)
            assert error.uncertain

    asyncio.run(scenario())


@in_a_loop
async def test_without_a_server_nothing_can_have_arrived() -> None:
    async with fleet() as (_, stub):
        dead = stub.url
    api = BotApi(TOKENS, Memory(), base_url=dead)
    with pytest.raises(Unavailable) as caught:
        await api.send(HELLO)
    assert not caught.value.uncertain
    await api.aclose()


@in_a_loop
async def test_a_lost_read_is_never_uncertain() -> None:
    async with fleet() as (api, stub):
        stub.answer("getUpdates", RESET, Reply(502, b"<html>bad gateway</html>"))
        for _ in range(2):
            with pytest.raises(Unavailable) as caught:
                await api.updates(A, None, 100, 0)
            assert not caught.value.uncertain


@in_a_loop
async def test_a_delivered_message_with_a_garbled_answer_counts_as_uncertain() -> None:
    async with fleet() as (api, stub):
        error = await outcome(api, stub, Reply(body=b'{"ok":true,"result":{"no":"id"}}'))
        assert isinstance(error, Refused)
        assert error.refusal is Refusal.UNCERTAIN
        assert len(stub.calls("sendMessage")) == 1


@pytest.mark.parametrize(
    "reply",
    [
        RESET,
        Reply(502, b"<html>"),
        Reply(then=None, body=b"not json"),
        refusal(401, "Unauthorized"),
        refusal(400, "Bad Request: message text is empty"),
    ],
    ids=["reset", "html", "garbage", "401", "400"],
)
def test_no_token_appears_in_an_error_or_its_causes(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario() -> str:
        async with fleet() as (api, stub):
            error = await outcome(api, stub, reply)
            assert error.__context__ is None
            return "".join(traceback.format_exception(error)) + repr(error) + repr(api) + str(vars(api)["_client"])

    shown = asyncio.run(scenario()) + caplog.text
    assert not [token for token in TOKENS.values() if token in shown]
    assert "/bot1000001" not in shown


@in_a_loop
async def test_a_notice_goes_out_as_html_without_previews() -> None:
    async with fleet() as (api, stub):
        (message,) = await api.send(SendNotice(A, READER, "<b>hi</b>", InlineRows(((InlineButton("Go", "go:1"),),))))
        assert message > 100
        assert stub.requests[0].path == f"/bot{TOKENS[A]}/sendMessage"
        assert stub.requests[0].members == {
            "chat_id": READER,
            "text": "<b>hi</b>",
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
            "reply_markup": {"inline_keyboard": [[{"text": "Go", "callback_data": "go:1"}]]},
        }


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((), {"remove_keyboard": True}),
        (
            (("Find",), ("A", "B")),
            {
                "keyboard": [[{"text": "Find"}], [{"text": "A"}, {"text": "B"}]],
                "resize_keyboard": True,
                "is_persistent": True,
            },
        ),
    ],
)
@in_a_loop
async def test_reply_keyboards_are_shown_and_removed(rows: tuple[tuple[str, ...], ...], expected: object) -> None:
    async with fleet() as (api, stub):
        await api.send(SendNotice(A, READER, "hi", ReplyRows(rows)))
        assert stub.requests[0].members["reply_markup"] == expected


@in_a_loop
async def test_an_edit_without_changes_and_an_outdated_press_count_as_done() -> None:
    async with fleet() as (api, stub):
        stub.answer("editMessageText", refusal(400, "Bad Request: message is not modified: exactly the same"))
        stub.answer("answerCallbackQuery", refusal(400, "Bad Request: query is too old and response timeout"))
        assert await api.send(EditNotice(A, READER, 7, "x")) == (7,)  # type: ignore[arg-type]
        assert await api.send(AnswerCallback(A, "q", "line", True)) == ()
        assert stub.requests[1].members == {"callback_query_id": "q", "text": "line", "show_alert": True}


@in_a_loop
async def test_any_other_refused_edit_is_an_error() -> None:
    async with fleet() as (api, stub):
        stub.answer("editMessageText", refusal(400, "Bad Request: message to edit not found"))
        with pytest.raises(Refused):
            await api.send(EditNotice(A, READER, 7, "x"))  # type: ignore[arg-type]


@in_a_loop
async def test_a_reply_to_a_deleted_message_loses_its_quote_first_and_then_its_link() -> None:
    async with fleet() as (api, stub):
        stub.answer(
            "sendMessage",
            refusal(400, "Bad Request: QUOTE_TEXT_INVALID"),
            refusal(400, "Bad Request: message to be replied not found"),
        )
        await api.send(content_call(Content(Kind.TEXT, "hi"), reply_to=9, quote="old", quote_position=2))
        replies = [request.members.get("reply_parameters") for request in stub.requests]
        assert replies == [
            {"message_id": 9, "quote": "old", "quote_position": 2},
            {"message_id": 9},
            None,
        ]


@in_a_loop
async def test_polling_names_every_kind_of_update_and_the_offset() -> None:
    async with fleet() as (api, stub):
        stub.answer("getUpdates", ok([{"update_id": 41}]))
        (arrival,) = await api.updates(A, 41, 100, 0)
        assert (arrival.ref, arrival.event) == ((A, 41), Unusable(0, A))  # type: ignore[arg-type]
        assert stub.requests[0].members == {
            "offset": 41,
            "limit": 100,
            "timeout": 0,
            "allowed_updates": [
                "message",
                "edited_message",
                "callback_query",
                "my_chat_member",
                "chat_member",
                "message_reaction",
                "pre_checkout_query",
                "subscription",
            ],
        }
        await api.updates(A, None, 100, 0)
        assert "offset" not in stub.requests[1].members


@in_a_loop
async def test_identify_and_prepare() -> None:
    async with fleet() as (api, stub):
        stub.answer("getMe", ok({"id": A, "is_bot": True, "first_name": "Passer", "username": "passer_bot"}))
        assert await api.identify(A) == BotIdentity(A, "passer_bot", "Passer")
        stub.answer("getMe", refusal(404, "Not Found"))
        with pytest.raises(TokenRefused):
            await api.identify(A)
        await api.prepare(
            A,
            (
                CommandList("", (("start", "Begin"),)),
                CommandList("ru", (("start", "Начать"),), "О боте", "Кратко"),
            ),
        )
        assert [request.members for request in stub.calls("setMyCommands")] == [
            {"commands": [{"command": "start", "description": "Begin"}]},
            {"commands": [{"command": "start", "description": "Начать"}], "language_code": "ru"},
        ]
        assert [(request.method, request.members) for request in stub.requests[-2:]] == [
            ("setMyDescription", {"description": "О боте", "language_code": "ru"}),
            ("setMyShortDescription", {"short_description": "Кратко", "language_code": "ru"}),
        ]


@in_a_loop
async def test_closing_waits_for_sends_and_cuts_off_polls() -> None:
    arrived = asyncio.Event()
    go_on = asyncio.Event()

    async def late(_: asyncio.StreamWriter) -> None:
        arrived.set()
        await go_on.wait()

    async with fleet() as (api, stub):
        stub.answer("getUpdates", Reply(then=lambda _: asyncio.Event().wait(), silent=True))  # type: ignore[arg-type, return-value]
        poll = asyncio.ensure_future(api.updates(A, None, 100, 50))
        stub.answer("sendMessage", Reply(body=b'{"ok":true,"result":{"message_id":3}}', then=late))
        sending = asyncio.ensure_future(api.send(HELLO))
        await arrived.wait()
        closing = asyncio.ensure_future(api.aclose())
        await asyncio.sleep(0)
        assert not closing.done()
        go_on.set()
        await closing
        assert await sending == (3,)
        with pytest.raises(Unavailable):
            await poll


@in_a_loop
async def test_a_text_leaves_in_the_turn_of_its_call_if_a_connection_is_free() -> None:
    async with fleet() as (api, stub):
        await api.send(TEXT)
        text = api.send(TEXT)
        assert isinstance(text, Outstanding)  # no coroutine that somebody would have to begin
        heard = asyncio.Event()
        text.then(lambda _: heard.set())
        await heard.wait()
        assert len(text.result()) == 1
        assert len(stub.calls("sendMessage")) == 2


@in_a_loop
async def test_a_text_that_is_refused_in_part_is_sent_again_without_that_part() -> None:
    async with fleet() as (api, stub):
        await api.send(TEXT)
        stub.answer("sendMessage", refusal(400, "Bad Request: message to be replied not found"), ok({"message_id": 7}))
        assert await api.send(msgspec.structs.replace(TEXT, reply_to=MessageId(5))) == (7,)
        assert ["reply_parameters" in request.members for request in stub.calls("sendMessage")] == [False, True, False]


@in_a_loop
async def test_closing_does_not_wait_for_a_text_that_was_given_up_and_its_answer_reaches_nobody() -> None:
    arrived = asyncio.Event()

    async def never(_: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.Event().wait()

    async with fleet() as (api, stub):
        await api.send(TEXT)
        stub.answer("sendMessage", Reply(then=never, silent=True))
        abandoned = api.send(TEXT)
        assert isinstance(abandoned, Outstanding)
        await arrived.wait()
        abandoned.give_up()
        abandoned.give_up()
        assert api._client._sending == 0
        assert await api.send(TEXT) != ()  # over another connection
        stub.answer("sendMessage", Reply(then=never, silent=True))
        waiting = asyncio.ensure_future(_of(api.send(TEXT)))
        await asyncio.sleep(0)
        waiting.cancel()
        await api.aclose()
        assert not abandoned.is_done


async def _of(sending: Awaitable[tuple[MessageId, ...]]) -> tuple[MessageId, ...]:
    return await sending


@pytest.mark.parametrize("url", ["", "127.0.0.1:8081", "ftp://example.org", "http://"])
def test_an_invalid_server_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        BotApi(TOKENS, Memory(), base_url=url)
