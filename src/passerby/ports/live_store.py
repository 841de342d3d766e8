"""The live store: what is true now. It says who is idle, searching or chatting, what is not sent yet, and which updates
are done.

It may be lost and rebuilt from the records. Until it is rebuilt, no update is confirmed to Telegram.

`LiveStore` is all roles together: each has its own module, and a part of the runtime names the roles that it uses.
"""

from typing import Protocol

import msgspec

from passerby.ports.caches import Caches
from passerby.ports.conducts import Conducts
from passerby.ports.done_marks import DoneMarks
from passerby.ports.doubts import Doubtful
from passerby.ports.generations import Generations
from passerby.ports.idle_chats import IdleChats
from passerby.ports.journal import Journal
from passerby.ports.leases import Leases
from passerby.ports.memos import Memos
from passerby.ports.message_map import MessageMap
from passerby.ports.outbox import Outbox
from passerby.ports.participants import Participants
from passerby.ports.shared_budgets import SharedBudgets
from passerby.ports.tickets import Tickets
from passerby.ports.trails import Trails


class Figures(msgspec.Struct, frozen=True):
    """How much the store holds. `journal` counts facts that the records do not have yet."""

    waiting: int
    chats: int
    outbox: int
    journal: int


class LiveStoreLost(Exception):
    """The store cannot be read or written now. The caller must confirm nothing to Telegram, and try again later."""


class LiveStore(
    Participants,
    Tickets,
    Outbox,
    Trails,
    MessageMap,
    DoneMarks,
    IdleChats,
    Journal,
    Caches,
    Memos,
    Conducts,
    Generations,
    Doubtful,
    Leases,
    SharedBudgets,
    Protocol,
):
    """One store for all processes of a fleet.

    Atomicity: each `commit` and each `mark` is stored completely or not at all. Once it has returned, it survives a
    `kill -9` of any process. A commit with puts or outbox entries then also survives a power cut; a mark may not.
    Ordering: a read that starts after a commit has returned sees it.
    Raises: LiveStoreLost from every method; Fenced from `commit`, `mark` and `keep_memo`.
    """

    async def figures(self) -> Figures: ...

    async def sweep(self) -> None:
        """Drop what has expired: done marks, message maps, and idle people whom the records hold."""
        ...

    async def aclose(self) -> None: ...
