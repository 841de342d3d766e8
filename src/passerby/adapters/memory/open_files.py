"""Questions about open files, opening none but regular ones, and reading from a disk with bad sectors."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

CHUNK_BYTES: Final = 16 << 20
BLOCK_BYTES: Final = 4096
"""A disk reads this much or nothing."""


def is_at(file: int, path: Path) -> bool:
    """Whether the open file is the one at this path."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
    except OSError:
        return True  # the disk does not answer; the next write will show it


def open_regular(path: Path, flags: int) -> int:
    """Open a regular file. Raises: OSError, also for a pipe or a device: it would block or forget what is written."""
    file = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return file


def read_all(file: int) -> bytes:
    """Read a file. Blocks that the disk cannot read are zeros. Raises: OSError, also if it can read no block."""
    size = os.fstat(file).st_size
    data, refused = bytearray(size), list[OSError]()
    for chunk in range(0, size, CHUNK_BYTES):
        end = min(chunk + CHUNK_BYTES, size)
        if _fails_to_read(file, data, chunk, end):
            blocks = range(chunk, end, BLOCK_BYTES)
            failures = (_fails_to_read(file, data, at, min(at + BLOCK_BYTES, end)) for at in blocks)
            refused += filter(None, failures)
    if refused and len(refused) * BLOCK_BYTES >= size:
        raise refused[0]
    return bytes(data)


def _fails_to_read(file: int, data: bytearray, start: int, end: int) -> OSError | None:
    """Read a part of a file. Return the error if the disk cannot read it. Raises: OSError, for any other."""
    try:
        while start < end and (part := os.pread(file, end - start, start)):
            data[start : start + len(part)] = part
            start += len(part)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return error
    return None
