"""Doubts about what the store holds, and the reads that resolve them. Users: the reconciler and the janitor."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant
from passerby.ports.leases import WorkerId


class StoredPerson(NamedTuple):
    """A person as the live store has them. `recorded`: the journal has carried exactly this value to the records."""

    participant: Participant
    recorded: bool


class Doubts(NamedTuple):
    """The doubts about the store's data.

    `people`: damage was found that concerns these people. Their newest changes may be lost.
    `everybody`: damage was found, and it is not known whom it concerns.
    `is_unsure`: the store may have returned to an earlier state. `is_older`: it has, or nobody can tell because the
    store did not always persist what it held.
    """

    everybody: bool = False
    people: frozenset[PersonId] = frozenset()
    is_unsure: bool = False
    is_older: bool = False

    @property
    def is_damaged(self) -> bool:
        return self.everybody or bool(self.people)

    def __bool__(self) -> bool:
        return self.is_damaged or self.is_unsure


class RollCallAnswers(NamedTuple):
    """The roll call of a generation: who has answered, and who was living when the generation before it ended."""

    answered: frozenset[WorkerId]
    former: frozenset[WorkerId]


class Doubtful(Protocol):
    @property
    def doubts(self) -> Doubts:
        """Return the doubts about the store's data. There are none, once an `adopt` with `whole` has returned.

        Damage is found when the store is opened. A store that loses something while it is open begins another
        generation, with doubts. Then only `claim_doubts`, `answer_roll`, `everybody`, `stored`, commits that repair,
        and an `adopt` with `whole` are possible. Everything else raises LiveStoreLost.
        """
        ...

    async def claim_doubts(self, worker: WorkerId, ttl_s: float) -> bool:
        """Whether this worker must resolve the doubts. No other worker gets True during this time."""
        ...

    async def answer_roll(self, worker: WorkerId | None) -> RollCallAnswers:
        """Say that this worker is ready for the generation to be repaired or rebuilt (`runtime.background.roll_call`).

        None: only ask. Possible while the generation is newborn or in doubt; nobody answers once that is over.
        """
        ...

    async def everybody(self) -> list[StoredPerson]:
        """Everybody in the store. For somebody who changes meanwhile, one of their values."""
        ...

    async def stored(self, persons: Sequence[PersonId]) -> dict[PersonId, StoredPerson]:
        """Those of these people who are in the store, all read at one moment."""
        ...
