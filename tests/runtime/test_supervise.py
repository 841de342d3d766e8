"""A process continues after its worker has lapsed, and several workers share bots, people and notices."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from passerby.adapters.memory import MemoryStore
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.event import Event
from passerby.kernel.ids import BotId, UpdateRef
from passerby.kernel.participant import Chatting
from passerby.kernel.rules import Rules
from passerby.ports.telegram import Arrival, SendContent, Telegram, TokenRefused
from passerby.runtime.delivery.new_deliveries import PASSING_WAIT_S
from passerby.runtime.membership.tokens import REFUSED_AFTER_S
from passerby.runtime.supervise import supervise
from passerby.runtime.worker import NoBotWorks, Worker
from passerby.runtime.worker_config import WorkerConfig
from passerby.runtime.worker_status import WorkerStatus
from tests.contract.live_places import Disk, DiskLog
from tests.contract.records_memory import MemoryRecords
from tests.runtime.virtual import EPOCH, VirtualClock, run
from tests.runtime.world import (
    ANN,
    BEN,
    BOT,
    OTHER_BOT,
    PLENTY,
    WORDS,
    ScriptedTelegram,
    somebody,
    words_of,
    written,
)
from tests.staged import staged
from tests.wording import html


class Process:
    def __init__(self, town: "Town", name: str, telegram: Telegram | None = None, **how: Any) -> None:
        self.town = town
        self.name = name
        self.telegram = telegram or town.telegram
        self.how = how
        self.incarnations: list[Worker] = []
        self.ended: list[bool] = []
        self.stop = asyncio.Event()
        self.running = asyncio.ensure_future(
            supervise(self.make, self.stop, town.clock, 5.0, self.incarnations.append, self.ended.append)
        )

    def make(self) -> Worker:
        town = self.town
        return Worker(
            telegram=self.telegram,
            store=town.store,
            records=town.records,
            features=ALL,
            introduce=introduce,
            words=WORDS,
            clock=town.clock,
            rng=Random(f"{self.name} {len(self.incarnations)}"),
            config=WorkerConfig(
                rules=Rules(),
                key=bytes(32),
                bot_budget=PLENTY,
                chat_budget=PLENTY,
                shared=True,
                name=self.name,
                **self.how,
            ),
        )

    @property
    def bots(self) -> set[BotId]:
        return {BotId(int(lease[4:])) for lease in self.incarnations[-1].membership.held if lease.startswith("bot:")}


class Town:
    """Two bots, one store, and processes that start and stop."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.store = MemoryStore(DiskLog(Disk()), self.clock, Random(1))
        self.records = MemoryRecords()
        self.telegram = ScriptedTelegram(self.clock)
        self._update = dict.fromkeys(self.telegram.bots, 0)

    async def begin(self, name: str, **how: Any) -> Process:
        process = Process(self, name, **how)
        await asyncio.sleep(0.1)
        return process

    def happens(self, event: Event, bot: BotId = BOT) -> UpdateRef:
        self._update[bot] += 1
        ref = UpdateRef(bot, self._update[bot])
        self.telegram.push(bot, Arrival(ref, event))
        return ref

    async def meet(self) -> None:
        for person, bot in ((ANN, BOT), (BEN, OTHER_BOT)):
            self.records.disk.people.setdefault(person, somebody(person, bot=bot))
            self.happens(written(person, "/search", bot=bot), bot)
        await asyncio.sleep(5)


def in_town(body: Callable[[Town], Awaitable[None]]) -> None:
    run(_in(body))


async def _in(body: Callable[[Town], Awaitable[None]]) -> None:
    await body(Town())


def delivered(town: Town) -> list[str]:
    return words_of([each for each in town.telegram.sent if isinstance(each, SendContent)])


@staged(in_town)
async def test_two_workers_share_the_bots_and_their_people_meet_and_talk(town: Town, /) -> None:
    one, two = await town.begin("one"), await town.begin("two")
    await asyncio.sleep(6)
    assert one.bots | two.bots == {BOT, OTHER_BOT}
    assert len(one.bots) == len(two.bots) == 1
    await town.meet()
    town.happens(written(ANN, "hello", 2000, sent_at=EPOCH + 60))
    town.happens(written(BEN, "hi", 2000, OTHER_BOT, sent_at=EPOCH + 60), OTHER_BOT)
    await asyncio.sleep(5)
    assert sorted(delivered(town)) == ["hello", "hi"]
    for process in (one, two):
        process.stop.set()
    assert await one.running
    assert await two.running
    assert not any(town.telegram.queues.values()), "all is confirmed"
    assert (await town.store.members()).workers == {}


