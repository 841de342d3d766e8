"""Reaching a server if one of its addresses, or the resolver, is dead; and not making too many connections at once."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from passerby.adapters.botapi import dialler
from passerby.adapters.botapi.client import Client
from passerby.adapters.botapi.connection import Lost
from passerby.adapters.botapi.dialler import Dialler
from passerby.adapters.botapi.transport import CONNECTS_AT_ONCE, PACE_S, Transport
from passerby.cli.serving import _loop_factory
from passerby.kernel.ids import BotId
from passerby.ports.telegram import Unavailable
from tests.staged import in_a_loop

NAME = "two-addresses.test"
HOLE, GOOD = "127.0.0.2", "127.0.0.1"
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'
BOT = BotId(1000001)
TOKENS = {BOT: "1000001:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address of this machine")


@contextmanager
def a_port(port: int = 0) -> Iterator[int]:
    """Yield a port of GOOD that nobody else uses before a server listens there, or after."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind((GOOD, port))
        yield reserved.getsockname()[1]


@contextmanager
def a_black_hole() -> Iterator[int]:
    """Yield a port of HOLE that neither accepts nor refuses connections: its queue is full. It is reserved on GOOD,
    too."""
    held = []
    with a_port() as port, socket.socket() as listening:
        listening.bind((HOLE, port))
        listening.listen(0)
        for _ in range(4):
            one = socket.socket()
            held.append(one)
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                one.connect(listening.getsockname())
        yield listening.getsockname()[1]
        for one in held:
            one.close()


class Server:
    """Answers every request on GOOD once `open` is set. `most`: how many connections were unanswered at once."""

    def __init__(self) -> None:
        self.connections = 0
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self.open.wait()
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"ontent-length: " in head.lower():
                    await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                writer.write(OK)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Resolver:
    """The answer of the event loop's resolver for NAME."""

    def __init__(self, *ips: str) -> None:
        self.ips = ips
        self.asked = 0
        self.hangs = False
        self.fails = False

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        assert host == NAME
        self.asked += 1
        if self.hangs:
            await asyncio.sleep(3600)
        if self.fails:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in self.ips]


@asynccontextmanager
async def a_server(port: int, *ips: str) -> AsyncIterator[tuple[Server, Resolver]]:
    server, resolver = Server(), Resolver(*ips)
    asyncio.get_running_loop().getaddrinfo = resolver.getaddrinfo  # type: ignore[assignment]
    listening = await asyncio.start_server(server, GOOD, port, reuse_port=True)
    try:
        yield server, resolver
    finally:
        listening.close()


def transport(port: int, **more: int) -> Transport:
    return Transport(
        f"http://{NAME}:{port}", max_connections=more.get("max_connections", 1000), on_connected=lambda: None
    )


async def call(made: Transport, timeout_s: float = 120.0) -> int:
    return (await made.post(made.head("/x"), b"", timeout_s)).status


@pytest.mark.parametrize("loop", [None, _loop_factory()], ids=["asyncio", "ours"])
def test_the_next_address_is_tried_if_the_first_is_dead(
    loop: Callable[[], asyncio.AbstractEventLoop] | None,
) -> None:
    async def scenario() -> None:
        with a_black_hole() as port:
            async with a_server(port, HOLE, GOOD):
                made = transport(port)
                async with asyncio.timeout(60):
                    assert await call(made) == 200
                await made.aclose()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario())


@in_a_loop
async def test_a_second_connection_does_not_try_the_dead_address_again() -> None:
    with a_black_hole() as port:
        async with a_server(port, HOLE, GOOD):
            dialler = Dialler(NAME, port)
            first, address = await dialler.connect()
            first.close()
            assert address.ip == GOOD
            assert [each.ip for each in dialler._ordered(await dialler._addresses(), 0.0)] == [GOOD, HOLE]
            assert await dialler.best() == GOOD
            dialler.aclose()


@in_a_loop
async def test_an_address_that_refuses_is_skipped_at_once() -> None:
    with a_port() as port:
        async with a_server(port, HOLE, GOOD):
            made = transport(port)
            assert await call(made) == 200
            await made.aclose()


@in_a_loop
async def test_files_use_the_address_that_works_too() -> None:
    with a_black_hole() as port:
        async with a_server(port, HOLE, GOOD), asyncio.timeout(60):
            client = Client(TOKENS, f"http://{NAME}:{port}")
            async with client.download(BOT, "videos/1.mp4", 11) as read:
                assert await read() == b'{"ok":true}'
            await client.aclose()


