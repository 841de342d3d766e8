"""Budgets that limit all processes together.

An account is a bot, or a bot's chat with one person. It is a GCRA bucket (see `domain.budgets`) in the store. Senders
take from it in blocks, so not every message needs a call.
"""

from typing import NamedTuple, Protocol

from passerby.kernel.ids import BotId, PersonId


class Account(NamedTuple):
    """`person` None: the bot's own account."""

    bot: BotId
    person: PersonId | None = None


class Grant(NamedTuple):
    """`granted` messages may be sent from now on. If 0, ask again after `wait_s` seconds."""

    granted: int
    wait_s: float


class SharedBudgets(Protocol):
    async def reserve(self, account: Account, rate_per_s: float, burst: int, wanted: int) -> Grant:
        """Take up to `wanted` from an account, at most what it has now. The store measures the time.

        If the answer is lost, they may have been taken all the same; the account refills with time.
        Raises: LiveStoreLost.
        """
        ...

    async def hold(self, account: Account, wait_s: float) -> None:
        """Grant nothing from the account for `wait_s`, to any process, because Telegram said so.

        Never shortens a hold. Raises: LiveStoreLost.
        """
        ...

    def is_held(self, account: Account) -> bool:
        """Whether this process knows that an account is held. If so, do not send what was granted before.

        All processes hear of a hold within milliseconds, unless they are cut off from the store. `reserve` knows at
        once.
        """
        ...
