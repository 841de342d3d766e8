"""One queue per person: the events of a person are decided on in order, one at a time.

Different people's queues run side by side. A queue exists while it is not empty. A newer edit or reaction replaces an
older one of the same message at the end of the queue (see `domain.newest`).

An album arrives as one update per item, without a count or an end mark. The queue joins it: items of one album that
follow each other are one event, and the queue waits a moment for late ones before it hands it on. Even later items are
events of their own.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from itertools import islice
from typing import Any

import msgspec

from passerby.domain.newest import is_more_of, together
from passerby.kernel.event import DeliveryFailed, Event, MessageReceived
from passerby.kernel.ids import PersonId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence
from passerby.ports.soon import Soon
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.tasks import Background
from passerby.runtime.waiting import event_within

ALBUM_ITEMS = 10
"""Source: Bot API, sendMediaGroup."""

MANY = 50
"""From this many on, undelivered messages of an ended chat share one notice, because single notices would take a
minute. Fewer get one notice each, so that their sender sees which messages they are."""

MOST_TOGETHER = 400
"""The most updates that one piece of work may settle, because a commit is one message to the store."""

SPARE = 32
"""How many empty queues are kept to be used again. Most exist for one event only."""

ITEM_WAIT_S = 0.8
"""If no further item comes for this long, an album counts as complete. Items come in one burst, but the next poll may
begin `polling.SAME_OFFSET_S` later; the rest is for the network and for items that are late."""


class Work(msgspec.Struct, frozen=True, gc=False):
    """An event, the updates that are done when it is, and the outbox entries that it settles.

    `fences` are the leases under which the updates were taken. If there is no update, `cause` names the reason of the
    event, so that two of the same kind differ. `taken_at` is when the first update was taken, in monotonic seconds.
    `parks`: its relays are parked in the commit of the decision. `behind`: earlier relays of the person may be on their
    way in another process. `crashes`: how many workers have ended while they worked on it.
    """

    event: Event
    refs: tuple[UpdateRef, ...] = ()
    sent: tuple[str, ...] = ()
    fences: tuple[Fence, ...] = ()
    cause: str = ""
    taken_at: float | None = None
    parks: bool = False
    behind: bool = False
    crashes: int = 0


Begin = Callable[[Work, int, int], Coroutine[Any, Any, None] | None]
"""Does one piece of work like `handle`, in this turn as far as nothing has to be waited for. Returns the rest; None if
there is none. Gets the number of the work, and of the newest one in its person's queue."""


class _PersonQueue:
    __slots__ = ("arrived", "items", "newest")

    def __init__(self) -> None:
        self.newest = 0
        """The number of the newest item. Numbers keep rising over all queues that a person has, one after another."""
        self.items: deque[tuple[Work, asyncio.Future[None] | None]] = deque()
        self.arrived: asyncio.Event | None = None


