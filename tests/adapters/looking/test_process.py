"""The process that looks at pictures: whatever happens to it, the program goes on, and is told that nobody looked."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from passerby.adapters.looking.child import DOUBTFUL, HARMLESS, READY, serve
from passerby.adapters.looking.process import COMMAND, ProcessLooker, is_installed
from passerby.ports.looking import LookerAway
from tests.staged import in_a_loop

FAKE = """
import os, sys, time
from passerby.adapters.looking.child import serve

def judge(picture):
    if picture == b"crash":
        os._exit(3)
    if picture == b"stuck":
        time.sleep(3600)
    if picture == b"broken":
        raise ValueError
    return picture.startswith(b"doubtful")

print(len(os.environ), file=sys.stderr)
serve(judge, sys.stdin.buffer, sys.stdout.buffer)
"""
"""A model for tests: the picture says what happens."""


@asynccontextmanager
async def looker(
    command: tuple[str, ...] = (sys.executable, "-c", FAKE), rest_s: float = 0.0
) -> AsyncIterator[ProcessLooker]:
    made = ProcessLooker(asyncio.get_running_loop().time, command, rest_s)
    made.start()
    try:
        yield made
    finally:
        await made.aclose()


@in_a_loop
async def test_it_answers_one_picture_after_the_other_also_large_ones() -> None:
    async with looker() as made:
        assert await made.loaded()
        asked = (b"harmless", b"doubtful", b"broken", b"harmless" + bytes(3_000_000))
        assert [await made.is_doubtful(each) for each in asked] == [False, True, True, False]
        assert await asyncio.gather(*(made.is_doubtful(each) for each in asked)) == [False, True, True, False]


@in_a_loop
async def test_after_a_crash_nobody_looks_until_another_process_is_there() -> None:
    async with looker() as made:
        assert await made.loaded()
        with pytest.raises(LookerAway):
            await made.is_doubtful(b"crash")
        with pytest.raises(LookerAway):
            await made.is_doubtful(b"harmless")
        assert await made.loaded(), "the question began another one"
        assert not await made.is_doubtful(b"harmless")


@in_a_loop
async def test_a_picture_that_nobody_waits_for_any_more_ends_its_process() -> None:
    async with looker() as made:
        assert await made.loaded()
        stuck = asyncio.ensure_future(made.is_doubtful(b"stuck"))
        await asyncio.sleep(0)
        behind = asyncio.ensure_future(made.is_doubtful(b"harmless"))
        await asyncio.sleep(0)
        stuck.cancel()
        with pytest.raises(LookerAway):
            await behind
        assert await made.loaded()
        assert not await made.is_doubtful(b"harmless"), "the answers are still in step"


@pytest.mark.parametrize("command", [("/nowhere/at/all",), (sys.executable, "-c", "raise SystemExit(1)")])
@in_a_loop
async def test_a_model_that_cannot_be_loaded_is_not_tried_without_end(command: tuple[str, ...]) -> None:
    async with looker(command, rest_s=1e9) as made:
        assert not await made.loaded()
        for _ in range(3):
            with pytest.raises(LookerAway):
                await made.is_doubtful(b"harmless")
            assert not await made.loaded()
            assert made._loading is None, "it rests"


def test_the_process_speaks_its_protocol_and_ends_with_its_input() -> None:
    pictures = (b"one", b"", b"three")
    asked = b"".join(len(each).to_bytes(4, "big") + each for each in pictures)
    out = io.BytesIO()
    serve(lambda picture: picture == b"", io.BytesIO(asked), out)
    assert out.getvalue() == READY + HARMLESS + DOUBTFUL + HARMLESS


def test_without_memory_the_process_ends() -> None:
    def full(picture: bytes) -> bool:
        raise MemoryError

    with pytest.raises(MemoryError):
        serve(full, io.BytesIO(b"\0\0\0\1x"), io.BytesIO())


@pytest.mark.skipif(not is_installed(), reason="passerby[images] is not installed")
@in_a_loop
async def test_the_real_model_reads_pictures_and_doubts_bombs_and_junk() -> None:
    from PIL import Image

    def picture(size: tuple[int, int], name: str, mode: str = "RGB") -> bytes:
        written = io.BytesIO()
        Image.new(mode, size).save(written, name)
        return written.getvalue()

    async with looker(COMMAND) as made:
        assert await made.loaded()
        for name in ("JPEG", "PNG", "WEBP"):
            assert not await made.is_doubtful(picture((640, 480), name))
        assert await made.is_doubtful(b"no picture")
        assert await made.is_doubtful(picture((30_000, 30_000), "PNG", "1"))
        assert await made.is_doubtful(picture((64, 64), "GIF")), "a kind that is not read"
