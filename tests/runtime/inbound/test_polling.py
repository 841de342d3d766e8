"""Polling: no update is confirmed before it is done, whatever goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from passerby.adapters.memory import MemoryStore
from passerby.kernel.event import Unusable
from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.done_marks import Known
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.telegram import Arrival, Conflict, FloodWait, TokenRefused, Unavailable
from passerby.runtime.inbound.polling import (
    BACKOFF,
    STORE_BACKOFF,
    WINDOW,
    Intake,
    Window,
)
from passerby.runtime.membership.tokens import REFUSED_AFTER_S, Tokens
from passerby.runtime.tasks import Background
from passerby.telemetry import metrics
from tests.contract.live_places import Disk, DiskLog
from tests.runtime.virtual import VirtualClock, run, settled
from tests.runtime.world import ANN, BOT, Assured, ScriptedTelegram
from tests.staged import staged


def arrivals(*numbers: int) -> list[Arrival]:
    return [Arrival(UpdateRef(BOT, number), Unusable(ANN, BOT)) for number in numbers]


class Desk:
    """A running intake, and a function that finishes the updates that it hands on."""

    def __init__(self, *, auto: bool = True) -> None:
        self.clock = VirtualClock()
        self.telegram = ScriptedTelegram(self.clock)
        self.store = AwayStore(self.clock)
        self.auto = auto
        self.taken: list[int] = []
        self.tokens = Tokens(self.telegram, Background(print), self.clock, Random(2))
        self.sure = Assured()
        self.intake = Intake(BOT, self.telegram, self.store, self._put, self.tokens, self.clock, Random(1), self.sure)
        self.task = asyncio.ensure_future(self.intake.run())

    def _put(self, arrival: Arrival, crashes: int) -> None:
        self.taken.append(arrival.ref.update)
        if self.auto:
            asyncio.get_running_loop().call_later(0.001, self.intake.window.finish, arrival.ref.update)

    async def finish(self, *numbers: int) -> None:
        for number in numbers:
            await self.store.mark(Mark((UpdateRef(BOT, number),)))
            self.intake.window.finish(number)

    @property
    def offsets(self) -> list[int | None]:
        return [offset for _, _, offset, _ in self.telegram.polls]

    @property
    def times(self) -> list[float]:
        return [at for at, *_ in self.telegram.polls]

    async def close(self) -> None:
        self.intake.stop()
        await self.task


class AwayStore(MemoryStore):
    """A memory store that cannot be asked while it is `away`."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(DiskLog(Disk()), clock, Random(1))
        self.away = False

    async def known(self, bot: BotId, updates: object) -> Known:
        if self.away:
            raise LiveStoreLost
        return await super().known(bot, updates)  # type: ignore[arg-type]


def at_desk(body: Callable[[Desk], Awaitable[None]], *, auto: bool = True) -> None:
    async def main() -> None:
        desk = Desk(auto=auto)
        try:
            await body(desk)
        finally:
            await desk.close()

    run(main())


@given(st.lists(st.integers(0, 2**31), unique=True, min_size=1, max_size=30), st.data())
def test_the_window_never_confirms_above_an_unfinished_update(numbers: list[int], data: st.DataObject) -> None:
    """In whatever order work ends, confirmed updates are done, and so are all updates before them in the queue."""
    window, done = Window(), set[int]()
    assert all(window.admit(number) for number in numbers)
    for number in data.draw(st.permutations(numbers)):
        assert window.offset == next(each for each in numbers if each not in done)
        assert window.unfinished == len(numbers) - len(done)
        window.finish(number)
        done.add(number)
    assert window.offset == numbers[-1] + 1
    assert window.empty


