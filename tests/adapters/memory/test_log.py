"""The log on a real file: what was acknowledged is there, whatever happens to the process or the file."""

import asyncio
import os
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerby.adapters.memory.log import FileLog, LogInUse, frame, unframe

RECORDS = st.lists(st.binary(max_size=20), max_size=8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "passerby.live"


def read(path: Path) -> list[bytes]:
    log = FileLog(path)
    records = list(log.records())
    log.close()
    return records


def write(path: Path, *records: bytes) -> None:
    log = FileLog(path)
    for record in records:
        log.append(record)
    log.close()


# ---------------------------------------------------------------------- the format


@given(RECORDS)
def test_what_is_framed_is_unframed(records: list[bytes]) -> None:
    data = b"".join(map(frame, records))
    assert unframe(data) == (records, len(data))


@given(RECORDS, st.data())
def test_a_torn_tail_costs_the_torn_record_alone(records: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(map(frame, records))
    cut = data.draw(st.integers(0, len(whole)))
    kept, size = unframe(whole[:cut])
    assert kept == records[: len(kept)]
    assert size == sum(len(frame(record)) for record in kept) <= cut
    assert len(kept) == len(records) or size + len(frame(records[len(kept)])) > cut, "no whole record is given up"


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=6), st.data())
def test_a_flipped_bit_is_never_taken_for_a_record(records: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(frame, records)))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    kept, size = unframe(bytes(whole))
    assert kept == records[: len(kept)]
    assert size <= bit // 8, "nothing from the damage on"


def test_the_format_is_what_the_module_says() -> None:
    assert frame(b"abc") == struct.pack("<II", 3, zlib.crc32(b"abc")) + b"abc"


# ---------------------------------------------------------------------- the file


def test_a_log_is_read_as_it_was_written(path: Path) -> None:
    write(path, b"one", b"", b"three" * 1000)
    write(path, b"four")
    assert read(path) == [b"one", b"", b"three" * 1000, b"four"]


def test_only_its_owner_may_read_it(path: Path) -> None:
    write(path, b"one")
    assert path.stat().st_mode & 0o077 == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(garbage=st.binary(min_size=1, max_size=30))
def test_after_a_torn_tail_the_log_goes_on_from_the_last_whole_record(path: Path, garbage: bytes) -> None:
    path.write_bytes(frame(b"one") + frame(b"two") + garbage)
    kept = read(path)
    assert kept[:2] == [b"one", b"two"]
    write(path, b"three")
    assert read(path) == [*kept, b"three"]


def test_its_size_is_the_files(path: Path) -> None:
    log = FileLog(path)
    log.append(b"one")
    assert log.size == path.stat().st_size == len(frame(b"one"))
    log.rewrite([b"1", b"2"])
    assert log.size == path.stat().st_size == 2 * len(frame(b"1"))
    log.append(b"x")
    assert log.size == path.stat().st_size
    log.close()


def test_syncing_is_safe_beside_appending_and_rewriting(path: Path) -> None:
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


def test_a_log_in_use_is_not_opened_again(path: Path) -> None:
    log = FileLog(path)
    log.append(b"one")
    with pytest.raises(LogInUse):
        FileLog(path)
    log.rewrite([b"1"])
    with pytest.raises(LogInUse):
        FileLog(path)
    log.close()
    assert read(path) == [b"1"]


def test_a_path_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        FileLog(tmp_path / "no such folder" / "passerby.live")
    (tmp_path / "folder.live").mkdir()
    for _ in range(2):
        with pytest.raises(IsADirectoryError):
            FileLog(tmp_path / "folder.live")


# ---------------------------------------------------------------------- rewriting


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
def test_a_rewrite_that_does_not_come_to_its_end_leaves_the_old_log(
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


def test_what_a_killed_rewrite_left_beside_the_log_does_no_harm(path: Path) -> None:
    """A kill before the rename leaves the old log; the half-written new one is written over by the next rewrite."""
    write(path, b"one")
    path.with_name(path.name + ".new").write_bytes(frame(b"half-writ")[:-4])
    log = FileLog(path)
    assert list(log.records()) == [b"one"]
    log.rewrite([b"whole"])
    log.close()
    assert read(path) == [b"whole"]


# ---------------------------------------------------------------------- full disks and kills, in processes of their own

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


def test_a_full_disk_refuses_and_keeps_what_it_took(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(path)], capture_output=True, text=True, timeout=60, check=False
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


def test_whatever_was_acknowledged_before_a_kill_is_there(path: Path) -> None:
    """Again and again with `kill -9`, also in the middle of a rewrite."""
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
