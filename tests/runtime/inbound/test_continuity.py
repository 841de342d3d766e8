"""Somebody else has served a bot: its chats end before anything new is decided. Our own crashes end nothing."""

import asyncio
from collections.abc import Iterable
from random import Random

import pytest
from structlog.testing import capture_logs

from passerby.adapters.memory import MemoryStore
from passerby.kernel.event import Unusable
from passerby.kernel.ids import PersonId, UpdateRef
from passerby.kernel.participant import Chatting, Idle, Participant
from passerby.ports.leases import Fence, bot_lease
from passerby.ports.message_map import Mark
from passerby.ports.outbox import Notice, Outgoing
from passerby.ports.participants import Commit, Committed
from passerby.ports.telegram import Arrival, Conflict
from passerby.runtime.background.reconciler import DOUBT_LOOKS, Reconciler
from passerby.runtime.inbound.continuity import (
    CONFLICTS_S,
    ROOM,
    STARTS_OVER_S,
    STEADY,
    TAKEN_AT_ONCE,
    TAKEN_PER_S,
    Continuity,
)
from passerby.runtime.inbound.polling import Intake
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.tasks import Background
from passerby.telemetry import metrics
from tests.contract.live_places import Disk, DiskLog
from tests.contract.live_values import waiting
from tests.contract.records_memory import MemoryRecords
from tests.runtime.virtual import EPOCH, VirtualClock
from tests.runtime.world import ANN, BEN, BOT, CHAT, EVE, ME, Assured, Leaseholder, ScriptedTelegram, somebody
from tests.staged import in_virtual_time

ELSEWHERE = Conflict("Conflict: terminated by other getUpdates request")
WEBHOOK = Conflict("Conflict: can't use getUpdates method while webhook is active")
EVERYBODY = (ANN, BEN, EVE)


def busy(version: int = 1) -> tuple[Participant, ...]:
    """Ann and Ben in a chat, and Eve in a search."""
    ann, ben = Chatting(CHAT, BEN, EPOCH), Chatting(CHAT, ANN, EPOCH)
    return somebody(ANN, ann, BOT, version), somebody(BEN, ben, BOT, version), somebody(EVE, waiting(EVE), BOT, version)