@given(st.lists(st.tuples(st.sampled_from(["admit", "finish", "release"]), st.integers(0, 9)), max_size=60))
def test_nothing_below_the_low_water_mark_is_ever_unfinished(steps: list[tuple[str, int]]) -> None:
    """Updates come with rising numbers, as from one queue. Released ones come again."""
    window, held, base = Window(), dict[int, bool](), 0
    for what, number in steps:
        if what == "admit":
            base += 1
            assert window.admit(base)
            assert not window.admit(base), "what is in hand is not taken twice"
            held[base] = False
        elif what == "finish":
            window.finish(base - number)
            if base - number in held:
                held[base - number] = True
        elif held and not held[max(held)]:
            window.release([max(held)])
            del held[max(held)]
            base -= 1
        unfinished = [each for each, done in held.items() if not done]
        assert window.unfinished == len(unfinished)
        assert window.offset is None or all(each >= window.offset for each in unfinished)
        if unfinished:
            assert window.offset == min(unfinished)


def test_ids_that_start_over_work_like_any_others() -> None:
    window = Window()
    window.admit(900)
    window.finish(900)
    assert window.offset == 901
    window.admit(3)
    assert window.offset == 3
    window.finish(3)
    assert window.offset == 4


def test_updates_finished_by_another_process_are_ignored() -> None:
    window = Window()
    window.finish(5)
    assert window.offset is None


@staged(at_desk)
async def test_updates_are_handed_on_in_order_and_confirmed_when_done(desk: Desk, /) -> None:
    desk.telegram.push(BOT, *arrivals(5, 6, 9))
    await asyncio.sleep(1)
    assert desk.taken == [5, 6, 9]
    assert desk.offsets[0] is None
    assert desk.offsets[-1] == 10
    assert desk.telegram.queues[BOT] == []


@staged(at_desk, auto=False)
async def test_nothing_is_confirmed_before_it_is_done_nor_taken_twice(desk: Desk, /) -> None:
    desk.telegram.push(BOT, *arrivals(1, 2, 3))
    await asyncio.sleep(10)
    assert desk.taken == [1, 2, 3]
    assert set(desk.offsets) == {None, 1}
    await desk.finish(2, 3)
    await asyncio.sleep(10)
    assert set(desk.offsets) == {None, 1}
    assert len(desk.telegram.queues[BOT]) == 3
    await desk.finish(1)
    await asyncio.sleep(1)
    assert desk.offsets[-1] == 4
    assert desk.taken == [1, 2, 3]


@staged(at_desk, auto=False)
async def test_updates_done_before_a_restart_are_recognised_and_confirmed(desk: Desk, /) -> None:
    await desk.store.mark(Mark((UpdateRef(BOT, 1), UpdateRef(BOT, 3))))
    desk.telegram.push(BOT, *arrivals(1, 2, 3))
    await asyncio.sleep(1)
    assert desk.taken == [2]
    assert desk.offsets[-1] == 2
    await desk.finish(2)
    await asyncio.sleep(1)
    assert desk.offsets[-1] == 4


@staged(at_desk, auto=False)
async def test_the_same_offset_is_not_asked_for_again_within_half_a_second(desk: Desk, /) -> None:
    """Telegram would return a single update."""
    desk.telegram.push(BOT, *arrivals(1, 2))
    await asyncio.sleep(5)
    held = [at for at, _, offset, _ in desk.telegram.polls if offset == 1]
    assert len(held) > 3
    assert min(after - before for before, after in pairwise(held)) > 0.5


@staged(at_desk, auto=False)
async def test_when_the_mark_moves_the_next_poll_follows_soon(desk: Desk, /) -> None:
    desk.telegram.push(BOT, *arrivals(1, 2))
    await settled()
    before = desk.clock.monotonic()
    await desk.finish(1)
    await asyncio.sleep(0.1)
    assert desk.offsets[-1] == 2
    assert desk.times[-1] - before < 0.05


