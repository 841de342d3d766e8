"""A standard error that cannot be written to does not stop a process."""

import os
import sys
from pathlib import Path

import pytest

from tests.cli.command import running

LOGS_AND_GOES_ON = """
import os, sys
from passerby.telemetry import logs
from passerby.cli.safe_stderr import safe

stream = {stream}
logs.set_up("info", "json", stream=safe(stream))
for _ in range(10_000):
    logs.record("test.said", reason="x" * 100)
os.write(1, b"went on")
"""


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(
            "open('/dev/full', 'w')",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full"),
            id="a full disk",
        ),
        pytest.param(
            "(lambda ends: (os.close(ends[0]), os.fdopen(ends[1], 'w'))[1])(os.pipe())", id="a reader that is gone"
        ),
    ],
)
def test_a_log_line_that_cannot_be_written_stops_nothing(tmp_path: Path, stream: str) -> None:
    with running(tmp_path, sys.executable, "-c", LOGS_AND_GOES_ON.format(stream=stream)) as process:
        output, _ = process.communicate()
    assert "went on" in output


def test_log_lines_that_can_be_written_are_written() -> None:
    from passerby.cli.safe_stderr import safe

    reading, writing = os.pipe()
    with os.fdopen(reading) as reader, os.fdopen(writing, "w") as writer:
        stream = safe(writer)
        stream.write("said\n")
        stream.flush()
        assert reader.readline() == "said\n"
        assert not stream.isatty()


def test_a_closed_stream_stops_nothing() -> None:
    """Python 3.13 reports an error while it closes a stream."""
    from passerby.cli.safe_stderr import safe

    reading, writing = os.pipe()
    os.close(reading)
    closed = os.fdopen(writing, "w")
    stream = safe(closed)
    closed.close()
    stream.write("said\n")
    stream.flush()
    stream.close()
