"""Finds the people who are searching or chatting through a bot that is lost, retired, or being drained.

Each of them gets an event, and a feature decides where they go on. Without this, a lost bot is noticed only when
something is sent through it, and the partner of somebody who cannot be reached waits until they write themselves.

The records say who is active through which bot. They are a little behind the live store, so the search is repeated for
a while. The decision is made on the live store's facts.
"""

from collections.abc import Callable, Collection

from passerby.kernel.event import BotClosing, BotLost
from passerby.kernel.ids import BotId, PersonId, UpdateRef
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

TOLD_AGAIN_S = 6 * 3600.0
"""The same for people whose chat goes on in a bot that closes. It is shorter than done marks last."""

AT_ONCE = 200
PAUSE_S = 0.2


class Departures:
    """`bots` returns the bots that some process serves, and `draining` those that close. `put` gets the events."""

    def __init__(
        self,
        bots: Callable[[], Collection[BotId]],
        draining: Callable[[], Collection[BotId]],
        tokens: Tokens,
        records: Records,
        put: Callable[[Work], None],
        clock: Clock,
    ) -> None:
        self._bots = bots
        self._draining = draining
        self._tokens = tokens
        self._records = records
        self._put = put
        self._clock = clock
        self._working: frozenset[BotId] | None = None
        self._changed_at = self._looked_at = float("-inf")
        self._sent_off: dict[tuple[PersonId, BotId, bool], float] = {}

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
        now, every = self._clock.monotonic(), frozenset(self._bots())
        working = every - frozenset(self._tokens.lost) - frozenset(self._draining())
        if working != self._working:
            self._working, self._changed_at = working, now
        is_calm = now - self._changed_at > CALM_AFTER_S
        if is_calm and (working == every or now - self._looked_at < SELDOM_S):
            return
        self._looked_at = now
        self._sent_off = {key: until for key, until in self._sent_off.items() if now < until}
        found = [
            (each, each.bot not in every or each.bot in self._tokens.lost)
            for each in await self._records.elsewhere(sorted(working))
        ]
        new = [each for each in found if _key(each[0], is_lost=each[1]) not in self._sent_off]
        for first in range(0, len(new), AT_ONCE):
            for each, is_lost in new[first : first + AT_ONCE]:
                self._send_off(each, now, is_lost=is_lost)
            await self._clock.sleep(PAUSE_S)

    def _send_off(self, each: Elsewhere, now: float, *, is_lost: bool) -> None:
        person, bot, is_chatting = each
        stays = is_chatting and not is_lost
        self._sent_off[_key(each, is_lost=is_lost)] = now + (TOLD_AGAIN_S if stays else AGAIN_S)
        if is_lost:
            self._put(Work(BotLost(person, bot), cause=f"departed:{bot}:{round(self._clock.now())}"))
        elif stays:
            # A done mark, so that another process does not say it again.
            self._put(Work(BotClosing(person, bot), (UpdateRef(BotId(-bot), person),)))
        else:
            self._put(Work(BotClosing(person, bot), cause=f"closing:{bot}:{round(self._clock.now())}"))


def _key(each: Elsewhere, *, is_lost: bool) -> tuple[PersonId, BotId, bool]:
    return each.person, each.bot, is_lost or not each.is_chatting
