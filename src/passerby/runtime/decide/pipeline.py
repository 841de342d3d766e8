"""One event from its queue to its end: load the facts, decide, settle, hand the effects to the courier.

And the way back: what became of a delivery is written down here, and where it failed it becomes an event of its sender.

A decision whose facts have been overtaken is made again on fresh ones. An event that cannot be carried through because
of a bug is tried a few times and then put aside with a word to its sender, so that the same person's next one goes on.
While a store is away nothing is given up: the event waits, its update stays unconfirmed, and Telegram keeps it for us.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from itertools import groupby
from random import Random

import msgspec

from passerby.kernel.decision import UNMAPPED, Decision, Env, Facts, Places
from passerby.kernel.effect import Discard, Relay, RelayDelete, RelayEffect, Say
from passerby.kernel.event import (
    BotBlocked,
    BotLost,
    ButtonPressed,
    ChatIdle,
    DeliveryFailed,
    Event,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
    Refusal,
    SearchDelayed,
    Unusable,
)
from passerby.kernel.ids import NOWHERE, BotId, MessageId, MessageRef, PersonId, UpdateRef, search_of
from passerby.kernel.participant import Chatting, Participant, Searching
from passerby.kernel.rules import Rules
from passerby.kernel.text import text
from passerby.ports.clock import Clock
from passerby.ports.facts import ChatTold, Fact
from passerby.ports.leases import Fence, Fenced, WorkerId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.outbox import Notice, Outgoing, Parked
from passerby.ports.participants import Commit, Committed
from passerby.ports.records import Records, RecordsLost
from passerby.ports.trails import Trail
from passerby.runtime.decide.commit_plan import CommitPlan, plan_commit
from passerby.runtime.decide.edits import Edits
from passerby.runtime.decide.readings import Reading, Readings, is_plain
from passerby.runtime.decide.router import Router
from passerby.runtime.delivery.addressing import ATTEMPTS, copies, subject
from passerby.runtime.delivery.courier import RELAY_TTL_S, Courier, persistently
from passerby.runtime.delivery.delivery_queue import Delivery, relay_effect_id, relayed
from passerby.runtime.delivery.sealing import Sealer
from passerby.runtime.inbound.albums import Albums, trace_id, trace_of
from passerby.runtime.inbound.crashes import CRASH_HEARD_S, FATAL_CRASHES, crashes_of
from passerby.runtime.inbound.person_queues import PersonQueues, Rest, Work
from passerby.telemetry import logs, metrics

BUG_TRIES = 5
BUG_PAUSE_S = 0.2
STALE_TRIES = 50
"""Overtaken so often in a row means a bug; two people pressing everything at once overtake each other a few times."""

STALE_PAUSE_S = 0.002
LONGEST_STALE_PAUSE_S = 0.1
AWAY_PAUSE_S = 0.5
PARKED_TOGETHER = 50
"""Relays in one commit: up to 4,096 characters each, it is a few hundred kilobytes at most."""


class Unanswered(LiveStoreLost):
    """A commit may have been stored, or not."""


class Pipeline:
    """`finished` is told of the updates that are done and stored as such.

    `worker` owns what is to be sent; `holds` says whether a lease is still its own, and `lapse` is called where the
    store says that it is not: then whatever stood on it waits, for good, to be abandoned with everything else. While a
    lease `is_young`, whoever had it may have left relays parked that are somebody else's by now: ours are parked
    before they are sent, for what is in the outbox is kept in order over all workers. `shared`: there are others.
    """

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
        holds: Callable[[Fence], bool] = lambda fence: False,
        lapse: Callable[[str], None] = lambda reason: None,
        is_young: Callable[[Fence], bool] = lambda fence: False,
        places: Places = UNMAPPED,
        shared: bool = False,
    ) -> None:
        self._shared = shared
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
        self._holds = holds
        self._lapse = lapse
        self._is_young = is_young
        self._places = places
        self.uncertain_at = float("-inf")
        """When a commit was last left without an answer (monotonic): the outbox may hold what nobody knows of."""
        self._edits = Edits()
        self._readings = Readings(clock)
        self.faults = logs.Faults(clock.monotonic)
        self.person_queues: PersonQueues
        self.albums: Albums
        self.owe: Callable[[Notice], None] = lambda notice: None
        """Told of what is stored and said later. These are set by whoever wires the runtime."""

    def env(self) -> Env:
        return Env(self._clock.now(), self._rng, self._rules, self._places)

    # ------------------------------------------------------------------ the way in

    async def handle(self, work: Work) -> Rest | None:
        """Carry one piece of work through, but for what this returns. Raises nothing but cancellation."""
        bugs = unanswered = 0
        while True:
            for fence in work.fences:
                if not self._holds(fence):
                    return None  # the bot was handed over; the next holder is given the update again
            try:
                if unanswered:
                    await self._recover(work)
                if work.crashes and await self._is_fatal(work):
                    await self._put_aside(work, Refusal.FATAL)
                    return None
                rest = await self._carry_through(work, unanswered)
            except Fenced:
                await self._fenced(work.fences)
            except (LiveStoreLost, RecordsLost) as error:
                if isinstance(error, Unanswered):
                    unanswered += 1
                    if unanswered == 1:
                        continue  # at once: what comes next for its readers is not to overtake it
                self.faults.began("store", "store.lost", **logs.fields_of(error))
                await self._clock.sleep(AWAY_PAUSE_S * self._rng.uniform(0.5, 1.5))
            except Exception as error:  # noqa: BLE001  # the supervised place: a bug ends one unit of work
                bugs += 1
                logs.failed("pipeline.broken", error, kind=type(work.event).__name__, attempt=bugs)
                if bugs >= BUG_TRIES:
                    await self._put_aside(work, Refusal.BROKEN)
                    return None
                await self._clock.sleep(BUG_PAUSE_S * bugs * self._rng.random())
            else:
                self.faults.over("store", "store.back")
                return rest

    async def _carry_through(self, work: Work, unanswered: int) -> Rest | None:
        event = self._edits.as_edited(work.event)
        number = self.person_queues.current(event.person)
        for tries in range(STALE_TRIES):
            reading = await self._reading(event, number)
            facts = reading.facts
            decision = self._router.decide(event, facts, self.env())
            before = {each.person: each for each in facts.others}
            if facts.partner is not None:
                before[facts.partner.person] = facts.partner
            before[facts.me.person] = facts.me
            plan = plan_commit(
                decision,
                before,
                now=self._clock.now(),
                name=_namer(work, unanswered),
                refs=work.refs,
                sent=work.sent,
                owner=self._worker,
                fences=work.fences,
                seen=((facts.me.person, facts.me.version),),
                seal=self._sealer.seal_words,
            )
            if work.parks and plan.relay_effects:
                plan = self._parked_at_once(plan, work)
            committed = await self._commit(plan)
            if committed is Committed.STALE:
                metrics.DECISIONS.add("stale")
                if tries:  # who overtakes each other again and again must not keep step
                    await self._clock.sleep(self._rng.random() * min(STALE_PAUSE_S * 2**tries, LONGEST_STALE_PAUSE_S))
                continue
            for notice in plan.owed:
                self.owe(notice)
            metrics.DECISIONS.add("stored" if committed is Committed.YES else "already_done")
            rest = None
            if committed is Committed.YES:
                if isinstance(event, MessageEdited) and decision.changes:
                    self._edits.note(event)
                _count_searches(plan, before)
                rest = await self._send(plan, work, facts)
            if not plan.relay_effects or committed is Committed.ALREADY_DONE:
                self._finished(work.refs)
            if number < reading.upto and is_plain(event) and not (decision.changes or facts.others):
                self._readings.keep(event.person, reading)
            return rest
        raise AssertionError("overtaken without end")

    def _parked_at_once(self, plan: CommitPlan, work: Work) -> CommitPlan:
        """What is to be relayed goes into the outbox with the commit, which then makes the updates done."""
        assert plan.commit is not None, "what is parked at once settles what was put aside"
        parked = [
            entry
            for relay_effect, bot in plan.relay_effects
            for entry in self._entries(relay_effect_id(relay_effect, work.refs), relay_effect, bot, work.refs)
        ]
        outbox = (*plan.commit.outbox, *parked)
        commit = msgspec.structs.replace(plan.commit, outbox=outbox, updates=work.refs)
        return msgspec.structs.replace(plan, commit=commit)

    async def _commit(self, plan: CommitPlan) -> Committed:
        if plan.commit is None:
            return Committed.YES
        try:
            return await self._store.commit(plan.commit)
        except LiveStoreLost as error:
            self.mark_uncertain()
            raise Unanswered(*error.args) from error

    async def _send(self, plan: CommitPlan, work: Work, facts: Facts) -> Rest | None:
        for chat in plan.ended:
            self._courier.drop(chat)
        for best_effort in plan.best_effort:
            self._courier.send_best_effort(best_effort, work.event.bot, facts.me.profile.language)
        for notice in plan.notices:
            self._say(notice)
        if not plan.relay_effects:
            return None
        careful = work.behind or any(map(self._is_young, work.fences))
        alone = len(plan.relay_effects) == 1 and not careful
        for relay_effect, bot in plan.relay_effects:
            delivery = self._courier.pass_on(
                relay_effect,
                bot,
                work.refs,
                fences=work.fences,
                told=facts.partner_anchor is not None,
                taken_at=work.taken_at,
                careful=careful,
                start=not alone,
                parked=work.parks,
            )
            if delivery is not None and alone:
                return self._courier.going(delivery)
            if delivery is not None and delivery.careful and not self._courier.is_in_crowd(delivery):
                with suppress(LiveStoreLost):  # then it is parked when it is overdue
                    await self._park(delivery)
        return None

    def _say(self, notice: Notice) -> None:
        """Unless it was found in the outbox before the answer to its commit came."""
        if not self._courier.known(notice.id):
            self._courier.say(notice)

    async def settle(
        self,
        decision: Decision,
        before: dict[PersonId, Participant],
        name: Callable[[int], str],
        fences: tuple[Fence, ...] = (),
    ) -> bool:
        """Settle a decision that no event of one person caused: a pairing. Returns whether it was stored."""
        plan = plan_commit(decision, before, now=self._clock.now(), name=name, owner=self._worker, fences=fences)
        try:
            if await self._commit(plan) is not Committed.YES:
                return False
        except Fenced:
            await self._fenced(fences)
            return False
        except Unanswered:
            names = {notice.id for notice in plan.notices}
            if not await self._find_again(lambda entry: entry.id in names):
                raise
            return True
        for notice in plan.notices:
            self._say(notice)
        return True

    async def _fenced(self, fences: tuple[Fence, ...]) -> None:
        """Somebody else has a lease. Return where we gave it away ourselves; else this incarnation is over."""
        if any(self._holds(fence) for fence in fences):
            self._lapse("a write was refused")
            await asyncio.get_running_loop().create_future()

    async def _reading(self, event: Event, number: int) -> Reading:
        """The facts for a piece of work, the one of this number in its queue; those of the one before where they will
        do."""
        if isinstance(event, Unusable):
            return Reading(Facts(Participant(event.person)), 0, 0.0)
        kept = self._readings.take(event, number)
        if kept is not None and not self._router.also_load(event, kept.facts):
            return kept
        upto = self.person_queues.newest(event.person)
        facts = await self._facts(event)
        return Reading(facts, upto, self._clock.monotonic())

    async def _facts(self, event: Event) -> Facts:
        person, about = event.person, _about(event)
        facts = await self._load(person, about) or Facts(Participant(person))
        also_load = self._router.also_load(event, facts)
        if also_load:
            at_hand = {person, facts.partner.person if facts.partner is not None else person}
            others = [await self._load(each) for each in dict.fromkeys(also_load) if each not in at_hand]
            facts = msgspec.structs.replace(facts, others=tuple(each.me for each in others if each is not None))
        return facts

    async def _load(self, person: PersonId, about: MessageRef | None = None) -> Facts | None:
        """From the live store; who is not there now, from the records."""
        facts = await self._store.load(person, about)
        if facts is not None:
            metrics.LOOKUPS.add("live")
            return facts
        known = await self._records.people((person,))
        metrics.LOOKUPS.add("records" if known else "new")
        if not known:
            return None
        await self._store.adopt(tuple(known.values()))
        return await self._store.load(person, about)

    def mark_uncertain(self) -> None:
        """A commit was left without an answer."""
        self.uncertain_at = self._clock.monotonic()

    async def _recover(self, work: Work) -> None:
        """A commit of this work was not answered. If it was stored all the same, its notices are sent now, in turn."""
        prefix = f"{_prefix(work)}:"
        await self._find_again(lambda entry: entry.id.startswith(prefix))

    async def _find_again(self, which: Callable[[Notice], bool]) -> bool:
        """Take up notices that a commit without an answer may have left. Returns whether it has left any."""
        entries = [each for each in await self._store.outbox(self._worker) if isinstance(each, Notice) and which(each)]
        for entry in entries:
            if not self._courier.known(entry.id):
                self._courier.say(entry, found_again=True)
        return bool(entries)

    async def _is_fatal(self, work: Work) -> bool:
        """Whether work has taken down as many workers as it may. Raises: LiveStoreLost.

        Where there are several, the last one that it took down may not have said so yet: one that has taken down any
        waits for that.
        """
        if work.crashes < FATAL_CRASHES and self._shared:
            await self._clock.sleep(CRASH_HEARD_S)
            return await crashes_of(self._store, work.refs) >= FATAL_CRASHES
        return work.crashes >= FATAL_CRASHES

    async def _put_aside(self, work: Work, why: Refusal) -> None:
        """Nothing helps: the updates count as done, and whoever sent them hears that it was our fault."""
        event = work.event
        logs.record("pipeline.put_aside", "error", kind=type(event).__name__, refusal=str(why), attempt=work.crashes)
        notices: tuple[Notice, ...] = ()
        if isinstance(event, MessageReceived):
            sentence = "chat.failed_fatal" if why is Refusal.FATAL else "chat.failed_broken"
            sorry = Decision(effects=(Say(event.person, text(sentence), reply_to=event.messages[0]),))
            sender = {event.person: Participant(event.person, bot=event.bot)}
            notices = plan_commit(sorry, sender, now=self._clock.now(), name=_namer(work)).notices
        metrics.DECISIONS.add("put_aside" if why is Refusal.BROKEN else "fatal")
        commit = Commit(outbox=notices, updates=work.refs, sent=work.sent, owner=self._worker, fences=work.fences)

        async def store() -> None:
            await self._store.commit(commit)

        try:
            await persistently(store, LiveStoreLost, self._clock, self._rng)
        except Fenced:
            await self._fenced(work.fences)
            return
        for notice in notices:
            self._say(notice)
        self._finished(work.refs)

    # ------------------------------------------------------------------ the way back (courier.Outcomes)

    async def delivered(self, delivery: Delivery, messages: tuple[MessageId, ...]) -> None:
        await self._close(delivery)
        mark = self._mark(delivery, messages)

        async def store() -> None:
            await self._store.mark(mark)

        try:
            try:
                await self._store.mark(mark)
            except LiveStoreLost:
                await persistently(store, LiveStoreLost, self._clock, self._rng)
        except Fenced:
            await self._fenced(mark.fences)
            return
        self._finished(delivery.refs)
        deleted = delivery.relay_effect
        if isinstance(deleted, RelayDelete):
            self._courier.send_best_effort(Discard(deleted.sender, deleted.tidy), deleted.source.bot, "")

    async def _close(self, delivery: Delivery) -> None:
        """From here on the delivery is not parked any more; one that is being parked just now gets there first."""
        delivery.over = True
        if delivery.lock is not None and delivery.lock.locked():
            async with delivery.lock:
                pass

    def _mark(self, delivery: Delivery, messages: tuple[MessageId, ...]) -> Mark:
        relay_effect = delivery.relay_effect
        sent = _in_outbox(delivery) if relay_effect is None or delivery.may_be_parked else ()
        if relay_effect is not None:
            spoke = messages and isinstance(relay_effect, Relay)
            return Mark(
                delivery.refs,
                sent,
                relay_effect.chat,
                delivery.steps.copied
                if delivery.steps is not None
                else copies(relay_effect, delivery.through, messages, self._courier.prints),
                speaker=relay_effect.sender if spoke else None,
                # What is parked is done already, whoever polls the bot by now.
                fences=() if delivery.parked else delivery.fences,
            )
        notice = delivery.notice
        if notice is None or notice.anchors is None:
            return Mark(sent=sent)
        chat = notice.anchors
        at = MessageRef(delivery.bot, messages[0]) if messages else NOWHERE
        facts: tuple[Fact, ...] = ()
        if messages and chat != search_of(delivery.person):
            facts = (ChatTold(chat, delivery.person, at, self._clock.now()),)
        return Mark(sent=sent, anchor=Anchor(chat, delivery.person, at), facts=facts)

    async def failed(self, delivery: Delivery, refusal: Refusal) -> None:
        """A delivery has ended undelivered, or not whole: the records of it go, and who must know is told by an
        event."""
        if refusal is Refusal.UNREACHABLE:
            await self.person_queues.run(
                Work(BotBlocked(delivery.person, delivery.bot, delivery.tried_at), cause=delivery.id)
            )
        elif refusal is Refusal.BOT_LOST:
            await self.person_queues.run(Work(BotLost(delivery.person, delivery.bot), cause=delivery.id))
        relay_effect = delivery.relay_effect
        if relay_effect is None:
            await self.delivered(delivery, ())
            return
        await self._close(delivery)
        if delivery.may_be_parked and not delivery.parked:
            await persistently(partial(self._find_out, delivery), LiveStoreLost, self._clock, self._rng)
        await self.advanced(delivery)
        about, attempt = subject(relay_effect), ATTEMPTS[type(relay_effect)]
        failed = delivery.steps.failed if delivery.steps is not None else {about.message: refusal}
        # With the last of them the relay effect is done.
        works = [
            Work(
                DeliveryFailed(
                    relay_effect.sender,
                    about.bot,
                    message,
                    relay_effect.chat,
                    relay_effect.to,
                    delivery.bot,
                    why,
                    attempt,
                ),
                cause=delivery.id,
            )
            for message, why in failed.items()
        ]
        if delivery.parked:  # then its updates are done already, and what is left to settle is the outbox
            works[-1] = msgspec.structs.replace(works[-1], sent=_in_outbox(delivery))
        else:
            works[-1] = msgspec.structs.replace(works[-1], refs=delivery.refs, fences=delivery.fences)
        for work in works:
            self.person_queues.put(work)

    async def advanced(self, delivery: Delivery) -> None:
        """Of a relay effect in several steps, remember what has arrived: whoever takes it over does not send it
        again."""
        steps, relay_effect = delivery.steps, delivery.relay_effect
        if steps is None or relay_effect is None or not steps.copied:
            return
        speaker = relay_effect.sender if isinstance(relay_effect, Relay) else None
        with suppress(LiveStoreLost):
            await self._store.mark(Mark(chat=relay_effect.chat, pairs=steps.copied, speaker=speaker))

    async def _find_out(self, delivery: Delivery) -> None:
        """Parking was not answered: if its updates are done, that was it."""
        ref = delivery.refs[0]
        delivery.parked = ref.update in await self._store.done(ref.bot, (ref.update,))
        if delivery.parked:
            self._finished(delivery.refs)

    # ------------------------------------------------------------------ parking

    async def park_overdue(self, more_s: float = 0.0) -> None:
        """Seal relay effects that take long into the outbox, so that their updates no longer hold the queue up.

        `more_s`: only those that have taken so much longer than that.
        """
        for delivery in self._courier.overdue(more_s):
            await self._park(delivery)

    async def park_crowd(self) -> bool:
        """The same with what has come behind many others: its turn is far. Returns whether some are left for later."""
        for delivery in reversed(self._courier.crowd()):
            if not delivery.parked:
                await self._park(delivery)
        return bool(self._courier.crowd())

    async def _park(self, delivery: Delivery) -> None:
        """With what precedes it in its queue, which is to come first in the outbox, too. Or nothing: in its turn."""
        waiting = [*self._courier.unparked_before(delivery), delivery]
        for _, alike in groupby(waiting, lambda each: each.fences):
            under_one_lease = list(alike)
            for first in range(0, len(under_one_lease), PARKED_TOGETHER):
                if not await self._park_together(under_one_lease[first : first + PARKED_TOGETHER]):
                    return

    async def _park_together(self, deliveries: Sequence[Delivery]) -> bool:
        """Park what follows each other in a queue, in one commit. Returns whether that has been done."""
        async with AsyncExitStack() as locked:
            for delivery in deliveries:
                delivery.lock = delivery.lock or asyncio.Lock()
                await locked.enter_async_context(delivery.lock)
            left = [each for each in deliveries if not (each.parked or each.over)]
            if not left:
                return True
            if self._courier.settles_before(left[0]):
                return False
            entries: list[Outgoing] = []
            refs: list[UpdateRef] = []  # more may come while the store is busy; those are done when it is delivered
            for delivery in left:
                assert delivery.relay_effect is not None, "only relay_effects are parked"
                delivery.may_be_parked = True
                entries += self._entries(
                    delivery.id, delivery.relay_effect, delivery.bot, delivery.refs, delivery.fences
                )
                refs += delivery.refs
            fences = left[0].fences
            commit = Commit(outbox=tuple(entries), updates=tuple(refs), owner=self._worker, fences=fences)
            try:
                stored = await self._store.commit(commit)
            except Fenced:
                await self._fenced(fences)
                return False
            for delivery in left:
                delivery.parked = stored is Committed.YES
                delivery.careful = False
                metrics.PARKED.add()
            self._finished(tuple(refs))
        return True

    def _entries(
        self,
        id_: str,
        relay_effect: RelayEffect,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        fences: tuple[Fence, ...] = (),
    ) -> tuple[Outgoing, ...]:
        """What a parked relay effect is in the outbox. Under a lease nobody else takes its sender's updates."""
        expires_at = self._clock.now() + RELAY_TTL_S
        parked = Parked(id_, relay_effect.chat, relay_effect.to, bot, self._sealer.seal(relay_effect, refs), expires_at)
        return (parked,) if fences else (parked, trace_of(relay_effect.sender, refs, expires_at))

    async def take_up(self, entries: Iterable[Outgoing]) -> None:
        """Send what is in our part of the outbox and nobody is sending: another incarnation left it, or an answer was
        lost."""
        for outgoing in entries:
            if self._courier.known(outgoing.id):
                continue
            if isinstance(outgoing, Trail):
                self.albums.look_after((outgoing,))
                continue
            if isinstance(outgoing, Notice):
                self._courier.say(outgoing, found_again=True)
                continue
            parked = self._sealer.open(outgoing.sealed)
            left_s = outgoing.expires_at - self._clock.now()
            if parked is None:
                logs.record("pipeline.unreadable", "error", reason="parked with another SECRET_KEY")
                await self._give_up(outgoing)
            else:
                fatal = await crashes_of(self._store, parked.refs) >= FATAL_CRASHES
                doomed = Refusal.FATAL if fatal else None
                self._courier.resume(parked.relay_effect, outgoing.bot, parked.refs, outgoing.id, left_s, doomed)

    async def _give_up(self, parked: Parked) -> None:
        """What nobody can read any more goes, with a word to its sender, whom the chat tells and the entry's name."""
        facts = await self._store.load(parked.to)
        state = facts.me.state if facts is not None else None
        about = relayed(parked.id)
        if about is None or not isinstance(state, Chatting) or state.chat != parked.chat:
            await self._store.mark(Mark(sent=(parked.id,)))
            return
        failed = DeliveryFailed(
            state.partner, about.bot, about.message, parked.chat, parked.to, parked.bot, Refusal.BROKEN
        )
        self.person_queues.put(Work(failed, sent=(parked.id,)))


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


