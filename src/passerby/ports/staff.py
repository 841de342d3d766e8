"""The staff in the records: who they are, the invites, and the audit of what they did. No live store holds them."""

from collections.abc import Callable, Sequence
from typing import Protocol

from passerby.kernel.case import CaseFile
from passerby.kernel.drain import Drain
from passerby.kernel.facts_wanted import NOTHING_WANTED, FactsWanted
from passerby.kernel.farm import FarmSeen
from passerby.kernel.ids import ChatId, PersonId, UpdateRef
from passerby.kernel.payment_case import SealedWords
from passerby.kernel.staff import StaffDecision, StaffFacts, StaffMember, StaffOrder


class AuditLine(Protocol):
    """A row of the audit, as it was stored. `details` is JSON. `actor` None: a rule did it."""

    @property
    def number(self) -> int: ...
    @property
    def at(self) -> float: ...
    @property
    def actor(self) -> int | None: ...
    @property
    def action(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def details(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def hash(self) -> str: ...


class StaffRecords(Protocol):
    """Raises: RecordsLost from every method."""

    async def decide(
        self,
        person: PersonId | None,
        ref: UpdateRef,
        decide: Callable[[StaffFacts], StaffDecision],
        now: float,
        wanted: FactsWanted = NOTHING_WANTED,
    ) -> StaffDecision:
        """Read the facts, decide, and store the decision with its rows of the audit.

        `person` None: the command line. `ref` names what is decided on: if a decision on it was stored before, nothing
        is stored now, and the effects and the reply of that decision are returned.

        Atomicity: one transaction. One decision is made at a time, in all processes together, so none is stale,
        and the audit has one chain.
        """
        ...

    async def measure(self, rule: Callable[[CaseFile], StaffDecision], now: float) -> int:
        """Let a rule decide on each case that has enough reports and no measure yet, and store what it decides, in the
        name of nobody. Returns how many decisions changed something.

        Atomicity: one transaction, as for `decide`.
        """
        ...

    async def open_farm_cases(self, farms: Sequence[FarmSeen], now: float) -> int:
        """Make a case of each of these farms, or add its new accounts to the open case that has some of them. Accounts
        of a case that was decided in the last week are not new. Returns how many cases this changed.

        Atomicity: one transaction, as for `decide`.
        """
        ...

    async def exhibit(self, chat: ChatId, by: PersonId, place: int) -> bytes | None:
        """A message that a reporter chose, or their comment (`place` 0), sealed. None if it is erased."""
        ...

    async def question(self, case: str) -> tuple[SealedWords, ...]:
        """Return a person's questions in this payment case, sealed, in order. Empty if they are erased."""
        ...

    async def orders(self, limit: int) -> Sequence[tuple[int, StaffOrder]]:
        """Orders that are not carried out yet, with their numbers, in order. A number is never used twice."""
        ...

    async def orders_done(self, numbers: Sequence[int], now: float) -> None: ...

    async def drains(self) -> Sequence[Drain]:
        """The bots that close, by number."""
        ...

    async def team(self) -> tuple[StaffMember, ...]:
        """All staff members who are not revoked, by number."""
        ...

    async def everybody(self) -> tuple[StaffMember, ...]:
        """All staff members there ever were, by number."""
        ...

    async def audit(self, after: int, limit: int) -> Sequence[AuditLine]:
        """Rows of the audit with higher numbers than `after`, in order."""
        ...

    async def newest_audit(self, limit: int) -> Sequence[AuditLine]:
        """The newest rows of the audit, the newest last."""
        ...
