"""Limits for the connections of strangers: bytes, time, number. They are the same for our pages and the sandbox."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType

import pytest

import botapi_sandbox.connection_limits
import passerby.web.connection_limits
from botapi_sandbox.service import make_world, running
from passerby.web import Pages, listen_on_socket, listen_on_tcp
from passerby.web.connection_limits import MOST_HEAD
from tests.staged import in_a_loop

Where = int | Path
Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def pages_on_a_port(_: Path) -> AsyncIterator[Where]:
    listener = listen_on_tcp(Pages(bytes), "127.0.0.1", 0)
    yield listener.port
    await listener.aclose()


@asynccontextmanager
async def pages_on_a_socket(directory: Path) -> AsyncIterator[Where]:
    listener = listen_on_socket(Pages(bytes), directory / "w.sock")
    yield directory / "w.sock"
    await listener.aclose()


@asynccontextmanager
async def sandbox(_: Path) -> AsyncIterator[Where]:
    async with running(make_world(bots=1)) as one:
        yield one.port


Listening = Callable[[Path], AbstractAsyncContextManager[Where]]
every = pytest.mark.parametrize(
    ("listening", "bounds"),
    [
        pytest.param(pages_on_a_port, passerby.web.connection_limits, id="port"),
        pytest.param(pages_on_a_socket, passerby.web.connection_limits, id="socket"),
        pytest.param(sandbox, botapi_sandbox.connection_limits, id="sandbox"),
    ],
)


async def connect(where: Where) -> Opened:
    if isinstance(where, Path):
        return await asyncio.open_unix_connection(str(where))
    return await asyncio.open_connection("127.0.0.1", where)


async def poured(opened: Opened, first: bytes, piece: bytes, times: int) -> int:
    """How many bytes were accepted before the connection was closed."""
    _, writer = opened
    taken = 0
    try:
        writer.write(first)
        for _ in range(times):
            writer.write(piece)
            await writer.drain()
            taken += len(piece)
            # Let the loop notice that the connection is closed.
            await asyncio.sleep(0)
    except OSError:
        pass
    else:
        taken = -1
    writer.transport.abort()
    return taken


GET = b"GET /livez HTTP/1.1\r\n"
LINE = b"X-A: " + b"a" * 65_000 + b"\r\n"
BLANK_LINE_AFTERWARDS = GET + b"Host: test\r\n\r\n"
CHUNKED = b"POST /livez HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"


@every
@pytest.mark.parametrize(
    ("first", "piece"),
    [
        pytest.param(GET, LINE, id="header lines without end"),
        pytest.param(GET, b"a: b\r\n" * 1_000, id="tiny header lines"),
        pytest.param(GET + b"X-A: ", b"a" * 65_000, id="one header without end"),
        pytest.param(GET + b"X", b"a" * 65_000, id="a header's name without end"),
        pytest.param(b"GET /", b"a" * 65_000, id="a path without end"),
        pytest.param(CHUNKED + b"0\r\n", LINE, id="trailers without end"),
        pytest.param(CHUNKED + b"0\r\nX-A: ", b"a" * 65_000, id="one trailer without end"),
        pytest.param(CHUNKED + b"1;", b"a" * 65_000, id="a chunk's extension without end"),
    ],
)
def test_an_endless_request_head_is_cut_off(
    listening: Listening, bounds: ModuleType, first: bytes, piece: bytes, run_path: Path
) -> None:
    async def run() -> int:
        async with listening(run_path) as where:
            return await poured(await connect(where), first, piece, 100_000_000 // len(piece))

    # Most of these bytes are in the kernel's buffers.
    assert 0 <= asyncio.run(run()) < 30_000_000


@every
def test_a_request_head_that_is_too_large_gets_an_answer(
    listening: Listening, bounds: ModuleType, run_path: Path
) -> None:
    async def answered(where: Where, size: int) -> bytes:
        reader, writer = await connect(where)
        writer.write(GET + b"Host: test\r\nConnection: close\r\nX-A: " + b"a" * size + b"\r\n\r\n")
        found = await reader.readline()
        writer.close()
        return found

    async def run() -> None:
        async with listening(run_path) as where:
            assert await answered(where, MOST_HEAD + 1) == b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
            assert not (await answered(where, MOST_HEAD - 1_000)).startswith(b"HTTP/1.1 4" + b"31")

    asyncio.run(run())


@every
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n", id="a blank line"),
        pytest.param(b"GET /li", id="half a line"),
        pytest.param(GET + b"Host: test\r\n", id="half a head"),
        pytest.param(BLANK_LINE_AFTERWARDS, id="a request, and a blank line after its answer"),
        pytest.param(b"POST /livez HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc", id="half a body"),
    ],
)
def test_no_client_is_waited_for_without_limit(
    listening: Listening, bounds: ModuleType, said: bytes, run_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "HEAD_WITHIN_S", 0.05)
    monkeypatch.setattr(bounds, "BODY_WITHIN_S", 0.05)

    async def run() -> None:
        async with listening(run_path) as where:
            reader, writer = await connect(where)
            writer.write(said)
            if said == BLANK_LINE_AFTERWARDS:
                # On a busy machine, its time may be over before the answer.
                with suppress(asyncio.IncompleteReadError):
                    await reader.readuntil(b"\r\n\r\n")
                writer.write(b"\r\n")
            # The time limit of the test ends the wait.
            while True:
                try:
                    if not await reader.read(65_536):
                        break
                except ConnectionResetError:
                    break
            writer.close()

    asyncio.run(run())


@every
@in_a_loop
async def test_a_request_that_arrives_in_pieces_in_time_is_answered(
    listening: Listening, bounds: ModuleType, run_path: Path
) -> None:
    async with listening(run_path) as where:
        reader, writer = await connect(where)
        for _ in range(3):  # on one connection
            for piece in (b"GET /li", b"vez HTTP/1.1\r\nHo", b"st: test\r\n", b"\r\n"):
                writer.write(piece)
                await asyncio.sleep(0)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 ")
            length = next(
                int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
            )
            await reader.readexactly(length)
        writer.close()


@in_a_loop
async def test_more_connections_than_are_allowed_are_closed_at_once(run_path: Path) -> None:
    listener = listen_on_socket(Pages(bytes), run_path / "w.sock", most=3)
    held = [await connect(run_path / "w.sock") for _ in range(3)]
    reader, writer = await connect(run_path / "w.sock")
    with suppress(ConnectionResetError, BrokenPipeError):
        writer.write(GET + b"\r\n")
        assert await reader.read() == b"", "it gets no answer, not even a refusal"
    writer.close()
    held[0][1].write(GET + b"\r\n")
    assert (await held[0][0].readline()).startswith(b"HTTP/1.1 200"), "the others are served"
    for _, each in held:
        each.close()
        await each.wait_closed()
    await listener.aclose()
