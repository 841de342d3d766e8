"""Several couriers over one store, as in several processes: one budget, one order, and no send without assurance."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from passerby.domain.budgets import Budget
from passerby.kernel.effect import Keys, Priority
from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.kernel.text import text
from passerby.ports.leases import Fence, WorkerId, bot_lease
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.outbox import Notice
from passerby.ports.participants import Commit
from passerby.ports.shared_budgets import Account, Grant
from passerby.ports.telegram import FloodWait, OutgoingCall, SendNotice
from passerby.runtime.delivery.bot_queue import STORE_PAUSE_S
from passerby.runtime.delivery.by_chat import ENDED_KEPT_S
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.delivery.deliveries import Delivery
from passerby.runtime.delivery.send_checks import ORDER_POLL_S, PRECEDED_WAIT_S, TOLD_WAIT_S
from passerby.runtime.delivery.sends import FLOOD_MARGIN_S
from passerby.runtime.delivery.wording import Wording
from tests.runtime.virtual import EPOCH, run, settled
from tests.runtime.world import (
    ANN,
    BEN,
    BOT,
    CHAT,
    OTHER_BOT,
    PLENTY,
    PRINTS,
    WORDS,
    Assured,
    Bench,
    couple,
    relay,
    words_of,
)
from tests.staged import staged

IDLE, FOUND = "search.idle", "search.found"
KEYS = Keys((("keys.stop",),))


class Books:
    """Stores outcomes as the way back does."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.ends: list[tuple[str, str]] = []

    async def delivered(self, delivery: Delivery, messages: tuple[MessageId, ...], then: object) -> None:
        notice = delivery.notice
        anchor = None
        if notice is not None and notice.anchors is not None:
            anchor = Anchor(notice.anchors, notice.to, MessageRef(notice.bot, messages[0]))
        await self._bench.store.mark(Mark(sent=(delivery.id,), anchor=anchor))
        self.ends.append((delivery.id, "delivered"))

    async def advanced(self, delivery: Delivery) -> None:
        pass

    async def failed(self, delivery: Delivery, refusal: Refusal) -> None:
        await self._bench.store.mark(Mark(sent=(delivery.id,)))
        self.ends.append((delivery.id, refusal))


class Worker:
    def __init__(self, name: str, bench: Bench, bot_budget: Budget, chat_budget: Budget) -> None:
        self.name = WorkerId(name)
        self._bench = bench
        self.books = Books(bench)
        self.assurance = Assured()
        self.courier = Courier(
            bench.telegram,
            bench.store,
            Wording(WORDS),
            bench.background,
            bench.clock,
            Random(7),
            bot_budget,
            chat_budget,
            outcomes=self.books,
            assurance=self.assurance,
            prints=PRINTS,
            shared=True,
            worker=self.name,
        )

    def send(self, *numbers: int, to: PersonId = BEN, reader_told: bool = True) -> None:
        for number in numbers:
            self.courier.pass_on(relay(number, to=to), OTHER_BOT, (UpdateRef(BOT, number),), reader_told=reader_told)

    async def note(
        self, id_: str, words: str = IDLE, to: PersonId = BEN, *, anchors: ChatId | None = None, at: float = EPOCH
    ) -> Notice:
        """Put a notice into the outbox, as this worker's to send."""
        keys, priority = (None, Priority.COMMAND) if words == IDLE else (KEYS, Priority.MATCH)
        notice = Notice(id_, to, OTHER_BOT, text(words), priority, at, keys, anchors=anchors)
        await self._bench.store.commit(Commit(outbox=(notice,), owner=self.name))
        return notice

    @property
    def ends(self) -> list[str]:
        return [id_ for id_, _ in self.books.ends]


class Fleet:
    def __init__(self, bot_budget: Budget, chat_budget: Budget) -> None:
        self.bench = Bench()
        self.telegram = self.bench.telegram
        self.one, self.two, self.three = (
            Worker(name, self.bench, bot_budget, chat_budget) for name in ("one", "two", "three")
        )

    @property
    def workers(self) -> tuple[Worker, ...]:
        return self.one, self.two, self.three

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.telegram.tried]

    @property
    def words(self) -> list[str]:
        return words_of(self.telegram.sent)


def in_fleet(
    body: Callable[[Fleet], Awaitable[None]], *, bot_budget: Budget = PLENTY, chat_budget: Budget = PLENTY
) -> None:
    async def main() -> None:
        fleet = Fleet(bot_budget, chat_budget)
        await fleet.bench.put(*couple())
        await body(fleet)
        await fleet.bench.close()

    run(main())


