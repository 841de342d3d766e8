"""The transport with a misbehaving server: what a lost answer means, and which connections stay open."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from passerby.adapters.botapi import transport as transport_module
from passerby.adapters.botapi.connection import Connection, Lost, Pending, Reply
from passerby.adapters.botapi.transport import Transport
from tests.staged import in_a_loop

Conduct = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def request(reader: asyncio.StreamReader) -> bytes:
    """Read a whole request: its head and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


class Server:
    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""

    def answering(self, *answers: bytes, keep: bool = True) -> Conduct:
        """Answer requests one after the other on each connection. After the last answer, hang up unless `keep`."""

        async def conduct(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            turn = iter(answers)
            while True:
                self.requests.append(await request(reader))
                answer = next(turn, None) if len(answers) > 1 else answers[0]
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
                if not keep:
                    return

        return conduct


@asynccontextmanager
async def serving(conduct: Callable[[Server], Conduct], **more: int) -> AsyncIterator[tuple[Server, Transport]]:
    server = Server()
    behave = conduct(server)
    open_ = set[asyncio.StreamWriter]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        open_.add(writer)
        try:
            await behave(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            open_.discard(writer)

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    made = Transport(server.url, max_connections=more.get("max_connections", 8), on_connected=lambda: None)
    try:
        yield server, made
    finally:
        await made.aclose()
        listening.close()
        for writer in open_:
            writer.transport.abort()
        await asyncio.sleep(0)


async def post(made: Transport, body: bytes = b"{}", timeout_s: float = 120.0) -> Reply:
    return await made.post(made.head("/botX/sendMessage"), body, timeout_s)


@in_a_loop
async def test_a_request_is_complete_and_has_the_right_headers() -> None:
    async with serving(lambda server: server.answering(OK)) as (server, made):
        assert await post(made, b'{"a":1}') == Reply(200, b"ok", None)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert body == b'{"a":1}'
        lines = head.split(b"\r\n")
        assert lines[0] == b"POST /botX/sendMessage HTTP/1.1"
        assert f"Host: {server.url.removeprefix('http://')}".encode() in lines
        assert b"Content-Type: application/json" in lines


@in_a_loop
async def test_a_connection_is_used_again() -> None:
    async with serving(lambda server: server.answering(OK)) as (server, made):
        for _ in range(5):
            await post(made)
        assert (len(server.requests), server.connections) == (5, 1)


@in_a_loop
async def test_simultaneous_calls_have_a_connection_each_up_to_the_limit() -> None:
    async with serving(lambda server: server.answering(OK), max_connections=3) as (server, made):
        assert [each.body for each in await asyncio.gather(*(post(made) for _ in range(20)))] == [b"ok"] * 20
        assert server.connections == 3


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            (200, b"abcde", None),
        ),
        (b"HTTP/1.1 429 Flood\r\nRetry-After: 7\r\nContent-Length: 1\r\n\r\nx", (429, b"x", "7")),
        (b"HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, b"ok", None)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, (200, b"ok", None)),
        (b"HTTP/1.1 204 None\r\n\r\n", (204, b"", None)),
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n", (302, b"", None)),
    ],
    ids=["chunked", "flood", "early hints", "continue", "no content", "redirect"],
)
@in_a_loop
async def test_every_form_of_answer_is_understood(answer: bytes, expected: tuple[int, bytes, str | None]) -> None:
    async with serving(lambda server: server.answering(answer)) as (server, made):
        assert await post(made) == Reply(*expected)
        assert await post(made) == Reply(*expected), "earlier answers leave nothing behind"
        assert server.connections == 1


