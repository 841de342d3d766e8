"""Memos: small notes that a duty keeps for whoever does it next. Users: the alerts."""

from collections.abc import Sequence
from typing import Protocol

from passerby.ports.leases import Fence


class Memos(Protocol):
    """A few notes of a few kilobytes each. They are lost if the store is wiped, so they must not matter then."""

    async def memos(self, names: Sequence[str]) -> dict[str, bytes]:
        """Those of these notes that exist."""
        ...

    async def keep_memo(self, name: str, value: bytes | None, fence: Fence | None = None) -> None:
        """Write a note, or remove it (None). With `fence`, only while nobody else has taken that lease.

        It is accepted even if the store is full. Raises: LiveStoreLost; Fenced.
        """
        ...
