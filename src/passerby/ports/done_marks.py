"""Done marks: which updates were handled. Users: polling, the webhook receiver, and the report of a crash."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from passerby.kernel.ids import BotId, UpdateRef


class Known(NamedTuple):
    """The store's knowledge about some updates. `crashes`: how many workers crashed while they worked on one; if 0,
    absent."""

    done: set[int]
    crashes: Mapping[int, int]


class DoneMarks(Protocol):
    @property
    def marks_since(self) -> str | None:
        """A name for the time since which the store has lost no done mark.

        Another name: marks of the last seconds before may be missing, for example after a power cut. None: nobody knows
        how many are missing, because the store was damaged.
        """
        ...

    async def done(self, bot: BotId, updates: Iterable[int]) -> set[int]:
        """The updates among these that are done.

        Remembered for at least 24 h. A set and not a maximum, because Telegram may restart the ids.
        """
        ...

    async def known(self, bot: BotId, updates: Iterable[int]) -> Known:
        """Which of these updates are done, and which have crashed workers."""
        ...

    async def record_crash(self, updates: Iterable[UpdateRef], crash: str) -> None:
        """A worker crashed while it worked on these. `crash` names the crash: reported twice, it counts once.

        Remembered for at least 24 h.
        """
        ...
