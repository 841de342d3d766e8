"""Time as a source of events: a chat in which nobody says anything becomes an event of the one who owes a word.

What is done about it is a feature's to decide, and so is whether it is early: this asks often enough, and not often.
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
"""So many chats a look, the quietest first."""

AGAIN_S = 60.0
"""The same chat is not brought up again sooner, whatever was decided."""

CLOCK_SET_S = 60.0
"""The clock was set if wall time and monotonic time have passed so differently since the last look."""


class IdleChatWatch:
    """`put` gets the events."""

    def __init__(self, store: LiveStore, rules: Rules, clock: Clock, put: Callable[[ChatIdle], None]) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._put = put
        self._brought_up: dict[str, float] = {}
        self._clock_set_at = float("-inf")
        self._looked_at = clock.now(), clock.monotonic()

    async def run(self) -> None:
        """Until cancelled; at once over where the operator wants none of it."""
        thresholds = [each for each in (self._rules.idle_nudge_s, self._rules.idle_end_s) if each > 0]
        while thresholds:
            await self._clock.sleep(EVERY_S)
            try:
                await self.look(min(thresholds))
            except LiveStoreLost as error:
                logs.record("clock.store_lost", "debug", error=logs.name_of(error))

    async def look(self, idle_s: float) -> None:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if abs((now - self._looked_at[0]) - (monotonic - self._looked_at[1])) > CLOCK_SET_S:
            self._clock_set_at = monotonic
            reason = "the machine's clock was set: quiet chats are left alone for a while"
            logs.record("clock.set", "warning", reason=reason)
        self._looked_at = now, monotonic
        if monotonic - self._clock_set_at < idle_s:
            return  # how long a chat has been quiet is told by a clock that was wrong, then or now
        self._brought_up = {chat: at for chat, at in self._brought_up.items() if now - at < AGAIN_S}
        for idle in await self._store.idle_chats(now - idle_s, LIMIT):
            if idle.chat not in self._brought_up:
                self._brought_up[idle.chat] = now
                await self._bring_up(idle)

    async def _bring_up(self, idle: IdleChat) -> None:
        """The partner of who spoke last owes a word; where nobody spoke, or both are equally at fault, the first."""
        first, second = idle.people
        debtor: PersonId = second if idle.speaker == first else first
        facts = await self._store.load(debtor)
        if facts is None or facts.me.bot is None:
            return
        state = facts.me.state
        if isinstance(state, Chatting) and state.chat == idle.chat:
            self._put(ChatIdle(debtor, facts.me.bot, idle.chat, idle.since, idle.speaker))
