"""Participants: read the facts for a decision, and store the decision. Users: most rooms of the runtime."""

from collections.abc import Awaitable
from enum import Enum, auto
from typing import Protocol

import msgspec

from passerby.kernel.decision import Facts
from passerby.kernel.ids import ChatId, MessageRef, PersonId, UpdateRef
from passerby.kernel.participant import Participant
from passerby.ports.facts import Fact
from passerby.ports.leases import NOBODY, Fence, WorkerId
from passerby.ports.outbox import Outgoing


class Commit(msgspec.Struct, frozen=True, gc=False, tag="commit", omit_defaults=True):
    """Everything that one decision changes.

    `puts`: new values. Their version is one more than the version that was read; the first version is 1.
    `ended`: chats whose message map and anchors are dropped.
    `outbox`: entries that `owner` will send. An entry replaces one with the same id, and becomes the newest.
    `updates` become done. `sent`: outbox entries that are settled.
    `fences`: the leases that the decision depends on.
    `seen`: people whom the decision does not change, and the versions that it was based on. If one of them has another
    version, the commit is stale too.
    `repairs`: the puts repair a difference between the two stores, so their versions may skip numbers. The versions
    that they replace are in `seen`; 0 for a person who is not held.
    """

    puts: tuple[Participant, ...] = ()
    ended: tuple[ChatId, ...] = ()
    outbox: tuple[Outgoing, ...] = ()
    facts: tuple[Fact, ...] = ()
    updates: tuple[UpdateRef, ...] = ()
    sent: tuple[str, ...] = ()
    owner: WorkerId = NOBODY
    fences: tuple[Fence, ...] = ()
    seen: tuple[tuple[PersonId, int], ...] = ()
    repairs: bool = False


class Committed(Enum):
    YES = auto()
    STALE = auto()
    """Somebody else changed one of the participants first. Nothing was stored: read again and decide again."""
    ALREADY_DONE = auto()
    """All updates of the commit were done before. Nothing was stored."""


class Participants(Protocol):
    def load(self, person: PersonId, about: MessageRef | None = None) -> Awaitable[Facts | None]:
        """The person, their partner, the counterpart of `about`, and the anchors. None if the person is not held."""
        ...

    async def commit(self, commit: Commit) -> Committed:
        """Store a decision, or nothing. Two commits that read the same version of a participant: exactly one is stored.

        Raises: Fenced, if somebody else has taken one of the leases.
        """
        ...
