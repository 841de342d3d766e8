"""The budgets that are held, as far as this process knows. The store grants nothing from a held budget. This is for
blocks that the store granted just before the hold.

A hold is published on the pub/sub channel as: a tab, the bot, a space, the person (0 for the bot's own budget), a
space, the milliseconds. Names of pools contain no tab, so the two kinds of messages differ.
"""

from typing import Final

from passerby.kernel.ids import BotId, PersonId
from passerby.ports.clock import Clock
from passerby.ports.shared_budgets import Account

_MARK: Final = b"\t"
_MANY: Final = 1000
"""With this many holds, expired ones are removed before the next is added."""


def hold_message(account: Account, wait_s: float) -> str:
    return f"\t{account.bot} {account.person or 0} {round(1000 * wait_s)}"


class Holds:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[Account, float] = {}

    def on_message(self, message: bytes) -> None:
        """Take any message of the channel."""
        if message.startswith(_MARK):
            bot, person, wait_ms = map(int, message[1:].split(b" "))
            self.add(Account(BotId(bot), PersonId(person) if person else None), wait_ms / 1000)

    def add(self, account: Account, wait_s: float) -> None:
        now = self._clock.monotonic()
        if len(self._until) >= _MANY:
            self._until = {each: until for each, until in self._until.items() if until > now}
        self._until[account] = max(now + wait_s, self._until.get(account, now))

    def __contains__(self, account: Account) -> bool:
        if not self._until:
            return False
        until = self._until.get(account)
        if until is None:
            return False
        if until > self._clock.monotonic():
            return True
        del self._until[account]
        return False
