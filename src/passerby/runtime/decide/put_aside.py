"""Gives up work that cannot be done: because of a bug, or because it takes workers down."""

from collections.abc import Callable
from random import Random

from passerby.kernel.decision import Decision
from passerby.kernel.effect import Say
from passerby.kernel.event import MessageReceived, Refusal
from passerby.kernel.ids import UpdateRef
from passerby.kernel.participant import Participant
from passerby.kernel.text import text
from passerby.ports.clock import Clock
from passerby.ports.leases import Fenced, WorkerId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit
from passerby.runtime.backoff import persistently
from passerby.runtime.decide.commit_plan import plan_commit
from passerby.runtime.decide.committing import notice_namer
from passerby.runtime.decide.sending import EffectSender
from passerby.runtime.inbound.crashes import CRASH_HEARD_S, FATAL_CRASHES, crashes_of
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.membership.fencing import OwnLeases, write_refused
from passerby.telemetry import logs, metrics


class HopelessWork:
    """`finished` is called with updates that are done and stored as done. `shared`: there may be other workers."""

    def __init__(
        self,
        store: LiveStore,
        sender: EffectSender,
        leases: OwnLeases,
        finished: Callable[[tuple[UpdateRef, ...]], None],
        clock: Clock,
        rng: Random,
        worker: WorkerId,
        *,
        shared: bool,
    ) -> None:
        self._store = store
        self._sender = sender
        self._leases = leases
        self._finished = finished
        self._clock = clock
        self._rng = rng
        self._worker = worker
        self._shared = shared

    async def is_fatal(self, work: Work) -> bool:
        """Whether work has taken down as many workers as it may. Raises: LiveStoreLost.

        If there are several workers, the last one that it took down may not have reported yet. So work that has taken
        down any worker waits for that report.
        """
        if work.crashes < FATAL_CRASHES and self._shared:
            await self._clock.sleep(CRASH_HEARD_S)
            return await crashes_of(self._store, work.refs) >= FATAL_CRASHES
        return work.crashes >= FATAL_CRASHES

    async def put_aside(self, work: Work, why: Refusal) -> None:
        """Count the updates as done, and tell the sender that it was our fault."""
        event = work.event
        logs.record("event.put_aside", "error", kind=type(event).__name__, refusal=str(why), attempt=work.crashes)
        notices: tuple[Notice, ...] = ()
        if isinstance(event, MessageReceived):
            sentence = "chat.failed_fatal" if why is Refusal.FATAL else "chat.failed_broken"
            sorry = Decision(effects=(Say(event.person, text(sentence), reply_to=event.messages[0]),))
            people = {event.person: Participant(event.person, bot=event.bot)}
            notices = plan_commit(sorry, people, now=self._clock.now(), name=notice_namer(work)).notices
        metrics.DECISIONS.add("put_aside" if why is Refusal.BROKEN else "fatal")
        commit = Commit(outbox=notices, updates=work.refs, sent=work.sent, owner=self._worker, fences=work.fences)

        async def store() -> None:
            await self._store.commit(commit)

        try:
            await persistently(store, LiveStoreLost, self._clock, self._rng)
        except Fenced:
            await write_refused(self._leases, work.fences)
            return
        for notice in notices:
            self._sender.say(notice)
        self._finished(work.refs)
