"""The log on a real file: no kill and no damage loses an acknowledged record without a report."""

import asyncio
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerby.adapters.memory import frames
from passerby.adapters.memory.frames import Hole, frame, unframe
from passerby.adapters.memory.log import FileLog, LogInUse, LogNewer
from passerby.adapters.memory.touched import ROOM, Touched
from passerby.kernel.ids import PersonId
from tests.staged import in_a_loop

RECORDS = st.lists(st.binary(max_size=20), max_size=8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "passerby.live"


def framed(*records: bytes) -> bytes:
    return b"".join(frame(record, number) for number, record in enumerate(records, 1))


def read(path: Path) -> list[bytes | Hole]:
    log = FileLog(path)
    records = list(log.records())
    log.close()
    return records


def write(path: Path, *records: bytes) -> None:
    log = FileLog(path)
    for record in records:
        log.append(record)
    log.close()


@given(RECORDS)
def test_framed_records_can_be_unframed(records: list[bytes]) -> None:
    data = framed(*records)
    assert unframe(data) == (records, len(data), len(records))


@given(RECORDS, st.data())
def test_a_torn_end_loses_only_the_torn_record(records: list[bytes], data: st.DataObject) -> None:
    whole = framed(*records)
    cut = data.draw(st.integers(0, len(whole)))
    found = unframe(whole[:cut])
    assert found.records == records[: len(found.records)], "and it is not taken for damage"
    assert found.size == len(framed(*records[: len(found.records)])) <= cut
    assert len(found.records) == len(records) or len(framed(*records[: len(found.records) + 1])) > cut


@pytest.mark.parametrize("arrived", [0, 1, 5, 24, 30, 511, 512, 513, 1_000])
def test_a_write_without_its_last_sectors_is_a_torn_end(arrived: int) -> None:
    """The file has its new length, with zeros where the disk did not write yet."""
    kept = framed(b"kept")
    torn = frame(b"x" * 2_000, 2)
    start = len(kept) + arrived
    boundary = start if arrived == 0 else -(-start // 512) * 512
    data = (kept + torn)[:boundary] + bytes(len(kept + torn) - boundary)
    assert unframe(data) == ([b"kept"], len(kept), 1)


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=6), st.data())
def test_a_flipped_bit_loses_one_record_and_is_reported(records: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(framed(*records))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    hit = next(number for number in range(len(records)) if bit // 8 < len(framed(*records[: number + 1])))
    found = unframe(bytes(whole))
    is_last = hit == len(records) - 1
    hole = Hole(len(framed(*records[:hit])), len(frame(records[hit], 0)), None if is_last else 1, hit)
    assert found.records == [*records[:hit], hole, *records[hit + 1 :]]
    assert found.size == len(whole), "what comes next goes after the damage"


@given(RECORDS, st.data())
def test_a_damaged_log_never_yields_invented_or_reordered_records(records: list[bytes], data: st.DataObject) -> None:
    numbered = [b"%d:" % number + record for number, record in enumerate(records)]
    damaged = bytearray(framed(*numbered))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, max(0, len(damaged) - 1)))
        end = data.draw(st.integers(start, len(damaged)))
        match data.draw(st.sampled_from(["zeros", "noise", "cut", "twice"])):
            case "zeros":
                damaged[start:end] = bytes(end - start)
            case "noise":
                damaged[start:end] = data.draw(st.binary(min_size=end - start, max_size=end - start))
            case "cut":
                del damaged[start:end]
            case "twice":
                damaged[end:end] = damaged[start:end]
    found = [each for each in unframe(bytes(damaged)).records if not isinstance(each, Hole)]
    places = [numbered.index(each) for each in found]
    assert places == sorted(set(places))


