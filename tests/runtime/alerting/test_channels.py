"""Alerts that leave the fleet: the signed webhook and the heartbeat, against a real server."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from passerby.bootstrap import alerting
from passerby.domain.alerts.engine import QUIET, step
from passerby.domain.alerts.notification import Due, Told, message
from passerby.domain.alerts.rules import BOT_LOST
from passerby.runtime.alerting.channels import SENT_AT, SIGNATURE, News, NotTold, WebhookChannel
from tests.staged import staged

NOW = 1_800_000_000.0
SECRET = b"correct horse"


class Receiver:
    """A small HTTP server that keeps what it gets."""

    def __init__(self) -> None:
        self.status = 200
        self.length = 0
        self.ended: asyncio.Queue[None] = asyncio.Queue()
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append((first, headers, body))
        more = "Location: http://127.0.0.1:9/\r\n" if self.status == 302 else ""
        head = f"HTTP/1.1 {self.status} x\r\n{more}Content-Length: {self.length}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        with suppress(ConnectionError):
            if self.length:
                await reader.read()  # the body never comes
            writer.close()
            await writer.wait_closed()
        self.ended.put_nowait(None)


def served(body: Callable[[Receiver, str], Awaitable[None]]) -> None:
    async def main() -> None:
        receiver = Receiver()
        server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
        await body(receiver, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook")
        server.close()

    asyncio.run(main())


def news() -> News:
    alert = step(BOT_LOST, QUIET, 0.0, {"123": 1.0}, NOW)
    return News(BOT_LOST, alert, message(BOT_LOST, alert, 0.0, NOW), 0.0, NOW)


@staged(served)
async def test_a_webhook_gets_json_that_only_we_can_have_signed(receiver: Receiver, url: str, /) -> None:
    channel = WebhookChannel(lambda body, headers: alerting.post(url, body, headers), SECRET)
    await channel.tell(news(), Told(), Due.NEW)
    ((first, headers, sent),) = receiver.requests
    assert first == "POST /hook HTTP/1.1"
    assert headers["content-type"] == "application/json"
    said = json.loads(sent)
    assert said["alert"] == "PasserbyBotLost"
    assert said["status"] == "firing"
    assert said["subjects"] == {"123": 1.0}
    assert (said["id"], said["version"]) == (f"PasserbyBotLost:{NOW:.0f}", 1)
    signed = headers[SENT_AT.lower()].encode() + b"." + sent
    assert headers[SIGNATURE.lower()] == f"sha256={hmac.new(SECRET, signed, hashlib.sha256).hexdigest()}"


@pytest.mark.parametrize("status", [302, 404, 500])
@staged(served)
async def test_a_receiver_that_does_not_accept_is_asked_again_and_no_redirect_is_followed(
    receiver: Receiver, url: str, /, status: int
) -> None:
    receiver.status = status
    channel = WebhookChannel(lambda body, headers: alerting.post(url, body, headers), SECRET)
    with pytest.raises(NotTold, match=str(status)):
        await channel.tell(news(), Told(), Due.NEW)
    with pytest.raises(NotTold, match=str(status)):
        await alerting.ask_heartbeat(url)


@staged(served)
async def test_the_heartbeat_is_one_request(receiver: Receiver, url: str, /) -> None:
    await alerting.ask_heartbeat(url)
    assert [first for first, _, _ in receiver.requests] == ["GET /hook HTTP/1.1"]


def test_an_address_that_nobody_answers_is_named_by_its_setting_only() -> None:
    with pytest.raises(NotTold) as caught:
        asyncio.run(alerting.ask_heartbeat("http://127.0.0.1:9/secret"))
    assert "HEARTBEAT_URL" in str(caught.value)
    assert "secret" not in str(caught.value)


@staged(served)
async def test_only_the_status_of_an_answer_is_read(receiver: Receiver, url: str, /) -> None:
    receiver.length = 100_000_000
    await alerting.ask_heartbeat(url)
    await alerting.post(url, b"{}", {})
    for _ in range(2):
        await asyncio.wait_for(receiver.ended.get(), 60)
    assert len(receiver.requests) == 2
