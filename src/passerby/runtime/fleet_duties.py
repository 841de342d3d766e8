"""Makes the task of each lease: polling a bot, matching a pool, or a duty for the whole fleet."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from passerby.kernel.content import Kind
from passerby.kernel.event import Event, MessageReceived
from passerby.kernel.ids import BotId, PoolId, UpdateRef
from passerby.ports.broadcasts import BroadcastRecords
from passerby.ports.leases import Fence, LeaseName
from passerby.ports.staff import StaffRecords
from passerby.ports.telegram import Arrival, CommandList
from passerby.runtime.alerting.channels import StaffChannel
from passerby.runtime.alerting.posts import StaffAnswers, StaffPosts, Unconditional
from passerby.runtime.alerting.watch import AlertConfig, AlertWatch
from passerby.runtime.background.departures import Departures
from passerby.runtime.background.farm_watch import FARMS, FarmWatch
from passerby.runtime.background.idle_chats import IdleChatWatch
from passerby.runtime.background.janitor import Janitor
from passerby.runtime.background.matcher import Introduce, Matcher
from passerby.runtime.background.money import MoneyTask
from passerby.runtime.background.personal_data import PersonalDataTask
from passerby.runtime.background.recorder import Recorder
from passerby.runtime.background.referrals import Referrals
from passerby.runtime.background.search_delays import SearchDelays
from passerby.runtime.background.staff_orders import ORDERS, StaffOrders
from passerby.runtime.broadcasts.copies import Copies
from passerby.runtime.broadcasts.copy_changes import CopyChanges
from passerby.runtime.broadcasts.crowds import Crowds
from passerby.runtime.broadcasts.rounds import Rounds
from passerby.runtime.broadcasts.sender import BROADCASTS, BroadcastSender, Telling
from passerby.runtime.delivery.staff_board import StaffBoard
from passerby.runtime.inbound.continuity import Continuity
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.inbound.polling import Intake
from passerby.runtime.inbound.unused import note
from passerby.runtime.lease_duties import (
    ALERTS,
    CLOCK,
    DEPARTURES,
    JANITOR,
    MONEY,
    PERSONAL_DATA,
    RECORDER,
)
from passerby.runtime.leased_tasks import LeasedTask, LoopTask, PollingTask
from passerby.runtime.message_path import MessagePath
from passerby.runtime.roster import Roster
from passerby.runtime.staff.duty import STAFF, StaffBot, StaffConfig, StaffTask
from passerby.runtime.worker_parts import WorkerParts

Run = Callable[[], Awaitable[None]]

_UNKNOWN: Final = Kind.UNKNOWN  # to look it up in its class costs as much as a call


@dataclass(frozen=True, slots=True)
class OptionalDuties:
    """Duties that not every fleet has.

    `more` are duties that one worker does for all, besides the runtime's own; each runs until cancelled.
    `alerts`: the fleet watches itself.
    `staff`: there is a staff bot; the Bot API client has its token, too. `staff_records` holds the staff's orders, and
    `broadcasts` holds the messages to many people.
    """

    more: Mapping[LeaseName, Run] = field(default_factory=dict)
    alerts: AlertConfig | None = None
    staff: StaffConfig | None = None
    staff_records: StaffRecords | None = None
    broadcasts: BroadcastRecords | None = None

    @property
    def leases(self) -> tuple[LeaseName, ...]:
        """The leases that the worker asks for because of them."""
        wanted = ((ALERTS, self.alerts), (STAFF, self.staff), (ORDERS, self.staff_records))
        named = tuple(lease for lease, duty in (*wanted, (BROADCASTS, self.broadcasts)) if duty is not None)
        return (*self.more, *named)


class FleetDuties:
    """The tasks of the leases. `introduce` is the decision that pairs two people.

    `staff_bot`: None if there is no staff bot.
    """

    def __init__(
        self,
        parts: WorkerParts,
        path: MessagePath,
        roster: Roster,
        janitor: Janitor,
        recorder: Recorder,
        introduce: Introduce,
        optional: OptionalDuties,
        served: Callable[[], set[BotId]],
    ) -> None:
        self._parts = parts
        self._path = path
        self._roster = roster
        self._doubt = janitor.doubt
        self._introduce = introduce
        self._optional = optional
        telegram, store, records, clock = parts.telegram, parts.store, parts.records, parts.clock
        put, tokens, words = path.person_queues.put, parts.tokens, parts.words
        staff, staff_records, broadcasts = optional.staff, optional.staff_records, optional.broadcasts
        self.staff_bot = (
            StaffBot(staff, parts, path.env, path.sealer.open_exhibit, lambda: roster.bots)
            if staff is not None
            else None
        )
        self._orders = None if staff_records is None else StaffOrders(staff_records, put, clock)
        self._broadcasts = None if broadcasts is None else self._sender_of(broadcasts)
        self._search_delays = SearchDelays(store, self._put, parts.background)
        referrals = Referrals(records, path.rules_now, self._put, clock, parts.rng)
        money = MoneyTask(
            records,
            telegram,
            self._fleet_bots,
            tokens.works,
            self._put,
            clock,
            lambda: path.drains.now,
            referrals.decide_due,
            self._journal,
        )
        own_data = PersonalDataTask(store, records, telegram, path.sealer.open_words, words.word, self._put, clock)
        self._loops: dict[LeaseName, Run] = {
            RECORDER: recorder.run,
            JANITOR: janitor.serve_all,
            CLOCK: IdleChatWatch(store, path.rules_now, clock, self._put).run,
            PERSONAL_DATA: own_data.run,
            MONEY: money.run,
            DEPARTURES: Departures(served, lambda: path.drains.now, tokens, records, put, clock).run,
            FARMS: FarmWatch(store, put, clock).run,
            **optional.more,
        }

    def task_for(self, fence: Fence) -> LeasedTask:
        """The task of a lease that we have just gained."""
        kind, _, name = fence.lease.partition(":")
        keep_going = self._parts.keep_going
        match kind:
            case "bot":
                return self._polling_task(BotId(int(name)), fence)
            case "pool":
                matcher = self._matcher(PoolId(name), fence)
                return LoopTask(matcher.run, keep_going, matcher.stop)
            case _ if fence.lease == ALERTS:
                return LoopTask(self._alert_watch(fence).run, keep_going)
            case _ if fence.lease == ORDERS:
                assert self._orders is not None, "the lease is asked for only if this is configured"
                return LoopTask(partial(self._orders.run, fence), keep_going)
            case _ if fence.lease == BROADCASTS:
                assert self._broadcasts is not None, "the lease is asked for only if this is configured"
                return LoopTask(self._broadcasts.run, keep_going, self._broadcasts.stop)
            case _ if fence.lease == STAFF:
                assert self.staff_bot is not None, "the lease is asked for only if this is configured"
                return StaffTask(self.staff_bot, fence)
            case _:
                return LoopTask(self._loops[fence.lease], keep_going)

    @property
    def finished(self) -> Callable[[tuple[UpdateRef, ...]], None] | None:
        """Gets updates that are done, when that is stored. None: nobody needs to know."""
        return self._orders.finished if self._orders is not None else None

    def polls_staff_bot(self, bot: BotId) -> bool:
        """Whether this is the staff bot, and we poll it."""
        return self.staff_bot is not None and bot == self.staff_bot.bot and self.staff_bot.is_polled_here

    def _put(self, event: Event) -> None:
        self._path.person_queues.put(Work(event))

    def _journal(self) -> tuple[int, int]:
        members = self._parts.membership.members
        return members.newest, members.recorded

    def _fleet_bots(self) -> tuple[BotId, ...]:
        return self._roster.bots

    def _matcher(self, pool: PoolId, fence: Fence) -> Matcher:
        parts, path = self._parts, self._path
        settle = partial(path.pairings.settle, fences=(fence,))
        return Matcher(pool, parts.store, self._introduce, settle, path.env, parts.clock, self._search_delays.tell)

    def _polling_task(self, bot: BotId, fence: Fence) -> PollingTask:
        parts = self._parts
        telegram, tokens, clock, rng = parts.telegram, parts.tokens, parts.clock, parts.rng
        intake = None
        watch = Continuity(bot, fence, parts.store, clock, parts.membership, self._doubt)
        if parts.config.polls:
            take = self._taker((fence,))
            answer = self._path.checkouts.answer_ahead
            intake = Intake(bot, telegram, parts.store, take, tokens, clock, rng, parts.membership, watch, answer)

        def menus() -> tuple[CommandList, ...]:
            rules = self._path.rules_now()
            return parts.wording.menus(tuple(each for each in parts.router.menu if each.when(rules)), bot)

        beginning = partial(watch.forget, rng) if intake is None else None
        return PollingTask(bot, fence, telegram, intake, menus, parts.keep_going, clock, rng, tokens, beginning)

    def _taker(self, fences: tuple[Fence, ...]) -> Callable[[Arrival, int], None]:
        """The function that takes the updates that were polled under a lease."""
        monotonic, put = self._parts.clock.monotonic, self._path.admission.put

        def take(arrival: Arrival, crashes: int) -> None:
            event = arrival.event
            if type(event) is not MessageReceived or event.contents[0].kind is _UNKNOWN:
                note(event)
            put(Work(event, (arrival.ref,), (), fences, "", monotonic(), False, False, crashes))

        return take

    def _sender_of(self, broadcasts: BroadcastRecords) -> BroadcastSender:
        parts, spare = self._parts, self._path.courier.spare_budget
        staff_bot = self.staff_bot
        copies = Copies(parts.words, None if staff_bot is None else staff_bot.bot)
        telegram, tokens, clock, rng = parts.telegram, parts.tokens, parts.clock, parts.rng
        crowds = Crowds(parts.store, self._path.rules_now, clock)
        rounds = Rounds(
            broadcasts, parts.store, telegram, copies, crowds, spare, tokens, parts.membership, self._put, clock, rng
        )
        following = CopyChanges(broadcasts, telegram, copies, spare, tokens, clock)
        telling = Telling(None if staff_bot is None else staff_bot.board)
        return BroadcastSender(
            broadcasts,
            rounds,
            following,
            spare,
            tokens,
            self._fleet_bots,
            telling.tell,
            telling.ask,
            self._path.rules_now,
            clock,
            rng,
        )

    def _alert_watch(self, fence: Fence) -> AlertWatch:
        parts, config, staff = self._parts, self._optional.alerts, self._optional.staff
        assert config is not None, "the lease is asked for only if this is configured"
        if staff is not None:
            config = self._told_to_staff(config, staff)
        return AlertWatch(config, self._fleet_bots, lambda: parts.membership.members, parts.store, fence, parts.clock)

    def _told_to_staff(self, config: AlertConfig, staff: StaffConfig) -> AlertConfig:
        parts = self._parts
        board = StaffBoard(
            staff.bot,
            parts.telegram,
            parts.wording,
            staff.records,
            parts.tokens,
            Unconditional(),
            parts.clock,
            parts.rng,
        )
        channels = (*config.channels, StaffChannel(StaffPosts(board)))
        return replace(config, channels=channels, answers=StaffAnswers(staff.records, board).after)
