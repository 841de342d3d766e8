"""Albums from webhooks. Telegram delivers an album one item at a time, to any process, without an end mark.

If a bot is polled, the items of an album come in one burst to one process, and its queue joins them. With webhooks,
Telegram waits for the answer to one item before it delivers the next. If we kept an item's request open until its
delivery, the next item could never come. So each item is *stored*: sealed into the outbox, as part of its person's
trail, in the commit that makes its update done. Then the request is answered. The album is sent when

    - no further item has come for ITEM_WAIT_S. Every process that got one of its items checks this, so one may die;
    - its last possible item has come;
    - its person does something else, because then Telegram has no more items. The process that receives that update
      sends the album first.

So several processes may try to send it, and the first commit wins: an album has a done mark of its own, under a number
that no update has. The same commit removes the items from the outbox and parks the relay there. If another process
added an item meanwhile, that item stays and becomes an album of its own.

A parked relay leaves a *marker* in the trail. While there is one, any process that gets an update of this person knows
that a relay of theirs may be on its way elsewhere. It then parks the relays of this update before it sends them,
because entries of the outbox keep their order over all processes.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from passerby.kernel.event import Event, MessageReceived
from passerby.kernel.ids import PersonId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.participants import Commit
from passerby.ports.telegram import Arrival
from passerby.ports.trails import Trail, trail_of
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.inbound.crashes import crashes_of
from passerby.runtime.inbound.person_queues import ALBUM_ITEMS, PersonQueues, Work, joined
from passerby.runtime.tasks import Background
from passerby.runtime.waiting import event_within
from passerby.telemetry import logs

ITEM_WAIT_S = 0.8
"""Longer than the next item needs: Telegram gets our answer to the previous one, sends it, and it is stored."""

KEPT_S = 24 * 3600.0
"""How long the store keeps an item. The first process that can send it does so within seconds."""

_ITEM = "item:"
_MARKER = "marker:"


def parked_marker(sender: PersonId, refs: Sequence[UpdateRef], expires_at: float) -> Trail:
    """Return the trail entry for a relay that is parked. `refs` are its updates."""
    return Trail(marker_id(refs), trail_of(sender), refs[0].bot, expires_at)


def marker_id(refs: Sequence[UpdateRef]) -> str:
    return f"{_MARKER}{refs[0].bot}:{refs[0].update}"


def is_item(event: Event) -> bool:
    return isinstance(event, MessageReceived) and event.contents[0].group is not None


class Albums:
    """`uncertain` is called when a commit got no answer."""

    def __init__(
        self,
        store: LiveStore,
        sealer: Sealer,
        person_queues: PersonQueues,
        background: Background,
        clock: Clock,
        worker: WorkerId,
        uncertain: Callable[[], None],
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._person_queues = person_queues
        self._background = background
        self._clock = clock
        self._worker = worker
        self._uncertain = uncertain
        self._watched: dict[PersonId, _Watch] = {}

    @property
    def waiting(self) -> int:
        """How many people have an album here that is not complete."""
        return len(self._watched)

    def is_known(self, entry: str) -> bool:
        """Whether an entry of the outbox is the marker of a relay, or an item that this process watches."""
        return entry.startswith(_MARKER) or any(entry in watch.items for watch in self._watched.values())

    async def store_item(self, arrival: Arrival, trail: Iterable[Trail]) -> None:
        """Store an item, so that its update is done. `trail` is what was there before. Raises: LiveStoreLost."""
        event, ref = arrival.event, arrival.ref
        assert isinstance(event, MessageReceived), "only messages are items of albums"
        item = Trail(
            f"{_ITEM}{ref.bot}:{ref.update}",
            trail_of(event.person),
            ref.bot,
            self._clock.now() + KEPT_S,
            event.contents[0].group or "",
            self._sealer.seal_item(event, ref),
        )
        others = [each for each in trail if each.sealed and (each.bot, each.group) != (item.bot, item.group)]
        if others:
            await self._send(others)
        try:
            await self._store.commit(Commit(outbox=(item,), updates=(ref,), owner=self._worker))
        except LiveStoreLost:
            self._uncertain()
            raise
        self._watch(event.person, *(each.id for each in trail if each.sealed), item.id)

    def watch(self, trail: Iterable[Trail]) -> None:
        """Make sure that the items in `trail` are sent. Called if their update came again, or their process is gone."""
        for entry in trail:
            if entry.sealed:
                self._watch(entry.person, entry.id)

    async def send_stored(self, person: PersonId, trail: Sequence[Trail]) -> bool:
        """Send this person's stored items, because they have done something else. Raises: LiveStoreLost.

        Returns whether a relay of theirs may be on its way in another process.
        """
        while items := [each for each in trail if each.sealed]:
            await self._send(items)
            trail = await self._store.trail(person)
        now = self._clock.now()
        expired = tuple(each.id for each in trail if each.expires_at < now)
        if expired:
            await self._store.mark(Mark(sent=expired))
        return len(trail) > len(expired)

    def _watch(self, person: PersonId, *items: str) -> None:
        watch = self._watched.get(person)
        if watch is None:
            watch = self._watched[person] = _Watch()
            self._background.spawn(self._until_sent(person, watch))
        watch.items.update(items)
        watch.heard_at = self._clock.monotonic()
        watch.arrivals += 1
        if len(watch.items) >= ALBUM_ITEMS:
            watch.full.set()

    async def _until_sent(self, person: PersonId, watch: "_Watch") -> None:
        try:
            while True:
                left_s = watch.heard_at + ITEM_WAIT_S - self._clock.monotonic()
                if left_s > 0 and len(watch.items) < ALBUM_ITEMS:
                    await self._pause(watch, left_s)
                    continue
                arrivals = watch.arrivals
                try:
                    found = [each for each in await self._store.trail(person) if each.sealed]
                except LiveStoreLost:
                    await self._clock.sleep(ITEM_WAIT_S)
                    continue
                names = {each.id for each in found}
                if names - watch.items and len(names) < ALBUM_ITEMS:
                    watch.items |= names
                    watch.heard_at = self._clock.monotonic()  # other processes have got more items
                elif found:
                    await self._send(found)
                    watch.items -= names
                elif watch.arrivals == arrivals:
                    return
        finally:
            del self._watched[person]

    async def _pause(self, watch: "_Watch", pause_s: float) -> None:
        """Wait for `pause_s`, or until the album is as long as albums can be."""
        watch.full.clear()
        await event_within(watch.full, pause_s)

    async def _send(self, items: Sequence[Trail]) -> None:
        """Decide on stored items, album by album. Returns when each decision is stored, by any process."""
        for _, album in groupby(items, lambda each: (each.bot, each.group)):
            entries, opened = tuple(album), list[tuple[MessageReceived, UpdateRef]]()
            for entry in entries:
                item = self._sealer.open_item(entry.sealed)
                if item is not None:
                    opened.append((item.event, item.ref))
            if len(opened) < len(entries):
                logs.record("albums.unreadable", "error", reason="stored with another SECRET_KEY")
            names = tuple(each.id for each in entries)
            if not opened:
                await self._store.mark(Mark(sent=names))
                continue
            refs = tuple(ref for _, ref in opened)
            own = UpdateRef(refs[0].bot, ~refs[0].update)  # negative: no update has this number
            crashes = await crashes_of(self._store, refs)
            whole = joined([event for event, _ in opened])
            await self._person_queues.run(Work(whole, (own, *refs), names, parks=True, crashes=crashes))


class _Watch:
    """The stored items of one person, as far as this process knows, and when the last of them came."""

    __slots__ = ("arrivals", "full", "heard_at", "items")

    def __init__(self) -> None:
        self.items: set[str] = set()
        self.heard_at = 0.0
        self.arrivals = 0
        """How often an item came."""
        self.full = asyncio.Event()