def _in_outbox(delivery: Delivery) -> tuple[str, ...]:
    """The entries that end with a delivery."""
    return (delivery.id, trace_id(delivery.refs)) if delivery.refs else (delivery.id,)


def _prefix(work: Work) -> str:
    """What the names of the notices of one piece of work begin with; the same when it is done again."""
    event = work.event
    match event:
        case DeliveryFailed():
            return f"failed:{event.bot}:{event.message}"
        case ChatIdle():
            return f"quiet:{event.chat}:{event.since}"
        case SearchDelayed():
            return f"drags:{event.person}:{event.since}"
        case _ if work.refs:
            return f"{work.refs[0].bot}:{work.refs[0].update}"
        case _:
            return f"{type(event).__name__}:{event.bot}:{event.person}:{work.cause}"


def _namer(work: Work, unanswered: int = 0) -> Callable[[int], str]:
    """Names for notices. After a commit that was not answered they are others: the decision may be another, too."""
    return lambda index: f"{_prefix(work)}:{index}{f'~{unanswered}' if unanswered else ''}"


def _count_searches(plan: CommitPlan, before: Mapping[PersonId, Participant]) -> None:
    for put in plan.commit.puts if plan.commit is not None else ():
        if isinstance(put.state, Searching) and not isinstance(before[put.person].state, Searching):
            metrics.SEARCHES.add(put.state.ticket.pool)
