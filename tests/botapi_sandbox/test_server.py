"""The HTTP server: all kinds of bodies, long polls, cut connections, downloads, the page."""

import asyncio
import json
from typing import Any

import pytest

from botapi_sandbox.wire import TooLarge, read
from botapi_sandbox.world.faults import Fault
from tests.botapi_sandbox.samples import PNG
from tests.botapi_sandbox.wire import Served, multipart, served, with_server
from tests.staged import in_a_loop, staged


@staged(with_server)
async def test_parameters_can_be_json_form_query_or_multipart(here: Served, /) -> None:
    path = f"/bot{here.made.bot.token}/sendMessage"
    chat = here.made.ann
    body, kind = multipart({"chat_id": str(chat), "text": "hi"}, {})
    replies = [
        await here.bot("sendMessage", chat_id=chat, text="hi"),
        await here.raw(path, f"chat_id={chat}&text=hi".encode(), "application/x-www-form-urlencoded"),
        await here.get(f"{path}?chat_id={chat}&text=hi"),
        await here.raw(path, body, kind),
    ]
    assert [(reply.status, reply.json()["result"]["text"]) for reply in replies] == [(200, "hi")] * 4


@staged(with_server)
async def test_files_can_be_parameters_or_attached_by_name(here: Served, /) -> None:
    token, chat = here.made.bot.token, str(here.made.ann)
    body, kind = multipart({"chat_id": chat}, {"photo": ("a.png", PNG)})
    direct = await here.raw(f"/bot{token}/sendPhoto", body, kind)
    body, kind = multipart({"chat_id": chat, "photo": "attach://any"}, {"any": ("a.png", PNG)})
    attached = await here.raw(f"/bot{token}/sendPhoto", body, kind)
    photos = [reply.json()["result"]["photo"] for reply in (direct, attached)]
    assert [photo[-1]["width"] for photo in photos] == [40, 40]
    path = (await here.bot("getFile", file_id=photos[0][-1]["file_id"])).json()["result"]["file_path"]
    fetched = await here.get(f"/file/bot{token}/{path}")
    assert (fetched.status, fetched.body, fetched.headers["content-type"]) == (200, PNG, "image/png")
    assert (await here.get(f"/file/bot{token}/photos/none.png")).status == 404


@pytest.mark.parametrize(
    ("data", "kind", "why"),
    [
        (b"{", "application/json", "can't parse JSON object"),
        (b"[]", "application/json", "can't parse JSON object"),
        (b'{"a":' + b"[" * 100_000, "application/json", "can't parse JSON object"),
        (b"text=\xff", "application/x-www-form-urlencoded", "strings must be encoded in UTF-8"),
        (b"x", "multipart/form-data", "can't find boundary in the request"),
        (b"x", "multipart/form-data; boundary=b", "can't parse multipart request"),
    ],
)
@staged(with_server)
async def test_a_broken_body_is_refused(here: Served, /, data: bytes, kind: str, why: str) -> None:
    reply = await here.raw(f"/bot{here.made.bot.token}/sendMessage", data, kind)
    assert (reply.status, reply.json()["description"]) == (400, f"Bad Request: {why}")


@staged(with_server)
async def test_a_body_larger_than_any_upload_is_refused_as_too_large(here: Served, /) -> None:
    reply = await here.raw(f"/bot{here.made.bot.token}/sendDocument", b"x" * (53 * 2**20), "text/plain")
    assert (reply.status, reply.json()["description"]) == (413, "Request Entity Too Large")


@pytest.mark.parametrize("pieces", [[b"12345"], [b"123", b"45"]])
def test_a_body_that_is_larger_than_allowed_is_refused_however_many_pieces_it_has(pieces: list[bytes]) -> None:
    def body_of(most: int) -> bytes:
        messages = [{"body": piece, "more_body": place + 1 < len(pieces)} for place, piece in enumerate(pieces)]

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        return asyncio.run(read(receive, most))

    assert body_of(5) == b"12345"
    with pytest.raises(TooLarge):
        body_of(4)


@staged(with_server)
async def test_a_long_poll_is_answered_when_an_update_arrives(here: Served, /) -> None:
    polled = asyncio.ensure_future(here.bot("getUpdates", offset=here.made.offset, timeout=50))
    await waiting(here)
    here.made.write("there")
    (update,) = (await polled).json()["result"]
    assert update["message"]["text"] == "there"


async def waiting(here: Served) -> None:
    """Wait until there is a waiting poll."""
    while (poller := here.made.world.polls.get(here.made.bot.id)) is None or poller.waiting is None:
        await asyncio.sleep(0.005)


