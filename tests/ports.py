"""Ports of this machine for servers of tests.

The system hands out ports from its own range to whoever asks, also for outgoing connections. So a port from there that
is free now may be taken before a server listens on it. These ports are below that range, and a lock file keeps each for
the process of the test run that took it.
"""

import fcntl
import os
import socket
from pathlib import Path
from random import SystemRandom

FIRST, LAST = 12_000, 28_000
_chance = SystemRandom()
_locks: list[int] = []
"""File descriptors. The system closes them when this process ends, and so frees its ports."""


def free_port() -> int:
    """Return a port where nothing listens. No other test gets it until this process ends."""
    # The same directory for all runs on this machine, each of which may have its own TMPDIR.
    directory = Path("/tmp") / f"passerby-ports-{os.getuid()}"
    directory.mkdir(exist_ok=True)
    while True:
        port = _chance.randint(FIRST, LAST)
        lock = os.open(directory / str(port), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(lock)
            continue
        _locks.append(lock)
        return port
