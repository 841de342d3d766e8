"""The flight recorder shows what a process was working on when it ended, and only that."""

import asyncio
import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import coroutine
from typing import Any

import pytest

from passerby.kernel.ids import BotId, UpdateRef
from passerby.runtime.flight_recorder import MOST_UPDATES, Crash, FlightRecorder, Pulse, RecorderInUse, pulse_of

REF, OTHER = UpdateRef(BotId(1000001), 7), UpdateRef(BotId(2**52), ~(2**40))
RUN, NEXT_RUN = "a" * 16, "b" * 16


async def nothing() -> None:
    pass


def opened(path: Path, run: str = NEXT_RUN) -> FlightRecorder:
    recorder = FlightRecorder.open(path, run)
    recorder.close()
    return recorder


def dies(path: Path, body: str) -> int:
    """Run a process that follows work with this body, which is indented and ends the process."""
    program = f"""
import asyncio, os, signal
from pathlib import Path
from passerby.kernel.ids import BotId, UpdateRef
from passerby.runtime.flight_recorder import FlightRecorder
recorder = FlightRecorder.open(Path({str(path)!r}), {RUN!r})
def end():
    os.kill(os.getpid(), signal.SIGKILL)
async def main():
    loop = asyncio.get_running_loop()
    async def work():
{body}
    await recorder.follow(work(), (UpdateRef(BotId({REF.bot}), {REF.update}), UpdateRef({OTHER.bot}, {OTHER.update})))
asyncio.run(main())
"""
    return subprocess.run([sys.executable, "-c", program], timeout=300, check=False).returncode


@pytest.mark.parametrize("way", ["end()", "os.abort()", "os._exit(3)"])
def test_a_process_that_ends_while_working_on_an_update_leaves_its_number(tmp_path: Path, way: str) -> None:
    assert dies(tmp_path / "page", f"        await asyncio.sleep(0)\n        {way}")
    assert opened(tmp_path / "page").crash == Crash(RUN, (REF, OTHER))


def test_a_process_that_is_killed_while_an_update_waits_blames_none(tmp_path: Path) -> None:
    assert (
        dies(tmp_path / "page", "        loop.call_later(0.01, end)\n        await asyncio.sleep(60)")
        == -signal.SIGKILL
    )
    assert opened(tmp_path / "page").crash is None


def test_a_crash_stays_in_the_page_until_it_is_settled(tmp_path: Path) -> None:
    dies(tmp_path / "page", "        end()")
    for _ in range(2):
        assert opened(tmp_path / "page").crash == Crash(RUN, (REF, OTHER))
    recorder = FlightRecorder.open(tmp_path / "page", NEXT_RUN)
    recorder.settle()
    recorder.close()
    assert opened(tmp_path / "page").crash is None


def test_a_page_belongs_to_one_process(tmp_path: Path) -> None:
    first = FlightRecorder.open(tmp_path / "page", RUN)
    with pytest.raises(RecorderInUse):
        FlightRecorder.open(tmp_path / "page", NEXT_RUN)
    first.close()
    opened(tmp_path / "page")


@pytest.mark.parametrize("content", [b"", b"x", b"\xff" * 4096, b"psrflt01" + b"\xff" * 4096])
def test_a_damaged_page_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "page").write_bytes(content)
    assert opened(tmp_path / "page").crash is None
    assert pulse_of(tmp_path / "page") == Pulse(os.getpid(), 0)