class PersonQueues:
    """`handle` does one piece of work completely and does not raise."""

    def __init__(
        self,
        handle: Callable[[Work], Coroutine[Any, Any, None]],
        background: Background,
        clock: Clock,
        recorder: FlightRecorder | None = None,
    ) -> None:
        self._handle = handle
        self._begin: Begin | None = None
        self._background = background
        self._clock = clock
        self._recorder = recorder or FlightRecorder()
        self._queues: dict[PersonId, _PersonQueue] = {}
        self._spare: list[_PersonQueue] = []
        self._highest = 0
        self._settling = Counter[str]()
        """The outbox entries of work that waits or is being handled."""

    def begin_with(self, begin: Begin) -> None:
        """Set who begins a piece of work."""
        self._begin = begin

    @property
    def busy(self) -> int:
        """How many people have events that wait or are being handled."""
        return len(self._queues)

    def put(self, work: Work, handled: asyncio.Future[None] | None = None) -> None:
        person = work.event.person
        if work.sent:
            self._settling.update(work.sent)
        queue = self._queues.get(person)
        if queue is not None:
            if handled is None and (last := self._at_the_end(work, queue)) is not None:
                queue.items[-1] = (last, None)
                return
            queue.items.append((work, handled))
            queue.newest += 1
            if queue.arrived is not None:
                queue.arrived.set()
            return
        queue = self._queues[person] = self._spare.pop() if self._spare else _PersonQueue()
        queue.newest = self._highest + 1
        queue.items.append((work, handled))
        if type(work.event) is DeliveryFailed:
            self._background.next_turn(self._go_on, person, queue)  # more of them may come in this turn
        else:
            self._go_on(person, queue)

    def waiting(self, person: PersonId) -> int:
        """How many of a person's events wait for a decision."""
        queue = self._queues.get(person)
        return len(queue.items) if queue is not None else 0

    def newest(self, person: PersonId) -> int:
        """Return the number of the newest event in a person's queue; 0 if there is no queue."""
        queue = self._queues.get(person)
        return queue.newest if queue is not None else 0

    def current(self, person: PersonId) -> int:
        """Return the number of the event that is being handled."""
        queue = self._queues.get(person)
        return queue.newest - len(queue.items) if queue is not None else 0

    def has(self, person: PersonId) -> bool:
        """Whether an event of this person waits or is being decided on."""
        return person in self._queues

    def settles(self, entry: str) -> bool:
        """Whether work that waits or is being handled settles this entry of the outbox."""
        return entry in self._settling

    def repeats(self, event: Event) -> bool:
        """Whether an event would replace the one at the end of its person's queue."""
        queue = self._queues.get(event.person)
        return queue is not None and bool(queue.items) and together(queue.items[-1][0].event, event) is not None

    def _at_the_end(self, work: Work, queue: _PersonQueue) -> Work | None:
        """The last work in the queue merged with this one; None if they cannot be merged."""
        last, handled = queue.items[-1] if queue.items else (None, None)
        if last is None or handled is not None or last.fences != work.fences:
            return None
        event = together(last.event, work.event)
        if event is None or last.parks or last.sent or work.sent or last.crashes or work.crashes:
            return None
        if len(last.refs) + len(work.refs) > MOST_TOGETHER:
            return None
        return msgspec.structs.replace(last, event=event, refs=last.refs + work.refs, behind=last.behind or work.behind)

    async def run(self, work: Work) -> None:
        """Put it into its queue, and wait until it has been handled."""
        handled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.put(work, handled)
        await handled

    def _go_on(self, person: PersonId, queue: _PersonQueue) -> None:
        """Handle the events of a queue, in this turn, until one of them has to wait. Its end goes on with the next.

        Meanwhile the queue is there, so later events of this person wait behind it.
        """
        items = queue.items
        while items:
            work, handled = items.popleft()
            event = work.event
            if type(event) is DeliveryFailed:
                work = self._sum_up(work, event, queue)
                handling = self._handle(work)
            elif type(event) is MessageReceived and event.contents[0].group is not None and not work.parks:
                handling = self._handle_album(work, event, queue)
            elif self._begin is None:
                handling = self._handle(work)
            else:
                is_outer = self._recorder.enter(work.refs)
                try:
                    rest = self._begin(work, queue.newest - len(items), queue.newest)
                finally:
                    if is_outer:
                        self._recorder.leave()
                if rest is None:
                    if work.sent or handled is not None:
                        self._is_handled(work, handled)
                    continue
                handling = rest
            end = self._background.begin(handling, work.refs)
            if not end.is_done:
                end.then(partial(self._ended, person, queue, work, handled))
                return
            self._note(end, work, handled)
        del self._queues[person]
        if queue.newest > self._highest:
            self._highest = queue.newest
        if len(self._spare) < SPARE:
            self._spare.append(queue)

    def _ended(
        self,
        person: PersonId,
        queue: _PersonQueue,
        work: Work,
        handled: asyncio.Future[None] | None,
        end: Soon[None],
    ) -> None:
        self._note(end, work, handled)
        self._go_on(person, queue)

    def _note(self, end: Soon[None], work: Work, handled: asyncio.Future[None] | None) -> None:
        """An event has been handled; or not, because of a bug."""
        self._is_handled(work, handled)
        if end.error is not None:
            self._background.report(end.error)

    def _is_handled(self, work: Work, handled: asyncio.Future[None] | None) -> None:
        if work.sent:
            self._forget_entries(work)
        if handled is not None and not handled.done():
            handled.set_result(None)

    def _forget_entries(self, work: Work) -> None:
        for entry in work.sent:
            self._settling[entry] -= 1
            if not self._settling[entry]:
                del self._settling[entry]

    async def _handle_album(self, first: Work, event: MessageReceived, queue: _PersonQueue) -> None:
        work = await self._gather(first, event, queue)
        await self._recorder.follow(self._handle(work), work.refs)

    def _sum_up(self, first: Work, event: DeliveryFailed, queue: _PersonQueue) -> Work:
        """Combine it with the other undelivered messages of the same chat, if there are many."""
        more: list[Work] = []
        for work, handled in islice(queue.items, MOST_TOGETHER):
            if handled is not None or work.fences != first.fences or not is_more_of(event, work.event):
                break
            more.append(work)
        if len(more) + 1 < MANY:
            return first
        for _ in more:
            queue.items.popleft()
        return msgspec.structs.replace(
            first,
            event=msgspec.structs.replace(event, count=len(more) + 1),
            refs=first.refs + tuple(ref for work in more for ref in work.refs),
            sent=first.sent + tuple(entry for work in more for entry in work.sent),
        )

    async def _gather(self, first: Work, event: MessageReceived, queue: _PersonQueue) -> Work:
        """Join the items of an album that follow each other in the queue."""
        group, items, refs, crashes = event.contents[0].group, [event], list(first.refs), first.crashes
        queue.arrived = asyncio.Event()
        try:
            while len(items) < ALBUM_ITEMS:
                if not queue.items:
                    queue.arrived.clear()
                    if not await event_within(queue.arrived, ITEM_WAIT_S):
                        break
                work, _ = queue.items[0]
                following = work.event
                if (
                    not isinstance(following, MessageReceived)
                    or following.contents[0].group != group
                    or following.bot != event.bot
                    or work.fences != first.fences
                    or work.parks
                ):
                    break
                queue.items.popleft()
                self._forget_entries(work)
                items.append(following)
                refs.extend(work.refs)
                crashes = max(crashes, work.crashes)
        finally:
            queue.arrived = None
        return Work(joined(items), tuple(refs), first.sent, first.fences, taken_at=first.taken_at, crashes=crashes)


def joined(items: Iterable[MessageReceived]) -> MessageReceived:
    """Return the items of an album, given in any order, as one message."""
    ordered = sorted(items, key=lambda item: item.messages[0])
    return msgspec.structs.replace(
        ordered[0],
        messages=tuple(item.messages[0] for item in ordered),
        contents=tuple(item.contents[0] for item in ordered),
    )
