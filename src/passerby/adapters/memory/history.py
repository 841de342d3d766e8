"""The records of the log: every change of the store, and `Snapshot`, which replaces all records before it.

Leases and shared budgets are not logged: only one process uses the file, and they end with it.
"""

from typing import Final

import msgspec

from passerby.adapters.memory.chats import FlatChat
from passerby.adapters.memory.crashes import CrashSeen
from passerby.adapters.memory.done import Block
from passerby.adapters.memory.sightings import FlatTable
from passerby.kernel.ids import BotId, ChatId, MessageRef, PersonId, UpdateRef
from passerby.kernel.participant import Participant
from passerby.ports.facts import Fact
from passerby.ports.leases import WorkerId
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.outbox import Outgoing
from passerby.ports.participants import Commit
from passerby.ports.trails import Trail


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """A generation begins. The data stays. `newborn`: the records must be read first."""

    generation: str
    newborn: bool = True


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The store was closed properly. If this is the last record, nothing after it was lost."""


class Entry(msgspec.Struct, frozen=True, tag="entry"):
    """A commit. `at` in Unix seconds, as everywhere here. `number`: the journal number of its first fact."""

    at: float
    what: Commit
    number: int


class Marked(msgspec.Struct, frozen=True, tag="marked"):
    """The marks of one turn of the event loop, in order.

    `number`: the journal number of their first fact. A mark whose anchor is known already brings none, now and in a
    replay, so the others have the same numbers each time."""

    at: float
    marks: list[Mark]
    number: int

    @property
    def delivered(self) -> list[UpdateRef]:
        return [ref for mark in self.marks if mark.pairs for ref in mark.updates]


class Adopted(msgspec.Struct, frozen=True, tag="adopted"):
    """`whole`: these were all, so the store is no longer newborn."""

    at: float
    people: list[Participant]
    anchors: list[Anchor]
    whole: bool


class Inherited(msgspec.Struct, frozen=True, tag="inherited"):
    """The heir took over all entries of these owners."""

    owners: list[WorkerId]
    heir: WorkerId


class Trimmed(msgspec.Struct, frozen=True, tag="trimmed"):
    upto: int


class FileSeen(msgspec.Struct, frozen=True, tag="file"):
    unique: str
    bot: BotId
    file_id: str | None


class Sighted(msgspec.Struct, frozen=True, tag="sighted"):
    at: float
    bits: list[int]


class Crashed(msgspec.Struct, frozen=True, tag="crashed"):
    """A worker crashed while it worked on these updates."""

    at: float
    refs: list[UpdateRef]
    crash: str


class Noted(msgspec.Struct, frozen=True, tag="noted"):
    """A note for whoever does a duty next. None: it was removed."""

    name: str
    value: bytes | None


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """The whole content of the store.

    `uncarried`: people whose newest value the records do not have yet, each with the number of its fact.
    """

    generation: str
    newborn: bool
    journal_end: int
    trimmed: int
    journal: list[tuple[int, Fact]]
    people: list[Participant]
    uncarried: list[tuple[PersonId, int]]
    chats: list[FlatChat]
    searches: list[tuple[PersonId, MessageRef]]
    outbox: list[tuple[WorkerId, Outgoing]]
    done: list[Block]
    files: list[tuple[str, BotId, str]]
    sightings: list[FlatTable]
    crashes: list[CrashSeen]
    memos: dict[str, bytes] = {}
    over: list[tuple[ChatId, float, bytes]] = []


Record = (
    Begun | Ended | Entry | Marked | Adopted | Inherited | Trimmed | FileSeen | Sighted | Crashed | Noted | Snapshot
)

TOLD_BACK: Final = 4


class Logged(msgspec.Struct, frozen=True, array_like=True):
    """One record as stored in the log. `touched`: the people that the TOLD_BACK records before it changed.

    So after a hole of at most TOLD_BACK records, it is known which people it concerns.
    """

    touched: list[PersonId]
    what: Record


def touches(record: Record) -> tuple[PersonId, ...]:
    """The people whose state or unsent messages would be lost with this record."""
    if not isinstance(record, Entry):
        return ()
    commit = record.what
    readers = (each.person if isinstance(each, Trail) else each.to for each in commit.outbox)
    return (*(put.person for put in commit.puts), *readers)
