"""What the log is made of: everything that changes the store, and `Snapshot` in place of all that was before.

Leases and allowances have no place here: one process has the file, and they end with it.
"""

import msgspec

from passerby.adapters.memory.chats import FlatChat
from passerby.adapters.memory.crashes import CrashSeen
from passerby.adapters.memory.done import Block
from passerby.adapters.memory.sightings import FlatTable
from passerby.kernel.ids import BotId, MessageRef, PersonId, UpdateRef
from passerby.kernel.participant import Participant
from passerby.ports.facts import Fact
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import Anchor, Commit, Mark, Outgoing


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    generation: str


class Entry(msgspec.Struct, frozen=True, tag="entry"):
    """A commit or a mark, and when (Unix seconds, as everywhere here)."""

    at: float
    what: Commit | Mark


class Adopted(msgspec.Struct, frozen=True, tag="adopted"):
    """`whole`: those were all, and the store is newborn no more."""

    at: float
    people: list[Participant]
    anchors: list[Anchor]
    whole: bool


class Inherited(msgspec.Struct, frozen=True, tag="inherited"):
    """Everything of these owners became the heir's."""

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
    marks: list[int]


class Crashed(msgspec.Struct, frozen=True, tag="crashed"):
    """A worker ended while it worked on these updates."""

    at: float
    refs: list[UpdateRef]
    crash: str


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    generation: str
    newborn: bool
    journal_end: int
    journal: list[tuple[int, Fact]]
    people: list[Participant]
    chats: list[FlatChat]
    searches: list[tuple[PersonId, MessageRef]]
    outbox: list[tuple[WorkerId, Outgoing]]
    done: list[Block]
    files: list[tuple[str, BotId, str]]
    sightings: list[FlatTable]
    crashes: list[CrashSeen]


Record = Begun | Entry | Adopted | Inherited | Trimmed | FileSeen | Sighted | Crashed | Snapshot
