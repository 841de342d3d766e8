"""Finds the people who are searching or chatting through a bot that does not work any more: it is lost, or retired.

Each of them gets an event, and a feature decides where they go on. Without this, a lost bot is noticed only when
something is sent through it, and the partner of somebody who cannot be reached waits until they write themselves.

The records say who is active through which bot. They are a little behind the live store, so the search is repeated for
a while. The decision is made on the live store's facts.
"""

from collections.abc import Callable, Collection

from passerby.kernel.event import BotLost
from passerby.kernel.ids import BotId, PersonId
from passerby.ports.clock import Clock
from passerby.ports.records import Elsewhere, Records, RecordsLost
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.membership.tokens import Tokens
from passerby.telemetry import logs

EVERY_S = 5.0
CALM_AFTER_S = 300.0
"""After a change, the records are searched every EVERY_S for this long, and later every SELDOM_S."""

SELDOM_S = 60.0
AGAIN_S = 60.0
"""Nobody gets another event within this time."""

AT_ONCE = 200
PAUSE_S = 0.2


class Departures:
    """`bots` returns the bots of the fleet. `put` gets each event as work."""

    def __init__(
        self,
        bots: Callable[[], Collection[BotId]],
        tokens: Tokens,
        records: Records,
        put: Callable[[Work], None],
        clock: Clock,
    ) -> None:
        self._bots = bots
        self._tokens = tokens
        self._records = records
        self._put = put
        self._clock = clock
        self._working: frozenset[BotId] | None = None
        self._changed_at = self._looked_at = float("-inf")
        self._sent_off: dict[tuple[PersonId, BotId], float] = {}

    async def run(self) -> None:
        """Run until cancelled."""
        self._working = None
        while True:
            try:
                await self._look()
            except RecordsLost as error:
                logs.record("departures.waiting", "debug", error=logs.name_of(error))
            await self._clock.sleep(EVERY_S)

    async def _look(self) -> None:
        now, working = self._clock.monotonic(), frozenset(self._bots()) - frozenset(self._tokens.lost)
        if working != self._working:
            self._working, self._changed_at = working, now
        is_calm = now - self._changed_at > CALM_AFTER_S
        if is_calm and (not self._tokens.lost or now - self._looked_at < SELDOM_S):
            return
        self._looked_at = now
        self._sent_off = {key: at for key, at in self._sent_off.items() if now - at < AGAIN_S}
        found = [each for each in await self._records.elsewhere(sorted(working)) if each[:2] not in self._sent_off]
        for first in range(0, len(found), AT_ONCE):
            for each in found[first : first + AT_ONCE]:
                self._send_off(each, now)
            await self._clock.sleep(PAUSE_S)

    def _send_off(self, each: Elsewhere, now: float) -> None:
        self._sent_off[each.person, each.bot] = now
        self._put(Work(BotLost(each.person, each.bot), cause=f"departed:{each.bot}:{round(self._clock.now())}"))
