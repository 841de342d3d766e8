"""Relays that cannot leave for a while are sealed into the outbox, so that Telegram's queue is not held up."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from passerby.kernel.ids import ChatId, PersonId, UpdateRef
from passerby.kernel.participant import Chatting
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.outbox import Parked
from passerby.ports.participants import Commit
from passerby.ports.telegram import FloodWait, SendContent, SendNotice, Unavailable
from passerby.ports.trails import Trail
from passerby.runtime.delivery.new_deliveries import RELAY_TTL_S
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.inbound.person_queues import Work
from tests.runtime.virtual import run
from tests.runtime.world import ANN, BEN, BOT, HEIR, ME, OTHER_BOT, Bench, relay, talking, words_of, written
from tests.staged import in_virtual_time, staged
from tests.wording import html

SECRET = "something nobody else may read"


def parked(body: Callable[[Bench, UpdateRef], Awaitable[None]]) -> None:
    """Run `body` after Ann's message to Ben was parked, because Telegram holds Ben's chat for a minute."""

    async def main() -> None:
        bench = Bench()
        await talking(bench)
        answers = iter([FloodWait(60.0)])
        bench.telegram.answer = lambda outgoing: next(answers, None)
        ref = bench.happens(written(ANN, SECRET, 2000))
        await asyncio.sleep(1.0)
        await bench.parking.park_overdue()
        assert bench.finished == [], "not yet"
        await asyncio.sleep(1.0)
        await bench.parking.park_overdue()
        await body(bench, ref)
        await bench.close()

    run(main())


def delivered(bench: Bench) -> list[str]:
    return words_of([each for each in bench.telegram.sent if isinstance(each, SendContent)])


@staged(parked)
async def test_a_parked_relay_frees_its_update_and_is_stored_encrypted(bench: Bench, ref: UpdateRef, /) -> None:
    assert bench.finished == [ref]
    assert await bench.store.done(BOT, (ref.update,)) == {ref.update}
    entry, trace = await bench.store.outbox(ME)
    assert isinstance(entry, Parked)
    assert await bench.store.trail(ANN) == [trace]
    assert (entry.to, entry.bot, entry.expires_at) == (BEN, OTHER_BOT, bench.clock.now() + RELAY_TTL_S)
    assert not any(SECRET.encode() in record for record in bench.disk.records)
    await bench.parking.park_overdue()
    assert len(await bench.store.outbox(ME)) == 2


@staged(parked)
async def test_a_parked_relay_is_delivered_once_from_its_place_in_the_queue(bench: Bench, ref: UpdateRef, /) -> None:
    bench.happens(written(ANN, "after", 2001))
    await bench.quiet(120)
    assert delivered(bench) == [SECRET, "after"]
    assert await bench.store.outbox(ME) == []
    assert len(bench.finished) == 3, "finishing twice does no harm"


@staged(parked)
async def test_after_a_restart_a_parked_relay_is_resumed(bench: Bench, ref: UpdateRef, /) -> None:
    again = Bench(disk=bench.disk, worker=HEIR)
    await again.parking.take_up(await again.store.inherit(HEIR))
    await again.quiet()
    assert delivered(again) == [SECRET]
    assert await again.store.outbox(HEIR) == []
    assert await again.store.done(BOT, (ref.update,)) == {ref.update}
    await again.close()


@staged(parked)
async def test_a_delivered_entry_is_not_sent_again_if_an_older_store_still_has_it(
    bench: Bench, ref: UpdateRef, /
) -> None:
    entries = tuple(await bench.store.outbox(ME))
    await asyncio.sleep(120)
    assert delivered(bench) == [SECRET]
    await bench.store.commit(Commit(outbox=entries, owner=ME))
    await bench.parking.take_up(entries)
    await bench.quiet()
    assert delivered(bench) == [SECRET]
    assert [type(each) for each in await bench.store.outbox(ME)] == [Trail], "expired in time"


@staged(parked)
async def test_after_a_restart_a_parked_relay_of_an_ended_chat_is_dropped(bench: Bench, ref: UpdateRef, /) -> None:
    """The chat ended, and the process was killed before the sender was told."""
    me = await bench.facts_of(ANN)
    assert isinstance(me.state, Chatting)
    await bench.store.commit(Commit(ended=(me.state.chat,)))
    again = Bench(disk=bench.disk, worker=HEIR)
    await again.parking.take_up(await again.store.inherit(HEIR))
    await again.quiet()
    assert delivered(again) == []
    assert words_of(again.telegram.sent) == [html("chat.failed_left")]
    assert await again.store.outbox(HEIR) == []
    await again.close()


@staged(parked)
async def test_a_relay_that_has_failed_stays_in_the_outbox_until_the_answer_to_its_sender_is_stored(
    bench: Bench, ref: UpdateRef, /
) -> None:
    """After a commit without an answer, the process looks through its own entries. One that dies then would otherwise
    leave nothing of the message and of its answer."""
    may_answer, handle = asyncio.Event(), bench.person_queues._handle

    async def busy(work: Work) -> None:
        await may_answer.wait()
        await handle(work)

    bench.person_queues._handle = busy
    me = await bench.facts_of(ANN)
    assert isinstance(me.state, Chatting)
    await bench.store.commit(Commit(ended=(me.state.chat,)))
    bench.courier.drop(me.state.chat)
    await asyncio.sleep(1.0)
    before = await bench.store.outbox(ME)
    await bench.parking.take_up(before)
    assert await bench.store.outbox(ME) == before
    assert len(before) == 2
    may_answer.set()
    await bench.quiet()
    assert words_of(bench.telegram.sent) == [html("chat.failed_left")]
    assert await bench.store.outbox(ME) == []


@staged(parked)
async def test_a_parked_relay_that_waited_too_long_is_dropped_with_a_notice(bench: Bench, ref: UpdateRef, /) -> None:
    again = Bench(disk=bench.disk, worker=HEIR)
    again.clock.offset_s = RELAY_TTL_S + 1
    await again.parking.take_up(await again.store.inherit(HEIR))
    await again.quiet()
    assert delivered(again) == []
    assert words_of(again.telegram.sent)[0].startswith("This waited too long")
    assert await again.store.outbox(HEIR) == []
    await again.close()


ANOTHER_KEY = b"another key".ljust(32)


@staged(parked)
async def test_a_relay_parked_with_another_key_is_dropped_with_a_notice(bench: Bench, ref: UpdateRef, /) -> None:
    again = Bench(disk=bench.disk, worker=HEIR, key=ANOTHER_KEY)
    await again.parking.take_up(await again.store.inherit(HEIR))
    await again.quiet()
    assert delivered(again) == []
    (warned,) = again.telegram.sent
    assert isinstance(warned, SendNotice)
    assert (warned.person, warned.reply_to) == (ANN, 2000)
    assert [type(each) for each in await again.store.outbox(HEIR)] == [Trail], "expired in time"
    await again.close()


@staged(parked)
async def test_a_relay_of_an_ended_chat_parked_with_another_key_is_dropped_silently(
    bench: Bench, ref: UpdateRef, /
) -> None:
    (entry,) = [each for each in await bench.store.outbox(ME) if isinstance(each, Parked)]
    again = Bench(disk=bench.disk, worker=HEIR, key=ANOTHER_KEY)
    for other in (
        replace(entry, chat=ChatId("another")),
        replace(entry, id="effect:1:2"),
        replace(entry, to=PersonId(9)),
    ):
        await again.parking.take_up([other])
    await again.quiet()
    assert again.telegram.tried == []
    await again.close()


@staged(parked)
async def test_a_relay_parked_with_a_former_key_is_delivered(bench: Bench, ref: UpdateRef, /) -> None:
    again = Bench(disk=bench.disk, worker=HEIR, key=ANOTHER_KEY, former_keys=(b"older".ljust(32), bytes(32)))
    await again.parking.take_up(await again.store.inherit(HEIR))
    await again.quiet()
    assert len(delivered(again)) == 1
    assert await again.store.outbox(HEIR) == []
    await again.close()


@staged(parked)
async def test_leaving_drops_parked_relays_and_tells_their_sender(bench: Bench, ref: UpdateRef, /) -> None:
    bench.happens(written(BEN, "/stop", 3000, OTHER_BOT), OTHER_BOT)
    await bench.quiet(120)
    assert delivered(bench) == []
    warned = words_of([each for each in bench.telegram.sent if getattr(each, "reply_to", None) == 2000])
    assert warned == [html("chat.failed_left")]
    assert await bench.store.outbox(ME) == []


@in_virtual_time
async def test_a_relay_being_sent_is_parked_too_and_ends_once() -> None:
    bench = Bench()
    await talking(bench)
    bench.telegram.latency_s = 5.0
    ref = bench.happens(written(ANN, SECRET, 2000))
    await asyncio.sleep(2.0)
    await bench.parking.park_overdue()
    assert bench.finished == [ref]
    await bench.quiet()
    assert delivered(bench) == [SECRET]
    assert await bench.store.outbox(ME) == []
    await bench.close()


@in_virtual_time
async def test_a_relay_that_has_just_arrived_is_not_parked() -> None:
    """Its outcome is being stored when the janitor looks."""
    bench = Bench()
    await talking(bench)
    bench.telegram.latency_s = 2.0
    bench.happens(written(ANN, SECRET, 2000))
    await asyncio.sleep(1.9)
    bench.disk.full = True
    await asyncio.sleep(1.0)
    assert len(bench.telegram.sent) == 1
    await bench.parking.park_overdue()
    bench.disk.full = False
    await bench.quiet()
    assert await bench.store.outbox(ME) == []
    assert len(bench.finished) == 1
    await bench.close()


@in_virtual_time
async def test_while_the_store_is_away_nothing_counts_as_parked() -> None:
    bench = Bench()
    await talking(bench)
    down = Unavailable("down", uncertain=False)
    bench.telegram.answer = lambda outgoing: down
    bench.happens(written(ANN, SECRET, 2000))
    await asyncio.sleep(2.0)
    bench.disk.full = True
    with pytest.raises(LiveStoreLost):
        await bench.parking.park_overdue()
    assert bench.finished == []
    bench.disk.full = False
    await bench.parking.park_overdue()
    assert len(bench.finished) == 1
    assert [type(each) for each in await bench.store.outbox(ME)] == [Parked, Trail]
    await bench.close()


@in_virtual_time
async def test_no_relay_is_parked_before_the_outcome_of_the_previous_one_is_stored() -> None:
    """Otherwise, if the process died now, the next one would deliver them in the wrong order."""
    bench = Bench()
    await talking(bench)
    bench.telegram.latency_s = 2.0
    bench.happens(written(ANN, "one", 2000))
    bench.happens(written(ANN, "two", 2001))
    await asyncio.sleep(1.9)
    bench.disk.full = True
    await asyncio.sleep(0.3)
    assert delivered(bench) == ["one"], "has arrived, and cannot be marked as done"
    bench.disk.full = False
    await bench.parking.park_overdue()
    assert bench.finished == []
    assert await bench.store.outbox(ME) == []
    await bench.close()


@in_virtual_time
async def test_the_notices_of_an_earlier_process_are_sent() -> None:
    bench = Bench()
    down = Unavailable("down", uncertain=False)
    bench.telegram.answer = lambda outgoing: down
    bench.happens(written(ANN, "/start"))
    await asyncio.sleep(1)
    again = Bench(disk=bench.disk, worker=HEIR)
    await again.parking.take_up(await again.store.inherit(HEIR))
    await again.quiet()
    assert len(again.telegram.sent) == 1
    assert await again.store.outbox(HEIR) == []
    await bench.close()
    await again.close()


def test_sealed_content_opens_only_with_the_same_key() -> None:
    relay_effect, refs = relay(1), (UpdateRef(BOT, 7), UpdateRef(BOT, 8))
    sealed = Sealer(bytes(32)).seal(relay_effect, refs)
    opened = Sealer(bytes(32)).open(sealed)
    assert opened is not None
    assert (opened.relay_effect, opened.refs) == (relay_effect, refs)
    assert Sealer(b"\x01" * 32).open(sealed) is None
    assert Sealer(b"\x01" * 32, b"\x02" * 32, bytes(32)).open(sealed) == opened


def test_sealing_the_same_content_twice_gives_different_bytes() -> None:
    sealer = Sealer(bytes(32))
    assert sealer.seal(relay(1), ()) != sealer.seal(relay(1), ())


@pytest.mark.parametrize("at", [0, 11, 12, 40, -1])
def test_damaged_sealed_content_does_not_open(at: int) -> None:
    sealed = bytearray(Sealer(bytes(32)).seal(relay(1), ()))
    sealed[at] ^= 1
    assert Sealer(bytes(32)).open(bytes(sealed)) is None


@pytest.mark.parametrize("size", [0, 5, 12, 20])
def test_truncated_sealed_content_does_not_open(size: int) -> None:
    assert Sealer(bytes(32)).open(Sealer(bytes(32)).seal(relay(1), ())[:size]) is None


def test_sealed_content_shows_neither_words_nor_people() -> None:
    sealed = Sealer(bytes(32)).seal(relay(1, chat=ChatId("visible")), ())
    assert b"words" not in sealed
    assert b"visible" not in sealed
