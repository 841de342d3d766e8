"""Questions about open files, and opening none but regular ones."""

import errno
import os
import stat
from pathlib import Path


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
