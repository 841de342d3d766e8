"""The journal: facts on their way from the live store to the records. User: the recorder."""

from typing import Protocol

from passerby.ports.facts import Fact


class Journal(Protocol):
    """The numbers of the facts belong to a generation of the store, and are never used twice in it."""

    async def journal(self, after: int, limit: int) -> list[tuple[int, Fact]]:
        """Facts with their numbers, in order. Only those that a power cut can no longer undo."""
        ...

    async def trimmed(self) -> int:
        """The number up to which this generation has trimmed its journal; 0 if it has not. The records hold these."""
        ...

    async def trim_journal(self, upto: int, generation: str) -> None:
        """The records hold everything up to this number of this generation, so drop it.

        Does nothing if the store has another generation.
        """
        ...
