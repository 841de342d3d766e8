"""The runtime, put together from its ports: one incarnation of one worker. It knows no adapter: the product and the
simulation start the same one.

Start: who is searching or chatting is there before the first update is taken (from the live store, or, if that has been
wiped, from the records), and what somebody before us still had to deliver is queued before anything new can be. Which
bots are polled, which pools matched and who does what for all is a matter of leases (see `heartbeat` and
`leased_tasks`).

Stop: nothing new is taken, what is in hand is finished for as long as there is time, Telegram is told how far we got,
and the leases are given back. Whatever is left over is left where it is safe: in Telegram's queue, or in the outbox.

Abandon: this incarnation has *lapsed*, that is, others have what it held. It ends where it stands, and `supervise`
begins another.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

from passerby.domain.budgets import Budget
from passerby.domain.fingerprint import Prints
from passerby.domain.pools import pools
from passerby.domain.quota import STANDARD, Quota
from passerby.kernel.decision import Env
from passerby.kernel.event import ChatIdle, Event, SearchDelayed
from passerby.kernel.feature import Feature
from passerby.kernel.ids import BotId, PoolId, UpdateRef
from passerby.kernel.participant import Ticket
from passerby.kernel.rules import Rules
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence, LeaseName, Members, WorkerId, bot_lease, duty_lease, pool_lease
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import Records
from passerby.ports.telegram import Arrival, Telegram
from passerby.runtime.background.idle_chats import IdleChatWatch
from passerby.runtime.background.janitor import Janitor
from passerby.runtime.background.matcher import Introduce, Matcher
from passerby.runtime.background.recorder import Recorder
from passerby.runtime.decide.committing import Committer
from passerby.runtime.decide.event_handler import EventHandler
from passerby.runtime.decide.loading import FactsLoader
from passerby.runtime.decide.outcomes import DeliveryOutcomes
from passerby.runtime.decide.pairings import Pairings
from passerby.runtime.decide.parking import Parking
from passerby.runtime.decide.put_aside import HopelessWork
from passerby.runtime.decide.router import Router
from passerby.runtime.decide.sending import EffectSender
from passerby.runtime.delivery.best_effort import BestEffort
from passerby.runtime.delivery.courier import PARK_AFTER_S, Courier, persistently
from passerby.runtime.delivery.sealing import Sealer
from passerby.runtime.delivery.wording import Wording, Words
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.inbound.admission import Admission
from passerby.runtime.inbound.albums import Albums
from passerby.runtime.inbound.person_queues import PersonQueues, Rest, Work
from passerby.runtime.inbound.polling import Intake
from passerby.runtime.inbound.uncertain_commits import UncertainCommits
from passerby.runtime.inbound.unused import note
from passerby.runtime.inbound.webhook_receiver import WebhookReceiver
from passerby.runtime.leased_tasks import LeasedTask, LoopTask, PollingTask
from passerby.runtime.membership.heartbeat import Membership, Report, Wanted, read_report
from passerby.runtime.membership.tokens import REFUSED_AFTER_S, Tokens
from passerby.runtime.tasks import Background
from passerby.telemetry import logs, metrics

RECORDER, JANITOR, CLOCK = map(duty_lease, ("recorder", "janitor", "clock"))
PARK_EVERY_S = 0.25
CROWD_PAUSE_S = 0.02
LAG_S = 0.1
PATIENT_S = 10.0
"""While our own loop lags behind by more than LAG_S, relays are parked only when they are late by so much more. They
are late because there is too much to do, of which parking makes three times as much; that Telegram holds back what
comes next is just what is wanted then. Not for ever, for some are late for other reasons."""

FORGET_EVERY_S = 1.0
QUIET_EVERY_S = 0.02
BROKEN_PAUSE_S = 1.0
SURE_AFTER = 3
"""Refusals of getMe for each bot, over some seconds, after which nothing is started: the tokens are wrong."""

SURE_WITHIN_S = 15.0
ASKED_WITHIN_S = 2.0

AWAY_PAUSE_S = 0.5
GOODBYE_S = 1.0
RECORDER_SHARE = 0.25
"""What of the time for stopping is kept for writing the records."""

LAST_SENDS_SHARE = 0.2
"""What of it is kept for the answers to sends that are under way when no more are begun."""


class NoBotWorks(Exception):
    """Telegram refused every token, several times."""


class App:
    """`key`: 32 bytes, for sealing; what was sealed with `former_keys` is still read. `introduce` is the decision that
    pairs two people.

    `polls`: Telegram is asked for updates, rather than bringing them (`receive`). `leads`: it takes leases; who only
    receives need not. `quota` is what one person may have in hand. `shared`: there may be other workers.
    `park_after_s` is how long an update is held up by a relay that is not through. `name` is what operators call the
    process. `recorder` knows which update is being worked on.
    `token_refused_after_s`: see `tokens`. `insists`: without a bot that works there is no start.
    """

    def __init__(
        self,
        *,
        telegram: Telegram,
        store: LiveStore,
        records: Records,
        features: Iterable[Feature],
        introduce: Introduce,
        words: Words,
        clock: Clock,
        rng: Random,
        rules: Rules,
        key: bytes,
        former_keys: tuple[bytes, ...] = (),
        bot_budget: Budget,
        chat_budget: Budget,
        quota: Quota = STANDARD,
        polls: bool = True,
        leads: bool = True,
        shared: bool = False,
        park_after_s: float = PARK_AFTER_S,
        name: str = "",
        home: str = "",
        recorder: FlightRecorder | None = None,
        token_refused_after_s: float = REFUSED_AFTER_S,
        insists: bool = True,
    ) -> None:
        self._recorder = recorder or FlightRecorder()
        self._telegram = telegram
        self._store = store
        self._clock = clock
        self._rng = rng
        self._rules = rules
        self._polls = polls
        self._leads = leads
        self._shared = shared
        self._name = name
        self._home = home
        self._insists = insists
        self._since = clock.now()
        self._background = Background(self._broken)
        self._wording = Wording(words)
        self._router = Router(features, words.find_word)
        self.worker = WorkerId(f"{rng.getrandbits(64):016x}")
        self.fleet = Membership(self.worker, store, self, self._background, clock, rng)
        self.tokens = Tokens(
            telegram,
            self._background,
            clock,
            rng,
            refused_after_s=token_refused_after_s,
            confirms=lambda bot: bot in self._bots and self.fleet.is_assured,
        )
        sealer, prints = Sealer(key, *former_keys), Prints(key, *former_keys)
        uncertain = UncertainCommits(clock)
        faults = logs.Faults(clock.monotonic)
        best_effort = BestEffort(telegram, self._wording, self.tokens, self.fleet, self._background)
        self.person_queues = PersonQueues(self._handle, self._background, clock, self._recorder)
        self.albums = Albums(store, sealer, self.person_queues, self._background, clock, self.worker, uncertain.mark)
        self.courier = Courier(
            telegram,
            store,
            self._wording,
            self._background,
            clock,
            rng,
            bot_budget,
            chat_budget,
            outcomes=DeliveryOutcomes(
                store, self.person_queues, best_effort, prints, self.fleet, self._finished, clock, rng
            ),
            assurance=self.fleet,
            prints=prints,
            shared=shared,
            park_after_s=park_after_s,
            recorder=self._recorder,
            tokens=self.tokens,
        )
        self.admission = Admission(self.person_queues, self.courier, store, clock, quota, self._router.is_for_us)
        self.parking = Parking(
            store,
            self.courier,
            sealer,
            self.albums,
            self.person_queues,
            self.fleet,
            self._finished,
            clock,
            self.worker,
        )
        sender = EffectSender(store, self.courier, best_effort, self.parking, self.fleet, self.worker, shared=shared)
        committer = Committer(store, sealer, uncertain, clock, self.worker)
        self._pairings = Pairings(committer, sender, self.fleet)
        self._env = lambda: Env(clock.now(), rng, rules, words.places)
        self._handler = EventHandler(
            router=self._router,
            loader=FactsLoader(store, records, self._router, self.person_queues, clock),
            committer=committer,
            sender=sender,
            parking=self.parking,
            hopeless=HopelessWork(store, sender, self.fleet, self._finished, clock, rng, self.worker, shared=shared),
            person_queues=self.person_queues,
            leases=self.fleet,
            env=self._env,
            finished=self._finished,
            owe=self.admission.owe,
            faults=faults,
            clock=clock,
            rng=rng,
        )
        self.janitor = Janitor(
            self.worker,
            store,
            records,
            clock,
            self.parking.take_up,
            self._is_in_hand,
            uncertain.last_at,
            self.courier.inheriting,
            faults,
        )
        self.recorder = Recorder(store, records, clock, rng, logs.record, on_behind=self.janitor.check)
        self.webhook_receiver = WebhookReceiver(store, self.fleet, self.admission, self.albums, self._recorder)
        self._introduce = introduce
        self._bots: dict[BotId, PollingTask] = {}
        self._leased_tasks: dict[LeaseName, LeasedTask] = {}
        self._pools: set[PoolId] = set(pools(rules))
        self._kept_going: list[asyncio.Task[None]] = []
        self._is_stopping = False
        self._heeded: Members | None = None
        self.is_ready = False
        """Whether `start` has returned and `stop` has not been called."""
        self.unrecorded = 0
        """How many facts were not in the records yet when we stopped. The journal keeps them for the next start."""
        self.has_lapsed = asyncio.Event()
        """Set when this incarnation is to be abandoned."""

    # ------------------------------------------------------------------ an incarnation

    async def start(self) -> None:
        """Return when updates are being taken. Waits for stores that are away. Raises NoBotWorks."""
        metrics.know_bots(self._telegram.bots)
        metrics.know_pools(self._pools)
        while not await self.janitor.rebuild():
            await self._clock.sleep(AWAY_PAUSE_S * self._rng.uniform(0.75, 1.25))
        if not self._shared:
            await self._check_stores()
        await self._tell_crash()
        self._kept_going += [
            self._stand(work) for work in (self._park, self._park_crowds, self._forget, self.janitor.serve_itself)
        ]
        await self.fleet.first_heartbeat()
        await self._inherit()
        await self.janitor.release()
        if self._leads:
            await self.fleet.claim_first()
        self._kept_going.append(self._stand(self.fleet.run))
        began_at = self._clock.monotonic()
        while self._is_undecided(self._clock.monotonic() - began_at):
            await self._clock.sleep(QUIET_EVERY_S)
        self.is_ready = True

    async def _tell_crash(self) -> None:
        """The run before may have ended while it worked on something. Said before anything is taken again."""
        crash = self._recorder.crash
        if crash is None:
            return
        tell = partial(self._store.record_crash, crash.refs, crash.run)
        await persistently(tell, LiveStoreLost, self._clock, self._rng)
        metrics.CRASHES.add()
        reason = "the run before ended while it worked on this bot's update"
        logs.record("runtime.crash_found", "error", bot=crash.refs[0].bot, count=len(crash.refs), reason=reason)
        self._recorder.settle()

    def _is_undecided(self, waited_s: float) -> bool:
        """Whether it is not known yet which bots work at the start. Raises: NoBotWorks."""
        is_ours = bool(self._bots) and len(self._bots) == len(self._telegram.bots)
        if self._insists and is_ours and not any(map(self.tokens.works, self._bots)):
            if all(self.tokens.refusals(bot) >= SURE_AFTER for bot in self._bots):
                raise NoBotWorks
            return waited_s < SURE_WITHIN_S
        unasked = [bot for bot in self.tokens.suspected if not self.tokens.refusals(bot)]
        return bool(unasked) and waited_s < ASKED_WITHIN_S

    @property
    def refused_bots(self) -> tuple[BotId, ...]:
        """The bots whose token Telegram refuses, confirmed or not."""
        return tuple(bot for bot in self._telegram.bots if not self.tokens.works(bot))

    async def _check_stores(self) -> None:
        """Before anybody is served from a store that nobody watched while we were gone. Records that are away hold up
        nobody: the janitor asks again."""
        with suppress(LiveStoreLost):
            await self.janitor.check()

    async def _inherit(self) -> None:
        while True:
            try:
                return await self.janitor.inherit()
            except LiveStoreLost:
                await self._clock.sleep(AWAY_PAUSE_S * self._rng.uniform(0.75, 1.25))

    async def stop(self, timeout_s: float) -> bool:
        """Stop within `timeout_s`. Returns whether everything in hand was finished."""
        self.is_ready, self._is_stopping = False, True
        ends_at = self._clock.monotonic() + timeout_s
        deadline = ends_at - timeout_s * (RECORDER_SHARE + LAST_SENDS_SHARE)
        self.fleet.retire()
        for leased_task in self._bots.values():
            if leased_task.intake is not None:
                leased_task.intake.stop()
        releasing = self._background.spawn(
            self.fleet.hand_over([lease for lease in self._leased_tasks if lease != RECORDER])
        )
        while self._is_busy and self._clock.monotonic() < deadline and not self.has_lapsed.is_set():
            await self._clock.sleep(QUIET_EVERY_S)
        whole = not self._is_busy
        self.courier.halt()
        while self.courier.under_way and self._clock.monotonic() < ends_at - timeout_s * RECORDER_SHARE:
            await self._clock.sleep(QUIET_EVERY_S)
        await asyncio.wait((releasing,), timeout=max(0.0, deadline - self._clock.monotonic()))
        intakes = [leased_task.intake for leased_task in self._bots.values() if leased_task.intake is not None]
        await asyncio.gather(*(intake.confirm() for intake in intakes))
        records = RECORDER in self.fleet.held
        for task in self._kept_going:
            task.cancel()
        await asyncio.gather(*self._kept_going, return_exceptions=True)
        if records:
            await self._leased_tasks[RECORDER].end()
            if not await self.recorder.drain(timeout_s * RECORDER_SHARE):
                with suppress(LiveStoreLost):
                    self.unrecorded = (await self._store.figures()).journal
        await self.fleet.leave(timeout_s * RECORDER_SHARE)
        await self._background.aclose()
        return whole

    @property
    def _is_busy(self) -> bool:
        return bool(self.person_queues.busy or self.courier.pending or self.albums.waiting)

    async def abandon(self) -> None:
        """End at once. Nothing is confirmed, finished or given back: others have it by now, or will."""
        self.is_ready = False
        self.fleet.abandon()
        self.courier.abandon()
        self.webhook_receiver.close()
        await self._background.aclose()
        await self.fleet.leave(GOODBYE_S)  # else others would count on it until its time is up

    def _stand(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Keep something going until it returns by itself: a bug ends one turn of it, not all that were to come."""

        async def keep_going() -> None:
            while True:
                try:
                    return await work()
                except Exception as error:  # noqa: BLE001  # the supervised place of what runs as long as we do
                    self._broken(error)
                    await self._clock.sleep(BROKEN_PAUSE_S)

        return self._background.spawn(keep_going())

    def _broken(self, error: BaseException) -> None:
        metrics.BUGS.add()
        logs.failed("runtime.broken", error)

    # ------------------------------------------------------------------ leases (heartbeat.Callbacks)

    def wanted(self) -> Wanted:
        pools = tuple(pool_lease(pool) for pool in sorted(self._pools))
        return Wanted(tuple(map(bot_lease, sorted(self._telegram.bots))), (*pools, RECORDER, JANITOR, CLOCK))

    def report(self) -> Report:
        lost, suspected = self.tokens.lost, self.tokens.suspected
        return Report(
            self._name,
            self._leads,
            self._is_stopping,
            self._since,
            metrics.snapshot(self._clock.now()),
            tuple(bot for bot in lost if bot in self._bots),
            self._home,
            (*lost, *suspected),
        )

    def _heed_others(self) -> None:
        """Hear from the list of members what the others know of the bots."""
        members = self.fleet.members
        if members is self._heeded:
            return
        self._heeded = members
        others = {worker: read_report(blob) for worker, blob in members.workers.items() if worker != self.worker}
        held = {(worker, lease) for lease, worker in members.holders.items()}
        self.tokens.heed(
            {worker: report.doubted_bots for worker, report in others.items()},
            {
                worker: tuple(bot for bot in report.idle_bots if (worker, bot_lease(BotId(bot))) in held)
                for worker, report in others.items()
            },
        )

    async def gained(self, fence: Fence) -> None:
        leased_task = self._leased_tasks[fence.lease] = self._post(fence)
        if isinstance(leased_task, PollingTask):
            self._bots[leased_task.bot] = leased_task
        await leased_task.begin()

    async def hand_over(self, fence: Fence) -> None:
        leased_task = self._leased_tasks.pop(fence.lease)
        await leased_task.end()
        if isinstance(leased_task, PollingTask):
            self._bots.pop(leased_task.bot, None)

    def lapsed(self, reason: str) -> None:
        self.has_lapsed.set()

    def _post(self, fence: Fence) -> LeasedTask:
        kind, _, name = fence.lease.partition(":")
        match kind:
            case "bot":
                return self._bot_post(BotId(int(name)), fence)
            case "pool":
                return self._pool_post(PoolId(name), fence)
            case _:
                work = {
                    RECORDER: self.recorder.run,
                    JANITOR: self.janitor.serve_all,
                    CLOCK: IdleChatWatch(self._store, self._rules, self._clock, self._bring_up).run,
                }[fence.lease]
                return LoopTask(work, self._stand)

    def _bot_post(self, bot: BotId, fence: Fence) -> PollingTask:
        intake = None
        if self._polls:
            put = partial(self._receive, fences=(fence,))
            intake = Intake(bot, self._telegram, self._store, put, self.tokens, self._clock, self._rng, self.fleet)
        menus = partial(self._wording.menus, self._router.menu)
        return PollingTask(bot, fence, self._telegram, intake, menus, self._stand, self._clock, self._rng, self.tokens)

    def _pool_post(self, pool: PoolId, fence: Fence) -> LoopTask:
        settle = partial(self._pairings.settle, fences=(fence,))
        matcher = Matcher(pool, self._store, self._introduce, settle, self._env, self._clock, self._drags)
        return LoopTask(matcher.run, self._stand, matcher.stop)

    # ------------------------------------------------------------------ events

    def _receive(self, arrival: Arrival, crashes: int = 0, fences: tuple[Fence, ...] = ()) -> None:
        note(arrival.event)
        taken_at = self._clock.monotonic()
        self.admission.put(Work(arrival.event, (arrival.ref,), fences=fences, taken_at=taken_at, crashes=crashes))

    async def receive(self, arrival: Arrival) -> None:
        """Deal with an update that Telegram brought. Returns when it is done, or parked durably, and stored as such.

        The caller says for how long it waits: giving up changes nothing, and the same update again joins the waiting.
        Raises: LiveStoreLost.
        """
        note(arrival.event)
        await self.webhook_receiver.receive(arrival)

    def _handle(self, work: Work) -> Coroutine[Any, Any, Rest | None]:
        """The person queues need the handler, whose courier needs the queues: a failed delivery becomes an event."""
        return self._handler.handle(work)

    def _finished(self, refs: tuple[UpdateRef, ...]) -> None:
        for ref in refs:
            leased_task = self._bots.get(ref.bot)
            if leased_task is not None and leased_task.intake is not None:
                leased_task.intake.window.finish(ref.update)
            self.webhook_receiver.finished(ref)

    def _is_in_hand(self, entry: str) -> bool:
        """Whether somebody here sees to an entry of the outbox."""
        return self.courier.known(entry) or self.albums.is_known(entry) or self.admission.is_known(entry)

    def _put(self, event: Event) -> None:
        self.person_queues.put(Work(event))

    def _bring_up(self, event: ChatIdle) -> None:
        self._put(event)

    def _drags(self, ticket: Ticket, fitting: int, expected_s: float | None) -> None:
        self._background.spawn(self._tell_of_dragging(ticket, fitting, expected_s))

    async def _tell_of_dragging(self, ticket: Ticket, fitting: int, expected_s: float | None) -> None:
        try:
            facts = await self._store.load(ticket.person)
        except LiveStoreLost:
            return  # the next telling comes
        if facts is not None and facts.me.bot is not None:
            self._put(SearchDelayed(ticket.person, facts.me.bot, ticket.since, fitting, expected_s))

    # ------------------------------------------------------------------ standing work

    async def _park(self) -> None:
        while True:
            due = self._clock.monotonic() + PARK_EVERY_S
            await self._clock.sleep(PARK_EVERY_S)
            is_lagging = self._clock.monotonic() - due > LAG_S
            try:
                await self.parking.park_overdue(PATIENT_S if is_lagging else 0.0)
            except LiveStoreLost:
                continue  # whoever reads or writes next says so

    async def _park_crowds(self) -> None:
        while True:
            await self.courier.is_crowded.wait()
            with suppress(LiveStoreLost):
                if not await self.parking.park_crowd():
                    continue
            await self._clock.sleep(CROWD_PAUSE_S)
            self.courier.is_crowded.set()

    async def _forget(self) -> None:
        """Once a second: let go of what idles, and see which pools there are."""
        while True:
            due = self._clock.monotonic() + FORGET_EVERY_S
            await self._clock.sleep(FORGET_EVERY_S)
            metrics.LOOP_LAG.set(max(0.0, self._clock.monotonic() - due))
            self.courier.forget_idle()
            self._heed_others()
            try:
                await self.admission.end_spells()
                self._pools |= await self._store.pools()
            except LiveStoreLost:
                continue
            metrics.know_pools(self._pools)

    @property
    def members(self) -> Members:
        """The fleet, as this worker heard of it last."""
        return self.fleet.members
