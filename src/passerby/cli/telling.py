"""Says in one line on standard error why a command did not do it, even if the names in it are odd.

Names of files come from people: hundreds of letters, line ends, bytes that are no text. This is the one place that
shows them, and the one place that turns the system's refusal of a file into a sentence.
"""

import errno
import os
import re
import sys
from contextlib import suppress
from typing import Final

_LONG: Final = 80
_SHOWN: Final = 40
_LONG_PART: Final = re.compile(rf"[^\s/]{{{_LONG},}}")
_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
_RIGHTS: Final = frozenset({errno.EACCES, errno.EPERM})
_WRONG: Final = frozenset(
    {
        *(errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.EEXIST),
        *(errno.ENXIO, errno.ENODEV, errno.ETXTBSY, errno.ENOTEMPTY),
    }
)
"""These say that a path cannot be what a command needs there."""


def tell(sentence: object) -> None:
    """Print a sentence as one line: parts of paths that are too long are shortened, and odd characters replaced."""
    print(one_line(str(sentence)), file=sys.stderr)  # noqa: T201  # the one line


def one_line(text: str) -> str:
    shortened = _LONG_PART.sub(lambda part: f"{part[0][:_SHOWN]}…", text)
    return "".join(sign if sign.isprintable() else "?" for sign in shortened)


def about_a_file(error: OSError) -> str | None:
    """A sentence about a file that the system refuses. None: it is about something else, so it may be a fault of ours.

    Shows the name, because it is one of our files or one that the operator has named.
    """
    name = error.filename
    is_named = isinstance(name, str | bytes) and bool(name)
    if not is_named and error.errno not in _ROOM | {errno.EACCES}:
        return None
    shown = os.path.basename(os.fsdecode(name).rstrip("/")) or os.fsdecode(name) if is_named else "a file"  # noqa: PTH119
    if error.errno in _ROOM | _RIGHTS:
        return f"{shown}: {error.strerror}; make room, or let this user write there"
    if error.errno in _WRONG:
        return f"{shown}: {error.strerror}; name another file or directory, or remove what is in the way"
    return None


def accept_any_name() -> None:
    """Let standard output show names that are no text. Otherwise a command would fail after it has done its work."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