@staged(in_town)
async def test_a_worker_that_leaves_hands_over_its_bots_at_once(town: Town, /) -> None:
    one, two = await town.begin("one"), await town.begin("two")
    await asyncio.sleep(6)
    two.stop.set()
    await two.running
    await asyncio.sleep(2)
    assert one.bots == {BOT, OTHER_BOT}
    assert two.ended == [False]
    one.stop.set()
    await one.running


@staged(in_town)
async def test_a_lapsed_worker_restarts_under_a_new_name_with_nothing_in_hand(town: Town, /) -> None:
    one = await town.begin("one")
    first = one.incarnations[0]
    first.membership.lapse("a test says so")
    await asyncio.sleep(1)
    assert one.ended == [True]
    assert len(one.incarnations) == 2
    second = one.incarnations[1]
    assert second.id != first.id
    assert set((await town.store.members()).workers) == {second.id}, "nobody uses the former worker any more"
    await town.meet()
    assert isinstance(town.records.disk.people[ANN].state, Chatting)
    one.stop.set()
    assert await one.running


@staged(in_town)
async def test_without_a_working_token_there_is_no_first_incarnation(town: Town, /) -> None:
    town.telegram.identities = {bot: TokenRefused() for bot in town.telegram.bots}
    one = await town.begin("one")
    with pytest.raises(NoBotWorks):
        await one.running


@staged(in_town)
async def test_a_bot_with_a_refused_token_keeps_its_holder(town: Town, /) -> None:
    town.telegram.identities[OTHER_BOT] = TokenRefused()
    one, two = await town.begin("one"), await town.begin("two")
    await asyncio.sleep(REFUSED_AFTER_S + 30)
    assert one.bots | two.bots == {BOT, OTHER_BOT}
    assert [bot for _, bot, *_ in town.telegram.polls].count(OTHER_BOT) <= 2, "each asked once, before it was refused"
    reports = [process.incarnations[-1].report() for process in (one, two)]
    assert [report.idle_bots for report in reports if report.idle_bots] == [(OTHER_BOT,)]
    for process in (one, two):
        process.stop.set()
        await process.running


@staged(in_town)
async def test_a_process_for_webhooks_only_holds_no_leases_and_handles_its_updates(town: Town, /) -> None:
    worker = await town.begin("worker", polls=False)
    web = await town.begin("web", polls=False, leads=False)
    await asyncio.sleep(3)
    assert worker.bots == {BOT, OTHER_BOT}
    assert web.bots == set()
    assert town.telegram.polls == []
    town.records.disk.people[ANN] = somebody(ANN)
    arrival = Arrival(UpdateRef(BOT, 5), written(ANN, "/search"))
    await web.incarnations[0].receive(arrival)
    assert await town.store.done(BOT, (5,)) == {5}
    await asyncio.sleep(PASSING_WAIT_S + 1)
    assert words_of(town.telegram.sent) == [html("search.begun").partition("\n")[0]]
    for process in (worker, web):
        process.stop.set()
        await process.running


@staged(in_town)
async def test_a_worker_reports_its_status(town: Town, /) -> None:
    one = await town.begin("one")
    await asyncio.sleep(2)
    worker_status = WorkerStatus(one.incarnations[0], town.store, town.records, "one", "worker")
    assert await worker_status.unready() == []
    status = await worker_status.status()
    assert status["stores"] == {"live": "ok", "records": "ok"}
    assert status["worker"] == one.incarnations[0].id
    assert set(status["holders"].values()) == {one.incarnations[0].id}  # type: ignore[attr-defined]
    town.records.lost = True
    assert await worker_status.unready() == [], "people chat without the records"
    assert "does not answer" in (await worker_status.status())["stores"]["records"]  # type: ignore[index]
    one.stop.set()
    await one.running
    assert await worker_status.unready() == ["it is starting, or stopping"]