class Machine:
    """A machine on which the bot is served, by one process after another. Ann and Ben chat; Eve searches.

    `known`: how many updates came one by one before number 1.
    """

    def __init__(self, known: int = STEADY) -> None:
        self.known = known
        self.clock = VirtualClock()
        self.telegram = ScriptedTelegram(self.clock)
        self.disk = Disk()
        self.boots = 0
        self.decided: list[tuple[int, bool]] = []
        """Each update that was decided, and whether Ann was in her chat then."""
        self.told: list[PersonId] = []
        self.are_marks_lost = False

    async def begin(self) -> None:
        """Start a process on the machine's disk. The first one finds the people in their chat and search."""
        self.store = MemoryStore(DiskLog(self.disk), self.clock, Random(1), boot=str(self.boots))
        is_first = self.store.newborn
        if is_first:
            await self.store.adopt((), whole=True)
            await self.store.commit(Commit(busy()))
        await self.store.heartbeat(ME, {}, 3600.0, b"")
        epoch = await self.store.take(ME, bot_lease(BOT), 3600.0)
        assert epoch is not None
        reconciler = Reconciler(ME, self.store, MemoryRecords(), self.clock, self._tell)
        self.sure = Assured()
        fence = Fence(bot_lease(BOT), epoch)
        watch = self.watch = Continuity(BOT, fence, self.store, self.clock, Leaseholder(), reconciler.doubt)
        tokens = Tokens(self.telegram, Background(print), self.clock, Random(2))
        self.intake = Intake(BOT, self.telegram, self.store, self._put, tokens, self.clock, Random(1), self.sure, watch)
        self.task = asyncio.ensure_future(self.intake.run())
        if is_first:
            for number in range(1 - self.known, 1):
                await self.brings(number)

    def _put(self, arrival: Arrival, crashes: int) -> None:
        self.deciding = asyncio.ensure_future(self._decide(arrival.ref))

    async def _decide(self, ref: UpdateRef) -> None:
        facts = await self.store.load(ANN)
        self.decided.append((ref.update - self.known, facts is not None and isinstance(facts.me.state, Chatting)))
        if not self.are_marks_lost:
            await self.store.mark(Mark((ref,)))
        self.intake.window.finish(ref.update)

    async def _tell(self, entries: Iterable[Outgoing]) -> None:
        self.told += [entry.to for entry in entries if isinstance(entry, Notice)]

    async def brings(self, *numbers: int) -> None:
        """Telegram has these updates for the bot."""
        self.telegram.push(
            BOT, *(Arrival(UpdateRef(BOT, number + self.known), Unusable(ANN, BOT)) for number in numbers)
        )
        await asyncio.sleep(5)

    def forgets(self) -> None:
        """Telegram does not have the updates any more: another program has confirmed them."""
        self.telegram.queues[BOT].clear()

    async def is_refused(self, *conflicts: Conflict) -> None:
        """The polls after the one that waits are refused. Then the next update comes."""
        self.telegram.faults[BOT].extend(conflicts)
        await asyncio.sleep(60)
        await self.brings(self.decided[-1][0] + 1)

    async def die(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def stop(self) -> None:
        self.intake.stop()
        await self.task
        await self.intake.confirm()
        await self.store.aclose()

    async def have_ended(self) -> bool:
        """Whether nobody is in a chat or a search, and everybody was told once."""
        stored = await self.store.stored(EVERYBODY)
        idle = [person for person, each in stored.items() if isinstance(each.participant.state, Idle)]
        assert sorted(idle) == sorted(self.told), "people leave, and are told"
        assert len(idle) in (0, len(EVERYBODY))
        return bool(idle)


@in_virtual_time
async def test_after_a_run_that_was_undone_chats_end_before_anything_is_decided() -> None:
    """The files are put back to an older state. Meanwhile, somebody may have left."""
    machine = Machine()
    await machine.begin()
    await machine.brings(1, 2, 3)
    await machine.die()
    older = list(machine.disk.records)
    await machine.begin()
    await machine.brings(4)
    await machine.die()
    machine.forgets()
    machine.disk.records = older
    await machine.begin()
    with capture_logs() as lines:
        await machine.brings(5)
    assert machine.decided[-1] == (5, False)
    assert await machine.have_ended()
    assert [line["event"] for line in lines] == ["bot.updates_missing"]
    await machine.brings(6, 7)
    assert sorted(machine.told) == sorted(EVERYBODY), "once is enough"
    await machine.die()


@in_virtual_time
async def test_a_bot_that_is_served_twice_is_noticed_by_the_updates_that_are_missing() -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1, 2)
    metrics.MISSING_AT.drop(BOT)
    await machine.brings(4)
    assert machine.decided[-1] == (4, False)
    assert await machine.have_ended()
    assert metrics.snapshot(machine.clock.now()).missing_at[BOT] == metrics.MISSING_AT.value(BOT) > 0
    await machine.die()


@pytest.mark.parametrize("way", ["killed", "stopped", "power cut", "stopped, then a power cut"])
@pytest.mark.parametrize("count", [1, 3, ROOM + 5, 3 * ROOM])
@in_virtual_time
async def test_chats_survive_every_end_of_the_process(way: str, count: int) -> None:
    machine = Machine()
    await machine.begin()
    for number in range(1, count + 1):
        machine.are_marks_lost = way == "power cut" and number > count - 20
        await machine.brings(number)
    machine.are_marks_lost = False
    await (machine.stop() if way.startswith("stopped") else machine.die())
    machine.boots += "power" in way
    await machine.begin()
    await machine.brings(count + 1)
    assert machine.decided[-1] == (count + 1, True)
    assert not await machine.have_ended()
    await machine.die()


@in_virtual_time
async def test_after_a_power_cut_more_is_missing_than_we_can_have_lost() -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1, 2, 3)
    await machine.die()
    machine.boots += 1
    machine.forgets()
    await machine.begin()
    await machine.brings(5 + ROOM)
    assert await machine.have_ended()
    await machine.die()


@in_virtual_time
async def test_after_a_clean_stop_not_even_a_new_start_of_the_machine_hides_one_missing_update() -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1, 2, 3)
    await machine.stop()
    machine.boots += 1
    await machine.begin()
    await machine.brings(5)
    assert await machine.have_ended()
    await machine.die()