def test_an_answer_in_pieces_is_put_together() -> None:
    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        for at in range(len(OK)):
            writer.write(OK[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async def scenario() -> None:
        async with serving(lambda _: dribble) as (_, made):
            assert await post(made) == Reply(200, b"ok", None)

    asyncio.run(scenario())


@in_a_loop
async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\nall of it"
    async with serving(lambda server: server.answering(endless, keep=False)) as (server, made):
        assert await post(made) == Reply(200, b"all of it", None)
        assert await post(made) == Reply(200, b"all of it", None)
        assert server.connections == 2


@in_a_loop
async def test_a_connection_that_the_server_will_close_is_not_used_again() -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    async with serving(lambda server: server.answering(closing)) as (server, made):
        await post(made)
        await post(made)
        assert server.connections == 2


@in_a_loop
async def test_a_connection_closed_while_idle_is_not_used_again() -> None:
    async with serving(lambda server: server.answering(OK, keep=False)) as (server, made):
        await post(made)
        while made._idle and made._idle[0].usable:
            await asyncio.sleep(0.001)
        assert await post(made) == Reply(200, b"ok", None)
        assert server.connections == 2


async def _reset_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.transport.abort()


async def _close_after_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(OK[:-1])
    await writer.drain()


async def _talk_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"SSH-2.0-OpenSSH\r\n")
    await reader.read()


async def _head_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-Padding: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("conduct", [_reset_at_once, _close_after_half, _talk_nonsense, _head_without_end])
@in_a_loop
async def test_a_request_that_breaks_after_it_left_may_have_been_carried_out(conduct: Conduct) -> None:
    async with serving(lambda _: conduct) as (_, made):
        with pytest.raises(Lost) as lost:
            await post(made)
        assert lost.value.sent


def test_a_server_that_stays_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "SWEEP_S", 0.01)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        for line in made._busy:
            line.deadline = 0.0  # by now, the request has arrived
        await reader.read()

    async def scenario() -> None:
        nonlocal made
        async with serving(lambda _: silent) as (server, made):
            with pytest.raises(Lost, match="time-out") as lost:
                await post(made)
            assert lost.value.sent
            with pytest.raises(Lost, match="time-out"):
                await post(made)
            assert server.connections == 2, "its late answer must not be taken for the next one's"

    made: Transport

    asyncio.run(scenario())


@in_a_loop
async def test_without_a_server_nothing_was_sent() -> None:
    async with serving(lambda server: server.answering(OK)) as (server, _):
        gone = server.url
    made = Transport(gone, max_connections=1, on_connected=lambda: None)
    for _ in range(2):  # the second one shows that the place was given back
        with pytest.raises(Lost) as lost:
            await post(made)
        assert not lost.value.sent
    await made.aclose()


@in_a_loop
async def test_a_call_that_gives_up_leaves_no_answer_to_the_next() -> None:
    asked, released = asyncio.Event(), asyncio.Event()

    def conduct(server: Server) -> Conduct:
        async def slow_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            number = server.connections
            while True:
                await request(reader)
                asked.set()
                if number == 1:
                    await released.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)

        return slow_first

    async with serving(conduct) as (_, made):
        waiting = asyncio.ensure_future(post(made))
        await asked.wait()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        released.set()
        assert (await post(made)).body == b"2"


@in_a_loop
async def test_unexpected_bytes_end_the_connection() -> None:
    async with serving(lambda server: server.answering(OK + OK)) as (server, made):
        await post(made)
        while made._idle and made._idle[0].usable:
            await asyncio.sleep(0.001)
        await post(made)
        assert server.connections == 2


def test_closing_ends_calls_under_way() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def scenario() -> None:
        async with serving(lambda _: silent) as (_, made):
            waiting = asyncio.ensure_future(post(made))
            while not made._busy:
                await asyncio.sleep(0.01)
            await made.aclose()
            with pytest.raises(Lost, match="closed"):
                await waiting
            with pytest.raises(Lost, match="closed"):
                await post(made)

    asyncio.run(scenario())


def test_idle_connections_are_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "SWEEP_S", 0.01)
    monkeypatch.setattr(transport_module, "IDLE_S", 0.02)

    async def scenario() -> None:
        async with serving(lambda server: server.answering(OK)) as (_, made):
            await asyncio.gather(*(post(made) for _ in range(3)))
            while made._idle:
                await asyncio.sleep(0.005)
            assert made._sweeper is None or not made._busy
            assert (await post(made)).status == 200

    asyncio.run(scenario())


