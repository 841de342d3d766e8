"""Limits how much one person may have waiting, so that they do not slow down others.

There are two limits for each person. *Waiting*: at most `at_once` of their events and the resulting deliveries may be
unfinished. *Pace*: `at_once` events in one burst, `per_s` a second in the long run. The pace limits events that cost us
work but never wait.

Above either limit, a *spell* begins: everything is refused until half of both limits is free again. Refusing single
messages instead would tear gaps into a conversation. Two things are accepted during a spell: a few commands and
buttons, so that people can leave a chat, and edits of the latest messages, so that the partner sees the final text.
"""

from collections import deque

from passerby.domain.budgets import FULL, Budget
from passerby.kernel.rules import Quota

REMEMBERED = 8
"""Edits of this many of the latest messages cost nothing, because they replace each other before they are sent. The
same holds for reactions."""

RESERVE = Budget(0.5, 10)
"""The budget for commands and buttons during a spell: one in two seconds, ten at once."""


class QuotaUsage:
    """One person's use of their quota. It is shut during a spell. Times are monotonic seconds."""

    __slots__ = ("_each_s", "_pace", "_quota", "_recent", "_reserve_tat", "_slack_s", "_tat", "is_shut")

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._pace = Budget(quota.per_s, quota.at_once)
        # The same as in `Budget`, which would divide for each event.
        self._each_s, self._slack_s = 1 / quota.per_s, (quota.at_once - 1) / quota.per_s
        self._tat = self._reserve_tat = FULL
        self._recent: deque[object] = deque(maxlen=REMEMBERED)
        self.is_shut = False
        """Whether a spell is under way."""

    def admits(self, waiting: int, now: float, follows: object = None) -> bool:
        """Admit one more event, or begin a spell.

        `waiting` is how many of the person's events and deliveries are unfinished. `follows` is the message that an
        edit or a reaction is about.
        """
        if follows is not None:
            if follows in self._recent:
                return True
            if not self.is_shut:
                self._recent.append(follows)
        if not self.is_shut:
            tat = self._tat
            if waiting < self._quota.at_once and tat - now <= self._slack_s:
                self._tat = max(tat, now) + self._each_s
                return True
            self.is_shut = True
        return False

    def admits_command(self, now: float) -> bool:
        """Whether a command or a button is accepted during a spell."""
        if RESERVE.wait_s(self._reserve_tat, now) > 0:
            return False
        self._reserve_tat = RESERVE.spend(self._reserve_tat, now)
        return True

    def reopens(self, waiting: int, now: float) -> bool:
        """End the spell if half of the quota is free."""
        half = self._quota.at_once // 2
        if waiting <= half and self._pace.wait_s(self._tat, now) <= -half / self._quota.per_s:
            self.is_shut = False
        return not self.is_shut

    def is_idle(self, now: float) -> bool:
        """Whether this may be forgotten: a new one would behave the same."""
        return not self.is_shut and max(self._tat, self._reserve_tat) <= now