@in_virtual_time
async def test_a_press_that_telegram_dropped_between_two_updates_ends_nothing() -> None:
    """Not even if the process dies right after confirming it: it has no done mark."""
    machine = Machine()
    await machine.begin()
    await machine.brings(1, 2)
    await machine.brings(3, 5, 6, 8)
    await machine.die()
    await machine.begin()
    await machine.brings(9)
    assert not await machine.have_ended()
    await machine.die()


@pytest.mark.parametrize("every_h", [1, 13])
@in_virtual_time
async def test_after_many_days_of_service_a_gap_still_counts(every_h: int) -> None:
    machine = Machine()
    await machine.begin()
    count = 9 * 24 // every_h
    for number in range(1, count + 1):
        await machine.brings(number)
        await asyncio.sleep(every_h * 3600)
    await machine.brings(count + 3)
    assert await machine.have_ended()
    await machine.die()


@pytest.mark.parametrize("a_day", [2, 10])
@in_virtual_time
async def test_a_quiet_bot_notices_after_days_that_its_last_hours_were_undone(a_day: int) -> None:
    machine = Machine()
    await machine.begin()
    for number in range(1, 8 * a_day + 1):
        await machine.brings(number)
        await asyncio.sleep(86_400 / a_day)
    await machine.die()
    machine.forgets()
    await machine.begin()
    await machine.brings(8 * a_day + 4)
    assert await machine.have_ended()
    await machine.die()


@pytest.mark.parametrize("known", [STEADY, 1019, 1021])
@in_virtual_time
async def test_the_crash_of_a_quiet_bot_ends_nothing_after_its_older_done_marks_are_gone(known: int) -> None:
    machine = Machine(known=known)
    await machine.begin()
    for number in range(1, 7):
        await machine.brings(number)
        for _ in range(20):
            await asyncio.sleep(3600)
            await machine.store.sweep()
    await machine.store.aclose()
    await machine.die()
    await machine.begin()
    await machine.brings(7)
    assert not await machine.have_ended()
    await machine.die()


@pytest.mark.parametrize("note", [b"", b"x", b"null", b"[]", b"[1,2,3,null]", b"[1,2,1e400,null,true]", b'{"a":1}'])
@in_virtual_time
async def test_a_note_that_cannot_be_read_says_nothing_and_the_bot_is_served(note: bytes) -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1)
    await machine.die()
    await machine.begin()
    epoch = await machine.store.take(ME, bot_lease(BOT), 3600.0)
    assert epoch is not None
    await machine.store.keep_memo(f"polled:{BOT}", note, Fence(bot_lease(BOT), epoch))
    await machine.brings(2)
    assert machine.decided[-1] == (2, True)
    await machine.brings(*range(3, 3 + STEADY))
    await machine.brings(5 + STEADY)
    assert await machine.have_ended(), "later gaps count again"
    await machine.die()


@pytest.mark.parametrize("first", [-15, 5000])
@in_virtual_time
async def test_ids_that_start_over_after_a_quiet_week_end_nothing(first: int) -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1, 2)
    await asyncio.sleep(STARTS_OVER_S)
    await machine.brings(first)
    await machine.brings(first + 1)
    await machine.die()
    await machine.begin()
    await machine.brings(first + 2)
    assert not await machine.have_ended()
    await asyncio.sleep(STARTS_OVER_S)
    await machine.die()
    await machine.begin()
    await machine.brings(9000)
    assert not await machine.have_ended()
    await machine.brings(9002)
    assert await machine.have_ended(), "and then each update counts again"
    await machine.die()


@in_virtual_time
async def test_an_update_after_missing_ones_waits_until_people_who_keep_acting_have_left() -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1)
    machine.forgets()
    commit, refused = machine.store.commit, list[Commit]()

    async def beaten(what: Commit) -> Committed:
        if what.repairs and len(refused) < 2 * DOUBT_LOOKS:
            refused.append(what)
            return Committed.STALE
        return await commit(what)

    machine.store.commit = beaten  # type: ignore[method-assign]
    await machine.brings(3)
    await asyncio.sleep(60)
    assert len(refused) == 2 * DOUBT_LOOKS
    assert await machine.have_ended()
    assert machine.decided[-1] == (3, False)
    await machine.die()