@pytest.mark.parametrize("ill", ["hangs", "fails"])
def test_a_failing_resolver_is_a_temporary_fault(ill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        with a_port() as port:
            async with a_server(port, GOOD) as (_, resolver):
                setattr(resolver, ill, True)
                made = transport(port)
                with pytest.raises(Lost) as lost:
                    await call(made, 0.2)
                assert not lost.value.sent
                client = Client(TOKENS, f"http://{NAME}:{port}")
                with pytest.raises(Unavailable) as caught:
                    async with client.download(BOT, "videos/1.mp4", 11):
                        pass
                assert not caught.value.uncertain
                setattr(resolver, ill, False)
                made.dialler.aclose()  # a real look-up ends by itself
                assert await call(made) == 200
                await made.aclose()
                await client.aclose()

    monkeypatch.setattr("passerby.adapters.botapi.streaming_clients.CONNECT_S", 0.2)
    asyncio.run(scenario())


@pytest.mark.parametrize("ill", ["hangs", "fails"])
def test_the_last_answer_of_a_failing_resolver_is_used(ill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        with a_port() as port:
            async with a_server(port, GOOD) as (_, resolver):
                dialler = Dialler(NAME, port)
                (await dialler.connect())[0].close()
                setattr(resolver, ill, True)
                (await dialler.connect())[0].close()
                assert resolver.asked == 2
                dialler.aclose()

    monkeypatch.setattr(dialler, "FRESH_S", 0.0)
    monkeypatch.setattr(dialler, "STALE_WAIT_S", 0.01)
    asyncio.run(scenario())


@in_a_loop
async def test_a_name_is_looked_up_once_for_all_waiting_callers() -> None:
    with a_port() as port:
        async with a_server(port, GOOD) as (_, resolver):
            made = transport(port)
            assert await asyncio.gather(*(call(made) for _ in range(50))) == [200] * 50
            assert resolver.asked == 1
            await made.aclose()


def test_a_burst_of_a_thousand_calls_makes_few_connections_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """We count from the request for a connection until some time after it is made, with a handshake between."""
    under_way, most = 0, 0
    connect = Dialler.connect

    async def counted(self: Dialler) -> tuple[socket.socket, dialler.Address]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            await asyncio.sleep(0.02)
            return await connect(self)
        finally:
            under_way -= 1

    async def scenario() -> None:
        with a_port() as port:
            async with a_server(port, GOOD) as (server, _):
                made = transport(port)
                began = asyncio.get_running_loop().time()
                assert await asyncio.gather(*(call(made) for _ in range(1000))) == [200] * 1000
                passed = int((asyncio.get_running_loop().time() - began) / PACE_S)
                assert most <= CONNECTS_AT_ONCE == 64
                assert server.connections <= CONNECTS_AT_ONCE * (1 + passed), "callers take what others have released"
                await made.aclose()

    monkeypatch.setattr(Dialler, "connect", counted)
    asyncio.run(scenario())


@in_a_loop
async def test_a_caller_that_gives_up_connecting_takes_no_place() -> None:
    with a_black_hole() as port:
        async with a_server(port, HOLE) as (_, resolver):
            made = transport(port)
            stuck = [asyncio.ensure_future(call(made)) for _ in range(3 * CONNECTS_AT_ONCE)]
            while made._connecting < CONNECTS_AT_ONCE:
                await asyncio.sleep(0.01)
            for each in stuck:
                each.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
            assert (made._connecting, len([each for each in made._waiters if not each.done()])) == (0, 0)
            resolver.ips = (GOOD,)
            made.dialler._known.clear()
            assert await call(made) == 200
            await made.aclose()


@in_a_loop
async def test_callers_that_wait_to_connect_get_an_error_at_the_end() -> None:
    with a_black_hole() as port:
        async with a_server(port, HOLE):
            made = transport(port)
            stuck = [asyncio.ensure_future(call(made, 1.0)) for _ in range(2 * CONNECTS_AT_ONCE)]
            await asyncio.sleep(0.05)
            await made.aclose()
            ended = await asyncio.gather(*stuck, return_exceptions=True)
            assert all(isinstance(each, Lost) and not each.sent for each in ended)
