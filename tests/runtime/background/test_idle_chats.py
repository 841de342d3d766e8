"""In an idle chat, the person who owes an answer is reminded, now and then."""

import asyncio

import pytest

from passerby.kernel.event import ChatIdle
from passerby.kernel.ids import ChatId, MessageId, MessageRef, UpdateRef
from passerby.kernel.rules import Rules
from passerby.ports.idle_chats import IdleChat
from passerby.ports.message_map import Copied, Mark
from passerby.runtime.background.idle_chats import AGAIN_S, IdleChatWatch
from tests.runtime.virtual import EPOCH, VirtualClock
from tests.runtime.world import ANN, BEN, BOT, CHAT, OTHER_BOT, Bench, couple
from tests.staged import in_virtual_time

NEXT = ChatId("the next one")
TWO_YEARS_S = 730 * 86_400.0


class SetClock(VirtualClock):
    """A clock whose wall time a test can set."""

    off_s = 0.0

    def now(self) -> float:
        return super().now() + self.off_s


async def watched(bench: Bench, rules: Rules, for_s: float) -> list[ChatIdle]:
    found: list[ChatIdle] = []
    watch = IdleChatWatch(bench.store, lambda: rules, bench.clock, found.append)
    task = asyncio.ensure_future(watch.run())
    await asyncio.sleep(for_s)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return found


@in_virtual_time
async def test_an_idle_chat_reminds_the_person_who_owes_an_answer() -> None:
    bench = Bench()
    await bench.put(*couple())
    said = Copied(MessageRef(BOT, MessageId(1)), MessageRef(OTHER_BOT, MessageId(2)), 0)
    await bench.store.mark(Mark((UpdateRef(BOT, 1),), (), CHAT, (said,), speaker=ANN))
    found = await watched(bench, Rules(idle_nudge_s=100, idle_end_s=0), 111)
    assert [(event.person, event.bot, event.chat, event.speaker) for event in found] == [(BEN, OTHER_BOT, CHAT, ANN)]


@in_virtual_time
async def test_an_idle_chat_is_reported_again_but_not_at_every_check() -> None:
    bench = Bench()
    await bench.put(*couple())
    found = await watched(bench, Rules(idle_nudge_s=100, idle_end_s=1000), 100 + 3 * AGAIN_S + 15)
    assert len(found) == 4


@in_virtual_time
async def test_no_idle_chat_is_reported_too_early_or_if_switched_off() -> None:
    bench = Bench()
    await bench.put(*couple())
    assert await watched(bench, Rules(idle_nudge_s=100, idle_end_s=0), 95) == []
    assert await watched(bench, Rules(idle_nudge_s=0, idle_end_s=0), 1000) == []


@in_virtual_time
async def test_idle_chats_are_reported_once_an_operator_switches_it_on() -> None:
    bench, now = Bench(), [Rules(idle_nudge_s=0, idle_end_s=0)]
    await bench.put(*couple())
    found: list[ChatIdle] = []
    task = asyncio.ensure_future(IdleChatWatch(bench.store, lambda: now[0], bench.clock, found.append).run())
    await asyncio.sleep(500)
    assert found == []
    now[0] = Rules(idle_nudge_s=100, idle_end_s=0)
    await asyncio.sleep(15)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(found) == 1


@pytest.mark.parametrize("by_s", [-TWO_YEARS_S, TWO_YEARS_S])
@in_virtual_time
async def test_setting_the_clock_makes_no_chat_idle(by_s: float) -> None:
    bench = Bench()
    await bench.put(*couple())
    clock = SetClock()
    found: list[ChatIdle] = []
    rules = Rules(idle_nudge_s=1000, idle_end_s=0)
    watch = IdleChatWatch(bench.store, lambda: rules, clock, found.append)
    task = asyncio.ensure_future(watch.run())
    await asyncio.sleep(50)
    clock.off_s = by_s
    await asyncio.sleep(900)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert found == []


@pytest.mark.parametrize("moved_on", [CHAT, NEXT])
@in_virtual_time
async def test_somebody_who_has_moved_on_is_not_asked_about_the_chat_before(moved_on: ChatId) -> None:
    """The store lists the chat as idle, and its people leave it before they are loaded."""
    bench = Bench()
    ann, ben = couple(moved_on)
    await bench.put(ann, ben)
    listed = IdleChat(CHAT, (ANN, BEN), EPOCH, None)

    async def idle_chats(since: float, limit: int) -> list[IdleChat]:
        return [listed]

    bench.store.idle_chats = idle_chats  # type: ignore[method-assign]
    found = await watched(bench, Rules(idle_nudge_s=100, idle_end_s=0), 115)
    assert [(event.person, event.chat) for event in found] == ([(ANN, CHAT)] * 2 if moved_on == CHAT else [])
