"""Broadcasts in the records: what the fleet has to do, and the row of each person.

Staff make and change broadcasts through decisions (`ports.staff`). Users of this port: the sender, and the pages and
commands that show them.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from passerby.kernel.broadcast import (
    ArmFigures,
    Broadcast,
    CanaryFigures,
    Copy,
    Progress,
    Reach,
    Settled,
    Target,
)
from passerby.kernel.ids import BotId
from passerby.kernel.staff import AuditNote


class Claimable(msgspec.Struct, frozen=True):
    """The targets that may be claimed now: those of this broadcast on `bot` that are due, with a place below `below`.

    `with_hours`: read the hours of each person's chats, too.
    """

    broadcast: int
    bot: BotId
    below: int
    now: float
    with_hours: bool = False


class BroadcastRecords(Protocol):
    """Raises: RecordsLost from every method."""

    async def open(self) -> Sequence[Broadcast]:
        """Those that the fleet has something to do for, by number."""
        ...

    async def latest(self, most: int) -> Sequence[Broadcast]:
        """The latest ones, previews and tests left out, the newest first."""
        ...

    async def broadcast(self, number: int) -> Broadcast | None: ...

    async def reach(self, broadcast: Broadcast, now: float) -> Reach:
        """The people for whom it would be frozen at this moment: exactly those whom `freeze` would store; or, of many
        people, an estimate that says so."""
        ...

    async def freeze(
        self, number: int, now: float, lasts_s: float, canary: Callable[[Broadcast, int], int], alone: int
    ) -> bool:
        """Store a target for each person of the audience, some thousands in a call. After the last ones, store that it
        runs; or that it waits for a second member, if it goes to more people than one member may write to in a day
        (`alone`, see `domain.broadcasts.actions.needs_second`). False: it is not starting any more.

        People who would surely get nothing are left out: who turned the category off, who got enough lately (see
        `domain.broadcasts.fates`), and who reads a language in which it says nothing.

        Atomicity: it runs only if everybody is stored. After a kill, the next call goes on with those who are not, and
        nobody is stored twice.
        """
        ...

    async def change(
        self, number: int, change: Callable[[Broadcast, int], Sequence[Broadcast]], note: AuditNote, now: float
    ) -> bool:
        """Let a rule change a broadcast. `change` gets its newest value and the next free number, and returns the new
        values; none: nothing is stored. Returns whether something was.

        Atomicity: one transaction with the row of the audit, and none of the staff's decisions in between.
        """
        ...

    async def claim(self, claimable: Claimable, by: str, most: int) -> Sequence[Target]:
        """Claim up to `most` waiting targets. They are stored as SENDING by `by` when this returns.

        No target is claimed twice, in all processes together. So a copy that is sent only after this has returned is
        sent at most once.
        """
        ...

    async def settle(self, broadcast: int, by: str, settled: Sequence[Settled]) -> None:
        """Store what became of targets that `by` claimed. One that is no longer SENDING stays as it is, except that
        UNKNOWN becomes SENT if it turns out so."""
        ...

    async def disown(self, by: str) -> int:
        """Mark as UNKNOWN the targets that others than `by` have claimed and not settled. Returns how many."""
        ...

    async def reassign(self, broadcast: int, served: Sequence[BotId]) -> int:
        """Move targets that wait for a bot that is not served (it is lost, or was retired) to one of theirs that is.
        Without one, they are UNREACHABLE. Returns how many; not 0: there may be more."""
        ...

    async def expire(self, broadcast: int, now: float) -> None:
        """Nobody who still waits gets a copy any more."""
        ...

    async def due(self, broadcast: int, below: int, now: float) -> int:
        """How many targets with a place below this wait and are due, or are being sent."""
        ...

    async def progress(self, broadcast: int) -> Progress: ...

    async def watched(self, broadcast: int, below: int) -> CanaryFigures:
        """The canary: targets with a place below `below`. Of many who wait, a random sample may be counted."""
        ...

    async def arms(self, broadcast: int) -> Sequence[ArmFigures]:
        """Of many people, a random sample may be counted."""
        ...

    async def copies(self, broadcast: int, revision: int, after: float, most: int) -> Sequence[Copy]:
        """Copies sent after that time that do not have this correction yet."""
        ...

    async def followed(
        self, broadcast: int, done: Sequence[Copy], failed: Sequence[Copy], revision: int | None
    ) -> None:
        """Copies that were corrected; or deleted, if `revision` is None. The failed ones are not tried again."""
        ...
