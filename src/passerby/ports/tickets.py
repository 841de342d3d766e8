"""The tickets of everybody who is searching, as a feed of changes for each pool. User: the matcher."""

from typing import Protocol

import msgspec

from passerby.kernel.ids import PersonId, PoolId
from passerby.kernel.participant import Ticket


class TicketChange(msgspec.Struct, frozen=True, gc=False):
    """`ticket` None: the person no longer waits. `version` is the participant's, for the commit that pairs them."""

    person: PersonId
    ticket: Ticket | None
    version: int


class TicketFeed(msgspec.Struct, frozen=True, gc=False):
    """`whole`: these are all the tickets that exist. The reader must forget what it knew before."""

    changes: tuple[TicketChange, ...]
    cursor: int
    whole: bool


class Tickets(Protocol):
    async def tickets(self, pool: PoolId, cursor: int | None, wait_s: float) -> TicketFeed:
        """The changes of a pool's tickets since `cursor`; waits up to `wait_s` for one. None: all tickets."""
        ...

    async def pools(self) -> set[PoolId]:
        """The pools in which somebody waits."""
        ...
