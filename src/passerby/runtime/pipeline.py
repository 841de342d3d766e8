"""One event from its lane to its end: load the facts, decide, settle, hand the effects to the courier.

And the way back: what became of a parcel is written down here, and where it failed it becomes an event of its sender.

A decision whose facts have been overtaken is made again on fresh ones. An event that cannot be carried through because
of a bug is tried a few times and then put aside with a word to its sender, so that the same person's next one goes on.
While a store is away nothing is given up: the event waits, its update stays unconfirmed, and Telegram keeps it for us.
"""

from collections.abc import Callable
from random import Random

import msgspec

from passerby import logs
from passerby.kernel.decision import Decision, Env, Facts, Rules
from passerby.kernel.effect import Discard, Erase, Say
from passerby.kernel.event import (
    BotBlocked,
    BotLost,
    ButtonPressed,
    DeliveryFailed,
    Event,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
    Refusal,
)
from passerby.kernel.ids import NOWHERE, MessageId, MessageRef, PersonId, UpdateRef
from passerby.kernel.participant import Participant
from passerby.kernel.text import text
from passerby.ports.clock import Clock
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import Anchor, Commit, Committed, LiveStore, LiveStoreLost, Mark, Notice, Parked
from passerby.ports.records import Records, RecordsLost
from passerby.runtime.courier import RELAY_TTL_S, Courier, Parcel, persistently
from passerby.runtime.lanes import Lanes, Work
from passerby.runtime.passages import ATTEMPTS, copies, subject
from passerby.runtime.router import Router
from passerby.runtime.sealing import Sealer
from passerby.runtime.settle import Settlement, weigh

BUG_TRIES = 5
STALE_TRIES = 50
"""Overtaken so often in a row means a bug; two people pressing everything at once overtake each other a few times."""

AWAY_PAUSE_S = 0.5


