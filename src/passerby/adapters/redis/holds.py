"""The budgets that are held after a 429, as far as this process knows.

The store grants nothing from a held budget. But this process may have blocks that the store granted just before the
hold. It must not use them, so it keeps the holds here, too.

A hold is published on the pub/sub channel as: a tab, the bot, a space, the person (0 for the bot's own budget), a
space, the milliseconds. The other messages of the channel are names of pools. These contain no tab.
"""

from typing import Final

from passerby.kernel.ids import BotId, PersonId
from passerby.ports.clock import Clock
from passerby.ports.shared_budgets import Account

_PREFIX: Final = b"\t"
_MANY: Final = 1000
"""With this many holds, expired ones are removed before the next is added."""


def hold_message(account: Account, wait_s: float) -> str:
    return f"\t{account.bot} {account.person or 0} {round(1000 * wait_s)}"


class Holds:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[Account, float] = {}

    def on_message(self, message: bytes) -> None:
        """Note the hold that a message of the channel announces. Other messages are ignored."""
        if message.startswith(_PREFIX):
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
