"""File transfers between bots: streamed, limited, and each file moved only once."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from passerby.adapters.botapi import BotApi
from passerby.kernel.content import Content, File, Kind
from passerby.kernel.event import Refusal
from passerby.ports.telegram import Refused, TelegramError, TokenRefused, Unavailable
from tests.adapters.botapi.bot_api import READER, SENDER, TOKENS, A, B, Memory, content_call, fleet, photo
from tests.adapters.botapi.stub import RESET, Reply, Request, ok, refusal
from tests.staged import in_a_loop

MEGABYTES = 2**20


def video(size: int, name: str | None = None) -> Content:
    return Content(Kind.VIDEO, file=File("v-a", "v", size, name, "video/mp4"))


@in_a_loop
async def test_twenty_megabytes_cross_unharmed() -> None:
    async with fleet() as (api, stub):
        stub.files["v-a"] = bytes(range(256)) * (20 * MEGABYTES // 256)
        await api.send(content_call(video(20 * MEGABYTES)))
        (sent,) = stub.calls("sendVideo")
        assert sent.files["video"] == ("video.mp4", stub.files["v-a"])


def test_a_reader_that_stalls_stops_the_download_so_memory_stays_bounded() -> None:
    """The upload's server reads nothing. Unless the adapter buffers, the download cannot get to its end either.

    The file has 64 MB, because the sockets' own buffers on both sides hold several MB each.
    """
    size = 64 * MEGABYTES
    written = 0
    uploading, released = asyncio.Event(), asyncio.Event()

    async def trickle(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        while written < size:
            writer.write(bytes(MEGABYTES))
            await writer.drain()
            written += MEGABYTES

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A server that reads a request's head and then nothing more."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"/getFile" in head:
                body = b'{"ok":true,"result":{"file_path":"v-a","file_size":%d}}' % size
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
            elif b"/file/" in head:
                await trickle(writer)
            else:
                uploading.set()
                await released.wait()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    async def scenario() -> None:
        server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=2**16)
        port = server.sockets[0].getsockname()[1]
        api = BotApi(TOKENS, Memory(), base_url=f"http://127.0.0.1:{port}", unlimited_files=True)
        sending = asyncio.ensure_future(api.send(content_call(video(size))))
        await uploading.wait()
        before, unchanged = 0, 0
        while unchanged < 20:
            await asyncio.sleep(0.01)
            unchanged = unchanged + 1 if written == before > 0 else 0
            before = written
        assert 0 < written < size // 2
        released.set()
        with pytest.raises(TelegramError):
            await sending
        await api.aclose()
        server.close()
        await asyncio.sleep(0.05)  # the connections accepted last begin, and end

    asyncio.run(scenario())


@in_a_loop
async def test_only_one_of_ten_senders_of_a_file_uploads_it() -> None:
    async with fleet() as (api, stub):
        stub.files["photo-a"] = b"abc"
        sent = await asyncio.gather(*(api.send(content_call(photo())) for _ in range(10)))
        assert len(set(sent)) == 10
        calls = stub.calls("sendPhoto")
        assert [bool(request.files) for request in calls] == [True] + [False] * 9
        assert len(stub.calls("getFile")) == 1


@in_a_loop
async def test_if_the_first_upload_fails_the_next_in_line_makes_it() -> None:
    async with fleet() as (api, stub):
        stub.files["photo-a"] = b"abc"
        stub.answer("sendPhoto", refusal(403, "Forbidden: bot was blocked by the user"))
        sent = await asyncio.gather(*(api.send(content_call(photo())) for _ in range(3)), return_exceptions=True)
        assert [isinstance(outcome, Refused) for outcome in sent] == [True, False, False]
        assert [bool(request.files) for request in stub.calls("sendPhoto")] == [True, True, False]


@in_a_loop
async def test_an_upload_that_is_cancelled_leaves_its_turn_to_the_next() -> None:
    uploading = asyncio.Event()

    async with fleet(transfers=1) as (api, stub):

        async def never(_: Request) -> Reply:
            uploading.set()
            await asyncio.Event().wait()
            raise AssertionError

        stub.handlers["sendPhoto"] = never
        stub.files["photo-a"] = b"abc"
        first, second = (asyncio.ensure_future(api.send(content_call(photo()))) for _ in range(2))
        await uploading.wait()
        del stub.handlers["sendPhoto"]
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert len(await second) == 1


@in_a_loop
async def test_albums_that_share_files_do_not_wait_for_each_other_in_a_circle() -> None:
    async with fleet() as (api, stub):
        stub.files.update({"one": b"1", "two": b"2"})
        one, two = photo("one", "one"), photo("two", "two")
        await asyncio.gather(api.send(content_call(one, two)), api.send(content_call(two, one)))
        assert [len(request.files) for request in stub.calls("sendMediaGroup")] == [2, 0]


def test_no_more_transfers_run_at_once_than_allowed() -> None:
    async def scenario() -> None:
        running = most = 0
        both = asyncio.Event()

        async with fleet(transfers=2) as (api, stub):

            async def count(request: Request) -> Reply:
                nonlocal running, most
                running += 1
                most = max(most, running)
                if running == 2:
                    both.set()
                await both.wait()
                running -= 1
                return ok({"message_id": 1})

            stub.handlers["sendPhoto"] = count
            stub.files.update({str(n): b"abc" for n in range(6)})
            await asyncio.gather(*(api.send(content_call(photo(str(n), str(n)))) for n in range(6)))
            assert most == 2

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "reply",
    [RESET, Reply(502, b"<html>"), Reply(200, b"too long"), Reply(200, b"x")],
    ids=["reset", "html", "longer than announced", "shorter than announced"],
)
@in_a_loop
async def test_a_broken_download_has_delivered_nothing(reply: Reply) -> None:
    async with fleet() as (api, stub):
        stub.files["v-a"] = b"abc"
        stub.answer("v-a", reply)
        with pytest.raises(Unavailable) as caught:
            await api.send(content_call(video(3)))
        assert not caught.value.uncertain
        assert not stub.calls("sendVideo")


@in_a_loop
async def test_an_upload_whose_answer_is_lost_is_uncertain() -> None:
    async with fleet() as (api, stub):
        stub.files["v-a"] = b"abc"
        stub.answer("sendVideo", RESET)
        with pytest.raises(Unavailable) as caught:
            await api.send(content_call(video(3)))
        assert caught.value.uncertain


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(400, "Bad Request: file is too big"), Refusal.TOO_LARGE),
        (refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable"), Refusal.CANNOT_COPY),
        (ok({"file_id": "v-a", "file_size": 3}), Refusal.CANNOT_COPY),
        (ok({"file_id": "v-a", "file_path": "v-a", "file_size": 21 * MEGABYTES}), Refusal.TOO_LARGE),
    ],
    ids=["too big", "unknown", "no path", "bigger than said"],
)
@in_a_loop
async def test_a_file_that_cannot_be_downloaded_is_refused(answer: Reply, expected: Refusal) -> None:
    async with fleet() as (api, stub):
        stub.answer("getFile", answer)
        with pytest.raises(Refused) as caught:
            await api.send(content_call(video(3)))
        assert caught.value.refusal is expected
        assert not stub.calls("sendVideo")


@pytest.mark.parametrize("method", ["getFile", "v-a"], ids=["asked where it is", "downloaded"])
@in_a_loop
async def test_a_token_refused_during_a_download_is_the_source_bots(method: str) -> None:
    """The sending bot is not blamed, and the file is not given up after one refusal."""
    async with fleet() as (api, stub):
        stub.files["v-a"] = b"abc"
        stub.answer(method, refusal(401, "Unauthorized"))
        with pytest.raises(TokenRefused) as caught:
            await api.send(content_call(video(3)))
        assert caught.value.bot == A
        assert not stub.calls("sendVideo")


@in_a_loop
async def test_a_file_gone_from_the_server_cannot_be_copied() -> None:
    async with fleet() as (api, stub):
        stub.answer("getFile", ok({"file_path": "elsewhere", "file_size": 3}))
        with pytest.raises(Refused) as caught:
            await api.send(content_call(video(3)))
        assert caught.value.refusal is Refusal.CANNOT_COPY


def test_our_own_server_may_share_files_of_any_size_on_its_disk(tmp_path: Path) -> None:
    stored = tmp_path / "John Smith.mp4"
    stored.write_bytes(bytes(21 * MEGABYTES))

    async def scenario() -> None:
        async with fleet(unlimited_files=True) as (api, stub):
            stub.answer("getFile", ok({"file_path": str(stored), "file_size": 21 * MEGABYTES}))
            await api.send(content_call(video(21 * MEGABYTES)))
            (sent,) = stub.calls("sendVideo")
            name, content = sent.files["video"]
            assert (name, len(content)) == ("video.mp4", 21 * MEGABYTES)
            stub.answer("getFile", ok({"file_path": str(tmp_path / "gone"), "file_size": 3}))
            with pytest.raises(Refused):
                await api.send(content_call(Content(Kind.VOICE, file=File("g-a", "g", 3))))

    asyncio.run(scenario())


def test_no_request_to_the_readers_bot_contains_anything_of_the_sender(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    name = "Canary Miller tax.pdf"
    contents: tuple[Content, ...] = (
        Content(Kind.TEXT, "hi"),
        photo(),
        Content(Kind.DOCUMENT, file=File("d-a", "d", 3, name, "application/pdf")),
        Content(Kind.AUDIO, file=File("au-a", "au", 3, name, "audio/mpeg")),
        Content(Kind.STICKER, file=File("st-a", "st", 3), detail={"format": "static"}),
        Content(Kind.VOICE, file=File("vo-a", "vo", 3)),
    )

    async def scenario() -> list[Any]:
        async with fleet() as (api, stub):
            stub.files.update({f"{n}-a": b"abc" for n in ("photo", "d", "au", "st", "vo")})
            for content in contents:
                await api.send(content_call(content))
            await api.send(content_call(*contents[2:3], *contents[2:3]))
            return stub.requests

    requests = asyncio.run(scenario())
    to_reader = [request for request in requests if request.path.startswith(f"/bot{B}")]
    assert len(to_reader) == 7
    for request in to_reader:
        assert str(READER).encode() in request.raw
        for canary in (str(SENDER), "Canary", "Miller", TOKENS[A]):
            assert canary.encode() not in request.raw
    for request in requests:
        assert b"Miller" not in request.raw
    assert not [token for token in TOKENS.values() if token in caplog.text]


@in_a_loop
async def test_a_file_is_read_into_memory_up_to_a_limit() -> None:
    async with fleet() as (api, stub):
        stub.files["p"] = b"picture"
        assert await api.read_file(A, File("p", "p"), 7) == b"picture"
        for file in (File("p", "p"), File("p", "p", size=7)):
            with pytest.raises(Refused) as refused:
                await api.read_file(A, file, 6)
            assert refused.value.refusal is Refusal.TOO_LARGE
        stub.handlers["getFile"] = lambda request: ok(
            {"file_id": "p", "file_unique_id": "p", "file_size": 9, "file_path": "p"}
        )
        with pytest.raises(Unavailable):
            await api.read_file(A, File("p", "p"), 20)