@staged(in_fleet, bot_budget=Budget(20.0, 20))
async def test_several_couriers_together_send_no_more_than_one_alone(fleet: Fleet, /) -> None:
    for number in range(300):
        worker = fleet.workers[number % 3]
        worker.courier.pass_on(relay(number, to=PersonId(100 + number % 40)), OTHER_BOT, (UpdateRef(BOT, number),))
    await asyncio.sleep(30)
    times = fleet.times
    assert len(times) == 300
    for index, at in enumerate(times):
        assert index + 1 <= at * 20.0 + 20 + 1e-6
    assert times[-1] <= 300 / 20 + 1, "nor are they much slower"


@staged(in_fleet, chat_budget=Budget(1.0, 8))
async def test_couriers_share_a_chats_budget(fleet: Fleet, /) -> None:
    for worker in fleet.workers:
        worker.send(*range(1, 9))
    await asyncio.sleep(60)
    assert len(fleet.times) == 24
    for index, at in enumerate(fleet.times):
        assert index + 1 <= at * 1.0 + 8 + 1e-6


@staged(in_fleet)
async def test_all_couriers_obey_a_429(fleet: Fleet, /) -> None:
    fleet.telegram.answer = lambda outgoing: FloodWait(30.0) if len(fleet.times) == 1 else None
    fleet.one.send(1)
    await settled()
    fleet.two.send(2)
    fleet.three.courier.pass_on(relay(3, to=ANN), BOT, (UpdateRef(BOT, 3),))
    await asyncio.sleep(29)
    assert fleet.words == ["words 3"], "another chat continues"
    await asyncio.sleep(3)
    assert sorted(fleet.words) == ["words 1", "words 2", "words 3"]
    assert min(fleet.times[2:]) >= 30.0 + FLOOD_MARGIN_S


@staged(in_fleet)
async def test_a_bot_held_by_two_chats_is_held_in_all_couriers(fleet: Fleet, /) -> None:
    fleet.telegram.answer = lambda outgoing: FloodWait(30.0) if len(fleet.times) <= 2 else None
    fleet.one.send(1)
    fleet.one.courier.pass_on(relay(2, to=PersonId(9)), OTHER_BOT, (UpdateRef(BOT, 2),))
    await settled()
    fleet.two.courier.pass_on(relay(3, to=PersonId(10)), OTHER_BOT, (UpdateRef(BOT, 3),))
    fleet.three.courier.pass_on(relay(4, to=ANN), BOT, (UpdateRef(BOT, 4),))
    await asyncio.sleep(29)
    assert fleet.words == ["words 4"], "another bot continues"
    await asyncio.sleep(3)
    assert sorted(fleet.words) == [f"words {number}" for number in range(1, 5)]


