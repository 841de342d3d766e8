"""Watches who waits in a pool and brings them together.

The pool's tickets are followed through the store's feed, so a look at the pool costs what has changed, not what waits.
`match` proposes; the commit, guarded by both people's versions, disposes: somebody who gave up, left or was paired in
the meantime makes it stale, and then nothing has happened.
"""

from collections.abc import Awaitable, Callable

from passerby import logs
from passerby.domain.matching import Pair, match
from passerby.kernel.decision import Decision, Env
from passerby.kernel.ids import PersonId, PoolId
from passerby.kernel.participant import Chatting, Participant, Searching, Ticket
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost

GATHER_S = 0.02
"""How long newcomers are gathered before a look: many who press at once are then looked at together."""

WAIT_S = 30.0
AWAY_PAUSE_S = 0.5

Introduce = Callable[[Participant, Participant, Env], Decision]
Settle = Callable[[Decision, dict[PersonId, Participant], Callable[[int], str]], Awaitable[bool]]


class Matcher:
    """The owner of one pool."""

    def __init__(
        self,
        pool: PoolId,
        store: LiveStore,
        introduce: Introduce,
        settle: Settle,
        env: Callable[[], Env],
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._store = store
        self._introduce = introduce
        self._settle = settle
        self._env = env
        self._clock = clock
        self._waiting: dict[PersonId, Ticket] = {}
        self._cursor: int | None = None
        self._faults = logs.Faults()

    async def run(self) -> None:
        self._cursor = None
        while True:
            try:
                await self._follow()
                for pair in match(self._waiting.values()):
                    await self._try(pair)
            except LiveStoreLost as error:
                self._faults.began("store", "matcher.store_lost", error=logs.name_of(error))
                self._cursor = None
                await self._clock.sleep(AWAY_PAUSE_S)
            else:
                self._faults.over("store", "matcher.recovered")

    async def _follow(self) -> None:
        feed = await self._store.tickets(self._pool, self._cursor, WAIT_S)
        if feed.changes and not feed.whole:
            await self._clock.sleep(GATHER_S)
            feed = await self._store.tickets(self._pool, self._cursor, 0)
        if feed.whole:
            self._waiting.clear()
        self._cursor = feed.cursor
        for change in feed.changes:
            if change.ticket is None:
                self._waiting.pop(change.person, None)
            else:
                self._waiting[change.person] = change.ticket

    async def _try(self, pair: Pair) -> None:
        """A pair that a bug keeps apart is set aside until one of them does something; the others go on."""
        try:
            await self._bring_together(pair)
        except LiveStoreLost:
            raise
        except Exception as error:  # noqa: BLE001  # a bug ends one unit of work
            logs.failed("matcher.broken", error)
            for ticket in (pair.first, pair.second):
                self._waiting.pop(ticket.person, None)

    async def _bring_together(self, pair: Pair) -> None:
        """Pair two people if both still wait for what they waited for; otherwise the feed tells the news."""
        one, other = [await self._still_waiting(ticket) for ticket in (pair.first, pair.second)]
        if one is None or other is None:
            return
        decision = self._introduce(one, other, self._env())
        names = {one.person: one, other.person: other}
        state = decision.changes[0].state
        assert isinstance(state, Chatting), "people who are introduced are in a chat"
        await self._settle(decision, names, lambda index: f"pair:{state.chat}:{index}")

    async def _still_waiting(self, ticket: Ticket) -> Participant | None:
        facts = await self._store.load(ticket.person)
        if facts is None:
            return None
        state = facts.me.state
        return facts.me if isinstance(state, Searching) and state.ticket == ticket else None
