"""A standard error that never fails: a full disk or a closed pipe must not stop a process that can still work."""

import io
from contextlib import suppress
from typing import TextIO, cast


def safe(stream: TextIO) -> TextIO:
    """Writes to `stream`. Output that it does not accept is lost."""
    return cast("TextIO", _SafeStream(stream))


class _SafeStream(io.TextIOBase):
    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, text: str) -> int:
        # ValueError: the stream is closed.
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def writable(self) -> bool:
        return True