@staged(at_desk, auto=False)
async def test_while_updates_are_in_hand_polls_return_at_once(desk: Desk, /) -> None:
    desk.telegram.push(BOT, *arrivals(1))
    await asyncio.sleep(3)
    timeouts = [timeout for _, _, offset, timeout in desk.telegram.polls if offset == 1]
    assert timeouts
    assert set(timeouts) == {0}
    await desk.finish(1)
    await asyncio.sleep(3)
    assert desk.telegram.polls[-1][3] > 0


@staged(at_desk, auto=False)
async def test_at_most_one_window_of_unfinished_updates_is_in_hand(desk: Desk, /) -> None:
    desk.telegram.push(BOT, *arrivals(*range(1, 251)))
    await asyncio.sleep(5)
    assert len(desk.taken) == WINDOW
    asked = len(desk.offsets)
    await asyncio.sleep(200)
    assert len(desk.offsets) == asked, "with a full window nothing is polled"
    await desk.finish(1)
    await asyncio.sleep(2)
    assert len(desk.taken) == WINDOW + 1
    await desk.finish(*range(2, WINDOW + 2))
    await asyncio.sleep(2)
    assert len(desk.taken) == 2 * WINDOW + 1


@pytest.mark.parametrize(
    "fault",
    [Unavailable("reset", uncertain=True), Conflict("terminated by other getUpdates"), LiveStoreLost()],
    ids=lambda fault: type(fault).__name__,
)
@staged(at_desk)
async def test_after_a_fault_polling_pauses_grow_up_to_a_limit(desk: Desk, /, fault: Exception) -> None:
    desk.telegram.faults[BOT].extend([fault] * 12)
    await asyncio.sleep(900)
    pauses = [after - before for before, after in pairwise(desk.times)][:12]
    assert BACKOFF.first_s <= pauses[0] <= BACKOFF.first_s * 1.25
    assert pauses[3] > pauses[1] > pauses[0]
    longest_s = (STORE_BACKOFF if isinstance(fault, LiveStoreLost) else BACKOFF).longest_s
    assert longest_s <= max(pauses) <= longest_s * 1.25 + 0.1
    desk.telegram.push(BOT, *arrivals(1))
    await asyncio.sleep(1)
    assert desk.taken == [1]
    desk.telegram.faults[BOT].append(fault)
    desk.telegram.push(BOT, *arrivals(2))
    asked = len(desk.times)
    await asyncio.sleep(120)
    assert desk.taken == [1, 2]
    assert desk.times[asked + 1] - desk.times[asked] <= BACKOFF.first_s * 1.25 + 0.1, "pauses start small again"


