"""Tells systemd about the state of this process (see `sd_notify(3)` and `sd_watchdog_enabled(3)`).

A unit with `Type=notify` and `WatchdogSec=` learns when the process is ready and when it stops, and kills it after that
long without a sign of life. Without systemd this does nothing.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

SHARE: Final = 3
"""How many signs of life are sent within systemd's time limit."""


class Notify:
    """`now` is in monotonic seconds."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        patience_us = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._every_s = int(patience_us) / 1e6 / SHARE if ours and patience_us.isdigit() else 0.0
        self._told_at = float("-inf")
        self._stopping = False

    def ready(self) -> None:
        self._tell("READY=1")

    def stopping(self) -> None:
        """Tell systemd that the process is ready. Only the first call has an effect."""
        if not self._stopping:
            self._stopping = True
            self._tell("STOPPING=1")

    def alive(self, now: float) -> None:
        """Give a sign of life. Call it often: it is sent only as often as systemd needs it."""
        if self._every_s and now - self._told_at >= self._every_s:
            self._told_at = now
            self._tell("WATCHDOG=1")

    def _tell(self, what: str) -> None:
        if not self._address:
            return
        # A name that begins with @ is in the abstract namespace, not in the file system.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
            telling.setblocking(False)
            telling.sendto(what.encode(), address)
