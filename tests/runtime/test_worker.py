"""The whole runtime: how it starts, what it survives, and how it stops."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from passerby.adapters.memory import MemoryStore
from passerby.domain.budgets import Budget
from passerby.features import ALL
from passerby.features.search import introduce
from passerby.kernel.event import Event
from passerby.kernel.ids import BotId, UpdateRef
from passerby.kernel.participant import Chatting, Idle
from passerby.kernel.rules import Rules
from passerby.ports.leases import WorkerId
from passerby.ports.telegram import Arrival, FloodWait, SendContent, SendNotice, TokenRefused, Unavailable
from passerby.runtime.lease_duties import RECORDER
from passerby.runtime.membership.tokens import REFUSED_AFTER_S
from passerby.runtime.worker import NoBotWorks, Worker
from passerby.runtime.worker_config import WorkerConfig
from tests.contract.live_places import Disk, DiskLog
from tests.contract.records_memory import MemoryRecords
from tests.runtime.virtual import EPOCH, VirtualClock, run
from tests.runtime.world import (
    ANN,
    BEN,
    BOT,
    CHAT,
    OTHER_BOT,
    PLENTY,
    WORDS,
    ScriptedTelegram,
    couple,
    somebody,
    words_of,
    written,
)
from tests.staged import in_virtual_time, staged
from tests.wording import opening


class House:
    """An app over memory. Its disk and its records survive it."""

    def __init__(
        self,
        disk: Disk | None = None,
        records: MemoryRecords | None = None,
        chat_budget: Budget = PLENTY,
        *,
        had_crashed: bool = False,
        boot: str | None = None,
    ) -> None:
        self.clock = VirtualClock()
        self.disk = disk or Disk()
        self.records = records or MemoryRecords()
        self.telegram = ScriptedTelegram(self.clock)
        rng = Random(len(self.disk.records))  # so no two incarnations have the same name
        self.store = MemoryStore(DiskLog(self.disk), self.clock, rng, boot=boot)
        self.app = Worker(
            telegram=self.telegram,
            store=self.store,
            records=self.records,
            features=ALL,
            introduce=introduce,
            words=WORDS,
            clock=self.clock,
            rng=rng,
            config=WorkerConfig(
                rules=Rules(),
                key=bytes(32),
                bot_budget=PLENTY,
                chat_budget=chat_budget,
                had_crashed=had_crashed,
            ),
        )
        self.numbers = dict.fromkeys(self.telegram.bots, 0)

    def happens(self, event: Event, bot: BotId = BOT) -> None:
        self.numbers[bot] += 1
        self.telegram.push(bot, Arrival(UpdateRef(bot, self.numbers[bot]), event))

    async def meet(self) -> None:
        for person, bot in ((ANN, BOT), (BEN, OTHER_BOT)):
            self.records.disk.people.setdefault(person, somebody(person, bot=bot))
            self.happens(written(person, "/search", bot=bot), bot)
        await asyncio.sleep(5)

    @property
    def left(self) -> int:
        return sum(map(len, self.telegram.queues.values()))


def at_home(body: Callable[[House], Awaitable[None]], before: Callable[[House], object] = lambda house: None) -> None:
    """`before` prepares the house before its app starts."""

    async def main() -> None:
        house = House()
        before(house)
        await house.app.start()
        await body(house)
        await house.app.stop(10.0)

    run(main())


def delivered(house: House) -> list[str]:
    return words_of([each for each in house.telegram.sent if isinstance(each, SendContent)])


def tried(house: House) -> list[str]:
    return words_of([each for _, each in house.telegram.tried if isinstance(each, SendContent)])


@staged(at_home)
async def test_two_strangers_on_two_bots_meet_and_talk(house: House, /) -> None:
    await house.meet()
    house.happens(written(ANN, "hello", 2000, sent_at=EPOCH + 9))
    house.happens(written(BEN, "hi", 2000, OTHER_BOT, sent_at=EPOCH + 9), OTHER_BOT)
    await asyncio.sleep(2)
    assert sorted(delivered(house)) == ["hello", "hi"]
    assert house.left == 0, "everything is confirmed"
    assert isinstance(house.records.disk.people[ANN].state, Chatting), "and recorded"


def they_are_recorded(house: House) -> None:
    house.records.disk.people.update((each.person, each) for each in couple())
    house.records.disk.changed_at = {"": EPOCH}


@staged(at_home, before=they_are_recorded)
async def test_an_empty_store_gets_the_open_chats_from_the_records(house: House, /) -> None:
    assert await house.store.open_chats((CHAT,)) == {CHAT}
    assert not house.store.newborn
    again = House(house.disk, MemoryRecords())
    assert await again.store.open_chats((CHAT,)) == {CHAT}


@in_virtual_time
async def test_if_the_live_store_is_gone_after_a_crash_the_recorded_chats_end_and_both_people_are_told() -> None:
    """Somebody may have left their chat right before the crash, and the records do not know it."""
    house = House(had_crashed=True)
    they_are_recorded(house)
    await house.app.start()
    assert await house.store.open_chats((CHAT,)) == set()
    assert not house.store.newborn
    await asyncio.sleep(5)
    told = [each for each in house.telegram.sent if isinstance(each, SendNotice)]
    assert sorted(each.person for each in told) == sorted([ANN, BEN])
    assert all(each.startswith(opening("chat.connection_lost")) for each in words_of(told))
    await house.app.stop(10.0)


@staged(at_home)
async def test_a_working_store_is_not_overwritten_by_older_records(house: House, /) -> None:
    await house.meet()
    records = MemoryRecords()
    records.disk.people.update((each.person, each) for each in couple())
    again = House(house.disk, records)
    await again.app.start()
    assert await again.store.open_chats((CHAT,)) == set()
    await again.app.stop(10.0)


@staged(at_home, before=lambda house: house.telegram.identities.update({OTHER_BOT: TokenRefused()}))
async def test_a_bot_whose_token_is_refused_is_left_out_and_the_others_work(house: House, /) -> None:
    house.happens(written(ANN, "/start"))
    await asyncio.sleep(2)
    assert len(house.telegram.sent) == 1
    assert [bot for _, bot, *_ in house.telegram.polls].count(OTHER_BOT) <= 1, "before the refusal was known"


@in_virtual_time
async def test_without_a_working_bot_there_is_no_start() -> None:
    house = House()
    house.telegram.identities = {bot: TokenRefused() for bot in house.telegram.bots}
    with pytest.raises(NoBotWorks):
        await house.app.start()


DOWN = Unavailable("down", uncertain=False)


@staged(at_home, before=lambda house: house.telegram.identities.update({OTHER_BOT: DOWN}))
async def test_a_bot_that_cannot_be_checked_counts_as_working(house: House, /) -> None:
    house.happens(written(ANN, "/start", bot=OTHER_BOT), OTHER_BOT)
    await asyncio.sleep(2)
    assert len(house.telegram.sent) == 1


@pytest.mark.parametrize("noticed_by", ["intake", "courier"])
@staged(at_home)
async def test_a_lost_bot_is_left_alone_and_the_others_continue(house: House, /, noticed_by: str) -> None:
    house.telegram.identities[OTHER_BOT] = TokenRefused()
    if noticed_by == "intake":
        house.telegram.faults[OTHER_BOT].append(TokenRefused())
    else:
        house.telegram.answer = lambda outgoing: TokenRefused() if outgoing.bot == OTHER_BOT else None
    house.happens(written(BEN, "/start", bot=OTHER_BOT), OTHER_BOT)
    await asyncio.sleep(REFUSED_AFTER_S + 30)
    asked = len([1 for _, bot, *_ in house.telegram.polls if bot == OTHER_BOT])
    house.happens(written(ANN, "/start"))
    await asyncio.sleep(300)
    assert len([1 for _, bot, *_ in house.telegram.polls if bot == OTHER_BOT]) == asked
    assert [each.person for each in house.telegram.sent if each.bot == BOT] == [ANN]  # type: ignore[union-attr]
    assert house.app.report().idle_bots == (OTHER_BOT,)


@pytest.mark.parametrize("noticed_by", ["polls", "sends"])
@pytest.mark.parametrize("times", [1, 2, 5])
@staged(at_home)
async def test_a_few_refusals_end_no_chat_and_lose_no_message(house: House, /, noticed_by: str, times: int) -> None:
    await house.meet()
    if noticed_by == "polls":
        house.telegram.faults[OTHER_BOT].extend([TokenRefused()] * times)
    else:
        strays = iter([TokenRefused()] * times)
        house.telegram.answer = lambda outgoing: next(strays, None) if outgoing.bot == OTHER_BOT else None
    house.happens(written(ANN, "hello", 2000, sent_at=EPOCH + 9))
    house.happens(written(BEN, "hi", 2000, OTHER_BOT, sent_at=EPOCH + 9), OTHER_BOT)
    await asyncio.sleep(60)
    assert sorted(delivered(house)) == ["hello", "hi"]
    assert isinstance((await house.store.load(ANN)).me.state, Chatting)  # type: ignore[union-attr]
    assert house.app.refused_bots == ()


@staged(at_home)
async def test_a_token_refused_for_a_minute_only_delays_messages(house: House, /) -> None:
    await house.meet()
    chat = (await house.store.load(ANN)).me.state  # type: ignore[union-attr]
    house.telegram.refuse(OTHER_BOT)
    house.happens(written(ANN, "hello", 2000, sent_at=EPOCH + 9))
    house.happens(written(ANN, "are you there?", 2001, sent_at=EPOCH + 10))
    await asyncio.sleep(60)
    assert delivered(house) == []
    assert not house.telegram.queues[BOT], "the held relay is parked, so Telegram's queue continues"
    house.telegram.accept(OTHER_BOT)
    await asyncio.sleep(15)
    assert delivered(house) == ["hello", "are you there?"]
    house.happens(written(BEN, "yes", 2000, OTHER_BOT, sent_at=EPOCH + 90), OTHER_BOT)
    await asyncio.sleep(5)
    assert delivered(house)[-1] == "yes"
    assert (await house.store.load(ANN)).me.state == chat  # type: ignore[union-attr]


@staged(at_home)
async def test_a_bot_that_is_lost_for_ten_minutes_ends_its_chats_visibly_and_comes_back(house: House, /) -> None:
    await house.meet()
    house.telegram.sent.clear()
    house.telegram.refuse(OTHER_BOT)
    house.happens(written(ANN, "hello", 2000, sent_at=EPOCH + 9))
    await asyncio.sleep(300)
    texts = words_of([each for each in house.telegram.sent if each.bot == BOT])
    assert any("left" in words for words in texts), texts
    assert isinstance((await house.store.load(ANN)).me.state, Idle)  # type: ignore[union-attr]
    await asyncio.sleep(300)
    house.telegram.accept(OTHER_BOT)
    house.happens(written(BEN, "/start", bot=OTHER_BOT, sent_at=EPOCH + 700), OTHER_BOT)
    await asyncio.sleep(600)
    assert house.app.refused_bots == ()
    assert [each for each in house.telegram.sent if each.bot == OTHER_BOT], "it is polled and answers again"


def setup_fails(house: House) -> None:
    down = [Unavailable("HTTP 502", uncertain=False), Unavailable("reset", uncertain=True), FloodWait(60.0)]
    house.telegram.unprepared[OTHER_BOT] = deque(down)


@staged(at_home, before=setup_fails)
async def test_the_setup_of_a_bot_is_repeated_until_it_succeeds(house: House, /) -> None:
    await asyncio.sleep(1)
    assert house.telegram.prepared == [BOT], "the bot that is fine does not wait"
    house.happens(written(ANN, "/start", bot=OTHER_BOT), OTHER_BOT)
    await asyncio.sleep(30)
    assert len(house.telegram.sent) == 1, "a bot without its menus works"
    assert house.telegram.prepared == [BOT]
    await asyncio.sleep(100)
    assert house.telegram.prepared == [BOT, OTHER_BOT]
    assert all(at >= 64 for at in house.telegram.prepare_at[OTHER_BOT][3:]), "not before it is told to"


@staged(at_home, before=lambda house: house.telegram.silent.add(OTHER_BOT))
async def test_an_unanswered_getme_delays_neither_other_bots_nor_leases(house: House, /) -> None:
    assert house.clock.monotonic() < 5
    house.happens(written(ANN, "/start"))
    await asyncio.sleep(2)
    assert len(house.telegram.sent) == 1
    house.happens(written(BEN, "/start", bot=OTHER_BOT), OTHER_BOT)
    await asyncio.sleep(2)
    assert len(house.telegram.sent) == 2, "and it is polled itself"


@staged(at_home)
async def test_a_bug_in_a_background_duty_ends_only_one_round(house: House, /) -> None:
    house.telegram.faults[BOT].append(ZeroDivisionError())
    house.happens(written(ANN, "/start", bot=OTHER_BOT), OTHER_BOT)
    await asyncio.sleep(60)
    house.happens(written(ANN, "/start"))
    await asyncio.sleep(60)
    assert len(house.telegram.sent) == 2


@staged(at_home)
async def test_a_delayed_relay_is_parked_and_the_queue_continues(house: House, /) -> None:
    await house.meet()
    house.telegram.answer = lambda outgoing: Unavailable("down", uncertain=False)
    house.happens(written(ANN, "held up", 2000, sent_at=EPOCH + 9))
    await asyncio.sleep(5)
    assert house.left == 0
    assert (await house.store.figures()).outbox == 1
    house.telegram.answer = lambda outgoing: None
    await asyncio.sleep(60)
    assert delivered(house) == ["held up"]


@staged(at_home)
async def test_an_overloaded_process_does_not_park_relays_that_are_only_late(house: House, /) -> None:
    class Sluggish(VirtualClock):
        """Short sleeps take longer."""

        async def sleep(self, delay_s: float) -> None:
            await super().sleep(delay_s + (0.5 if delay_s < 1 else 0))

    await house.meet()
    house.clock.sleep = Sluggish().sleep  # type: ignore[method-assign]
    house.telegram.answer = lambda outgoing: Unavailable("down", uncertain=False)
    house.happens(written(ANN, "late", 2000, sent_at=EPOCH + 9))
    await asyncio.sleep(8)
    assert house.left == 1
    await asyncio.sleep(8)
    assert house.left == 0


@staged(at_home)
async def test_while_the_store_is_away_nothing_is_confirmed_and_then_all_continues(house: House, /) -> None:
    await house.meet()
    house.disk.full = True
    house.happens(written(ANN, "/stop", 2000))
    await asyncio.sleep(300)
    assert house.left == 1
    house.disk.full = False
    await asyncio.sleep(300)
    assert house.left == 0
    assert not isinstance(house.records.disk.people[ANN].state, Chatting)


@in_virtual_time
async def test_a_stop_finishes_and_confirms_the_updates_in_hand() -> None:
    house = House()
    await house.app.start()
    await house.meet()
    house.telegram.latency_s = 2.0
    house.happens(written(ANN, "last words", 2000, sent_at=EPOCH + 9))
    await asyncio.sleep(2.5)
    assert await house.app.stop(20.0)
    assert delivered(house) == ["last words"]
    assert house.left == 0


@in_virtual_time
async def test_a_stop_takes_limited_time_and_leaves_the_rest_in_safety() -> None:
    house = House()
    await house.app.start()
    await house.meet()
    house.telegram.answer = lambda outgoing: Unavailable("down", uncertain=False)
    house.happens(written(ANN, "kept", 2000, sent_at=EPOCH + 9))
    await asyncio.sleep(0.5)
    before = house.clock.monotonic()
    assert not await house.app.stop(1.0)
    assert house.clock.monotonic() - before <= 1.1
    assert house.left == 1
    again = House(house.disk, house.records)
    again.clock.offset_s = house.clock.monotonic()
    again.telegram.queues = house.telegram.queues
    await again.app.start()
    await asyncio.sleep(2)
    assert delivered(again) == ["kept"]
    await again.app.stop(10.0)


@in_virtual_time
async def test_a_stop_reports_how_much_is_not_in_the_database_yet() -> None:
    house = House()
    await house.app.start()
    await house.meet()
    house.records.lost = True
    house.happens(written(ANN, "/stop"))
    await asyncio.sleep(2)
    await house.app.stop(8.0)
    assert house.app.unrecorded == (await house.store.figures()).journal > 0


@in_virtual_time
async def test_the_last_worker_reports_what_is_not_in_the_database_although_another_one_was_the_recorder() -> None:
    house = House()
    recorder = WorkerId("stopped, and not heard of any more")
    await house.store.heartbeat(recorder, {}, 1e6, b"")
    assert await house.store.take(recorder, RECORDER, 1e6)
    await house.app.start()
    await house.meet()
    house.happens(written(ANN, "/stop"))
    await asyncio.sleep(2)
    assert await house.app.stop(8.0)
    assert house.app.unrecorded == (await house.store.figures()).journal > 0


@in_virtual_time
async def test_a_stop_ends_as_usual_if_recording_fails_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    house = House()
    await house.app.start()
    await house.meet()
    monkeypatch.setattr(house.records, "apply", broken)
    house.happens(written(ANN, "/stop"))
    await asyncio.sleep(2)
    before = house.clock.monotonic()
    assert await house.app.stop(8.0)
    assert house.clock.monotonic() - before <= 8.0
    assert house.app.unrecorded == (await house.store.figures()).journal > 0


@in_virtual_time
async def test_a_stop_waits_for_sends_under_way_and_begins_no_others() -> None:
    """If it were cut off, such a send might have arrived, and the next process would send it again."""
    house = House()
    await house.app.start()
    await house.meet()
    house.telegram.latency_s = 1.0
    for number in range(9):
        house.happens(written(ANN, f"word {number}", 2000 + number, sent_at=EPOCH + 9))
    await asyncio.sleep(2.5)
    assert not await house.app.stop(6.0)
    said = tried(house)
    again = House(house.disk, house.records)
    again.clock.offset_s = house.clock.monotonic()
    again.telegram.queues = house.telegram.queues
    await again.app.start()
    await asyncio.sleep(20)
    assert said + tried(again) == [f"word {number}" for number in range(9)]
    assert 0 < len(said) < 9
    await again.app.stop(10.0)


@in_virtual_time
async def test_a_stop_takes_limited_time_even_if_the_store_is_away() -> None:
    house = House()
    await house.app.start()
    house.disk.full = True
    for number in range(150):
        house.happens(written(type(ANN)(1000 + number), "/start"))
    await asyncio.sleep(5)
    before = house.clock.monotonic()
    assert not await house.app.stop(4.0)
    assert house.clock.monotonic() - before <= 4.5
    assert house.left == 150