@in_a_loop
async def test_a_login_in_the_address_is_sent_but_not_shown_in_the_host() -> None:
    async with serving(lambda server: server.answering(OK)) as (server, _):
        made = Transport(
            server.url.replace("http://", "http://me:secret@"), max_connections=1, on_connected=lambda: None
        )
        await post(made)
        assert b"Authorization: Basic bWU6c2VjcmV0\r\n" in server.requests[0]
        assert b"Host: 127.0.0.1" in server.requests[0]
        await made.aclose()


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/a\x7f"])
def test_a_path_cannot_break_out_of_its_line(path: str) -> None:
    made = Transport("http://127.0.0.1:1", max_connections=1, on_connected=lambda: None)
    with pytest.raises(ValueError, match="path"):
        made.head(path)


OK_200 = b"HTTP/1.1 200 OK\r\n"
HEADS = (
    OK_200 + b"Content-Length: 2\r\n\r\n",
    OK_200 + b"Server: nginx/1.18.0\r\nDate: Mon, 30 Nov 2026 09:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: 2\r\nConnection: keep-alive\r\nStrict-Transport-Security: max-age=31536000\r\n\r\n",
    OK_200 + b"connection: keep-alive\r\ncontent-length:2\r\n\r\n",
    OK_200 + b"Content-Length: 2\r\nConnection: close\r\n\r\n",
    OK_200 + b"Content-Length: 2\r\nRetry-After: 7\r\n\r\n",
    OK_200 + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n",
    OK_200 + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n",
    OK_200 + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
    OK_200 + b"Content-Length: +2\r\n\r\n",
    OK_200 + b"Content-Length: 2\r\n folded\r\n\r\n",
    OK_200 + b"Upgrade: h2c\r\nContent-Length: 2\r\n\r\n",
    OK_200 + b"X: \x01\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n",
)


class Wire:
    """The transport of a connection that nobody is at the other end of."""

    def __init__(self) -> None:
        self.is_aborted = False

    def write(self, data: bytes) -> None:
        pass

    def abort(self) -> None:
        self.is_aborted = True


def read_in(pieces: list[bytes]) -> tuple[list[object], bool]:
    """Return the results of two calls over one connection if these bytes answer both, and whether it was aborted."""

    async def main() -> tuple[list[object], bool]:
        connection = Connection(asyncio.get_running_loop(), lambda _: None)
        wire = Wire()
        connection.connection_made(cast("asyncio.BaseTransport", wire))
        seen: list[object] = []
        for _ in range(2):
            answer = Pending()
            answer.connection = connection
            connection.ask(b"", 0.0, answer)
            for piece in pieces:
                connection.data_received(piece)
            error = answer.error if answer.is_done else None
            seen += [answer.is_done, repr(error), answer.result() if answer.is_done and error is None else None]
            seen.append(connection.usable)
            if not answer.is_done or not connection.usable:
                break
        return seen, wire.is_aborted

    return asyncio.run(main())


@pytest.mark.parametrize("head", HEADS)
def test_an_answer_in_one_piece_means_the_same_as_byte_by_byte(head: bytes) -> None:
    for answer in (head + b"{}", head + b"{", head):
        assert read_in([answer])[0] == read_in([answer[at : at + 1] for at in range(len(answer))])[0]


def test_bytes_after_a_whole_answer_end_the_connection() -> None:
    together, in_turn = read_in([HEADS[0] + b"{}x"]), read_in([HEADS[0] + b"{}", b"x"])
    assert together[0][-1] is in_turn[0][-1] is False
    assert in_turn[1]


@pytest.mark.parametrize("before", HEADS[:3])
def test_an_answer_means_the_same_whatever_head_came_before(before: bytes) -> None:
    lengths = (b"0", b"2", b"02", b"+2", b"2 ", b"", b"x", b"00000002", b"3")
    for head in (*HEADS, *(before.replace(b"2\r\n", length + b"\r\n", 1) for length in lengths)):
        for body in (b"{}", b"{", b""):
            whole = head + body
            assert read_in([before + b"{}"])[0][:2] == [True, "None"]
            assert read_in([whole])[0] == read_in([whole[at : at + 1] for at in range(len(whole))])[0]