class Pipeline:
    """`finished` is told of the updates that are done and stored as such."""

    def __init__(
        self,
        store: LiveStore,
        records: Records,
        router: Router,
        courier: Courier,
        sealer: Sealer,
        clock: Clock,
        rng: Random,
        rules: Rules,
        finished: Callable[[tuple[UpdateRef, ...]], None],
        worker: WorkerId,
    ) -> None:
        self._store = store
        self._records = records
        self._router = router
        self._courier = courier
        self._sealer = sealer
        self._clock = clock
        self._rng = rng
        self._rules = rules
        self._finished = finished
        self._worker = worker
        self._faults = logs.Faults()
        self.lanes: Lanes
        """Set by whoever wires the runtime."""

    def env(self) -> Env:
        return Env(self._clock.now(), self._rng, self._rules)

    # ------------------------------------------------------------------ the way in

    async def handle(self, work: Work) -> None:
        """Carry one piece of work through. Raises nothing but cancellation."""
        bugs = 0
        while True:
            try:
                await self._carry_through(work)
            except (LiveStoreLost, RecordsLost) as error:
                self._faults.began("store", "store.lost", error=logs.name_of(error))
                await self._clock.sleep(AWAY_PAUSE_S * self._rng.uniform(0.5, 1.5))
            except Exception as error:  # noqa: BLE001  # the supervised place: a bug ends one unit of work
                bugs += 1
                logs.failed("pipeline.broken", error, kind=type(work.event).__name__, attempt=bugs)
                if bugs >= BUG_TRIES:
                    await self._put_aside(work)
                    return
            else:
                self._faults.over("store", "store.back")
                return

    async def _carry_through(self, work: Work) -> None:
        event = work.event
        for _ in range(STALE_TRIES):
            facts = await self._facts(event)
            decision = self._router.decide(event, facts, self.env())
            before = {facts.me.person: facts.me}
            if facts.partner is not None:
                before[facts.partner.person] = facts.partner
            settlement = weigh(
                decision, before, now=self._clock.now(), name=_namer(work), refs=work.refs, sent=work.sent
            )
            committed = await self._commit(settlement)
            if committed is Committed.STALE:
                continue
            if committed is Committed.YES:
                self._send(settlement, event, facts.me.profile.language, work.refs)
            if not settlement.passages or committed is Committed.ALREADY_DONE:
                self._finished(work.refs)
            return
        raise AssertionError("overtaken without end")

    async def _commit(self, settlement: Settlement) -> Committed:
        if settlement.commit is None:
            return Committed.YES
        return await self._store.commit(msgspec.structs.replace(settlement.commit, owner=self._worker))

    def _send(self, settlement: Settlement, event: Event, language: str, refs: tuple[UpdateRef, ...]) -> None:
        for chat in settlement.ended:
            self._courier.drop(chat)
        for courtesy in settlement.courtesies:
            self._courier.oblige(courtesy, event.bot, language)
        for notice in settlement.notices:
            self._courier.say(notice)
        for passage, bot in settlement.passages:
            self._courier.pass_on(passage, bot, refs)

    async def settle(self, decision: Decision, before: dict[PersonId, Participant], name: Callable[[int], str]) -> bool:
        """Settle a decision that no event of one person caused: a pairing. Returns whether it was stored."""
        settlement = weigh(decision, before, now=self._clock.now(), name=name)
        if await self._commit(settlement) is not Committed.YES:
            return False
        for notice in settlement.notices:
            self._courier.say(notice)
        return True

    async def _facts(self, event: Event) -> Facts:
        person, about = event.person, _about(event)
        facts = await self._store.load(person, about)
        if facts is None:
            known = await self._records.people((person,))
            if known:
                await self._store.adopt(tuple(known.values()))
                facts = await self._store.load(person, about)
        return facts if facts is not None else Facts(Participant(person))

    async def _put_aside(self, work: Work) -> None:
        """Nothing helps: the updates count as done, and whoever sent them hears that it was our fault."""
        event = work.event
        logs.record("pipeline.put_aside", "error", kind=type(event).__name__)
        notices: tuple[Notice, ...] = ()
        if isinstance(event, MessageReceived):
            sorry = Decision(effects=(Say(event.person, text("chat.failed_broken"), reply_to=event.messages[0]),))
            sender = {event.person: Participant(event.person, bot=event.bot)}
            notices = weigh(sorry, sender, now=self._clock.now(), name=_namer(work)).notices
        commit = Commit(outbox=notices, updates=work.refs, sent=work.sent, owner=self._worker)

        async def store() -> None:
            await self._store.commit(commit)

        await persistently(store, LiveStoreLost, self._clock, self._rng)
        for notice in notices:
            self._courier.say(notice)
        self._finished(work.refs)

    # ------------------------------------------------------------------ the way back (courier.Outcomes)

    async def delivered(self, parcel: Parcel, messages: tuple[MessageId, ...]) -> None:
        await self._close(parcel)
        mark = self._mark(parcel, messages)

        async def store() -> None:
            await self._store.mark(mark)

        try:
            await self._store.mark(mark)
        except LiveStoreLost:
            await persistently(store, LiveStoreLost, self._clock, self._rng)
        self._finished(parcel.refs)
        erased = parcel.passage
        if isinstance(erased, Erase):
            self._courier.oblige(Discard(erased.sender, erased.tidy), erased.source.bot, "")

    async def _close(self, parcel: Parcel) -> None:
        """From here on the parcel is not parked any more; one that is being parked just now gets there first."""
        parcel.over = True
        if parcel.lock.locked():
            async with parcel.lock:
                pass

    def _mark(self, parcel: Parcel, messages: tuple[MessageId, ...]) -> Mark:
        passage = parcel.passage
        sent = (parcel.id,) if passage is None or parcel.parked else ()
        if passage is not None:
            return Mark(parcel.refs, sent, passage.chat, copies(passage, parcel.through, messages))
        notice = parcel.notice
        if notice is not None and notice.anchors is not None:
            at = MessageRef(parcel.bot, messages[0]) if messages else NOWHERE
            return Mark(sent=sent, anchor=Anchor(notice.anchors, parcel.person, at))
        return Mark(sent=sent)

    async def failed(self, parcel: Parcel, refusal: Refusal) -> None:
        """A parcel has ended undelivered: the records of it go, and who must know is told by an event."""
        if refusal is Refusal.UNREACHABLE:
            await self.lanes.run(Work(BotBlocked(parcel.person, parcel.bot, parcel.tried_at)))
        elif refusal is Refusal.BOT_LOST:
            await self.lanes.run(Work(BotLost(parcel.person, parcel.bot)))
        passage = parcel.passage
        if passage is None:
            await self.delivered(parcel, ())
            return
        await self._close(parcel)
        about, attempt = subject(passage), ATTEMPTS[type(passage)]
        event = DeliveryFailed(
            passage.sender, about.bot, about.message, passage.chat, passage.to, parcel.bot, refusal, attempt
        )
        if parcel.parked:  # then its updates are done already, and what is left to settle is the outbox
            self.lanes.put(Work(event, sent=(parcel.id,)))
        else:
            self.lanes.put(Work(event, parcel.refs))

    # ------------------------------------------------------------------ parking

    async def park_overdue(self) -> None:
        """Seal passages that take long into the outbox, so that their updates no longer hold the queue up."""
        for parcel in self._courier.overdue():
            passage = parcel.passage
            assert passage is not None, "only passages are parked"
            expires_at = self._clock.now() + RELAY_TTL_S
            refs = parcel.refs  # more may come while the store is busy; those are done when it is delivered
            sealed = self._sealer.seal(passage, refs)
            entry = Parked(parcel.id, passage.chat, passage.to, parcel.bot, sealed, expires_at)
            async with parcel.lock:
                if not parcel.over and not self._courier.settles_before(parcel):
                    stored = await self._store.commit(Commit(outbox=(entry,), updates=refs, owner=self._worker))
                    parcel.parked = stored is Committed.YES
                    self._finished(refs)

    async def resume(self) -> None:
        """Take up what an earlier process left in the outbox."""
        for outgoing in await self._store.inherit(self._worker):
            if isinstance(outgoing, Notice):
                self._courier.say(outgoing)
                continue
            parked = self._sealer.open(outgoing.sealed)
            left_s = outgoing.expires_at - self._clock.now()
            if parked is None:
                logs.record("pipeline.unreadable", "error", reason="parked with another SECRET_KEY")
                await self._store.mark(Mark(sent=(outgoing.id,)))
            else:
                self._courier.resume(parked.passage, outgoing.bot, parked.refs, outgoing.id, left_s)


def _about(event: Event) -> MessageRef | None:
    """The message that an event refers to, whose counterpart the decision may need."""
    match event:
        case MessageReceived(bot=bot, reply_to=int(message)):
            return MessageRef(bot, message)
        case MessageEdited(bot=bot, message=message) | ReactionChanged(bot=bot, message=message):
            return MessageRef(bot, message)
        case ButtonPressed(subject=MessageReceived(bot=bot, messages=(message, *_))):
            return MessageRef(bot, message)
        case _:
            return None


def _namer(work: Work) -> Callable[[int], str]:
    """Names for the notices of one piece of work; the same when it is done again."""
    event = work.event
    if isinstance(event, DeliveryFailed):
        prefix = f"failed:{event.bot}:{event.message}"
    elif work.refs:
        prefix = f"{work.refs[0].bot}:{work.refs[0].update}"
    else:
        prefix = f"{type(event).__name__}:{event.bot}:{event.person}"
    return lambda index: f"{prefix}:{index}"
