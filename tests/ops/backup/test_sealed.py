"""The format of a backup: what comes out is what went in, or a clear refusal."""

import io
import os
import resource
from pathlib import Path

import pytest

from passerby.ops.backup.sealed import _HEAD, CHUNK, BackupOpener, BackupSealer, NotABackup
from tests.size import size

KEY = b"k" * 32
SEALED_CHUNK = CHUNK + 16


def manifest_of(path: Path, key: bytes) -> bytes:
    with path.open("rb") as file:
        return BackupOpener(file, key).manifest()


def seal(path: Path, dump: bytes, manifest: bytes = b"{}") -> Path:
    with path.open("wb") as file:
        sealer = BackupSealer(file, KEY)
        for start in range(0, len(dump), 300_000):
            sealer.write(dump[start : start + 300_000])
        sealer.finish(manifest)
    return path


def opened(path: Path, key: bytes = KEY) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        sealed = BackupOpener(file, key)
        return b"".join(sealed.dump()), sealed.manifest()


@pytest.mark.parametrize("length", [0, 1, CHUNK - 12, CHUNK - 11, CHUNK - 10, CHUNK - 9, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_backup_of_any_size_comes_back_as_it_was(tmp_path: Path, length: int) -> None:
    dump = os.urandom(length)
    path = seal(tmp_path / "b", dump, b"{1}")
    assert opened(path) == (dump, b"{1}")
    assert manifest_of(path, KEY) == b"{1}"


def test_a_backup_that_was_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = seal(tmp_path / "b", os.urandom(2 * CHUNK + 5))
    whole = path.read_bytes()
    for end in (0, 5, _HEAD - 1, _HEAD, _HEAD + 7, _HEAD + SEALED_CHUNK, _HEAD + 2 * SEALED_CHUNK, len(whole) - 1):
        path.write_bytes(whole[:end])
        with pytest.raises(NotABackup):
            opened(path)


def test_chunks_that_were_moved_repeated_or_changed_are_refused(tmp_path: Path) -> None:
    path = seal(tmp_path / "b", os.urandom(3 * CHUNK + 5))
    whole = path.read_bytes()
    head, body = whole[:_HEAD], whole[_HEAD:]
    first, second, rest = body[:SEALED_CHUNK], body[SEALED_CHUNK : 2 * SEALED_CHUNK], body[2 * SEALED_CHUNK :]
    flipped = bytes([first[0] ^ 1]) + first[1:]
    for other in (
        head + second + first + rest,
        head + first + first + rest,
        head + second + rest,
        head + flipped + second + rest,
        head[:-1] + bytes([head[-1] ^ 1]) + body,
        whole + b"x",
        whole + first,
    ):
        path.write_bytes(other)
        with pytest.raises(NotABackup):
            opened(path)


def test_a_wrong_key_is_named_as_the_reason(tmp_path: Path) -> None:
    path = seal(tmp_path / "b", b"dump")
    with pytest.raises(NotABackup, match="another key"):
        opened(path, b"o" * 32)
    path.write_bytes(b"something else")
    with pytest.raises(NotABackup, match="not a backup"):
        opened(path)


def test_nothing_of_the_dump_can_be_read_without_the_key(tmp_path: Path) -> None:
    path = seal(tmp_path / "b", b"canary" * 1000, b"canary")
    assert b"canary" not in path.read_bytes()


@pytest.mark.sized
def test_memory_stays_flat_whatever_the_size(tmp_path: Path) -> None:
    """The peak of this process may grow by a few chunks, not by the size of the dump."""
    megabytes = size(64, 2_048)
    block = os.urandom(CHUNK)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = tmp_path / "b"
    with path.open("wb") as file:
        sealer = BackupSealer(file, KEY)
        for _ in range(megabytes):
            sealer.write(block)
        sealer.finish(b"{}")
    with path.open("rb") as file:
        assert sum(map(len, BackupOpener(file, KEY).dump())) == megabytes * CHUNK
    path.unlink()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_a_file_that_cannot_grow_is_reported(tmp_path: Path) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        BackupSealer(Full(), KEY)
