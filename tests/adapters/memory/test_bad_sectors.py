"""A disk that cannot read some blocks of the log, or none."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from passerby.adapters.memory import FileLog
from passerby.adapters.memory.frames import Hole
from passerby.adapters.memory.open_files import BLOCK_BYTES, CHUNK_BYTES, read_all

RECORDS = [bytes([number]) * 1000 for number in range(20)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "passerby.live"
    log = FileLog(path)
    for record in RECORDS:
        log.append(record)
    log.close()
    return path


def _break(monkeypatch: pytest.MonkeyPatch, is_bad: Callable[[int], bool], number: int = errno.EIO) -> None:
    """Reading these blocks of a log fails. `is_bad` gets the number of a block."""
    pread = os.pread

    def reading(file: int, size: int, at: int) -> bytes:
        is_log = Path(f"/proc/self/fd/{file}").readlink().name.endswith(".live")
        if is_log and any(map(is_bad, range(at // BLOCK_BYTES, (at + size - 1) // BLOCK_BYTES + 1))):
            raise OSError(number, os.strerror(number))
        return pread(file, size, at)

    monkeypatch.setattr(os, "pread", reading)


def test_a_block_that_cannot_be_read_is_a_hole_and_all_other_records_are_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _break(monkeypatch, lambda block: block == 2)
    log = FileLog(path)
    read = list(log.records())
    (hole,) = [each for each in read if isinstance(each, Hole)]
    assert hole.lost == 4
    at = read.index(hole)
    assert read[:at] + read[at + 1 :] == RECORDS[:at] + RECORDS[at + 4 :]
    log.rewrite([b"whole"], keep_former=True)
    log.close()
    assert path.with_name("passerby.live.damaged-1").exists(), "the operator may still save something"


def test_the_last_block_may_be_the_one_that_cannot_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = (path.stat().st_size - 1) // BLOCK_BYTES
    _break(monkeypatch, lambda block: block == last)
    log = FileLog(path)
    assert [each for each in log.records() if not isinstance(each, Hole)] == RECORDS[:16]
    log.close()


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_log_of_which_nothing_can_be_read_is_an_error_and_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = path.read_bytes()
    _break(monkeypatch, lambda block: number == errno.EIO or block == 3, number)
    with pytest.raises(OSError, match=os.strerror(number)) as raised:
        FileLog(path)
    assert raised.value.errno == number
    assert path.read_bytes() == before
    monkeypatch.undo()
    log = FileLog(path)
    assert list(log.records()) == RECORDS
    log.close()


def test_a_log_of_several_chunks_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.live"
    content = os.urandom(CHUNK_BYTES + 3 * BLOCK_BYTES + 17)
    path.write_bytes(content)
    file = os.open(path, os.O_RDONLY)
    assert read_all(file) == content
    bad = CHUNK_BYTES // BLOCK_BYTES + 1
    _break(monkeypatch, lambda block: block == bad)
    read = read_all(file)
    assert len(read) == len(content)
    here = slice(bad * BLOCK_BYTES, (bad + 1) * BLOCK_BYTES)
    assert read[here] == bytes(BLOCK_BYTES)
    assert read[: here.start] + read[here.stop :] == content[: here.start] + content[here.stop :]
    os.close(file)
