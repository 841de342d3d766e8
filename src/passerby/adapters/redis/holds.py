"""Which budgets are held, as far as this process has heard. The store itself grants nothing from them; this is for what
was granted just before.

A hold is told on the channel for news: a tab, the bot, a space, the person (0 where it is the bot's own budget), a
space, for how many milliseconds. Pools have no tab in their names.
"""

from typing import Final

from passerby.kernel.ids import BotId, PersonId
from passerby.ports.clock import Clock
from passerby.ports.shared_budgets import Account

_MARK: Final = b"\t"
_MANY: Final = 1000
"""With so many, those that are over are cleared away before the next is added."""


def told(account: Account, wait_s: float) -> str:
    return f"\t{account.bot} {account.person or 0} {round(1000 * wait_s)}"


class Holds:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[Account, float] = {}

    def hear(self, news: bytes) -> None:
        """Whatever came on the channel."""
        if news.startswith(_MARK):
            bot, person, wait_ms = map(int, news[1:].split(b" "))
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
