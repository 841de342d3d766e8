"""One incarnation of one worker, put together from its ports. It knows no adapter: the product and the simulation start
the same worker.

Start: before the first update is taken, everybody who is searching or chatting is loaded (from the live store, or from
the records if the live store was wiped), and the deliveries that an earlier incarnation left are queued. Leases decide
which bots this worker polls, which pools it matches, and which duties it does for all (see `membership.heartbeat` and
`lease_duties`).

Stop: nothing new is taken, work in hand is finished while there is time, Telegram is told how far we got, and the
leases are given back. Unfinished work stays safe in Telegram's queue or in the outbox.

Abandon: this incarnation has *lapsed*: other workers have what it held. It ends at once, and `supervise` begins the
next one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random

from passerby.domain.pools import pools
from passerby.kernel.event import Event
from passerby.kernel.feature import Feature
from passerby.kernel.ids import BotId, PoolId, UpdateRef
from passerby.ports.broadcasts import BroadcastRecords
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence, LeaseName, Members, WorkerId, bot_lease
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import Records
from passerby.ports.staff import StaffRecords
from passerby.ports.telegram import Arrival, Telegram
from passerby.runtime.alerting.channels import StaffChannel
from passerby.runtime.alerting.posts import StaffOrders, StaffPosts, Unconditional
from passerby.runtime.alerting.watch import AlertConfig, AlertWatch
from passerby.runtime.background.departures import Departures
from passerby.runtime.background.drains import Drains
from passerby.runtime.background.farm_watch import FARMS, ConductKeeper, FarmWatch
from passerby.runtime.background.idle_chats import IdleChatWatch
from passerby.runtime.background.janitor import Janitor
from passerby.runtime.background.matcher import Introduce, Matcher
from passerby.runtime.background.money import MoneyTask
from passerby.runtime.background.orders import ORDERS, Orders
from passerby.runtime.background.personal_data import PersonalDataTask
from passerby.runtime.background.recorder import Recorder
from passerby.runtime.background.roll_call import RollCall
from passerby.runtime.background.search_delays import SearchDelays
from passerby.runtime.backoff import persistently, steady
from passerby.runtime.broadcasts.copies import Copies
from passerby.runtime.broadcasts.following import Following
from passerby.runtime.broadcasts.rounds import Rounds
from passerby.runtime.broadcasts.sender import BROADCASTS, BroadcastSender, Telling
from passerby.runtime.decide.router import Router
from passerby.runtime.delivery.staff_board import StaffBoard
from passerby.runtime.delivery.wording import Wording, Words
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.inbound.polling import Intake
from passerby.runtime.inbound.unused import note
from passerby.runtime.inbound.webhook_receiver import WebhookReceiver
from passerby.runtime.lease_duties import (
    ALERTS,
    CLOCK,
    DEPARTURES,
    JANITOR,
    MONEY,
    PERSONAL_DATA,
    RECORDER,
    LeaseDuties,
)
from passerby.runtime.leased_tasks import LeasedTask, LoopTask, PollingTask
from passerby.runtime.membership.heartbeat import Membership
from passerby.runtime.membership.report import Report
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.message_path import MessagePath
from passerby.runtime.roster import Roster
from passerby.runtime.staff.duty import STAFF, StaffBot, StaffConfig, StaffTask
from passerby.runtime.tasks import Background
from passerby.runtime.unrecorded import UnrecordedFacts
from passerby.runtime.upkeep import Upkeep
from passerby.runtime.worker_config import WorkerConfig
from passerby.telemetry import logs, metrics

QUIET_EVERY_S = 0.02
SURE_AFTER = 3
"""After this many refusals of each bot's getMe the start fails: the tokens are wrong."""

SURE_WITHIN_S = 15.0
ASKED_WITHIN_S = 2.0

AWAY = steady(0.5)
GOODBYE_S = 1.0
RECORDER_SHARE = 0.25
"""The share of the time for stopping that is kept for writing the records."""

LAST_SENDS_SHARE = 0.2
"""The share that is kept for the answers to sends that are under way."""


class NoBotWorks(Exception):
    """Telegram refused every token, several times."""


