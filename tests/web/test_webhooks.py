"""Webhooks over HTTP: which requests are accepted, and when Telegram hears that an update is done."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from passerby.adapters.botapi.webhook_api import arrival
from passerby.bootstrap.listeners import Listeners
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import BotId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.telegram import Arrival
from passerby.settings import Settings
from passerby.web import Endpoint, Webhooks, endpoint_of, listen_on_tcp
from passerby.web.webhooks import MOST_BODY
from tests.staged import in_a_loop
from tests.web.asking import Answered, ask

KEY = bytes(range(32))
BOT, OTHER = BotId(1000001), BotId(1000002)
ENDPOINT = endpoint_of(BOT, KEY)
TEXT = "canary-of-a-message"


class Taker:
    """Accepts updates, and finishes each when told to."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.taken: list[Arrival] = []
        self.cancelled = 0
        self.fault = fault
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.began = asyncio.Event()

    async def receive(self, arrival: Arrival) -> None:
        self.taken.append(arrival)
        self.began.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fault is not None:
            raise self.fault


def update(number: int = 7, text: str = TEXT) -> bytes:
    user = {"id": 555, "is_bot": False, "first_name": "Ann"}
    message = {"message_id": 3, "date": 1, "chat": {"id": 555, "type": "private"}, "from": user, "text": text}
    return json.dumps({"update_id": number, "message": message}).encode()


class Stage:
    def __init__(self, webhooks: Webhooks, taker: Taker, port: int) -> None:
        self.webhooks = webhooks
        self.taker = taker
        self.port = port
        self.understood = 0

    async def bring(
        self, body: bytes, endpoint: Endpoint = ENDPOINT, prefix: str = "/telegram/", **more: Any
    ) -> Answered:
        headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": endpoint.secret}
        headers |= more.pop("headers", {})
        more = {"method": "POST", **more}
        return await ask(self.port, prefix + endpoint.path, headers=headers, body=body, **more)


@asynccontextmanager
async def taking(fault: Exception | None = None) -> AsyncIterator[Stage]:
    def decode(body: bytes, bot: BotId) -> Arrival:
        found = arrival(body, bot)
        stage.understood += 1
        return found

    webhooks = Webhooks((ENDPOINT, endpoint_of(OTHER, KEY)), decode)
    listener = listen_on_tcp(webhooks, "127.0.0.1", 0, shared=True)
    taker = Taker(fault)
    webhooks.open(taker)
    stage = Stage(webhooks, taker, listener.port)
    try:
        yield stage
    finally:
        webhooks.abandon()
        await listener.aclose()


def brought(body: bytes, fault: Exception | None = None, **more: Any) -> tuple[Answered, list[Arrival]]:
    async def main() -> tuple[Answered, list[Arrival]]:
        async with taking(fault) as stage:
            return await stage.bring(body, **more), stage.taker.taken

    return asyncio.run(main())


def test_an_update_is_accepted_with_an_empty_answer() -> None:
    answered, (taken,) = brought(update())
    assert (answered.status, answered.body) == (200, b"")
    assert (taken.ref.bot, taken.ref.update) == (BOT, 7)
    assert isinstance(taken.event, MessageReceived)
    assert taken.event.contents[0].text == TEXT


def test_each_bot_has_its_own_path_and_secret_that_reveal_nothing() -> None:
    endpoints = [endpoint_of(BOT, KEY), endpoint_of(OTHER, KEY), endpoint_of(BOT, bytes(32))]
    words = {endpoint.path for endpoint in endpoints} | {endpoint.secret for endpoint in endpoints}
    assert len(words) == 6
    assert all(len(word) == 43 and word.isascii() for word in words)
    assert not any(str(BOT) in word for word in words)
    assert endpoint_of(BOT, KEY) == ENDPOINT


def test_webhooks_at_the_addresses_of_former_keys_are_still_accepted(tmp_path: Path) -> None:
    async def main() -> list[int]:
        settings = Settings(bot_tokens=f"{BOT}:{'x' * 35}", run_dir=tmp_path)  # type: ignore[arg-type]
        taking = Listeners(settings, (bytes(32), KEY), "one", webhooks=False)
        taker = Taker(None)
        taking._webhooks.open(taker)
        listener = listen_on_tcp(taking._webhooks, "127.0.0.1", 0, shared=True)
        stage = Stage(taking._webhooks, taker, listener.port)
        endpoints = [endpoint_of(BOT, key) for key in (bytes(32), KEY, b"never".ljust(32))]
        try:
            return [(await stage.bring(update(), endpoint=endpoint)).status for endpoint in endpoints]
        finally:
            await taking.aclose()
            await listener.aclose()

    assert asyncio.run(main()) == [200, 200, 404]


def test_the_path_decides_which_bot_an_update_is_for() -> None:
    _, (taken,) = brought(update(), endpoint=endpoint_of(OTHER, KEY), prefix="/")
    assert taken.ref.bot == OTHER