def test_the_room_for_a_page_is_taken_before_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk, a write to memory without room in the file kills the process."""

    def has_room(file: int, size: int) -> bytearray:
        assert os.fstat(file).st_blocks * 512 >= os.fstat(file).st_size >= size
        return bytearray(size)

    (tmp_path / "old").write_bytes(b"x")
    monkeypatch.setattr(mmap, "mmap", has_room)
    for name in ("new", "old"):
        os.close(FlightRecorder.open(tmp_path / name, RUN)._file)


@pytest.mark.parametrize("to", [0, 1, 100])
@pytest.mark.parametrize("touches", ["recorder.current", "recorder.settle()", "await asyncio.sleep(0.2)"])
def test_a_process_survives_that_somebody_empties_its_page(tmp_path: Path, touches: str, to: int) -> None:
    """Whatever touches the memory first, and as often as it happens. The last crash is found all the same."""
    body = f"""
        for number in range(1, 21):
            os.truncate({str(tmp_path / "page")!r}, {to})
            {touches}
            await asyncio.sleep(0)
        loop.call_soon(recorder.beat)
        await asyncio.sleep(0)
        end()"""
    assert dies(tmp_path / "page", body) == -signal.SIGKILL
    assert pulse_of(tmp_path / "page") is not None, "its supervisor sees it again"
    assert opened(tmp_path / "page").crash == Crash(RUN, (REF, OTHER))


def test_another_bad_access_to_memory_ends_the_process_as_before(tmp_path: Path) -> None:
    body = f"""
        import mmap
        with open({str(tmp_path / "other")!r}, "w+b") as file:
            file.write(b"x" * 4096)
            file.flush()
            page = mmap.mmap(file.fileno(), 4096)
            file.truncate(0)
            page[0]
        os._exit(0)"""
    assert dies(tmp_path / "page", body) == -signal.SIGBUS


def test_a_closed_page_is_filled_no_more(tmp_path: Path) -> None:
    body = f"""
        recorder.close()
        os.truncate({str(tmp_path / "page")!r}, 0)
        os.kill(os.getpid(), signal.SIGBUS)"""
    assert dies(tmp_path / "page", body) == -signal.SIGBUS
    assert (tmp_path / "page").stat().st_size == 0


def test_other_processes_can_see_the_beats(tmp_path: Path) -> None:
    assert pulse_of(tmp_path / "page") is None
    recorder = FlightRecorder.open(tmp_path / "page", RUN)
    for _ in range(3):
        recorder.beat()
    assert pulse_of(tmp_path / "page") == Pulse(os.getpid(), 3)
    recorder.close()


def test_each_step_is_recorded_and_nothing_between_steps() -> None:
    recorder = FlightRecorder()
    seen: list[bool] = []

    async def work() -> str:
        seen.append(bool(recorder.current))
        await asyncio.sleep(0)
        seen.append(bool(recorder.current))
        return "done"

    async def main() -> None:
        followed = asyncio.ensure_future(recorder.follow(work(), (REF,)))
        while not followed.done():
            seen.append(bool(recorder.current))
            await asyncio.sleep(0)
        assert followed.result() == "done"

    asyncio.run(main())
    assert seen == [False, True, False, True, False][: len(seen)]
    assert not recorder.current


def test_a_page_names_as_many_updates_as_it_has_room_for() -> None:
    recorder, many = FlightRecorder(), tuple(UpdateRef(REF.bot, number) for number in range(MOST_UPDATES + 5))

    async def work() -> bytes:
        return recorder.current

    mark = asyncio.run(_awaited(recorder.follow(work(), many)))
    assert len(mark) == 4 + 16 * MOST_UPDATES


async def _awaited(work: Any) -> Any:
    return await work


@coroutine
def _hands_out(value: object) -> Any:
    return (yield value)


def test_a_followed_coroutine_behaves_like_the_original() -> None:
    """This covers values sent in, errors thrown in, and the end."""

    async def work() -> list[object]:
        got: list[object] = [await _hands_out("first")]
        try:
            await _hands_out("second")
        except KeyError as error:
            got.append(error.args[0])
        return got

    def driven(make: Callable[[], Any]) -> list[object]:
        work = make()
        results = [work.send(None), work.send("sent"), None]
        with pytest.raises(StopIteration) as end:
            work.throw(KeyError("thrown"))
        return [*results, end.value.value]

    recorder = FlightRecorder()
    assert (
        driven(lambda: recorder.follow(work(), (REF,))) == driven(work) == ["first", "second", None, ["sent", "thrown"]]
    )
    recorder.follow(nothing(), (REF,)).close()


def test_cancelling_reaches_the_followed_coroutine() -> None:
    recorder = FlightRecorder()

    async def main() -> None:
        task = asyncio.ensure_future(recorder.follow(asyncio.sleep(3600), (REF,)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert not recorder.current


def test_work_without_an_update_is_not_wrapped() -> None:
    work = nothing()
    assert FlightRecorder().follow(work, ()) is work
    work.close()