@staged(with_server)
async def test_a_poller_that_disconnects_leaves_no_waiting_poll(here: Served, /) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", here.sandbox.port)
    path = f"/bot{here.made.bot.token}/getUpdates?timeout=50&offset={here.made.offset}"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await waiting(here)
    writer.close()
    await writer.wait_closed()
    while here.made.world.polls[here.made.bot.id].waiting is not None:
        await asyncio.sleep(0.005)
    del reader


@staged(with_server)
async def test_the_older_of_two_pollers_gets_a_conflict_over_http(here: Served, /) -> None:
    older = asyncio.ensure_future(here.bot("getUpdates", offset=here.made.offset, timeout=50))
    await waiting(here)
    newer = asyncio.ensure_future(here.bot("getUpdates", offset=here.made.offset, timeout=50))
    assert (await older).status == 409
    await waiting(here)
    here.made.write("x")
    assert len((await newer).json()["result"]) == 1


@pytest.mark.parametrize(("kind", "arrived"), [("reset_before", 0), ("reset_after", 1)])
@staged(with_server)
async def test_a_reset_cuts_the_connection_before_or_after_the_message_is_sent(
    here: Served, /, kind: str, arrived: int
) -> None:
    here.made.world.faults = [Fault(kind=kind, count=1)]  # type: ignore[arg-type]
    with pytest.raises(ConnectionResetError):
        await here.bot("sendMessage", chat_id=here.made.ann, text="x")
    chat = here.made.bot.chats[here.made.ann]
    assert sum(not held.outgoing for held in chat.messages.values()) == arrived
    assert (await here.bot("sendMessage", chat_id=here.made.ann, text="y")).status == 200


@in_a_loop
async def test_a_stalled_request_ends_when_the_server_stops() -> None:
    async with served() as here:
        here.made.world.faults = [Fault(kind="stall", count=1)]
        stalled = asyncio.ensure_future(here.bot("getMe"))
        while here.made.world.faults[0].count:
            await asyncio.sleep(0.005)
        assert not stalled.done()
    with pytest.raises(OSError, match=r"reset|closed"):
        await stalled


@staged(with_server)
async def test_a_502_is_html_and_a_429_has_retry_after(here: Served, /) -> None:
    here.made.world.faults = [Fault(kind="502", count=1), Fault(kind="429", retry_after=7)]
    gateway, flood = await here.bot("getMe"), await here.bot("getMe")
    assert (gateway.status, gateway.headers["content-type"]) == (502, "text/html")
    assert (flood.status, flood.headers["retry-after"]) == (429, "7")


def test_a_bug_in_the_sandbox_ends_one_request_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def story(here: Served) -> None:
        here.made.bot.chats[here.made.ann].messages = None  # type: ignore[assignment]
        broken = await here.bot("sendMessage", chat_id=here.made.ann, text="x")
        assert (broken.status, broken.json()["error_code"]) == (500, 500)
        assert (await here.bot("getMe")).status == 200

    with_server(story)
    assert "a bug in the sandbox: POST sendMessage" in caplog.text


@staged(with_server)
async def test_only_the_playgrounds_own_files_are_served(here: Served, /) -> None:
    root, page = await here.get("/"), await here.get("/playground/")
    assert root.body == page.body
    assert root.status == 200
    for path in ("/playground/../cli.py", "/playground/%2e%2e/cli.py", "/elsewhere", "/playground/none.js"):
        assert (await here.get(path)).status == 404


@staged(with_server)
async def test_webhook_requests_carry_the_secret_and_stay_in_order(here: Served, /) -> None:
    received: list[tuple[str, str]] = []
    done = asyncio.Event()

    async def hook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        update = json.loads(await reader.readexactly(length))
        secret = head.split("x-telegram-bot-api-secret-token: ")[1].split("\r\n")[0]
        received.append((update["message"]["text"], secret))
        # The first attempt fails: the retry must come before the next message.
        status = "500 No" if len(received) == 1 else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        if len(received) == 3:
            done.set()

    server = await asyncio.start_server(hook, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await here.bot("setWebhook", url=f"http://127.0.0.1:{port}/hook", secret_token="abc")
        here.made.write("one")
        here.made.write("two")
        await asyncio.wait_for(done.wait(), 120)
        while here.made.bot.queue.items:
            await asyncio.sleep(0.005)
    assert received == [("one", "abc"), ("one", "abc"), ("two", "abc")]