@pytest.mark.parametrize("size", [10_000, 20_000, 40_000])
@pytest.mark.parametrize(
    "bad", [b"\0", b"x", b"\xf5plg", b"\xf5plg" + bytes(20)], ids=["zeros", "noise", "magic", "heads"]
)
def test_a_damaged_log_is_read_in_linear_time(size: int, bad: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    crc32 = zlib.crc32

    def counted(data: bytes) -> int:
        nonlocal looked
        looked += len(data)
        return crc32(data)

    monkeypatch.setattr(frames.zlib, "crc32", counted)
    data = framed(b"one") + bad * (size // len(bad)) + frame(b"two", 9)
    looked = 0
    assert [each for each in unframe(data).records if not isinstance(each, Hole)] == [b"one", b"two"]
    assert looked <= 6 * size


def test_the_format_is_as_documented() -> None:
    head = b"\xf5plg" + struct.pack("<IQI", 3, 7, zlib.crc32(b"abc"))
    assert frame(b"abc", 7) == head + struct.pack("<I", zlib.crc32(head)) + b"abc"


def test_a_log_reads_back_what_was_written(path: Path) -> None:
    write(path, b"one", b"", b"three" * 1000)
    write(path, b"four")
    assert read(path) == [b"one", b"", b"three" * 1000, b"four"]


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    write(path, b"one")
    assert path.stat().st_mode & 0o077 == 0


def test_after_a_torn_end_the_log_continues_after_the_last_whole_record(path: Path) -> None:
    path.write_bytes(framed(b"one", b"two") + frame(b"torn", 3)[:-2])
    assert read(path) == [b"one", b"two"]
    write(path, b"three")
    assert read(path) == [b"one", b"two", b"three"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(garbage=st.binary(min_size=30, max_size=60))
def test_after_damage_at_its_end_the_log_continues_behind_the_damage(path: Path, garbage: bytes) -> None:
    path.write_bytes(framed(b"one", b"two") + b"!" + garbage)
    assert read(path)[:2] == [b"one", b"two"]
    write(path, b"three")
    assert [each for each in read(path) if not isinstance(each, Hole)] == [b"one", b"two", b"three"]


@pytest.mark.parametrize("is_clean_cut", [True, False])
def test_a_synced_end_that_is_missing_is_a_hole(path: Path, is_clean_cut: bool) -> None:
    async def main() -> None:
        live = FileLog(path)
        for record in (b"one", b"two", b"three"):
            live.append(record)
        await live.sync()
        live.append(b"four")
        live.close()

    asyncio.run(main())
    path.write_bytes(framed(b"one") + (b"" if is_clean_cut else frame(b"two", 2)[:-1]))
    size = len(framed(b"one"))
    assert read(path) == [b"one", Hole(size, 0, 2, 1)]


def test_a_missing_end_names_the_people_it_concerns_until_the_log_is_rewritten(path: Path) -> None:
    """Otherwise a kill before the repair would make the loss invisible."""

    async def main() -> None:
        live = FileLog(path)
        for number in (1, 2, 3):
            live.append(b"%d" % number, (PersonId(number), PersonId(-number)))
        await live.sync()
        live.append(b"4", (PersonId(4),))
        live.close()

    asyncio.run(main())
    path.write_bytes(framed(b"1"))
    size, lost = len(framed(b"1")), {2, -2, 3, -3}
    log = FileLog(path)
    assert list(log.records()) == [b"1", Hole(size, 0, 2, 1, frozenset(map(PersonId, lost)))]
    log.append(b"after", (PersonId(9),))
    log.close()
    again = FileLog(path)
    assert list(again.records()) == [b"1", Hole(size, 0, 2, 1, frozenset(map(PersonId, lost))), b"after"]
    again.rewrite([b"all"])
    again.close()
    assert read(path) == [b"all"]


def test_the_newest_notes_about_people_replace_the_oldest(path: Path) -> None:
    async def main() -> None:
        for start in (0, ROOM, 2 * ROOM):
            live = FileLog(path)
            for number in range(start, start + ROOM // 2 + 1):
                live.append(b"", (PersonId(number),))
            await live.sync()
            live.close()

    asyncio.run(main())
    path.write_bytes(framed(b""))
    (hole,) = [each for each in read(path) if isinstance(each, Hole)]
    newest = {*range(2 * ROOM, 2 * ROOM + ROOM // 2 + 1), *range(ROOM + 2, ROOM + ROOM // 2 + 1)}
    assert hole.people == newest


def test_an_emptied_log_is_a_hole_and_a_deleted_one_a_new_beginning(path: Path) -> None:
    live = FileLog(path)
    live.rewrite([b"one"])
    live.close()
    path.write_bytes(b"")
    assert read(path) == [Hole(0, 0, 1)]
    path.unlink()
    assert read(path) == []


def test_an_end_that_was_never_synced_may_be_missing(path: Path) -> None:
    async def main() -> None:
        live = FileLog(path)
        live.append(b"one")
        await live.sync()
        live.append(b"two")
        live.close()

    asyncio.run(main())
    path.write_bytes(framed(b"one"))
    assert read(path) == [b"one"]


def test_a_rewritten_log_counts_as_synced(path: Path) -> None:
    live = FileLog(path)
    live.append(b"one")
    live.rewrite([b"two", b"three"])
    live.close()
    path.write_bytes(frame(b"two", 2))
    assert read(path) == [b"two", Hole(path.stat().st_size, 0, 1, 2)]


def test_a_corrupt_lock_file_does_not_affect_reading_the_log(path: Path) -> None:
    path.write_bytes(framed(b"one"))
    for garbage in (b"\xff" * 12, bytes(range(1, 256)) * 40):
        path.with_name(path.name + ".lock").write_bytes(garbage)
        log = FileLog(path, release=1)
        assert (list(log.records()), log.mark) == ([b"one"], b"")
        log.close()


@pytest.mark.parametrize("name", ["passerby.live", "passerby.live.lock"])
def test_a_pipe_instead_of_the_log_or_its_lock_is_an_error_and_not_waited_for(path: Path, name: str) -> None:
    os.mkfifo(path.with_name(name))
    with pytest.raises(OSError, match="not a regular file"):
        FileLog(path)


def test_a_rewrite_can_keep_the_damaged_log(path: Path) -> None:
    for number in range(5):
        damaged = framed(b"one") + b"?" * 40 + b"%d" % number
        path.write_bytes(damaged)
        live = FileLog(path)
        live.rewrite([b"new"], keep_former=True)
        live.append(b"next")
        live.close()
        assert read(path) == [b"new", b"next"]
        kept = sorted(path.parent.glob("*.damaged-*"), key=lambda each: int(each.name.rpartition("-")[2]))
        assert kept[-1].read_bytes() == damaged
    assert len(kept) == 3, "not for ever"


def test_other_files_with_the_names_of_damaged_logs_do_not_prevent_a_rewrite(path: Path) -> None:
    for name in ("", "x", "\N{SUPERSCRIPT TWO}", "7" * 40):
        path.with_name(f"{path.name}.damaged-{name}").write_bytes(b"theirs")
    for number in range(4):
        path.with_name(f"{path.name}.damaged-{number}").mkdir()
    path.write_bytes(framed(b"one"))
    live = FileLog(path)
    live.rewrite([b"new"], keep_former=True)
    live.close()
    assert read(path) == [b"new"]
    assert path.with_name(f"{path.name}.damaged-4").read_bytes() == framed(b"one")


def test_the_size_of_a_log_is_its_files_size(path: Path) -> None:
    log = FileLog(path)
    log.append(b"one")
    assert log.size == path.stat().st_size == len(frame(b"one", 1))
    log.rewrite([b"1", b"2"])
    assert log.size == path.stat().st_size == 2 * len(frame(b"1", 1))
    log.append(b"x")
    assert log.size == path.stat().st_size
    log.close()


def test_syncing_is_safe_during_appends_and_rewrites(path: Path) -> None:
    async def main() -> None:
        log = FileLog(path)
        for number in range(20):
            log.append(b"%d" % number)
            sync = asyncio.ensure_future(log.sync())
            await asyncio.sleep(0)
            if number == 10:
                log.rewrite([b"so far"])
            await sync
        await log.sync()
        log.close()

    asyncio.run(main())
    assert read(path) == [b"so far", *(b"%d" % number for number in range(11, 20))]


def test_a_log_in_use_cannot_be_opened_again(path: Path) -> None:
    log = FileLog(path)
    log.append(b"one")
    with pytest.raises(LogInUse):
        FileLog(path)
    log.rewrite([b"1"])
    with pytest.raises(LogInUse):
        FileLog(path)
    log.close()
    assert read(path) == [b"1"]


def test_a_path_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        FileLog(tmp_path / "no such folder" / "passerby.live")
    (tmp_path / "folder.live").mkdir()
    for _ in range(2):
        with pytest.raises(IsADirectoryError):
            FileLog(tmp_path / "folder.live")


def test_callers_that_wait_at_the_same_time_share_one_sync(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    flush = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: (calls.append(file), flush(file)))

    async def main() -> None:
        live = FileLog(path)
        for number in range(50):
            live.append(b"%d" % number)
        await asyncio.gather(*(live.sync() for _ in range(50)))
        assert len(calls) == 1
        await live.sync()
        assert len(calls) == 1, "there is nothing new"
        live.append(b"more")
        await live.sync()
        assert len(calls) == 2
        live.close()

    asyncio.run(main())


def test_a_record_appended_during_a_sync_waits_for_the_next_sync(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go, calls = threading.Event(), []

    def slowly(file: int) -> None:
        calls.append(file)
        assert go.wait(120)

    monkeypatch.setattr(os, "fdatasync", slowly)

    async def main() -> None:
        live = FileLog(path)
        live.append(b"one")
        first = asyncio.ensure_future(live.sync())
        while not calls:
            await asyncio.sleep(0.001)
        live.append(b"two")
        second = asyncio.ensure_future(live.sync())
        await asyncio.sleep(0)
        go.set()
        await first
        await second
        assert len(calls) == 2
        live.close()

    asyncio.run(main())


def test_a_caller_at_the_end_of_a_sync_waits_for_the_next_turn_of_the_loop(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Awaiting a finished future does not yield. Awaiting it in a loop would block the event loop."""
    flushed = threading.Event()
    flush = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: (flush(file), flushed.set()))

    async def main() -> None:
        live = FileLog(path)
        live.append(b"one")
        sync = asyncio.ensure_future(live.sync())
        for _ in range(2):  # it begins in the next turn
            await asyncio.sleep(0)
        assert flushed.wait(120)
        live._syncer.submit(bool).result(120)  # so the thread has told the loop, which has not reacted yet
        await asyncio.sleep(0)  # this turn ends the sync; its callbacks run in the next
        live.append(b"two")
        await live.sync()
        await sync
        live.close()

    asyncio.run(main())
    assert read(path) == [b"one", b"two"]


def test_callers_continue_in_the_order_of_their_appends_even_at_the_end_of_a_sync(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = threading.Event()
    flush = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: (flush(file), flushed.set()))
    order: list[bytes] = []

    async def main() -> None:
        live = FileLog(path)

        async def store(record: bytes) -> None:
            live.append(record)
            await live.sync()
            order.append(record)

        earlier = asyncio.ensure_future(store(b"one"))
        for _ in range(2):  # it begins in the next turn
            await asyncio.sleep(0)
        assert flushed.wait(120)
        live._syncer.submit(bool).result(120)  # so the thread has told the loop, which has not reacted yet
        await asyncio.sleep(0)  # this turn ends the sync; its callbacks run in the next
        later = asyncio.ensure_future(store(b"three"))
        await store(b"two")
        await asyncio.gather(earlier, later)
        live.close()

    asyncio.run(main())
    assert order == [b"one", b"two", b"three"]


@in_a_loop
async def test_a_cancelled_caller_does_not_delay_the_others(path: Path) -> None:
    live = FileLog(path)
    live.append(b"one")
    gone = asyncio.ensure_future(live.sync())
    await asyncio.sleep(0)
    live.append(b"two")
    waiting = asyncio.ensure_future(live.sync())
    gone.cancel()
    await asyncio.wait_for(waiting, 120)
    assert gone.cancelled()
    live.close()


def test_after_a_failed_sync_the_log_accepts_nothing_until_a_rewrite(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel drops pages that it could not write, so the next sync would succeed without having stored them."""

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    async def main() -> None:
        live = FileLog(path)
        live.append(b"one")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", fail)
            waiting = [asyncio.ensure_future(live.sync()) for _ in range(3)]
            assert all(isinstance(each, OSError) for each in await asyncio.gather(*waiting, return_exceptions=True))
        assert live.is_broken
        with pytest.raises(OSError, match="rewritten"):
            live.append(b"two")
        with pytest.raises(OSError, match="rewritten"):
            await live.sync()
        live.rewrite([b"one", b"two"])
        assert not live.is_broken
        live.append(b"three")
        await live.sync()
        live.close()

    asyncio.run(main())
    assert read(path) == [b"one", b"two", b"three"]


def test_after_half_a_write_that_cannot_be_undone_the_log_accepts_nothing_until_a_rewrite(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = FileLog(path)
    live.append(b"one")
    write_some = os.write

    def fail(*_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write_some(file, data[:10]))
        patch.setattr(os, "ftruncate", fail)
        with pytest.raises(OSError, match="full"):
            live.append(b"lost")
    with pytest.raises(OSError, match="rewritten"):
        live.append(b"refused")
    assert unframe(path.read_bytes()).records == [b"one"], "a start now finds a torn tail, and nothing behind it"
    live.rewrite([b"one"])
    live.append(b"two")
    live.close()
    assert read(path) == [b"one", b"two"]


class Crash(BaseException):
    """The process ends here."""


def doomed(*records: bytes) -> Iterator[bytes]:
    yield from records
    raise Crash


def test_a_rewrite_replaces_everything(path: Path) -> None:
    log = FileLog(path)
    for number in range(100):
        log.append(b"%d" % number)
    log.rewrite(iter([b"all of it"]))
    log.append(b"after")
    log.close()
    assert read(path) == [b"all of it", b"after"]
    assert sorted(each.name for each in path.parent.iterdir()) == ["passerby.live", "passerby.live.lock"]


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
@pytest.mark.parametrize("how", [OSError(28, "full"), Crash()], ids=["refused", "crashed"])
def test_an_unfinished_rewrite_leaves_the_old_log(
    path: Path, step: str, how: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = FileLog(path)
    log.append(b"one")

    def fail(*_: object) -> None:
        raise how

    with monkeypatch.context() as patch:
        if step == "fsync":
            patch.setattr(os, "fsync", fail)
        elif step == "replace":
            patch.setattr(Path, "replace", fail)
        records = doomed(b"new") if step == "write" else iter([b"new"])
        with pytest.raises((OSError, Crash)):
            log.rewrite(records)
    log.append(b"two")
    log.close()
    assert read(path) == [b"one", b"two"]


def test_a_leftover_file_of_a_killed_rewrite_does_no_harm(path: Path) -> None:
    """A kill before the rename leaves the old log. The next rewrite overwrites the half-written new one."""
    write(path, b"one")
    path.with_name(path.name + ".new").write_bytes(frame(b"half-writ", 1)[:-4])
    log = FileLog(path)
    assert list(log.records()) == [b"one"]
    log.rewrite([b"whole"])
    log.close()
    assert read(path) == [b"whole"]


FILLER = """
import resource, sys
from pathlib import Path
from passerby.adapters.memory.log import FileLog
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = FileLog(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
refused = 0
for number in range(2_000):
    record = b"%d " % number + b"x" * (number % 61)
    try:
        log.append(record)
    except OSError:
        refused += 1
        try:
            log.rewrite([b"y" * 20_000])
        except OSError:
            pass
        else:
            raise SystemExit("a rewrite larger than the disk")
        if refused == 50:
            break
    else:
        print(number, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.append(b"room again")
"""


def test_a_full_disk_refuses_records_and_keeps_those_it_accepted(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    acknowledged = done.stdout.split()
    records = read(path)
    assert [record.split()[0].decode() for record in records] == [*acknowledged, "room"]
    assert 1 < len(acknowledged) < 1_999, "the disk was full at some time"


WRITER = """
import sys
from pathlib import Path
from passerby.adapters.memory.log import FileLog
log = FileLog(Path(sys.argv[1]))
number = kept = max([int(record) for record in log.records()], default=-1)
while True:
    number += 1
    log.append(b"%d" % number)
    sys.stdout.write("%d\\n" % number)
    sys.stdout.flush()
    if number % 1_000 == 999:
        log.rewrite([b"%d" % number])
"""


def test_acknowledged_records_survive_a_kill(path: Path) -> None:
    """Repeated `kill -9`, also during a rewrite."""
    last = -1
    for enough in (1, 700, 2_500, 40):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(enough)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        process.wait()
        process.stdout.close()
        assert acknowledged == list(range(last + 1, last + 1 + len(acknowledged)))
        numbers = [int(record) for record in read(path)]
        assert numbers == list(range(numbers[0], numbers[-1] + 1)), "no gap, nothing twice"
        assert numbers[-1] - acknowledged[-1] in (0, 1), "at most the one that was being acknowledged is there besides"
        last = numbers[-1]


def test_a_blank_sector_that_was_never_synced_is_a_torn_end(path: Path) -> None:
    async def main() -> None:
        log = FileLog(path)
        log.append(b"told" * 50)
        await log.sync()
        for _ in range(6):
            log.append(b"mark" * 100)
        log.close()

    asyncio.run(main())
    synced, data = len(framed(b"told" * 50)), bytearray(path.read_bytes())
    data[synced + 600 : synced + 1100] = bytes(500)
    path.write_bytes(data)
    found = read(path)
    assert found == [b"told" * 50, b"mark" * 100]
    assert read(path) == found, "what follows the blank sector is gone for good"


def test_a_blank_sector_that_was_synced_is_damage(path: Path) -> None:
    async def main() -> None:
        log = FileLog(path)
        for _ in range(7):
            log.append(b"told" * 100)
        await log.sync()
        log.close()

    asyncio.run(main())
    data = bytearray(path.read_bytes())
    data[600:1100] = bytes(500)
    path.write_bytes(data)
    assert [each.lost for each in read(path) if isinstance(each, Hole)] == [2]


@pytest.mark.parametrize("by", ["deleted", "replaced"])
def test_a_log_deleted_or_replaced_while_open_is_written_again_completely(path: Path, by: str) -> None:
    log = FileLog(path)
    log.append(b"before")
    assert not log.is_broken
    path.unlink()
    if by == "replaced":
        path.write_bytes(b"somebody else's")
    assert log.is_broken
    log.rewrite([b"all there is"], keep_former=True)
    assert not log.is_broken
    log.append(b"after")
    log.close()
    assert read(path) == [b"all there is", b"after"]


def test_a_deleted_lock_file_is_put_back_and_locked(path: Path) -> None:
    log = FileLog(path)
    assert not log.keep_lock()
    path.with_name(path.name + ".lock").unlink()
    assert log.keep_lock()
    with pytest.raises(LogInUse):
        FileLog(path)
    log.append(b"one")
    log.close()
    assert read(path) == [b"one"]


def test_a_lock_file_that_cannot_be_used_is_no_other_process(path: Path) -> None:
    log = FileLog(path)
    lock = path.with_name(path.name + ".lock")
    lock.unlink()
    os.mkfifo(lock)
    for _ in range(2):
        with pytest.raises(OSError, match="not a regular file"):
            log.keep_lock()
    lock.unlink()
    assert log.keep_lock()
    log.append(b"one")
    log.close()
    assert read(path) == [b"one"]


def test_if_the_release_cannot_be_noted_the_next_look_does_not_find_a_lock_of_our_own(path: Path) -> None:
    log = FileLog(path, release=1)
    path.with_name(path.name + ".lock").unlink()
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, former[1]))
    try:
        with pytest.raises(OSError, match="large"):
            log.keep_lock()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        signal.signal(signal.SIGXFSZ, ignored)
    assert log.keep_lock()
    log.close()


def test_if_another_process_has_locked_a_new_lock_file_nothing_more_is_written(path: Path) -> None:
    log = FileLog(path)
    path.with_name(path.name + ".lock").unlink()
    other = FileLog(path)
    with pytest.raises(LogInUse):
        log.keep_lock()
    with pytest.raises(OSError, match="rewritten"):
        log.append(b"one")
    with pytest.raises(OSError, match="rewritten"):
        log.rewrite([b"two"])
    log.close()
    other.append(b"three")
    other.close()
    assert read(path) == [b"three"]


def test_an_older_release_leaves_the_log_of_a_newer_one_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "passerby.live"
    log = FileLog(path, release=8)
    log.append(b"of a kind that release 7 does not know")
    log.close()
    before = path.read_bytes()
    with pytest.raises(LogNewer):
        FileLog(path, release=7)
    assert path.read_bytes() == before
    for release in (8, 9):
        again = FileLog(path, release)
        assert list(again.records()) == [b"of a kind that release 7 does not know"]
        again.close()
    with pytest.raises(LogNewer):
        FileLog(path, release=8)


def test_the_people_of_a_record_are_noted_once_and_in_one_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: (writes.append(data), write(file, data, at))[1])
    log = FileLog(path)
    writes.clear()
    log.append(b"a pair", (PersonId(1), PersonId(2), PersonId(1), PersonId(2)))
    assert len(writes) == 1
    many = [PersonId(number) for number in range(10, ROOM + 20)]
    log.append(b"many", many)
    assert len(writes) == 3, "the second goes on at the beginning of the ring"
    log.close()
    noted = Touched(os.open(path.with_name(path.name + ".lock"), os.O_RDONLY))
    assert noted.within(1, 2) == frozenset(many[-ROOM:]), "the oldest are overwritten"
