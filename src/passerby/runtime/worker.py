"""One incarnation of one worker, put together from its ports. It knows no adapter: the product and the simulation start
the same worker.

Start: before the first update is taken, everybody who is searching or chatting is loaded (from the live store, or from
the records if the live store was wiped), and the deliveries that an earlier incarnation left are queued. Leases decide
which bots this worker polls, which pools it matches, and which duties it does for all (see `membership.heartbeat` and
`lease_duties`).

Stop: if there are other workers, this one says that it leaves, and goes on as before for the time of one heartbeat. By
then they have heard it, and ask often for its leases, so the bots are without a poll only while work is finished. Then
nothing new is taken, work in hand is finished while there is time, Telegram is told how far we got, and the leases are
given back. Unfinished work stays safe in Telegram's queue or in the outbox.

Abandon: this incarnation has *lapsed*: other workers have what it held. It ends at once, and `supervise` begins the
next one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from random import Random
from typing import Final

from passerby.domain.pools import pools
from passerby.kernel.feature import Feature
from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.broadcasts import BroadcastRecords
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence, LeaseName, Members, WorkerId, bot_lease
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.records import Records
from passerby.ports.staff import StaffRecords
from passerby.ports.telegram import Arrival, Telegram
from passerby.runtime.alerting.watch import AlertConfig
from passerby.runtime.background.drains import Drains
from passerby.runtime.background.farm_watch import FARMS, ConductKeeper
from passerby.runtime.background.janitor import Janitor
from passerby.runtime.background.matcher import Introduce
from passerby.runtime.background.recorder import Recorder
from passerby.runtime.background.roll_call import RollCall
from passerby.runtime.backoff import persistently, steady
from passerby.runtime.decide.router import Router
from passerby.runtime.delivery.wording import Wording, Words
from passerby.runtime.fleet_duties import FleetDuties, OptionalDuties
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.inbound.continuity import bots_with_gaps
from passerby.runtime.inbound.unused import note
from passerby.runtime.inbound.webhook_receiver import WebhookReceiver
from passerby.runtime.lease_duties import RECORDER, LeaseDuties
from passerby.runtime.leased_tasks import LeasedTask
from passerby.runtime.membership.heartbeat import BEAT_S, Membership
from passerby.runtime.membership.report import Report
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.message_path import MessagePath
from passerby.runtime.roster import Roster
from passerby.runtime.staff.duty import StaffConfig
from passerby.runtime.tasks import Background
from passerby.runtime.unrecorded import UnrecordedFacts
from passerby.runtime.upkeep import Upkeep
from passerby.runtime.waiting import event_within
from passerby.runtime.worker_config import WorkerConfig
from passerby.runtime.worker_parts import WorkerParts
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

NOTICE_SHARE = 0.2
"""The share of the time for stopping for which we go on at most, until the others know that we leave."""

LAST_SENDS_SHARE = 0.2
"""The share that is kept for the answers to sends that are under way."""

_GONE_BACK: Final = "updates are missing since the last run: its files were put back, or another program took them"


class NoBotWorks(Exception):
    """Telegram refused every token, several times."""


class Worker:
    """`introduce` is the decision that pairs two people. `flight_recorder` knows which update is being worked on.
    For the duties that not every fleet has, see `OptionalDuties`.

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
        self._clock = clock
        self._rng = rng
        self._config = config
        self._flight_recorder = flight_recorder or FlightRecorder()
        self._kept_going: list[asyncio.Task[None]] = []
        self.id = WorkerId(f"{rng.getrandbits(64):016x}")
        self.is_ready = False
        """Whether `start` has returned and `stop` has not been called."""
        self.unrecorded = 0
        """How many facts were not in the records yet when we stopped. The journal keeps them for the next start."""

        optional = OptionalDuties(more_duties or {}, alerts, staff, staff_records, broadcasts)
        background = self._background = Background(_broken, self._flight_recorder)
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
        leases = (FARMS, *optional.leases)
        self._duties = LeaseDuties(
            bots, pools(config.rules), self.tokens, self._task_for, background, clock, rng, config, leases
        )
        unrecorded = UnrecordedFacts()
        self.membership = Membership(self.id, store, self._duties, background, clock, rng, unrecorded)
        self.roster = Roster(bots, self.tokens, self._duties, self.membership, background, clock)
        parts = WorkerParts(
            telegram=telegram,
            store=store,
            records=records,
            router=Router(features, words.key_with_label),
            words=words,
            wording=Wording(words),
            tokens=self.tokens,
            membership=self.membership,
            unrecorded=unrecorded,
            background=background,
            flight_recorder=self._flight_recorder,
            clock=clock,
            rng=rng,
            config=config,
        )
        self._keep_going = parts.keep_going
        path = self._path = MessagePath(parts, self._finished, Drains(staff_records, clock))
        self.courier, self.person_queues = path.courier, path.person_queues
        self._webhook_receiver = WebhookReceiver(
            store, self.membership, path.admission, path.albums, self._flight_recorder
        )
        self.janitor = Janitor(
            self.id,
            store,
            records,
            clock,
            path.parking.take_up,
            path.is_in_hand,
            path.uncertain.last_at,
            path.courier.inheritance,
            path.faults,
            RollCall(
                self.id,
                store,
                records,
                clock,
                members=lambda: self.membership.members.workers,
                is_sending=path.courier.is_sending_since_before,
                put_back=path.parking.put_back,
                unrecorded=unrecorded,
                shared=config.shared,
                had_crashed=config.had_crashed,
            ),
            alone=not config.shared,
        )
        self._recorder = Recorder(store, records, clock, rng, logs.record, on_behind=self.janitor.check)
        self._fleet_duties = FleetDuties(
            parts, path, self.roster, self.janitor, self._recorder, introduce, optional, self._served
        )
        self._orders_finished = self._fleet_duties.finished
        self.staff_bot = self._fleet_duties.staff_bot
        """None if there is no staff bot."""
        self._conduct_keeper = ConductKeeper(store, path.conduct_notes.take, config.key, clock)
        self._upkeep = Upkeep(
            store,
            path.courier,
            path.parking,
            path.admission,
            self.membership,
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
            with suppress(LiveStoreLost):
                await self._look_back()
        await self._report_crash()
        upkeep = self._upkeep
        for work in (
            upkeep.park_overdue,
            upkeep.park_crowds,
            upkeep.forget_idle,
            self.janitor.serve_itself,
            self._path.drains.run,
            self._path.farm_sources.run,
            self._conduct_keeper.run,
        ):
            self._kept_going.append(self._keep_going(work))
        await self.membership.first_heartbeat()
        await self._inherit()
        await self.janitor.release()
        if self._config.leads:
            await self.membership.claim_first()
        self._kept_going.append(self._keep_going(self.membership.run))
        began_at = self._clock.monotonic()
        while self._is_undecided(self._clock.monotonic() - began_at):
            await self._clock.sleep(QUIET_EVERY_S)
        self.is_ready = True

    async def _look_back(self) -> None:
        """If the files were put back to an older state, end what they hold before anything of it is sent.

        Otherwise messages and notices that wait in them would reach people who have moved on in the undone time.
        """
        if not self._config.polls:
            return
        missing = await bots_with_gaps(self.roster.bots, self._telegram, self._store, self._clock)
        if not missing:
            return
        ended = await self.janitor.doubt_everybody()
        logs.record("runtime.gone_back", "error", bots=len(missing), count=ended, reason=_GONE_BACK)

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
        self.membership.retire()
        await self._give_notice(timeout_s * NOTICE_SHARE)
        intakes = [task.intake for task in self._duties.polling.values() if task.intake is not None]
        for intake in intakes:
            intake.stop()
        leases = [lease for lease in self.membership.held if lease != RECORDER]
        releasing = self._background.spawn(self.membership.hand_over(leases))
        while self._path.is_busy and self._clock.monotonic() < deadline and not self.has_lapsed.is_set():
            await self._clock.sleep(QUIET_EVERY_S)
        whole = not self._path.is_busy
        self.courier.halt()
        while self.courier.under_way and self._clock.monotonic() < ends_at - timeout_s * RECORDER_SHARE:
            await self._clock.sleep(QUIET_EVERY_S)
        await asyncio.wait((releasing,), timeout=max(0.0, deadline - self._clock.monotonic()))
        intakes = [task.intake for task in self._duties.polling.values() if task.intake is not None]
        await asyncio.gather(*(intake.confirm() for intake in intakes))
        records = RECORDER in self.membership.held
        for task in self._kept_going:
            task.cancel()
        await asyncio.gather(*self._kept_going, return_exceptions=True)
        if records:
            await self._duties.end(RECORDER)
            are_recorded = await self._recorder.drain(timeout_s * RECORDER_SHARE)
        else:  # the last worker may do something after the recorder has stopped
            are_recorded = self.membership.has_successor
        if not are_recorded:
            with suppress(LiveStoreLost):
                self.unrecorded = (await self._store.figures()).journal
        await self.membership.leave(timeout_s * RECORDER_SHARE)
        await self._background.aclose()
        return whole

    async def _give_notice(self, most_s: float) -> None:
        """Return when the other workers know that we leave, if there are any. Meanwhile we poll and answer."""
        if self._duties.polling and self.membership.has_successor:
            await event_within(self.has_lapsed, min(BEAT_S, most_s))

    async def abandon(self) -> None:
        """End at once. Nothing is confirmed, finished or given back: other workers have it by now, or will."""
        self.is_ready = False
        self.membership.abandon()
        self.courier.abandon()
        self._webhook_receiver.close()
        await self._background.aclose()
        await self.membership.leave(GOODBYE_S)  # otherwise the others count on it until its leases run out

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
        return self.membership.members

    def _confirms(self, bot: BotId) -> bool:
        is_polled = bot in self._duties.polling or self._fleet_duties.polls_staff_bot(bot)
        return is_polled and self.membership.is_assured

    def _served(self) -> set[BotId]:
        """All bots that we or others serve."""
        held = (lease.partition(":") for lease in self.membership.members.holders)
        return {*self.roster.bots, *(BotId(int(name)) for kind, _, name in held if kind == "bot")}

    def _is_served(self, bot: BotId) -> bool:
        """Whether some worker polls it, as far as is known."""
        return bot_lease(bot) in self.membership.members.holders

    def _finished(self, refs: tuple[UpdateRef, ...]) -> None:
        for ref in refs:
            task = self._duties.polling.get(ref.bot)
            if task is not None and task.intake is not None:
                task.intake.window.finish(ref.update)
            if self._webhook_receiver.waiting:
                self._webhook_receiver.finished(ref)
        if self._orders_finished is not None:
            self._orders_finished(refs)

    def _task_for(self, fence: Fence) -> LeasedTask:
        return self._fleet_duties.task_for(fence)


def _broken(error: BaseException) -> None:
    """Report a bug in a task that nobody awaits."""
    metrics.BUGS.add()
    logs.failed("runtime.broken", error)
