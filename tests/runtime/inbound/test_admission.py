"""One person floods: others do not wait, little is kept, and the person learns what was not delivered."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import msgspec
import pytest

from passerby.domain.budgets import Budget
from passerby.kernel.content import Content, Kind
from passerby.kernel.event import (
    BotBlocked,
    ButtonPressed,
    Event,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
)
from passerby.kernel.ids import MessageId, PersonId, UpdateRef
from passerby.kernel.participant import Chatting, Idle
from passerby.ports.outbox import Notice
from passerby.ports.telegram import Arrival, SendContent, SendNotice
from passerby.runtime.inbound.webhook_receiver import WebhookReceiver
from tests.runtime.virtual import run
from tests.runtime.world import (
    ANN,
    BEN,
    BOT,
    EVE,
    HEIR,
    ME,
    OTHER_BOT,
    Assured,
    Bench,
    somebody,
    talking,
    words_of,
    written,
)
from tests.staged import staged
from tests.wording import html

POURED = 3000
REAL = Budget(1.0, 20)
BOUND = 150

Kinds = Callable[[int], Event]


def sticker(number: int) -> MessageReceived:
    return MessageReceived(ANN, BOT, (MessageId(number),), (Content(Kind.STICKER),), 1.8e9)


KINDS: dict[str, Kinds] = {
    "texts": lambda number: written(ANN, f"text {number}", number),
    "stickers": sticker,
    "next": lambda number: written(ANN, "/next", number),
    "help": lambda number: written(ANN, "/help", number),
    "unknown commands": lambda number: written(ANN, "/nothing", number),
    "taps": lambda number: ButtonPressed(ANN, BOT, f"q{number}", MessageId(1), "agree", ""),
    "edits of as many": lambda number: MessageEdited(ANN, BOT, MessageId(number), Content(Kind.TEXT, "x"), 1.0),
    "reactions to as many": lambda number: ReactionChanged(ANN, BOT, MessageId(number), "👍"),
    "single pictures": lambda number: written(ANN, "x", number, group=f"g{number}"),
    "albums": lambda number: written(ANN, "x", number, group=f"g{number // 10}"),
}


def bench_with(body: Callable[[Bench], Awaitable[None]], *, chatting: bool = True) -> None:
    async def main() -> None:
        bench = Bench(chat_budget=REAL)
        if chatting:
            await talking(bench)
        await body(bench)
        await bench.background.aclose()

    run(main())


async def pour(bench: Bench, kind: Kinds, number: int = POURED) -> list[UpdateRef]:
    """Deliver updates like Telegram: a hundred at a time, and the next hundred when these are done or parked."""
    refs: list[UpdateRef] = []
    for first in range(0, number, 100):
        refs += [bench.happens(kind(2000 + each)) for each in range(first, min(number, first + 100))]
        await asyncio.sleep(0.05)
        await bench.parking.park_crowd()
    return refs


async def end_spells(bench: Bench, for_s: float) -> None:
    for _ in range(int(for_s)):
        await asyncio.sleep(1.0)
        await bench.admission.end_spells()


def notices(bench: Bench, person: PersonId = ANN) -> list[str]:
    return [each.html for each in bench.telegram.sent if isinstance(each, SendNotice) and each.person == person]


def delivered(bench: Bench) -> list[str]:
    return words_of([each for each in bench.telegram.sent if isinstance(each, SendContent) and each.person == BEN])


@pytest.mark.parametrize("kind", KINDS)
@staged(bench_with)
async def test_little_of_a_flood_is_kept_and_the_queue_is_not_held_up(bench: Bench, /, kind: str) -> None:
    refs = await pour(bench, KINDS[kind])
    await asyncio.sleep(2.0)  # the last album may become longer
    await bench.parking.park_crowd()
    assert set(refs) <= set(bench.finished)
    assert bench.courier.pending <= BOUND + 2
    assert len(await bench.store.outbox(ME)) <= 2 * BOUND + 2, "and a mark for each"


@staged(bench_with)
async def test_a_flooder_is_told_at_the_start_and_at_the_end_with_the_right_count(bench: Bench, /) -> None:
    await pour(bench, KINDS["texts"])
    await end_spells(bench, 300)
    arrived = delivered(bench)
    assert arrived == [f"text {2000 + each}" for each in range(len(arrived))], "in order, from the first one"
    began, ended = notices(bench)
    assert began == html("pace.begun")
    assert f"<b>{POURED - len(arrived)}</b> messages" in ended
    first = next(each for each in bench.telegram.sent if isinstance(each, SendNotice))
    assert first.reply_to == 2000 + len(arrived), "a reply to the first one that was not delivered"
    assert bench.admission.spells == 0
    assert await bench.store.outbox(ME) == []
    bench.happens(written(ANN, "again", 9000))
    await bench.quiet()
    assert delivered(bench)[-1] == "again"


@staged(bench_with)
async def test_messages_waiting_at_the_end_of_a_chat_share_one_notice(bench: Bench, /) -> None:
    await pour(bench, KINDS["texts"], 100)
    arrived = len(delivered(bench))
    bench.happens(written(BEN, "/stop", 9000, bot=OTHER_BOT), OTHER_BOT)
    await end_spells(bench, 120)
    reports = [each for each in notices(bench) if "not delivered" in each]
    assert len(delivered(bench)) == arrived
    assert [f"<b>{100 - arrived}</b> messages from here on" in each for each in reports] == [True]
    assert await bench.store.outbox(ME) == []


@pytest.mark.parametrize("number", [30, 100])
@staged(bench_with)
async def test_a_normal_burst_arrives_completely(bench: Bench, /, number: int) -> None:
    await pour(bench, KINDS["texts"], number)
    await end_spells(bench, 120)
    assert delivered(bench) == [f"text {2000 + each}" for each in range(number)]
    assert notices(bench) == []


@staged(bench_with)
async def test_somebody_who_floods_can_still_leave_the_chat(bench: Bench, /) -> None:
    await pour(bench, KINDS["texts"])
    bench.happens(written(ANN, "/stop", 9000))
    await asyncio.sleep(0.1)
    assert isinstance((await bench.facts_of(ANN)).state, Idle)
    assert isinstance((await bench.facts_of(BEN)).state, Idle)


@staged(bench_with)
async def test_events_from_telegram_itself_are_always_admitted(bench: Bench, /) -> None:
    await pour(bench, KINDS["texts"])
    bench.happens(BotBlocked(ANN, BOT))
    await asyncio.sleep(0.1)
    assert not isinstance((await bench.facts_of(BEN)).state, Chatting)


@staged(bench_with)
async def test_one_press_too_many_is_answered(bench: Bench, /) -> None:
    await pour(bench, KINDS["taps"], 400)
    assert any(getattr(each, "plain", None) == "Too fast. Give it a moment." for each in bench.telegram.best_effort)


@pytest.mark.parametrize("state", ["newcomer", "idle"])
@staged(bench_with, chatting=False)
async def test_the_quota_also_holds_outside_a_chat(bench: Bench, /, state: str) -> None:
    if state == "idle":
        await bench.put(somebody(ANN))
    refs = await pour(bench, KINDS["texts"])
    assert set(refs) <= set(bench.finished)
    assert bench.courier.pending <= BOUND + 2
    await end_spells(bench, 400)
    assert sum(each == html("pace.begun") for each in notices(bench)) == 1
    assert sum("You can go on" in each for each in notices(bench)) == 1


@staged(bench_with)
async def test_a_person_has_one_quota_over_two_bots(bench: Bench, /) -> None:
    ids = count(2000)
    for _ in range(BOUND):
        bench.happens(written(ANN, "x", next(ids)))
        bench.happens(written(ANN, "x", next(ids), bot=OTHER_BOT), OTHER_BOT)
    await asyncio.sleep(0.1)
    assert bench.courier.pending <= BOUND + 2


@staged(bench_with)
async def test_others_are_admitted_while_one_person_is_refused(bench: Bench, /) -> None:
    await pour(bench, KINDS["texts"])
    bench.happens(written(EVE, "/start", 10))
    await asyncio.sleep(0.1)
    assert len(notices(bench, EVE)) == 1


@staged(bench_with)
async def test_the_count_is_reported_even_if_the_process_dies(bench: Bench, /) -> None:
    await pour(bench, KINDS["texts"])
    entries = [each for each in await bench.store.outbox(ME) if isinstance(each, Notice)]
    (owed,) = [each for each in entries if each.text.key == "pace.over"]
    assert bench.admission.is_known(owed.id)
    again = Bench(disk=bench.disk, worker=HEIR, chat_budget=REAL)
    await again.parking.take_up(await again.store.inherit(HEIR))
    await again.quiet(400)
    (ended,) = [each for each in notices(again) if "You can go on" in each]
    refused = POURED - BOUND
    assert f"<b>{refused}</b>" in ended
    await again.close()


@staged(bench_with)
async def test_with_webhooks_relays_parked_by_other_processes_count(bench: Bench, /) -> None:
    elsewhere = Bench(worker=HEIR, chat_budget=REAL, beside=bench)
    webhook_receiver = WebhookReceiver(elsewhere.store, Assured(), elsewhere.admission, elsewhere.albums)
    elsewhere.on_finished[:] = [lambda refs: list(map(webhook_receiver.finished, refs))]
    for number in range(BOUND):
        bench.happens(written(ANN, f"text {number}", 2000 + number))
    await asyncio.sleep(0.05)
    await bench.parking.park_crowd()
    assert len(await bench.store.trail(ANN)) > 100
    for number in range(60):
        brought = Arrival(UpdateRef(BOT, 5000 + number), written(ANN, "more", 4000 + number))
        elsewhere.background.spawn(webhook_receiver.receive(brought))
        await asyncio.sleep(0.02)
        await elsewhere.parking.park_overdue(-2.0)
    assert len(await bench.store.trail(ANN)) <= BOUND
    assert elsewhere.admission.spells == 1
    await elsewhere.background.aclose()


@staged(bench_with)
async def test_a_spell_lasts_while_its_messages_wait_for_a_decision(bench: Bench, /) -> None:
    """As when the store is away: nothing has been decided, so nobody has been told of anything yet."""
    bench.disk.full = True
    for number in range(400):
        bench.happens(KINDS["next"](2000 + number))
    assert bench.admission.spells == 1
    await end_spells(bench, 600)
    assert bench.person_queues.has(ANN)
    assert bench.admission.spells == 1
    bench.disk.full = False
    await end_spells(bench, 600)
    assert bench.admission.spells == 0


@staged(bench_with)
async def test_the_notice_for_the_end_of_a_spell_is_the_spells_own(bench: Bench, /) -> None:
    """A commit of the spell before may be answered late."""
    await pour(bench, KINDS["texts"])
    (owed,) = [
        each for each in await bench.store.outbox(ME) if isinstance(each, Notice) and each.text.key == "pace.over"
    ]
    bench.admission.owe(msgspec.structs.replace(owed, id="owed:1:1"))
    await end_spells(bench, 300)
    assert await bench.store.outbox(ME) == [], "the one that was stored has been sent"
    assert len(notices(bench)) == 2