@staged(at_desk)
async def test_a_webhook_in_the_way_is_reported_with_its_remedy(
    desk: Desk, /, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
    desk.telegram.faults[BOT].append(Conflict(f"Conflict: {said}"))
    await asyncio.sleep(5)
    logged = "".join(capsys.readouterr())
    assert "intake.conflict" in logged
    assert "run `passerby webhook delete`" in logged
    assert "deleteWebhook" not in logged


@staged(at_desk)
async def test_a_second_program_on_the_same_bot_is_reported_with_its_remedy(
    desk: Desk, /, capsys: pytest.CaptureFixture[str]
) -> None:
    """For example, a directory that was copied to another machine and started there, too."""
    said = "terminated by other getUpdates request; make sure that only one bot instance is running"
    desk.telegram.faults[BOT].append(Conflict(f"Conflict: {said}"))
    await asyncio.sleep(5)
    logged = "".join(capsys.readouterr())
    assert "intake.conflict" in logged
    assert "another program polls this bot, perhaps a copy of this installation: stop one of the two" in logged


@staged(at_desk)
async def test_a_flood_wait_is_obeyed_exactly(desk: Desk, /) -> None:
    desk.telegram.faults[BOT].append(FloodWait(33.0))
    await asyncio.sleep(60)
    assert 33.0 <= desk.times[1] - desk.times[0] <= 33.0 * 1.25 + 0.1


@pytest.mark.parametrize("times", [1, 2, 5])
@staged(at_desk)
async def test_a_poll_refused_by_mistake_is_repeated(desk: Desk, /, times: int) -> None:
    desk.telegram.faults[BOT].extend([TokenRefused()] * times)
    desk.telegram.push(BOT, *arrivals(1))
    await asyncio.sleep(60)
    assert desk.taken == [1]
    assert desk.tokens.works(BOT)
    assert not desk.task.done()


@staged(at_desk)
async def test_a_bot_with_a_refused_token_is_not_polled_until_it_works_again(desk: Desk, /) -> None:
    desk.telegram.identities[BOT] = TokenRefused()
    desk.telegram.faults[BOT].append(TokenRefused())
    await asyncio.sleep(2 * REFUSED_AFTER_S)
    assert desk.tokens.is_lost(BOT)
    assert len(desk.telegram.polls) == 1
    desk.telegram.push(BOT, *arrivals(1))
    del desk.telegram.identities[BOT]
    await asyncio.sleep(REFUSED_AFTER_S * 2)
    assert desk.taken == [1]


@staged(at_desk)
async def test_a_bot_whose_token_works_again_counts_as_polled_from_then_on(desk: Desk, /) -> None:
    """Otherwise an alert would say that it is not polled, until its first long poll returns."""
    desk.telegram.identities[BOT] = TokenRefused()
    desk.telegram.faults[BOT].append(TokenRefused())
    await asyncio.sleep(2 * REFUSED_AFTER_S)
    del desk.telegram.identities[BOT]
    before = desk.clock.now()
    while not desk.tokens.works(BOT):
        await asyncio.sleep(1.0)
    await asyncio.sleep(1.0)
    assert len(desk.telegram.polls) == 2
    assert metrics.POLLED_AT.value(BOT) > before


@staged(at_desk)
async def test_a_bot_counts_as_polled_as_soon_as_its_first_poll_was_answered(desk: Desk, /) -> None:
    await asyncio.sleep(1.0)
    assert metrics.POLLED_AT.value(BOT) >= desk.clock.now() - 1.0, "the first poll does not wait for updates"
    assert len(desk.telegram.polls) == 2, "the second one does"


@staged(at_desk)
async def test_a_process_whose_polls_all_fail_never_says_that_the_bot_was_polled(desk: Desk, /) -> None:
    """A process that ends and starts again faster than the alert's threshold would hide the bot otherwise."""
    metrics.POLLED_AT.drop(BOT)
    desk.telegram.faults[BOT].extend([Unavailable("no connection", uncertain=False)] * 50)
    await asyncio.sleep(60.0)
    assert metrics.POLLED_AT.value(BOT) == 0.0
    assert metrics.POLLED_AT.is_set, "a figure that is missing would be no alert in Prometheus"


@staged(at_desk)
async def test_when_another_program_last_polled_the_bot_is_known(desk: Desk, /) -> None:
    metrics.CONFLICT_AT.drop(BOT)
    await asyncio.sleep(60.0)
    assert not metrics.CONFLICT_AT.value(BOT)
    desk.telegram.faults[BOT].append(Conflict("terminated by other getUpdates request"))
    await asyncio.sleep(120.0)
    assert 0 < desk.clock.now() - metrics.CONFLICT_AT.value(BOT) <= 120.0


@pytest.mark.parametrize("is_lost", [False, True])
@staged(at_desk)
async def test_a_stop_does_not_wait_for_a_bot_with_a_refused_token(desk: Desk, /, is_lost: bool) -> None:
    desk.telegram.identities[BOT] = TokenRefused()
    desk.telegram.faults[BOT].append(TokenRefused())
    await asyncio.sleep(2 * REFUSED_AFTER_S if is_lost else 5)
    desk.intake.stop()
    await asyncio.sleep(0.01)
    assert desk.task.done()


@staged(at_desk)
async def test_a_polling_fault_is_logged_with_its_reason(desk: Desk, /) -> None:
    with capture_logs() as lines:
        desk.telegram.faults[BOT].append(Unavailable("no connection (time-out)", uncertain=False))
        await asyncio.sleep(5)
    logged = [line for line in lines if line["event"] == "intake.faltered"]
    assert [line["reason"] for line in logged] == ["no connection (time-out)"]


@staged(at_desk)
async def test_while_the_store_is_away_nothing_is_taken_or_confirmed(desk: Desk, /) -> None:
    desk.store.away = True
    desk.telegram.push(BOT, *arrivals(1, 2))
    await asyncio.sleep(30)
    assert desk.taken == []
    assert set(desk.offsets) == {None}
    assert desk.intake.window.empty
    desk.store.away = False
    await asyncio.sleep(120)
    assert desk.taken == [1, 2]


@staged(at_desk)
async def test_a_bot_is_served_within_seconds_after_the_store_is_back(desk: Desk, /) -> None:
    desk.store.away = True
    desk.telegram.push(BOT, *arrivals(1, 2))
    await asyncio.sleep(600)
    desk.store.away = False
    await asyncio.sleep(3)
    assert desk.taken == [1, 2]


@staged(at_desk)
async def test_a_worker_without_assurance_does_not_poll(desk: Desk, /) -> None:
    """A poll confirms updates that another worker may have in hand."""
    desk.telegram.push(BOT, *arrivals(1))
    await asyncio.sleep(1)
    desk.sure.is_assured = False
    desk.telegram.push(BOT, *arrivals(2))
    await asyncio.sleep(60)
    polls = len(desk.telegram.polls)
    await asyncio.sleep(300)
    assert len(desk.telegram.polls) == polls
    assert desk.taken == [1], "the updates of the poll under way are left to the lease holder"
    desk.sure.is_assured = True
    desk.sure.again.set()
    await asyncio.sleep(60)
    assert desk.taken == [1, 2]


@staged(at_desk)
async def test_after_an_empty_poll_a_worker_without_assurance_does_not_poll_again(desk: Desk, /) -> None:
    await asyncio.sleep(1)
    desk.sure.is_assured = False
    await asyncio.sleep(60)
    polls = len(desk.telegram.polls)
    await asyncio.sleep(300)
    assert len(desk.telegram.polls) == polls


@staged(at_desk)
async def test_a_stop_interrupts_a_long_poll(desk: Desk, /) -> None:
    await asyncio.sleep(1)
    desk.intake.stop()
    await asyncio.sleep(0.01)
    assert desk.task.done()


@pytest.mark.parametrize("fault", [TokenRefused(), FloodWait(1000.0)], ids=lambda fault: type(fault).__name__)
@staged(at_desk)
async def test_a_stop_interrupts_a_pause(desk: Desk, /, fault: Exception) -> None:
    desk.telegram.faults[BOT].append(fault)
    await asyncio.sleep(1)
    desk.intake.stop()
    await asyncio.sleep(0.01)
    assert desk.task.done()


@staged(at_desk, auto=False)
async def test_a_stop_interrupts_the_wait_for_room(desk: Desk, /) -> None:
    desk.telegram.push(BOT, *arrivals(*range(1, 201)))
    await asyncio.sleep(1)
    desk.intake.stop()
    await asyncio.sleep(0.01)
    assert desk.task.done()


@staged(at_desk, auto=False)
async def test_at_the_end_the_done_updates_are_confirmed(desk: Desk, /) -> None:
    await desk.intake.confirm()
    assert desk.offsets == [], "there is nothing to confirm"
    desk.telegram.push(BOT, *arrivals(1, 2, 3))
    await asyncio.sleep(0.02)
    desk.intake.stop()
    await desk.finish(1, 3)
    await desk.intake.confirm()
    assert desk.offsets[-1] == 2
    desk.telegram.faults[BOT].append(Unavailable("reset", uncertain=True))
    await desk.intake.confirm()
