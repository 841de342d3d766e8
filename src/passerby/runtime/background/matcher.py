"""Watches the people who wait in a pool, and pairs them.

It follows the pool's tickets through the store's feed, so the cost of a look depends on what has changed, not on how
many people wait. `match` proposes a pair. The commit decides, because it names both people's versions: if one of them
gave up, left or was paired in the meantime, it is stale, and nothing happens.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from heapq import heappop, heappush

from passerby.domain.matching.estimates import Estimates
from passerby.domain.matching.match import Pair, Pool
from passerby.domain.matching.wishes import FLOW_S, patience_in
from passerby.kernel.decision import Decision, Env
from passerby.kernel.ids import PersonId, PoolId
from passerby.kernel.participant import Chatting, Participant, Searching, Ticket
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.tickets import TicketFeed
from passerby.telemetry import logs, metrics

GATHER_S = 0.02
"""How long newcomers are gathered before a look, so that people who press at the same time are matched together."""

AT_ONCE = 100
"""How many pairs are begun in one turn of the event loop: as many as a poll brings updates. With fewer, people who
press at the same time would come faster than they are paired. More would hold up everybody else."""

ROUNDS = 4
"""How many such rounds may wait for the store. Pairs have nobody in common, so none has to wait for another one. One by
one, with the store on another machine, a thousand people would wait for fifteen hundred round trips. And if each round
waited for the one before, thousands would be told to be patient who have a partner already."""

WAIT_S = 30.0
AWAY_PAUSE_S = 0.5
AGAIN_S = 0.1

DELAYED_AFTER_S = (15.0, 45.0, 120.0)
"""When a waiting person is told how their search stands. There are few times, because each one edits a message."""

OnDelay = Callable[[Ticket, int, float | None], None]
"""Called when a search takes long, with the ticket, how many people fit, and how long others waited (seconds)."""

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
        on_delay: OnDelay = lambda ticket, fitting, expected_s: None,
    ) -> None:
        self._pool = pool
        self._store = store
        self._introduce = introduce
        self._settle = settle
        self._env = env
        self._clock = clock
        self._waiting: dict[PersonId, Ticket] = {}
        self._patience = 0.0
        self._index = Pool(self._patience)
        self._came = deque[float]()
        """When the latest searches began, in Unix seconds."""
        self._estimates = Estimates()
        self._cursor: int | None = None
        self._on_delay = on_delay
        self._delays: list[tuple[float, PersonId, int]] = []
        """When to tell people of a long search. A heap of (Unix seconds, person, index of DELAYED_AFTER_S)."""
        self._stopping = asyncio.Event()
        self._faults = logs.Faults()

    def stop(self) -> None:
        """Finish the pairs in hand. `run` returns soon."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until `stop` is called, or until cancelled."""
        self._cursor = None
        while not self._stopping.is_set():
            try:
                await self._follow()
                await self._bring_all_together(self._pairs())
                self._tell_of_delays()
            except LiveStoreLost as error:
                self._faults.began("store", "matcher.store_lost", error=logs.name_of(error))
                self._cursor = None
                await self._clock.sleep(AWAY_PAUSE_S)
            else:
                self._faults.over("store", "matcher.recovered")

    async def _bring_all_together(self, pairs: list[Pair]) -> None:
        rounds = deque[asyncio.Future[list[BaseException | None]]]()
        errors: list[BaseException | None] = []
        try:
            for first in range(0, len(pairs), AT_ONCE):
                if self._stopping.is_set() or any(errors):
                    break
                tries = map(self._try, pairs[first : first + AT_ONCE])
                rounds.append(asyncio.gather(*tries, return_exceptions=True))
                if len(rounds) < ROUNDS:
                    await self._clock.sleep(0)
                else:
                    errors = await rounds.popleft()
            while rounds:
                errors += await rounds.popleft()
        finally:
            for each in rounds:
                each.cancel()
            await asyncio.gather(*rounds, return_exceptions=True)
        for error in filter(None, errors):
            raise error

    def _pairs(self) -> list[Pair]:
        """The pairs to commit now. Pairs that are not committed must be put back."""
        return self._index.pairs(self._env().now)

    def _fitting(self, ticket: Ticket) -> int:
        """How many people who wait, or who came recently, fit this ticket."""
        return self._estimates.fitting(ticket, self._waiting.values(), self._env().now)

    def _expected_s(self, ticket: Ticket) -> float | None:
        """How long others with the same kind of wishes waited, in seconds. None if unknown."""
        return self._estimates.expected_s(ticket, self._env().now)

    async def _follow(self) -> None:
        feed = await self._feed()
        if feed is None:
            return
        if feed.changes and not feed.whole:
            await self._clock.sleep(GATHER_S)
            feed = await self._store.tickets(self._pool, self._cursor, 0)
        if feed.whole:
            self._waiting.clear()
            self._index = Pool(self._patience)
            self._delays.clear()
            self._came.clear()
        self._cursor = feed.cursor
        for change in feed.changes:
            if change.ticket is None:
                self._waiting.pop(change.person, None)
                self._index.remove(change.person)
            else:
                before = self._waiting.get(change.person)
                self._waiting[change.person] = change.ticket
                self._index.add(change.ticket)
                self._estimates.saw(change.ticket)
                if before is None or before.since != change.ticket.since:
                    self._came.append(change.ticket.since)
                    self._watch(change.ticket)
        self._adapt()

    def _adapt(self) -> None:
        """Adapt how long people wait for a better partner to how many come at present."""
        env = self._env()
        while self._came and env.now - self._came[0] > FLOW_S:
            self._came.popleft()
        patience = env.rules.patience * patience_in(len(self._came))
        if patience != self._patience:
            self._patience = patience
            self._index = Pool(patience)
            for ticket in self._waiting.values():
                self._index.add(ticket)

    async def _feed(self) -> TicketFeed | None:
        """News of the pool. None when it is time to tell somebody that their search takes long, or to stop."""
        now = self._env().now
        due_s = self._delays[0][0] - now if self._delays else WAIT_S
        widens_at = self._index.next_at()
        if widens_at is not None:
            # People who were put back are looked at again when the feed tells what has changed, or a little later.
            due_s = min(due_s, max(AGAIN_S, widens_at - now))
        wait_s = max(0.0, min(WAIT_S, due_s))
        feed = asyncio.ensure_future(self._store.tickets(self._pool, self._cursor, wait_s))
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((feed, stopped), return_when=asyncio.FIRST_COMPLETED)
            return feed.result() if feed.done() else None
        finally:
            for task in (feed, stopped):
                task.cancel()
            await asyncio.gather(feed, stopped, return_exceptions=True)

    def _watch(self, ticket: Ticket) -> None:
        """Remember when to tell a person how their search stands. Times before we had the pool are left out."""
        now = self._env().now
        for step, after_s in enumerate(DELAYED_AFTER_S):
            if ticket.since + after_s > now:
                heappush(self._delays, (ticket.since + after_s, ticket.person, step))
                return

    def _tell_of_delays(self) -> None:
        now = self._env().now
        while self._delays and self._delays[0][0] <= now:
            due, person, step = heappop(self._delays)
            ticket = self._waiting.get(person)
            if ticket is None or ticket.since + DELAYED_AFTER_S[step] != due:
                continue  # that search is over
            self._on_delay(ticket, self._fitting(ticket), self._expected_s(ticket))
            if step + 1 < len(DELAYED_AFTER_S):
                heappush(self._delays, (ticket.since + DELAYED_AFTER_S[step + 1], person, step + 1))

    async def _try(self, pair: Pair) -> None:
        """Pair two people. If a bug prevents that, set them aside until one does something; the others go on."""
        try:
            await self._bring_together(pair)
        except LiveStoreLost:
            raise
        except Exception as error:  # noqa: BLE001  # a bug ends one unit of work
            logs.failed("matcher.broken", error)
            for ticket in (pair.first, pair.second):
                self._waiting.pop(ticket.person, None)

    async def _bring_together(self, pair: Pair) -> None:
        """Pair two people if their searches have not changed. If one has, the feed brings the change."""
        one, other = [await self._still_waiting(ticket) for ticket in (pair.first, pair.second)]
        if one is None or other is None:
            self._put_back(pair)
            return
        decision = self._introduce(one, other, self._env())
        names = {one.person: one, other.person: other}
        state = decision.changes[0].state
        assert isinstance(state, Chatting), "people who are introduced are in a chat"
        if await self._settle(decision, names, lambda index: f"pair:{state.chat}:{index}"):
            metrics.PAIRS.add(self._pool)
            for ticket in (pair.first, pair.second):
                self._estimates.paired(ticket, state.opened_at)
                metrics.WAITED.observe(state.opened_at - ticket.since, self._pool)
        else:
            self._put_back(pair)

    def _put_back(self, pair: Pair) -> None:
        """Let both wait as before. If one of them has changed, the feed will bring that change."""
        for ticket in (pair.first, pair.second):
            if self._waiting.get(ticket.person) == ticket:
                self._index.add(ticket)

    async def _still_waiting(self, ticket: Ticket) -> Participant | None:
        facts = await self._store.load(ticket.person)
        if facts is None:
            return None
        state = facts.me.state
        return facts.me if isinstance(state, Searching) and state.ticket == ticket else None
