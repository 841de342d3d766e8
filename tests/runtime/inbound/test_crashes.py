"""An update that ends workers is put aside, and its sender is told. No other update is."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from passerby.kernel.ids import BotId, UpdateRef
from passerby.kernel.participant import Idle, Searching
from passerby.ports.leases import Fence, bot_lease
from passerby.ports.outbox import Parked
from passerby.ports.telegram import Arrival, FloodWait, SendContent
from passerby.runtime.flight_recorder import FlightRecorder
from passerby.runtime.inbound.crashes import CRASH_HEARD_S, crashes_of
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.inbound.webhook_receiver import WebhookReceiver
from tests.runtime.test_worker import House
from tests.runtime.virtual import run
from tests.runtime.world import (
    ANN,
    BOT,
    HEIR,
    ME,
    OTHER_BOT,
    Assured,
    Bench,
    couple,
    somebody,
    talking,
    words_of,
    written,
)
from tests.staged import in_virtual_time, staged
from tests.wording import html

REF = UpdateRef(BOT, 7)
SORRY = html("chat.failed_fatal")


def at_bench(body: Callable[[Bench], Awaitable[None]], *, shared: bool = False) -> None:
    async def main() -> None:
        bench = Bench(shared=shared)
        await body(bench)
        await bench.close()

    run(main())


@staged(at_bench)
async def test_an_update_that_ended_two_workers_is_not_tried_again(bench: Bench, /) -> None:
    await bench.put(somebody(ANN))
    bench.person_queues.put(Work(written(ANN, "/search", 41), (REF,), crashes=2))
    bench.person_queues.put(Work(written(ANN, "/help", 42), (UpdateRef(BOT, 8),)))
    await bench.quiet()
    assert not isinstance((await bench.facts_of(ANN)).state, Searching)
    (sorry,) = [each for each in bench.telegram.sent if words_of([each]) == [SORRY]]
    assert sorry.reply_to == 41  # type: ignore[union-attr]
    assert len(bench.telegram.sent) == 2, "the same person's next message continues"
    assert await bench.store.done(BOT, (7, 8)) == {7, 8}
    assert set(bench.finished) == {REF, UpdateRef(BOT, 8)}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("tr", html("chat.failed_fatal", "tr")),
        ("id", "Pesan ini tidak bisa kami proses, jadi tidak terkirim. Kamu bisa lanjut seperti biasa."),
    ],
)
@staged(at_bench)
async def test_the_notice_about_it_is_in_the_senders_language(bench: Bench, /, language: str, said: str) -> None:
    ann = somebody(ANN)
    await bench.put(replace(ann, profile=replace(ann.profile, language=language)))
    bench.person_queues.put(Work(written(ANN, "words"), (REF,), crashes=2))
    await bench.quiet()
    assert words_of(bench.telegram.sent) == [said]


@staged(at_bench)
async def test_a_single_process_tries_again_after_one_crash(bench: Bench, /) -> None:
    """The crash may have been chance, and a single process knows of every crash."""
    await bench.put(somebody(ANN))
    bench.person_queues.put(Work(written(ANN, "/search"), (REF,), crashes=1))
    await asyncio.sleep(CRASH_HEARD_S / 2)
    assert isinstance((await bench.facts_of(ANN)).state, Searching)


@pytest.mark.parametrize("another", [True, False])
@staged(at_bench, shared=True)
async def test_in_a_fleet_it_waits_for_a_report_of_another_crash(bench: Bench, /, another: bool) -> None:
    await bench.put(somebody(ANN))
    await bench.store.record_crash((REF,), "one")
    bench.person_queues.put(Work(written(ANN, "/search"), (REF,), crashes=1))
    await asyncio.sleep(CRASH_HEARD_S / 2)
    assert bench.finished == []
    if another:
        await bench.store.record_crash((REF,), "two")
    await asyncio.sleep(CRASH_HEARD_S)
    await bench.quiet()
    assert isinstance((await bench.facts_of(ANN)).state, Searching) is not another
    assert (SORRY in words_of(bench.telegram.sent)) is another


@staged(at_bench, shared=True)
async def test_an_update_that_was_handed_over_while_it_waited_is_not_tried_here(bench: Bench, /) -> None:
    """Its next holder tries it, or has put it aside."""
    await bench.put(somebody(ANN))
    await bench.store.record_crash((REF,), "one")
    fence = Fence(bot_lease(BOT), 1)
    bench.fences.add(fence)
    bench.person_queues.put(Work(written(ANN, "/search"), (REF,), fences=(fence,), crashes=1))
    await asyncio.sleep(CRASH_HEARD_S / 2)
    bench.fences.discard(fence)
    await asyncio.sleep(CRASH_HEARD_S)
    assert isinstance((await bench.facts_of(ANN)).state, Idle)
    assert bench.telegram.sent == []


@staged(at_bench)
async def test_an_album_is_put_aside_as_one(bench: Bench, /) -> None:
    await bench.put(*couple())
    for number in (7, 8, 9):
        event = written(ANN, "", 40 + number, group="album")
        bench.person_queues.put(Work(event, (UpdateRef(BOT, number),), crashes=2))
    await bench.quiet()
    assert words_of(bench.telegram.sent) == [SORRY]
    assert await bench.store.done(BOT, (7, 8, 9)) == {7, 8, 9}


@staged(at_bench)
async def test_a_parked_relay_that_ended_two_workers_is_dropped_with_a_notice(bench: Bench, /) -> None:
    await talking(bench)
    bench.telegram.answer = lambda outgoing: FloodWait(60.0)
    ref = bench.happens(written(ANN, "deadly", 2000))
    await asyncio.sleep(2)
    await bench.parking.park_overdue()
    assert any(isinstance(each, Parked) for each in await bench.store.outbox(ME))
    for crash in ("one", "two"):
        await bench.store.record_crash((ref,), crash)
    again = Bench(disk=bench.disk, worker=HEIR)
    await again.parking.take_up(await again.store.inherit(HEIR))
    await again.quiet()
    assert [each for each in again.telegram.sent if isinstance(each, SendContent)] == []
    assert words_of(again.telegram.sent) == [SORRY]
    assert await again.store.outbox(HEIR) == []
    await again.close()


@staged(at_bench)
async def test_the_flight_recorder_names_a_relay_while_it_is_sent(bench: Bench, /) -> None:
    await talking(bench)
    recorder = bench.background._recorder
    seen: list[bytes] = []
    bench.telegram.answer = lambda outgoing: seen.append(recorder.current)
    bench.happens(written(ANN, "words", 2000))
    await bench.quiet()
    assert len(seen) == 1
    assert seen[0]
    assert not recorder.current


@in_virtual_time
async def test_polled_updates_come_with_their_crashes() -> None:
    house = House()
    house.records.disk.people[ANN] = somebody(ANN)
    await house.store.adopt((), whole=True)
    for crash in ("one", "two"):
        await house.store.record_crash((UpdateRef(BOT, 1),), crash)
    await house.app.start()
    house.happens(written(ANN, "/search"))
    house.happens(written(ANN, "/help", 43))
    await asyncio.sleep(5)
    assert SORRY in words_of(house.telegram.sent)
    assert house.left == 0, "it is confirmed"
    await house.app.stop(10.0)


@pytest.mark.parametrize("group", [None, "album"])
@staged(at_bench)
async def test_webhook_updates_come_with_their_crashes_too(bench: Bench, /, group: str | None) -> None:
    await bench.put(*couple())
    for crash in ("one", "two"):
        await bench.store.record_crash((REF,), crash)
    webhook_receiver = WebhookReceiver(bench.store, Assured(), bench.admission, bench.albums)
    brought = asyncio.ensure_future(webhook_receiver.receive(Arrival(REF, written(ANN, "words", group=group))))
    await bench.quiet()
    assert words_of(bench.telegram.sent) == [SORRY]
    assert bench.finished == [REF]
    brought.cancel()


@staged(at_bench)
async def test_a_stored_album_that_ended_two_workers_is_given_up(bench: Bench, /) -> None:
    await bench.put(*couple())
    arrival = Arrival(REF, written(ANN, "words", group="album"))
    await bench.albums.store_item(arrival, ())
    for crash in ("one", "two"):
        await bench.store.record_crash((REF,), crash)
    await bench.quiet()
    assert words_of(bench.telegram.sent) == [SORRY]
    assert await bench.store.trail(ANN) == []


def left_behind(path: Path) -> FlightRecorder:
    """Return the page of a run that ended while it worked on REF."""
    recorder = FlightRecorder.open(path, "a" * 16)

    async def work() -> None:
        path.with_suffix(".copy").write_bytes(path.read_bytes())

    with pytest.raises(StopIteration):
        recorder.follow(work(), (REF,)).send(None)
    recorder.close()
    path.with_suffix(".copy").replace(path)
    return FlightRecorder.open(path, "b" * 16)


@in_virtual_time
async def test_the_next_run_reports_the_last_crash_before_it_takes_updates(tmp_path: Path) -> None:
    house = House()
    house.app._flight_recorder = left_behind(tmp_path / "page")
    await house.app.start()
    assert await house.store.known(BOT, (7,)) == (set(), {7: 1})
    assert house.app._flight_recorder.crash is None
    await house.app.stop(10.0)


def test_many_kills_in_a_row_put_no_update_aside(tmp_path: Path) -> None:
    """Fifty runs are killed, each while a hundred updates in hand wait for Telegram."""
    path = tmp_path / "page"
    refs = [UpdateRef(BotId(1), number) for number in range(100)]
    for _ in range(50):
        recorder = FlightRecorder.open(path, "a" * 16)
        assert recorder.crash is None

        async def main(recorder: FlightRecorder = recorder) -> None:
            waiting = [asyncio.ensure_future(recorder.follow(asyncio.sleep(60), (ref,))) for ref in refs]
            await asyncio.sleep(1)
            path.with_suffix(".copy").write_bytes(path.read_bytes())  # the page as it is when the process is killed
            for each in waiting:
                each.cancel()

        run(main())
        recorder.close()
        path.with_suffix(".copy").replace(path)


@staged(at_bench)
async def test_the_worst_of_several_updates_counts_whichever_bot_it_came_through(bench: Bench, /) -> None:
    refs = (UpdateRef(BOT, 7), UpdateRef(BOT, 8), UpdateRef(OTHER_BOT, 7))
    assert await crashes_of(bench.store, refs) == 0
    await bench.store.record_crash(refs[:1], "one")
    assert await crashes_of(bench.store, refs) == 1
    for worker in ("one", "two", "three"):
        await bench.store.record_crash(refs[2:], worker)
    assert await crashes_of(bench.store, refs) == 3
    assert await crashes_of(bench.store, refs[:2]) == 1
