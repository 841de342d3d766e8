"""Handles one event from a person's queue: load the facts, decide, commit, hand the effects to the courier.

If another decision has changed the facts meanwhile, the decision is *stale* and is made again on new ones. If a bug
stops an event, it is tried a few times and then put aside with a notice to its sender, so that the person's next event
is handled. While a store is away nothing is given up: the event waits, its update stays unconfirmed, and Telegram keeps
it.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from random import Random
from typing import Any, Final

import msgspec

from passerby.kernel.decision import Decision, Env
from passerby.kernel.event import ButtonPressed, Event, MessageEdited, Refusal
from passerby.kernel.ids import PersonId, UpdateRef
from passerby.kernel.participant import Participant, Searching
from passerby.ports.clock import Clock
from passerby.ports.leases import Fenced
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit, Committed
from passerby.ports.records import RecordsLost
from passerby.runtime.backoff import Backoff, steady
from passerby.runtime.decide.commit_plan import CommitPlan, participants_in
from passerby.runtime.decide.committing import Committer, Unanswered, notice_prefix
from passerby.runtime.decide.conduct_notes import ConductNotes
from passerby.runtime.decide.edits import Edits
from passerby.runtime.decide.loading import FactsLoader
from passerby.runtime.decide.parking import Parking
from passerby.runtime.decide.put_aside import HopelessWork
from passerby.runtime.decide.readings import Reading
from passerby.runtime.decide.router import Router
from passerby.runtime.decide.sending import EffectSender
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.inbound.person_queues import PersonQueues, Work
from passerby.runtime.membership.fencing import OwnLeases, write_refused
from passerby.telemetry import logs, metrics

BUG_TRIES = 5
BUGGY = Backoff(0.2, 0.8, 0.0, 1.0)
STALE_TRIES = 50
"""How often a decision may be stale in a row. If two people press everything at once, it happens a few times; this many
times means a bug."""

STALE_PAUSE = Backoff(0.004, 0.1, 0.0, 1.0)
AWAY = steady(0.5, 0.5, 1.5)

# Looking a member up in its class costs as much as a call of a function.
_YES: Final = Committed.YES
_STALE: Final = Committed.STALE
_ALREADY_DONE: Final = Committed.ALREADY_DONE
_STORED: Final = metrics.DECISIONS.of("stored")
_REPEATED: Final = metrics.DECISIONS.of("already_done")


class _Decided(msgspec.Struct, frozen=True, gc=False):
    """A decision on an event, made at a time in Unix seconds, and what is stored and sent for it. `number` is the
    event's in its person's queue."""

    event: Event
    number: int
    reading: Reading
    decision: Decision
    at: float
    plan: CommitPlan


class EventHandler:
    """`finished` is called with updates that are done and stored as done. `owe` is called with each notice that is
    stored now and sent later."""

    def __init__(
        self,
        *,
        router: Router,
        loader: FactsLoader,
        committer: Committer,
        sender: EffectSender,
        parking: Parking,
        hopeless: HopelessWork,
        person_queues: PersonQueues,
        leases: OwnLeases,
        env: Callable[[], Env],
        finished: Callable[[tuple[UpdateRef, ...]], None],
        owe: Callable[[Notice], None],
        conduct_notes: ConductNotes,
        faults: logs.Faults,
        clock: Clock,
        rng: Random,
    ) -> None:
        self._router = router
        self._loader = loader
        self._committer = committer
        self._sender = sender
        self._parking = parking
        self._hopeless = hopeless
        self._person_queues = person_queues
        self._leases = leases
        self._env = env
        self._finished = finished
        self._owe = owe
        self._conduct_notes = conduct_notes
        self._faults = faults
        self._clock = clock
        self._rng = rng
        self._edits = Edits()

    def begin(self, work: Work, number: int, newest: int) -> Coroutine[Any, Any, None] | None:
        """Do one piece of work, in this turn as far as nothing has to be waited for. Returns the rest; None if there is
        none, as for most relays. Raises nothing."""
        fences = work.fences
        if work.crashes or not (self._leases.holds(fences[0]) if len(fences) == 1 else self._holds(work)):
            return self.handle(work)
        try:
            first = self._at_hand(work, number, newest)
        except Exception as error:  # noqa: BLE001  # `handle` is the supervisor
            first = _raising(error)
        if first is not None:
            return self.handle(work, first)
        if self._faults.known:
            self._faults.over("store", "store.back")
        return None

    async def handle(self, work: Work, first: Coroutine[Any, Any, None] | None = None) -> None:
        """Do one piece of work. Raises nothing but cancellation. `first`: the rest of a try that was begun."""
        bugs = unanswered = 0
        while True:
            if not self._holds(work):
                return  # the bot was handed over; its next holder gets the update again
            try:
                if unanswered:
                    await self._recover(work)
                if work.crashes:
                    is_fatal = await self._hopeless.is_fatal(work)
                    if not self._holds(work):
                        return  # it was handed over while this waited, and may have been put aside
                    if is_fatal:
                        await self._hopeless.put_aside(work, Refusal.FATAL)
                        return
                trying, first = first or self._decide(work, unanswered), None
                await trying
            except Fenced:
                await write_refused(self._leases, work.fences)
            except (LiveStoreLost, RecordsLost) as error:
                if isinstance(error, Unanswered):
                    unanswered += 1
                    if unanswered == 1:
                        continue  # at once, so that later notices to the same people do not overtake it
                self._faults.began("store", "store.lost", **logs.fields_of(error))
                await self._clock.sleep(AWAY.pause_s(1, self._rng))
            except Exception as error:  # noqa: BLE001  # the supervisor: a bug ends one unit of work
                bugs += 1
                logs.failed("event.broken", error, kind=type(work.event).__name__, attempt=bugs)
                if bugs >= BUG_TRIES:
                    await self._hopeless.put_aside(work, Refusal.BROKEN)
                    return
                await self._clock.sleep(BUGGY.pause_s(bugs, self._rng))
            else:
                self._faults.over("store", "store.back")
                return

    def _holds(self, work: Work) -> bool:
        held = [self._leases.holds(fence) for fence in work.fences]
        return all(held)

    async def _recover(self, work: Work) -> None:
        """A commit of this work was not answered. If it was stored after all, send its notices now, in their turn."""
        prefix = f"{notice_prefix(work)}:"
        await self._sender.find_again(lambda entry: entry.id.startswith(prefix))

    def _at_hand(self, work: Work, number: int, newest: int) -> Coroutine[Any, Any, None] | None:
        """Decide and send, if the facts are at hand and nothing has to be stored. Otherwise returns the rest."""
        event = work.event
        if type(event) is ButtonPressed:
            event = self._edits.as_edited(event)
        read = self._loader.read(event, number, newest)
        if type(read) is not Reading:
            return self._decide(work, 0, read=read)
        decided = self._decided(work, event, number, read, 0)
        if decided.plan.commit is not None:
            return self._decide(work, 0, decided=decided)
        if parks := self._send(work, decided, _YES):
            return self._park(work, decided, parks)
        if number < newest or not decided.plan.relay_effects:
            self._conclude(work, decided, _YES)
        return None

    async def _decide(
        self,
        work: Work,
        unanswered: int,
        *,
        read: Reading | Coroutine[Any, Any, Reading] | None = None,
        decided: _Decided | None = None,
    ) -> None:
        """Load, decide, commit and send; again while the decision is stale. `read` and `decided`: what has been done
        of this."""
        event = self._edits.as_edited(work.event)
        number = self._person_queues.current(event.person)
        for tries in range(STALE_TRIES):
            if decided is None:
                read = read or self._loader.read(event, number, self._person_queues.newest(event.person))
                reading = read if isinstance(read, Reading) else await read
                decided = self._decided(work, event, number, reading, unanswered)
            commit = decided.plan.commit
            committed = await self._committer.store(commit) if commit is not None else _YES
            if committed is _STALE:
                metrics.DECISIONS.add("stale")
                if tries:  # a random pause, so that two people do not keep step
                    await self._clock.sleep(STALE_PAUSE.pause_s(tries, self._rng))
                read = decided = None
                continue
            if parks := self._send(work, decided, committed):
                await self._sender.park(parks)
            self._conclude(work, decided, committed)
            return
        raise AssertionError("stale without end")

    def _decided(self, work: Work, event: Event, number: int, reading: Reading, unanswered: int) -> _Decided:
        facts = reading.facts
        env = self._env()
        decision = self._router.decide(reading.decider, event, facts, env)
        plan = self._committer.plan(decision, facts, work, unanswered)
        if work.parks and plan.relay_effects:
            plan = self._parked_at_once(plan, work)
        return _Decided(event, number, reading, decision, env.now, plan)

    def _send(self, work: Work, decided: _Decided, committed: Committed) -> Sequence[Delivery]:
        """Send the effects of a stored decision. Returns relays that must be parked before they are sent."""
        event, reading, decision, plan = decided.event, decided.reading, decided.decision, decided.plan
        for notice in plan.owed:
            self._owe(notice)
        (_STORED if committed is _YES else _REPEATED).n += 1
        if committed is not _YES:
            return ()
        if decision.changes and isinstance(event, MessageEdited):
            self._edits.note(event)
        if plan.commit is not None:
            _count_searches(plan.commit, participants_in(reading.facts))
        self._conduct_notes.decided(event, reading.facts, decision, decided.at)
        return self._sender.send(plan, work, reading)

    async def _park(self, work: Work, decided: _Decided, parks: Sequence[Delivery]) -> None:
        await self._sender.park(parks)
        self._conclude(work, decided, _YES)

    def _conclude(self, work: Work, decided: _Decided, committed: Committed) -> None:
        if not decided.plan.relay_effects or committed is _ALREADY_DONE:
            self._finished(work.refs)
        if not decided.decision.changes:
            self._loader.keep(decided.event, decided.number, decided.reading)

    def _parked_at_once(self, plan: CommitPlan, work: Work) -> CommitPlan:
        """Put the relay effects into the outbox with the commit, which then makes the updates done."""
        assert plan.commit is not None, "work that parks has outbox entries to settle"
        parked = self._parking.entries_of(plan.relay_effects, work.refs)
        commit = msgspec.structs.replace(plan.commit, outbox=(*plan.commit.outbox, *parked), updates=work.refs)
        return msgspec.structs.replace(plan, commit=commit)


async def _raising(error: Exception) -> None:
    raise error


def _count_searches(commit: Commit, before: Mapping[PersonId, Participant]) -> None:
    for put in commit.puts:
        if isinstance(put.state, Searching) and not isinstance(before[put.person].state, Searching):
            metrics.SEARCHES.add(put.state.ticket.pool)