@staged(in_fleet)
async def test_while_the_store_is_away_nothing_is_sent_beyond_the_budget(
    fleet: Fleet, /, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise LiveStoreLost

    with monkeypatch.context() as patch:
        patch.setattr(fleet.bench.store, "reserve", away)
        fleet.one.send(1, 2)
        await asyncio.sleep(30)
        assert fleet.times == []
    await asyncio.sleep(60)
    assert fleet.words == ["words 1", "words 2"]


@staged(in_fleet)
async def test_deliveries_that_wait_for_a_budget_continue_when_the_store_is_back(
    fleet: Fleet, /, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = fleet.bench.store.reserve

    async def without_bots(account: Account, *rest: Any) -> Grant:
        if account.person is None:
            raise LiveStoreLost
        return await reserve(account, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(fleet.bench.store, "reserve", without_bots)
        fleet.one.send(1, 2)
        await asyncio.sleep(30)
        assert fleet.times == []
    await asyncio.sleep(2 * STORE_PAUSE_S)
    assert fleet.words == ["words 1", "words 2"]


@staged(in_fleet)
async def test_a_notice_waits_for_an_earlier_one_of_another_process(fleet: Fleet, /) -> None:
    earlier = await fleet.one.note("earlier", FOUND)
    later = await fleet.two.note("later", FOUND)
    fleet.two.courier.say(later)
    await asyncio.sleep(1)
    assert fleet.times == []
    fleet.one.courier.say(earlier)
    await asyncio.sleep(2 * ORDER_POLL_S)
    assert [*fleet.one.ends, *fleet.two.ends] == ["earlier", "later"]
    assert len(fleet.times) == 2


@staged(in_fleet)
async def test_no_delivery_overtakes_an_entry_that_is_being_inherited(fleet: Fleet, /) -> None:
    earlier = await fleet.one.note("earlier", FOUND)
    later = await fleet.two.note("later", FOUND, at=EPOCH + 1)
    with fleet.two.courier.inheritance():
        # The store has given it to the heir, who does not know it yet.
        (inherited,) = await fleet.bench.store.inherit(fleet.two.name)
        assert inherited == earlier
        fleet.two.courier.say(later)
        await settled()
        assert fleet.two.ends == []
        fleet.two.courier.say(earlier, found_again=True)
    await asyncio.sleep(2 * ORDER_POLL_S)
    await settled()
    assert fleet.two.ends == ["earlier", "later"]


@staged(in_fleet)
async def test_a_notice_waits_a_limited_time(fleet: Fleet, /) -> None:
    await fleet.one.note("never sent", FOUND)
    fleet.two.courier.say(await fleet.two.note("later", FOUND))
    await asyncio.sleep(PRECEDED_WAIT_S - 0.1)
    assert fleet.times == []
    await asyncio.sleep(0.2)
    assert fleet.two.ends == ["later"]


@staged(in_fleet)
async def test_a_notice_waits_anew_once_the_store_is_back(fleet: Fleet, /) -> None:
    """Meanwhile the other worker could not send the earlier notice either."""
    await fleet.one.note("never sent", FOUND)
    fleet.two.courier.say(await fleet.two.note("later", FOUND))
    await asyncio.sleep(PRECEDED_WAIT_S - 1)
    fleet.bench.store._refusing = True
    await asyncio.sleep(PRECEDED_WAIT_S)
    fleet.bench.store._refusing = False
    await asyncio.sleep(PRECEDED_WAIT_S - 1)
    assert fleet.times == []
    await asyncio.sleep(5)
    assert fleet.two.ends == ["later"]


@staged(in_fleet)
async def test_notices_of_one_worker_and_of_other_people_do_not_wait(fleet: Fleet, /) -> None:
    await fleet.one.note("to Ann", FOUND, ANN)
    for id_ in ("a", "b"):
        fleet.two.courier.say(await fleet.two.note(id_, FOUND))
    await settled()
    assert fleet.two.ends == ["a", "b"]


@staged(in_fleet)
async def test_a_relay_waits_until_its_reader_has_been_told_of_the_chat(fleet: Fleet, /) -> None:
    found = await fleet.one.note("found", FOUND, anchors=CHAT)
    fleet.two.send(1, 2, reader_told=False)
    await asyncio.sleep(2)
    assert fleet.times == []
    fleet.one.courier.say(found)
    await asyncio.sleep(2 * ORDER_POLL_S)
    assert fleet.words[1:] == ["words 1", "words 2"]
    assert fleet.one.ends == ["found"]


@staged(in_fleet)
async def test_a_relay_waits_a_limited_time_for_its_reader_to_be_told(fleet: Fleet, /) -> None:
    await fleet.one.note("found", FOUND, anchors=CHAT)
    fleet.two.send(1, 2, reader_told=False)
    await asyncio.sleep(TOLD_WAIT_S - 0.1)
    assert fleet.times == []
    await asyncio.sleep(0.2)
    assert fleet.words == ["words 1"]


@staged(in_fleet)
async def test_a_resumed_relay_waits_until_its_reader_has_been_told(fleet: Fleet, /) -> None:
    found = await fleet.one.note("found", FOUND, anchors=CHAT)
    fleet.two.courier.resume(relay(1), OTHER_BOT, (), "relay:x", 60.0)
    await asyncio.sleep(1)
    assert fleet.times == []
    fleet.one.courier.say(found)
    await asyncio.sleep(1)
    assert fleet.words[1:] == ["words 1"]


@staged(in_fleet)
async def test_a_chats_notice_that_is_found_late_goes_before_its_relays(fleet: Fleet, /) -> None:
    """Its commit was stored, but the answer was lost. The janitor finds it when the first relay is already there."""
    found = await fleet.one.note("found", FOUND, anchors=CHAT)
    fleet.one.send(1, 2, reader_told=False)
    await asyncio.sleep(1)
    fleet.one.courier.say(found)
    await asyncio.sleep(1)
    assert fleet.one.ends == ["found", f"relay:{BOT}:1", f"relay:{BOT}:2"]
    assert fleet.times[-1] <= 1 + 2 * ORDER_POLL_S


@staged(in_fleet)
async def test_a_relay_that_waits_for_another_process_is_dropped_with_its_chat(fleet: Fleet, /) -> None:
    await fleet.one.note("found", FOUND, anchors=CHAT)
    fleet.two.send(1, 2, reader_told=False)
    await asyncio.sleep(1)
    fleet.two.courier.drop(CHAT)
    await asyncio.sleep(1)
    assert sorted(fleet.two.books.ends) == [(f"relay:{BOT}:{number}", Refusal.LEFT) for number in (1, 2)]
    await asyncio.sleep(ENDED_KEPT_S + 1)
    for worker in fleet.workers:
        worker.courier.forget_idle()
    assert fleet.two.courier._queues == {}


@staged(in_fleet)
async def test_no_send_begins_without_assurance(fleet: Fleet, /) -> None:
    fleet.one.assurance.is_assured = False
    fleet.one.send(1)
    fleet.one.courier.say(await fleet.one.note("n", to=ANN))
    await asyncio.sleep(30)
    assert fleet.times == []
    fleet.one.assurance.returns()
    await settled()
    assert sorted(fleet.one.ends) == ["n", f"relay:{BOT}:1"]


@staged(in_fleet)
async def test_a_chat_that_ended_during_a_lack_of_assurance_gets_nothing_more(fleet: Fleet, /) -> None:
    fleet.one.assurance.is_assured = False
    fleet.one.send(1)
    await asyncio.sleep(5)
    await fleet.bench.store.commit(Commit(ended=(CHAT,)))
    fleet.one.assurance.returns()
    await settled()
    assert fleet.times == []
    assert fleet.one.books.ends == [(f"relay:{BOT}:1", Refusal.LEFT)]


@staged(in_fleet)
async def test_an_abandoned_incarnation_sends_and_reports_nothing_more(fleet: Fleet, /) -> None:
    fleet.telegram.latency_s = 1.0
    fleet.one.send(1, 2)
    fleet.one.courier.say(await fleet.one.note("n", to=ANN))
    await asyncio.sleep(0.5)
    fleet.one.courier.abandon()
    fleet.one.send(3, to=ANN)
    await asyncio.sleep(60)
    assert len(fleet.times) == 2, "a send under way cannot be cancelled"
    assert fleet.one.books.ends == []


@staged(in_fleet)
async def test_an_entry_in_hand_is_known_until_its_outcome_is_stored(fleet: Fleet, /) -> None:
    fleet.telegram.latency_s = 1.0
    courier = fleet.one.courier
    courier.say(await fleet.one.note("n", to=ANN))
    courier.resume(relay(1), OTHER_BOT, (), "parked", 60.0)
    assert [courier.known(id_) for id_ in ("n", "parked", "another's")] == [True, True, False]
    assert courier.pending == 2
    await asyncio.sleep(0.5)
    assert courier.known("n")
    assert courier.known("parked")
    await asyncio.sleep(1)
    assert not courier.known("n")
    assert not courier.known("parked")
    assert courier.pending == 0


@staged(in_fleet)
async def test_a_relay_confirmed_twice_has_the_fences_of_both(fleet: Fleet, /) -> None:
    courier = fleet.one.courier
    fleet.one.assurance.is_assured = False
    first, second = Fence(bot_lease(BOT), 1), Fence(bot_lease(BotId(9)), 4)
    for number, fence in ((1, first), (2, second), (3, second)):
        courier.pass_on(relay(1), OTHER_BOT, (UpdateRef(BOT, number),), fences=(fence,))
    (delivery,) = courier._by_chat.of(CHAT)
    assert delivery.fences == (first, second)
    assert delivery.refs == tuple(UpdateRef(BOT, number) for number in (1, 2, 3))


@staged(in_fleet)
async def test_an_aside_does_not_wait_for_other_processes(fleet: Fleet, /) -> None:
    """An aside has no order relative to other processes' messages, so no call is needed."""
    await fleet.one.note("earlier", FOUND)
    fleet.two.courier.say(await fleet.two.note("aside", IDLE))
    await settled()
    assert fleet.two.ends == ["aside"]
    said: list[OutgoingCall] = fleet.telegram.sent
    assert isinstance(said[0], SendNotice)