class Worker:
    """`introduce` is the decision that pairs two people. `flight_recorder` knows which update is being worked on.
    `more_duties` are duties that one worker does for all, besides the runtime's own; each runs until cancelled.
    `alerts`: the fleet watches itself.
    `staff`: there is a staff bot, whose token `telegram` has, too. `staff_records` have the staff's orders, and
    `broadcasts` the messages to many people.

    The rooms are built bottom-up. A room that needs something above it gets a method of the worker: an update is
    finished (`_finished`), and a lease begins a task (`_task_for`).
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
        config: WorkerConfig,
        flight_recorder: FlightRecorder | None = None,
        more_duties: Mapping[LeaseName, Callable[[], Awaitable[None]]] | None = None,
        alerts: AlertConfig | None = None,
        staff: StaffConfig | None = None,
        staff_records: StaffRecords | None = None,
        broadcasts: BroadcastRecords | None = None,
    ) -> None:
        self._telegram = telegram
        self._store = store
        self._introduce = introduce
        self._clock = clock
        self._rng = rng
        self._config = config
        self._alerts = alerts
        self._staff = staff
        recorder = self._flight_recorder = flight_recorder or FlightRecorder()
        self._more_duties = more_duties or {}
        self._kept_going: list[asyncio.Task[None]] = []
        self.id = WorkerId(f"{rng.getrandbits(64):016x}")
        self.is_ready = False
        """Whether `start` has returned and `stop` has not been called."""
        self.unrecorded = 0
        """How many facts were not in the records yet when we stopped. The journal keeps them for the next start."""

        background = self._background = Background(_broken, recorder)
        self._stand = partial(background.keep_going, clock=clock)
        self.tokens = Tokens(
            telegram,
            background,
            clock,
            rng,
            refused_after_s=config.token_refused_after_s,
            confirms=self._confirms,
            served=self._is_served,
        )
        bots = tuple(bot for bot in telegram.bots if staff is None or bot != staff.bot)
        duties = (
            FARMS,
            *self._more_duties,
            *((ALERTS,) if alerts is not None else ()),
            *([STAFF] if staff is not None else ()),
            *([ORDERS] if staff_records is not None else ()),
            *([BROADCASTS] if broadcasts is not None else ()),
        )
        known = pools(config.rules)
        self._duties = LeaseDuties(bots, known, self.tokens, self._task_for, clock, config, duties)
        unrecorded = UnrecordedFacts()
        self.fleet = Membership(self.id, store, self._duties, background, clock, rng, unrecorded)
        self.roster = Roster(bots, self.tokens, self._duties, self.fleet, background, clock)
        self._wording = Wording(words)
        self._router = Router(features, words.find_word)
        path = self._path = MessagePath(
            telegram=telegram,
            store=store,
            records=records,
            router=self._router,
            wording=self._wording,
            words=words,
            tokens=self.tokens,
            fleet=self.fleet,
            unrecorded=unrecorded,
            background=background,
            flight_recorder=self._flight_recorder,
            finished=self._finished,
            clock=clock,
            rng=rng,
            config=config,
            drains=(drains := Drains(staff_records, clock)),
        )
        self._drains = drains
        self.courier, self.person_queues = path.courier, path.person_queues
        self._webhook_receiver = WebhookReceiver(store, self.fleet, path.admission, path.albums, self._flight_recorder)
        self.janitor = Janitor(
            self.id,
            store,
            records,
            clock,
            path.parking.take_up,
            path.is_in_hand,
            path.uncertain.last_at,
            path.courier.inheriting,
            path.faults,
            RollCall(
                self.id,
                store,
                records,
                clock,
                members=lambda: self.fleet.members.workers,
                is_sending=path.courier.is_sending_since_before,
                put_back=path.parking.put_back,
                unrecorded=unrecorded,
                shared=config.shared,
            ),
        )
        self._recorder = Recorder(store, records, clock, rng, logs.record, on_behind=self.janitor.check)
        self.staff_bot = (
            None
            if staff is None
            else StaffBot(
                staff,
                telegram=telegram,
                store=store,
                words=words,
                tokens=self.tokens,
                fleet=self.fleet,
                background=background,
                flight_recorder=self._flight_recorder,
                env=path.env,
                stand=self._stand,
                clock=clock,
                rng=rng,
                open_exhibit=path.sealer.open_exhibit,
            )
        )
        """None if there is no staff bot."""
        self._orders = None if staff_records is None else Orders(staff_records, self.person_queues.put, clock)
        self._broadcasts = None if broadcasts is None else self._sender_of(broadcasts, words)
        self._idle_chats = IdleChatWatch(store, config.rules, clock, self._put)
        self._search_delays = SearchDelays(store, self._put, background)
        self._personal_data = PersonalDataTask(
            store, records, telegram, path.sealer.open_words, words.word, self._put, clock
        )
        self._money = MoneyTask(records, telegram, self._fleet_bots, self.tokens.works, self._put, clock)
        self._departures = Departures(
            self._served, lambda: drains.now, self.tokens, records, self.person_queues.put, clock
        )
        self._farm_watch = FarmWatch(store, self.person_queues.put, clock)
        self._conduct_keeper = ConductKeeper(store, path.conduct_notes.take, config.key, clock)
        self._upkeep = Upkeep(
            store,
            path.courier,
            path.parking,
            path.admission,
            self.fleet,
            self.tokens,
            self._duties.know_pools,
            clock,
        )

    async def start(self) -> None:
        """Return when updates are being taken. Waits for stores that are away. Raises: NoBotWorks."""
        metrics.know_bots(self._telegram.bots)
        self._duties.know_pools(())
        while not await self.janitor.rebuild():
            await self._clock.sleep(AWAY.pause_s(1, self._rng))
        if not self._config.shared:
            # Nobody watched the store while we were gone. If the records are away, the janitor checks again later.
            with suppress(LiveStoreLost):
                await self.janitor.check()
        await self._report_crash()
        upkeep = self._upkeep
        for work in (
            upkeep.park_overdue,
            upkeep.park_crowds,
            upkeep.forget_idle,
            self.janitor.serve_itself,
            self._drains.run,
            self._conduct_keeper.run,
        ):
            self._kept_going.append(self._stand(work))
        await self.fleet.first_heartbeat()
        await self._inherit()
        await self.janitor.release()
        if self._config.leads:
            await self.fleet.claim_first()
        self._kept_going.append(self._stand(self.fleet.run))
        began_at = self._clock.monotonic()
        while self._is_undecided(self._clock.monotonic() - began_at):
            await self._clock.sleep(QUIET_EVERY_S)
        self.is_ready = True

    async def _report_crash(self) -> None:
        """Report which update the last run was working on if it crashed, before any update is taken again."""
        crash = self._flight_recorder.crash
        if crash is None:
            return
        report = partial(self._store.record_crash, crash.refs, crash.run)
        await persistently(report, LiveStoreLost, self._clock, self._rng)
        metrics.CRASHES.add()
        reason = "the run before ended while it worked on this bot's update"
        logs.record("runtime.crash_found", "error", bot=crash.refs[0].bot, count=len(crash.refs), reason=reason)
        self._flight_recorder.settle()

    async def _inherit(self) -> None:
        while True:
            try:
                return await self.janitor.inherit()
            except LiveStoreLost:
                await self._clock.sleep(AWAY.pause_s(1, self._rng))

    def _is_undecided(self, waited_s: float) -> bool:
        """Whether it is not known yet which bots work at the start. Raises: NoBotWorks."""
        bots = self._duties.polling
        is_ours = bool(bots) and len(bots) == len(self.roster.bots)
        if self._config.insists and is_ours and not any(map(self.tokens.works, bots)):
            if all(self.tokens.refusals(bot) >= SURE_AFTER for bot in bots):
                raise NoBotWorks
            return waited_s < SURE_WITHIN_S
        unasked = [bot for bot in self.tokens.suspected if not self.tokens.refusals(bot)]
        return bool(unasked) and waited_s < ASKED_WITHIN_S

    async def stop(self, timeout_s: float) -> bool:
        """Stop within `timeout_s`. Returns whether everything in hand was finished."""
        self.is_ready = False
        self._duties.stopping()
        ends_at = self._clock.monotonic() + timeout_s
        deadline = ends_at - timeout_s * (RECORDER_SHARE + LAST_SENDS_SHARE)
        self.fleet.retire()
        intakes = [task.intake for task in self._duties.polling.values() if task.intake is not None]
        for intake in intakes:
            intake.stop()
        leases = [lease for lease in self._duties.held if lease != RECORDER]
        releasing = self._background.spawn(self.fleet.hand_over(leases))
        while self._path.is_busy and self._clock.monotonic() < deadline and not self.has_lapsed.is_set():
            await self._clock.sleep(QUIET_EVERY_S)
        whole = not self._path.is_busy
        self.courier.halt()
        while self.courier.under_way and self._clock.monotonic() < ends_at - timeout_s * RECORDER_SHARE:
            await self._clock.sleep(QUIET_EVERY_S)
        await asyncio.wait((releasing,), timeout=max(0.0, deadline - self._clock.monotonic()))
        intakes = [task.intake for task in self._duties.polling.values() if task.intake is not None]
        await asyncio.gather(*(intake.confirm() for intake in intakes))
        records = RECORDER in self.fleet.held
        for task in self._kept_going:
            task.cancel()
        await asyncio.gather(*self._kept_going, return_exceptions=True)
        if records:
            await self._duties.held[RECORDER].end()
            if not await self._recorder.drain(timeout_s * RECORDER_SHARE):
                with suppress(LiveStoreLost):
                    self.unrecorded = (await self._store.figures()).journal
        await self.fleet.leave(timeout_s * RECORDER_SHARE)
        await self._background.aclose()
        return whole

    async def abandon(self) -> None:
        """End at once. Nothing is confirmed, finished or given back: other workers have it by now, or will."""
        self.is_ready = False
        self.fleet.abandon()
        self.courier.abandon()
        self._webhook_receiver.close()
        await self._background.aclose()
        await self.fleet.leave(GOODBYE_S)  # otherwise the others count on it until its leases run out

    async def receive(self, arrival: Arrival) -> None:
        """Handle an update that Telegram brought. Returns when it is done, or parked, and that is stored.

        The caller decides how long it waits. If it gives up, nothing changes; the same update again waits for the same
        end. Raises: LiveStoreLost.
        """
        note(arrival.event)
        await self._webhook_receiver.receive(arrival)

    def report(self) -> Report:
        return self._duties.report()

    @property
    def has_lapsed(self) -> asyncio.Event:
        """Set when this incarnation must be abandoned."""
        return self._duties.has_lapsed

    @property
    def refused_bots(self) -> tuple[BotId, ...]:
        """The bots whose token Telegram refuses, confirmed or not."""
        return tuple(bot for bot in self.roster.bots if not self.tokens.works(bot))

    @property
    def members(self) -> Members:
        """All workers, by the last list of members."""
        return self.fleet.members

    def _confirms(self, bot: BotId) -> bool:
        is_staff = self.staff_bot is not None and bot == self.staff_bot.bot and self.staff_bot.is_polled_here
        return (bot in self._duties.polling or is_staff) and self.fleet.is_assured

    def _served(self) -> set[BotId]:
        """All bots that we or others serve."""
        held = (lease.partition(":") for lease in self.fleet.members.holders)
        return {*self.roster.bots, *(BotId(int(name)) for kind, _, name in held if kind == "bot")}

    def _is_served(self, bot: BotId) -> bool:
        """Whether some worker polls it, as far as is known."""
        return bot_lease(bot) in self.fleet.members.holders

    def _finished(self, refs: tuple[UpdateRef, ...]) -> None:
        for ref in refs:
            task = self._duties.polling.get(ref.bot)
            if task is not None and task.intake is not None:
                task.intake.window.finish(ref.update)
            self._webhook_receiver.finished(ref)
        if self._orders is not None:
            self._orders.finished(refs)

    def _put(self, event: Event) -> None:
        self.person_queues.put(Work(event))

    def _receive(self, arrival: Arrival, crashes: int = 0, fences: tuple[Fence, ...] = ()) -> None:
        """Take an update that was polled."""
        note(arrival.event)
        taken_at = self._clock.monotonic()
        self._path.admission.put(Work(arrival.event, (arrival.ref,), fences=fences, taken_at=taken_at, crashes=crashes))

    def _task_for(self, fence: Fence) -> LeasedTask:
        kind, _, name = fence.lease.partition(":")
        match kind:
            case "bot":
                return self._polling_task(BotId(int(name)), fence)
            case "pool":
                settle = partial(self._path.pairings.settle, fences=(fence,))
                tell = self._search_delays.tell
                matcher = Matcher(PoolId(name), self._store, self._introduce, settle, self._path.env, self._clock, tell)
                return LoopTask(matcher.run, self._stand, matcher.stop)
            case _ if fence.lease == ALERTS:
                return LoopTask(self._alert_watch(fence).run, self._stand)
            case _ if fence.lease == ORDERS:
                assert self._orders is not None, "only then is the lease wanted"
                return LoopTask(partial(self._orders.run, fence), self._stand)
            case _ if fence.lease == BROADCASTS:
                assert self._broadcasts is not None, "only then is the lease wanted"
                return LoopTask(self._broadcasts.run, self._stand, self._broadcasts.stop)
            case _ if fence.lease == STAFF:
                assert self.staff_bot is not None, "only then is the lease wanted"
                return StaffTask(self.staff_bot, fence)
            case _:
                own = {
                    RECORDER: self._recorder.run,
                    JANITOR: self.janitor.serve_all,
                    CLOCK: self._idle_chats.run,
                    PERSONAL_DATA: self._personal_data.run,
                    MONEY: self._money.run,
                    DEPARTURES: self._departures.run,
                    FARMS: self._farm_watch.run,
                }
                return LoopTask((own | dict(self._more_duties))[fence.lease], self._stand)

    def _sender_of(self, broadcasts: BroadcastRecords, words: Words) -> BroadcastSender:
        room = self.courier.spare_room
        copies = Copies(words, self._staff.bot if self._staff is not None else None)
        telegram, tokens, clock, rng = self._telegram, self.tokens, self._clock, self._rng
        rounds = Rounds(broadcasts, self._store, telegram, copies, room, tokens, self.fleet, self._put, clock, rng)
        following = Following(broadcasts, telegram, copies, room, tokens, clock)
        board = None if self.staff_bot is None else self.staff_bot.board
        return BroadcastSender(
            broadcasts, rounds, following, room, tokens, self._fleet_bots, Telling(board).tell, clock, rng
        )

    def _fleet_bots(self) -> tuple[BotId, ...]:
        return self.roster.bots

    def _alert_watch(self, fence: Fence) -> AlertWatch:
        config = self._alerts
        assert config is not None, "only then is the lease wanted"
        if self._staff is not None:
            config = self._told_to_staff(config, self._staff)
        return AlertWatch(config, self._fleet_bots, lambda: self.members, self._store, fence, self._clock)

    def _told_to_staff(self, config: AlertConfig, staff: StaffConfig) -> AlertConfig:
        board = StaffBoard(
            staff.bot,
            self._telegram,
            self._wording,
            staff.records,
            self.tokens,
            Unconditional(),
            self._clock,
            self._rng,
        )
        channels = (*config.channels, StaffChannel(StaffPosts(board)))
        return replace(config, channels=channels, orders=StaffOrders(staff.records, board).after)

    def _polling_task(self, bot: BotId, fence: Fence) -> PollingTask:
        intake = None
        if self._config.polls:
            put = partial(self._receive, fences=(fence,))
            intake = Intake(bot, self._telegram, self._store, put, self.tokens, self._clock, self._rng, self.fleet)
        menus = partial(self._wording.menus, self._router.menu)
        return PollingTask(bot, fence, self._telegram, intake, menus, self._stand, self._clock, self._rng, self.tokens)


def _broken(error: BaseException) -> None:
    """Report a bug in a task that nobody awaits."""
    metrics.BUGS.add()
    logs.failed("runtime.broken", error)
