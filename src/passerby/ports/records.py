"""The truth of everything that must last: SQL. Never on the way of a relay."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from passerby.kernel.ids import ChatId, MessageRef, PersonId
from passerby.kernel.participant import Participant
from passerby.ports.facts import Fact


class Told(NamedTuple):
    """The notice that told a person of an open chat."""

    chat: ChatId
    person: PersonId
    at: MessageRef


class Active(NamedTuple):
    """Who is searching or chatting, what told them of it, and the chats that are open. All as of one moment."""

    people: list[Participant]
    told: list[Told]
    chats: list[ChatId]


class RecordsLost(Exception):
    """The database cannot be reached or refuses for a passing reason. Nothing was stored: the call may be repeated."""


class Records(Protocol):
    """Raises: RecordsLost from every method."""

    async def people(self, persons: Sequence[PersonId]) -> dict[PersonId, Participant]:
        """Those that the records know, in one query, as the journal last left them."""
        ...

    async def active(self) -> Active:
        """Everybody who is searching or in an open chat, and what told them of it: for rebuilding a live store."""
        ...

    async def apply(self, generation: str, entries: Sequence[tuple[int, Fact]]) -> None:
        """Store journal entries.

        Atomicity: all of them and the number of the last, in one transaction. Entries up to that number, of the same
        generation, were applied before and are skipped.
        Ordering: entries come in the journal's order; of several values for one person the newest version wins. So a
        value that is older than what the records hold changes nothing, and entries of another generation that were
        applied before may come again.
        """
        ...

    async def applied(self, generation: str) -> int:
        """The number of the last entry applied; 0 for a generation never seen."""
        ...

    async def aclose(self) -> None: ...
