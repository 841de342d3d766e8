"""Figures about money from the records, for the operator's report. It names nobody.

`domain.money.report` adds it up. Stars that Telegram reports may have a fraction (`nanostars`), because of affiliates.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Sold(NamedTuple):
    """Charges and refunds of one plan in one bot, in a period. A refund counts when it is made.

    `gifts`: how many of the sales were for somebody else.
    """

    bot: int
    plan: str
    sales: int
    stars: int
    gifts: int
    refunds: int
    refunded: int


class SoldBySource(NamedTuple):
    """Charges of a period from people who came by one source (see `kernel.journey`); empty: by none. Refunds of these
    charges count whenever they were made."""

    source: str
    sales: int
    stars: int
    refunds: int
    refunded: int


class Given(NamedTuple):
    """VIP time of one source (`GrantSource`) that began in a period and that its receiver did not pay for."""

    source: str
    grants: int
    days: float


class Net(NamedTuple):
    """The income of a bot in a period, by its transactions: nanostars, without refunds. `affiliates`: what they got of
    it."""

    bot: int
    nanostars: int
    affiliates: int


class BotBalance(NamedTuple):
    """A bot now. `held`: Stars that are too young to be withdrawn. `swept_at` 0: its transactions were never read.
    `unknown`: transactions that the ledger does not know."""

    bot: int
    held: int
    subscriptions: int
    swept_at: float
    unknown: int


class Open(NamedTuple):
    """A charge that was not refunded, and whose VIP time is not over."""

    code: str
    bot: int
    plan: str
    stars: int
    paid_at: float
    days_left: float


class Ledgered(NamedTuple):
    """Everything that the report is made of."""

    sold: Sequence[Sold]
    given: Sequence[Given]
    net: Sequence[Net]
    balances: Sequence[BotBalance]
    open: Sequence[Open]
    owed: Sequence[tuple[int, str, float]]
    """(bot, refund or cancel, since when) of what Telegram has not confirmed."""
    sources: Sequence[SoldBySource] = ()
    cases: Sequence[float] = ()
    """When the payment cases that are open were opened, the oldest first."""
