"""The outbox: messages that are stored but not sent yet. Users: the courier and the janitor."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from passerby.kernel.effect import Keyboard, Priority
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId
from passerby.kernel.money import Bill
from passerby.kernel.text import Text
from passerby.ports.leases import WorkerId
from passerby.ports.trails import Trail


class Notice(msgspec.Struct, frozen=True, gc=False, tag="notice", omit_defaults=True):
    """A message from Passerby itself that is not sent yet. `revises` is the id of a notice to edit instead.

    `anchors`: the chat or search that this notice tells its reader about. `bill` makes it an invoice.
    `made_at` in Unix seconds. `search` makes it a *passing* notice: it says that this search goes on (the ticket's
    `since`). It is not sent once that search is over. `claimed`: its owner has begun to send it.
    """

    id: str
    to: PersonId
    bot: BotId
    text: Text
    priority: Priority
    made_at: float
    keyboard: Keyboard | None = None
    reply_to: MessageId | None = None
    revises: MessageId | None = None
    anchors: ChatId | None = None
    thread: MessageId | None = None
    bill: Bill | None = None
    search: float | None = None
    claimed: bool = False

    @property
    def is_aside(self) -> bool:
        """Whether it only explains why something did not work. It has no buttons, anchors nothing, and may be late."""
        nothing_to_press = self.keyboard is None and self.revises is None and self.bill is None
        return nothing_to_press and self.anchors is None and self.priority > Priority.MATCH

    @property
    def is_held(self) -> bool:
        """Whether it may still turn out to be needless: a passing notice that its owner has not begun to send."""
        return self.search is not None and not self.claimed

    @property
    def lets_others_pass(self) -> bool:
        """Whether later entries for the same person need not wait for it."""
        return self.is_aside or self.is_held


class Parked(msgspec.Struct, frozen=True, gc=False, tag="parked", omit_defaults=True):
    """A relay that could not finish in time, so its update was confirmed without it.

    `sealed` is the encrypted relay: the store never holds content in the clear. After `expires_at` (Unix seconds), or
    when its chat ends, the relay is dropped and its sender is told.
    """

    id: str
    chat: ChatId
    to: PersonId
    bot: BotId
    sealed: bytes
    expires_at: float


Outgoing = Notice | Parked | Trail


class Outbox(Protocol):
    async def outbox(self, owner: WorkerId) -> list[Outgoing]:
        """The entries that this worker has yet to send, oldest first."""
        ...

    async def inherit(self, heir: WorkerId) -> list[Outgoing]:
        """Give the heir every entry that has no living owner. Returns these entries, oldest first.

        A worker is living from its first `heartbeat` until it leaves, or until the time that it named has passed
        without another heartbeat. A worker whose entries were inherited is evicted (see `heartbeat`).
        """
        ...

    async def addressed_to(self, person: PersonId) -> list[Outgoing]:
        """All entries for this person, of any owner, oldest first. Also possible while a generation is in doubt."""
        ...

    async def owners_of(self, entries: Sequence[str]) -> dict[str, WorkerId]:
        """Return which worker has to send each of these entries. Settled entries are left out.

        Also possible while a generation is newborn or in doubt.
        """
        ...

    async def is_preceded(self, entry: str) -> bool:
        """Whether another owner holds an older entry for the same person and bot that lets nobody pass.

        False if the entry is settled. Queues keep the order inside one process; this keeps it across processes.
        """
        ...
