"""Budgets that hold over all processes together.

An account is a bot, or a bot's chat with one person. It is a GCRA bucket (see `domain.budgets`) that lives in the
store; who wants to send takes from it in blocks, so that not every message asks.
"""

from typing import NamedTuple, Protocol

from passerby.kernel.ids import BotId, PersonId


class Account(NamedTuple):
    """`person` None: the bot's own account."""

    bot: BotId
    person: PersonId | None = None


class Grant(NamedTuple):
    """`granted` may be sent from now on. With none, `wait_s` says when to ask again, in seconds."""

    granted: int
    wait_s: float


class SharedBudgets(Protocol):
    async def reserve(self, account: Account, rate_per_s: float, burst: int, wanted: int) -> Grant:
        """Take up to `wanted` from an account, as many as it has now; time is the store's own. An answer that is lost
        may have taken them: they come back with time. Raises: LiveStoreLost."""
        ...

    async def hold(self, account: Account, wait_s: float) -> None:
        """Telegram said so: nothing is granted from the account for so long, whoever asks. Never shortens a hold.
        Raises: LiveStoreLost."""
        ...

    def is_held(self, account: Account) -> bool:
        """Whether this process has heard that an account is held. All do within milliseconds, unless they are cut off
        from the store; `reserve` knows at once. What was granted before is not to be sent meanwhile."""
        ...