@in_virtual_time
async def test_another_program_that_polls_the_bot_ends_its_chats_at_once() -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1)
    with capture_logs() as lines:
        await machine.is_refused(ELSEWHERE, ELSEWHERE)
    assert await machine.have_ended()
    assert machine.decided[-1] == (2, False)
    assert [line["event"] for line in lines].count("bot.polled_elsewhere") == 1
    await machine.die()


@in_virtual_time
async def test_new_chats_end_too_while_another_program_polls_the_bot() -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1)
    await machine.is_refused(ELSEWHERE, ELSEWHERE)
    machine.told.clear()
    await machine.store.commit(Commit(busy(version=3)))
    with capture_logs() as lines:
        await machine.is_refused(ELSEWHERE, ELSEWHERE)
    assert await machine.have_ended()
    assert "bot.polled_elsewhere" in [line["event"] for line in lines]
    await machine.die()


@pytest.mark.parametrize("between", ["an update that follows", "a long time"])
@in_virtual_time
async def test_a_single_conflict_ends_nothing(between: str) -> None:
    """It may be a mistake, or come from the last holder of the lease. The next update shows that nothing was taken."""
    machine = Machine()
    await machine.begin()
    for _ in range(3):
        machine.telegram.faults[BOT].append(ELSEWHERE)
        await asyncio.sleep(60)
        if between == "an update that follows":
            await machine.brings(machine.decided[-1][0] + 1)
        else:
            await asyncio.sleep(CONFLICTS_S)
    assert not await machine.have_ended()
    await machine.die()


@in_virtual_time
async def test_a_server_that_leaves_out_numbers_ends_nothing() -> None:
    """For example, one that numbers the updates of all bots together."""
    machine = Machine(known=0)
    await machine.begin()
    for number in range(1, 3 * STEADY, 3):
        await machine.brings(number)
    for number in range(100, 100 + STEADY - 1):
        await machine.brings(number)
    await machine.brings(201)
    for number in range(202, 202 + STEADY):
        await machine.brings(number)
    await machine.brings(202 + STEADY, 204 + STEADY)
    await machine.brings(206 + STEADY)
    await machine.die()
    await machine.begin()
    await machine.brings(300)
    assert not await machine.have_ended()
    await machine.die()


@pytest.mark.parametrize("is_new_process", [False, True])
@in_virtual_time
async def test_numbers_that_nobody_can_have_taken_so_fast_are_a_new_start(is_new_process: bool) -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1)
    if is_new_process:
        await machine.die()
        await machine.begin()
    await machine.brings(TAKEN_AT_ONCE + int(TAKEN_PER_S * 1000))
    assert not await machine.have_ended()
    await machine.die()


@in_virtual_time
async def test_conflicts_because_of_a_webhook_end_nothing() -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1)
    await machine.is_refused(WEBHOOK, WEBHOOK)
    assert not await machine.have_ended()
    await machine.die()


@in_virtual_time
async def test_conflicts_while_we_are_not_sure_of_our_lease_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process of the fleet may have the bot by then."""
    machine = Machine()
    await machine.begin()
    await machine.brings(1)

    async def is_taken_over(*_: object) -> list[Arrival]:
        machine.sure.is_assured = False
        raise ELSEWHERE

    monkeypatch.setattr(machine.telegram, "updates", is_taken_over)
    for _ in range(3):
        await asyncio.sleep(60)
        assert not machine.sure.is_assured
        machine.sure.returns()
        machine.sure.again.clear()
    assert not await machine.have_ended()
    await machine.die()


@in_virtual_time
async def test_chats_that_cannot_be_ended_yet_end_before_the_next_poll() -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1)
    machine.disk.full = True
    await machine.is_refused(ELSEWHERE, ELSEWHERE)
    assert machine.decided[-1] == (1, True)
    machine.disk.full = False
    await asyncio.sleep(120)
    assert machine.decided[-1] == (2, False)
    assert await machine.have_ended()
    await machine.die()


@in_virtual_time
async def test_after_a_time_with_webhooks_the_first_update_that_is_polled_ends_nothing() -> None:
    machine = Machine()
    await machine.begin()
    await machine.brings(1)
    await machine.die()
    await machine.begin()
    await machine.die()
    await machine.watch.forget(Random(1))
    await machine.begin()
    await machine.brings(500)
    assert not await machine.have_ended()
    for number in range(501, 501 + STEADY):
        await machine.brings(number)
    await machine.brings(502 + STEADY)
    assert await machine.have_ended()
    await machine.die()
