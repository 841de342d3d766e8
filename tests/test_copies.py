"""A copy of an installation does not begin while the original serves the bots."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from passerby.bootstrap.copies import AGAIN_S, PROBE_S, WATCHED_AFTER_FAULTS_S, WATCHED_S, until_the_original_stops
from passerby.bootstrap.told_to_stop import ToldToStop
from passerby.kernel.event import Unusable
from passerby.kernel.ids import UpdateRef
from passerby.ports.telegram import Arrival, Conflict, FloodWait, TelegramError, Unavailable
from passerby.runtime.inbound.continuity import CONFLICTS_S
from tests.runtime.virtual import VirtualClock
from tests.runtime.world import ANN, BOT, OTHER_BOT, ScriptedTelegram
from tests.staged import in_virtual_time

Original = Callable[[ScriptedTelegram], Awaitable[None]]


def _update(number: int) -> Arrival:
    return Arrival(UpdateRef(BOT, number), Unusable(ANN, BOT))


class Scene:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.telegram = ScriptedTelegram(self.clock)
        self.stop = asyncio.Event()
        self.copy = asyncio.ensure_future(until_the_original_stops(self.telegram, self.clock, self.stop))

    async def begins_after(self, delay_s: float) -> bool:
        await asyncio.sleep(delay_s)
        return self.copy.done()


async def _ends_polls(telegram: ScriptedTelegram) -> None:
    telegram.faults[BOT] = deque([Conflict("Conflict: terminated by other getUpdates request")])


async def _takes_some_updates(telegram: ScriptedTelegram) -> None:
    telegram.push(BOT, _update(len(telegram.polls)), _update(len(telegram.polls) + 1))
    del telegram.queues[BOT][:-2]


async def _takes_every_update(telegram: ScriptedTelegram) -> None:
    telegram.queues[BOT].clear()
    await asyncio.sleep(WATCHED_S / 5)
    telegram.push(BOT, _update(7))


@pytest.mark.parametrize("serves", [_ends_polls, _takes_some_updates, _takes_every_update])
@in_virtual_time
async def test_a_copy_begins_when_the_original_has_stopped(serves: Original) -> None:
    scene = Scene()

    async def original() -> None:
        while True:
            await serves(scene.telegram)
            await asyncio.sleep(WATCHED_S / 5)

    running = asyncio.ensure_future(original())
    with capture_logs() as lines:
        assert not await scene.begins_after(5 * AGAIN_S)
        assert [line["event"] for line in lines] == ["copy.waits"]
        running.cancel()
        scene.telegram.faults[BOT].clear()
        assert await scene.begins_after(2 * AGAIN_S)
    assert [line["event"] for line in lines] == ["copy.waits", "copy.begins"]
    assert {offset for _, _, offset, _ in scene.telegram.polls} == {None}, "it confirms nothing"


@in_virtual_time
async def test_a_copy_does_not_ask_so_often_that_the_chats_of_the_original_end() -> None:
    scene = Scene()
    for _ in range(3):
        await _ends_polls(scene.telegram)
        await asyncio.sleep(AGAIN_S + 1)
    asked = sorted(at for at, bot, _, _ in scene.telegram.polls if bot == OTHER_BOT)
    assert all(later - earlier > CONFLICTS_S for earlier, later in pairwise(asked))
    scene.copy.cancel()


@pytest.mark.parametrize("waits_there", [True, False])
@in_virtual_time
async def test_a_copy_begins_soon_if_nobody_else_serves_the_bots(waits_there: bool) -> None:
    """The token of a bot may be refused, or it may have a webhook."""
    scene = Scene()
    scene.telegram.refuse(BOT)
    scene.telegram.faults[OTHER_BOT].append(Conflict("Conflict: can't use getUpdates method while webhook is active"))
    if waits_there:
        scene.telegram.push(BOT, _update(7), _update(8))
    with capture_logs() as lines:
        assert await scene.begins_after(2 * WATCHED_S)
    assert not lines


@pytest.mark.parametrize("fault", [Unavailable("no connection", uncertain=False), FloodWait(30.0)])
@in_virtual_time
async def test_no_answer_from_telegram_does_not_prove_that_nobody_serves_a_bot(fault: TelegramError) -> None:
    scene = Scene()
    scene.telegram.identities = {BOT: fault}
    with capture_logs() as lines:
        assert not await scene.begins_after(50 * AGAIN_S)
        assert [(line["event"], line["bot"]) for line in lines] == [("copy.unanswered", BOT)]
        assert "Telegram does not answer" in lines[0]["reason"]
        assert BOT not in {bot for _, bot, _, _ in scene.telegram.polls}, "getMe ends no poll of the original"
        await _ends_polls(scene.telegram)
        scene.telegram.identities.clear()
        assert not await scene.begins_after(AGAIN_S)
        assert [line["event"] for line in lines] == ["copy.unanswered", "copy.waits"]
        assert await scene.begins_after(2 * AGAIN_S)


@in_virtual_time
async def test_after_an_outage_a_copy_watches_until_the_original_would_have_polled_again() -> None:
    scene = Scene()
    scene.telegram.identities = {BOT: Unavailable("no connection", uncertain=False)}
    await asyncio.sleep(AGAIN_S)
    scene.telegram.identities.clear()
    assert not await scene.begins_after(WATCHED_AFTER_FAULTS_S - 2 * PROBE_S)
    assert await scene.begins_after(WATCHED_AFTER_FAULTS_S)


@in_virtual_time
async def test_polls_without_an_answer_do_not_end_the_chats_of_the_original() -> None:
    """Each may have ended a poll of the original before its own answer was lost."""
    scene = Scene()
    scene.telegram.faults[BOT].extend([Unavailable("reset", uncertain=False)] * 5)
    assert not await scene.begins_after(5 * AGAIN_S)
    asked = [at for at, bot, _, _ in scene.telegram.polls if bot == BOT]
    assert len(asked) == 5
    assert all(later - earlier > CONFLICTS_S for earlier, later in pairwise(asked))
    assert await scene.begins_after(2 * AGAIN_S)


@pytest.mark.parametrize("after_s", [1.0, 30.0])
@in_virtual_time
async def test_a_copy_that_waits_can_be_stopped(after_s: float) -> None:
    scene = Scene()
    if after_s > WATCHED_S:
        await _ends_polls(scene.telegram)
    await asyncio.sleep(after_s)
    scene.stop.set()
    with pytest.raises(ToldToStop):
        await scene.copy