@pytest.mark.parametrize(
    "endpoint",
    [
        ENDPOINT._replace(path="x" * 43),
        ENDPOINT._replace(path=""),
        ENDPOINT._replace(path=str(BOT)),
        ENDPOINT._replace(secret=""),
        ENDPOINT._replace(secret=ENDPOINT.secret[:-1]),
        ENDPOINT._replace(secret=endpoint_of(OTHER, KEY).secret),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_without_path_and_secret_the_answer_is_not_found(endpoint: Endpoint, method: str) -> None:
    answered, taken = brought(update(), endpoint=endpoint, method=method)
    assert answered == (404, {"content-length": "0", "connection": "close"}, b"")
    assert taken == []


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (405, {"method": "GET"}),
        (405, {"method": "PUT"}),
        (415, {"headers": {"content-type": "text/plain"}}),
        (415, {"headers": {"content-type": ""}}),
        (413, {"announced": MOST_BODY + 1}),
    ],
)
def test_a_request_that_is_no_delivery_is_refused(status: int, more: dict[str, Any]) -> None:
    answered, taken = brought(update(), **more)
    assert (answered.status, answered.body, taken) == (status, b"", [])


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"\xff", b'{"update_id":"x"}', update() + b"," + update(8), b"]" * 1000]
)
def test_a_body_that_is_no_update_is_refused(body: bytes) -> None:
    answered, taken = brought(body)
    assert (answered.status, taken) == (400, [])


def test_an_update_of_an_unknown_kind_is_accepted_by_its_number() -> None:
    answered, (taken,) = brought(b'{"update_id":9,"message":{"message_id":"wrong"}}')
    assert (answered.status, taken.ref.update) == (200, 9)


def test_a_body_of_the_largest_size_is_accepted_and_one_more_byte_is_not() -> None:
    empty = len(update(text=""))
    assert brought(update(text="x" * (MOST_BODY - empty)))[0].status == 200
    assert brought(update(text="x" * (MOST_BODY - empty + 1)))[0].status == 413


def test_a_large_body_without_a_length_is_cut_off_as_well() -> None:
    async def main() -> tuple[int, list[Arrival]]:
        async with taking() as stage:
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
            writer.write(
                f"POST /{ENDPOINT.path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                f"x-telegram-bot-api-secret-token: {ENDPOINT.secret}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
            )
            for _ in range(17):
                writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            writer.close()
            return int(head.split()[1]), stage.taker.taken

    assert asyncio.run(main()) == (413, [])


def test_a_body_that_does_not_arrive_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerby.web.webhooks.BODY_WITHIN_S", 0.01)
    answered, taken = brought(update(), announced=len(update()) + 1)
    assert (answered.status, taken) == (408, [])


@in_a_loop
async def test_nothing_is_answered_before_the_work_is_done() -> None:
    async with taking() as stage:
        stage.taker.may_end.clear()
        asked = asyncio.ensure_future(stage.bring(update()))
        await stage.taker.began.wait()
        assert not asked.done()
        stage.taker.may_end.set()
        assert (await asked).status == 200


def test_an_update_not_done_in_time_comes_again_and_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerby.web.webhooks.ANSWER_WITHIN_S", 0.01)

    async def main() -> None:
        async with taking() as stage:
            stage.taker.may_end.clear()
            late = await stage.bring(update())
            assert (late.status, late.headers["retry-after"]) == (503, "2")
            monkeypatch.setattr("passerby.web.webhooks.ANSWER_WITHIN_S", 50)
            again = asyncio.ensure_future(stage.bring(update()))
            await until(lambda: stage.understood == 2)
            stage.taker.may_end.set()
            assert (await again).status == 200
            assert len(stage.taker.taken) == 1
            assert stage.webhooks.in_hand == 0

    asyncio.run(main())


@in_a_loop
async def test_a_client_that_hangs_up_stops_nothing() -> None:
    async with taking() as stage:
        stage.taker.may_end.clear()
        asked = asyncio.ensure_future(stage.bring(update()))
        await stage.taker.began.wait()
        asked.cancel()
        await asyncio.wait((asked,))
        again = asyncio.ensure_future(stage.bring(update()))
        await until(lambda: stage.understood == 2)
        stage.taker.may_end.set()
        assert (await again).status == 200
        assert (stage.taker.cancelled, len(stage.taker.taken)) == (0, 1)


@pytest.mark.parametrize("fault", [LiveStoreLost("away"), ValueError(TEXT)])
def test_an_update_comes_again_after_a_fault_of_ours(fault: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    answered, taken = brought(update(), fault)
    assert (answered.status, answered.headers["retry-after"], len(taken)) == (503, "2", 1)
    said = "".join(capsys.readouterr())
    assert type(fault).__name__ in said
    assert TEXT not in said
    assert ENDPOINT.path not in said


@in_a_loop
async def test_a_process_that_ends_accepts_no_new_updates_and_answers_current_ones() -> None:
    async with taking() as stage:
        stage.taker.may_end.clear()
        asked = asyncio.ensure_future(stage.bring(update()))
        await stage.taker.began.wait()
        stage.webhooks.close()
        assert (await stage.bring(update(8))).status == 503
        stage.taker.may_end.set()
        assert (await asked).status == 200
        assert [each.ref.update for each in stage.taker.taken] == [7]


@in_a_loop
async def test_updates_of_a_lapsed_worker_come_again() -> None:
    async with taking() as stage:
        stage.taker.may_end.clear()
        asked = asyncio.ensure_future(stage.bring(update()))
        await stage.taker.began.wait()
        stage.webhooks.abandon()
        assert (await asked).status == 503
        assert stage.taker.cancelled == 1
        later = Taker()
        stage.webhooks.open(later)
        assert (await stage.bring(update())).status == 200
        assert [each.ref.update for each in later.taken] == [7]


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until it holds. The time limit of the test ends the wait."""
    while not holds():
        await asyncio.sleep(0)
