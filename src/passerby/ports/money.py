"""The ledger in the records, as the duty `money` needs it. The facts that fill it come through the journal."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import ChargeId, StarCallKind, StarRow
from passerby.kernel.participant import Participant


class StarCall(NamedTuple):
    """A refund or a cancellation that we owe. `provider_charge` is the other id that may cancel."""

    kind: StarCallKind
    bot: BotId
    person: PersonId
    charge: ChargeId
    provider_charge: str
    owed_at: float


class Unmatched(NamedTuple):
    """A row of a bot's transactions that the ledger does not know. `plan` and `days` are those of its order, if the
    records know it. `refunded`: it is a sale, and there is a row with its refund."""

    bot: BotId
    row: StarRow
    plan: str = ""
    days: int = 0
    refunded: bool = False
    gift_to: PersonId = PersonId(0)


class GrantOver(NamedTuple):
    """VIP time whose Stars went back, or are owed, and of which the receiver still has some: mostly a gift."""

    receiver: PersonId
    grant: str


class MoneyRecords(Protocol):
    """Raises: RecordsLost from every method."""

    async def star_calls(self, limit: int) -> Sequence[StarCall]:
        """Return the debts, the oldest first."""
        ...

    async def may_cancel(
        self, bot: BotId, person: PersonId, charge: ChargeId, now: float
    ) -> Sequence[tuple[ChargeId, str]]:
        """The other charges that may cancel the subscription of this charge, the likeliest first, each with the
        provider's id if that is known.

        They have the same payload, and no other subscription that is paid for is called by one of them. They are
        charges, or transactions of this person that are no charges yet. A renewal that came after an erasure, or before
        its first payment was known, does not say which one began its subscription.
        """
        ...

    async def subscribers(self, bot: BotId, now: float, beyond: PersonId, limit: int) -> Sequence[PersonId]:
        """People with an id above `beyond` who have a subscription of this bot that may still be charged, by id."""
        ...

    async def rows_seen(self, bot: BotId) -> int:
        """How many of a bot's transactions have been stored. They are only ever added at the end."""
        ...

    async def note_rows(self, bot: BotId, rows: Sequence[StarRow], seen: int, now: float) -> None:
        """Store transactions; those known by (id, direction) stay as they are. `seen`: how many there are by now.

        Atomicity: one transaction.
        """
        ...

    async def unmatched(self, before: float, limit: int) -> Sequence[Unmatched]:
        """Payments and refunds from before this time that the ledger does not know, the oldest first.

        Those that it has come to know are noted as matched.
        """
        ...

    async def grants_over(self, after: float, now: float, limit: int) -> Sequence[GrantOver]:
        """VIP time that must be taken back, because nobody pays for it any more. `after`: the Stars went
        back later than that."""
        ...

    async def unconfirmed(self, after: float, before: float) -> int:
        """How many charges of this period no transaction confirms, although their bot was read after them."""
        ...

    async def vip_ending(self, after: float, before: float, beyond: PersonId, limit: int) -> Sequence[Participant]:
        """People with an id above `beyond` whose VIP time ends in this period, by id."""
        ...
