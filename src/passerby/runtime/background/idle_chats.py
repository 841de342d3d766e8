"""Finds chats in which nobody has written for a while, and makes an event of each for the person who owes an answer.

A feature decides what happens then, and whether it is time yet. This module only raises the event, at most once every
AGAIN_S for a chat.
"""

from collections.abc import Callable

from passerby.kernel.event import ChatIdle
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Chatting
from passerby.kernel.rules import Rules
from passerby.ports.clock import Clock
from passerby.ports.idle_chats import IdleChat
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.telemetry import logs

EVERY_S = 10.0
LIMIT = 5000
"""At most this many chats a look, the longest idle first."""

AGAIN_S = 60.0
"""The same chat raises no other event within this time, whatever was decided."""

CLOCK_SET_S = 60.0
"""If wall time and monotonic time since the last look differ by this much, the clock was set."""


class IdleChatWatch:
    """`put` gets the events. `rules` returns those of the moment."""

    def __init__(
        self, store: LiveStore, rules: Callable[[], Rules], clock: Clock, put: Callable[[ChatIdle], None]
    ) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._put = put
        self._brought_up: dict[str, float] = {}
        self._clock_set_at = float("-inf")
        self._looked_at = clock.now(), clock.monotonic()

    async def run(self) -> None:
        """Run until cancelled. Nothing is read while the operator has switched this off."""
        while True:
            await self._clock.sleep(EVERY_S)
            rules = self._rules()
            thresholds = [each for each in (rules.idle_nudge_s, rules.idle_end_s) if each > 0]
            if not thresholds:
                continue
            try:
                await self.bring_up_idle(min(thresholds))
            except LiveStoreLost as error:
                logs.record("clock.store_lost", "debug", error=logs.name_of(error))

    async def bring_up_idle(self, idle_s: float) -> None:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if abs((now - self._looked_at[0]) - (monotonic - self._looked_at[1])) > CLOCK_SET_S:
            self._clock_set_at = monotonic
            reason = "the machine's clock was set: quiet chats are left alone for a while"
            logs.record("clock.set", "warning", reason=reason)
        self._looked_at = now, monotonic
        if monotonic - self._clock_set_at < idle_s:
            return  # the clock was wrong before or is wrong now, so idle times are wrong
        self._brought_up = {chat: at for chat, at in self._brought_up.items() if now - at < AGAIN_S}
        for idle in await self._store.idle_chats(now - idle_s, LIMIT):
            if idle.chat not in self._brought_up:
                self._brought_up[idle.chat] = now
                await self._bring_up(idle)

    async def _bring_up(self, idle: IdleChat) -> None:
        """Raise the event for the partner of the last writer. If nobody wrote or it is even: for the first person."""
        first, second = idle.people
        debtor: PersonId = second if idle.speaker == first else first
        facts = await self._store.load(debtor)
        if facts is None or facts.me.bot is None:
            return
        state = facts.me.state
        if isinstance(state, Chatting) and state.chat == idle.chat:
            self._put(ChatIdle(debtor, facts.me.bot, idle.chat, idle.since, idle.speaker))
