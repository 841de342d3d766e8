"""The data that is kept between two getUpdates calls of a bot."""

from __future__ import annotations

from dataclasses import dataclass

from botapi_sandbox.world.answers import Waiting


@dataclass(slots=True)
class Poller:
    """The bot's last call: its offset, its time (Unix seconds), and the long poll that still waits, if any."""

    offset: int = 0
    at: float = -1e9
    waiting: Waiting | None = None
    conflict_at: float = -1e9
    """When a call was last answered with 409 Conflict."""
