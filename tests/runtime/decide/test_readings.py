"""Events of one burst are decided on facts that are read once; later events and changes are still seen."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from passerby.kernel.decision import Facts
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import MessageId, MessageRef, PersonId
from passerby.ports.telegram import SendContent
from passerby.runtime.decide.readings import Reading, Readings
from tests.runtime.virtual import VirtualClock, run
from tests.runtime.world import ANN, BEN, OTHER_BOT, Bench, somebody, talking, words_of, written
from tests.staged import in_virtual_time, staged


def bench_that_counts(
    monkeypatch: pytest.MonkeyPatch, body: Callable[[Bench, list[PersonId]], Awaitable[None]], slow_s: float = 0.03
) -> None:
    """Run `body` over a store with network delay, and give it the list of people whose facts were read."""

    async def main() -> None:
        bench = Bench()
        await talking(bench)
        read: list[PersonId] = []
        load = bench.store.load

        async def loading(person: PersonId, about: MessageRef | None = None) -> Facts | None:
            read.append(person)
            await asyncio.sleep(slow_s)
            return await load(person, about)

        monkeypatch.setattr(bench.store, "load", loading)
        await body(bench, read)
        await bench.close()

    run(main())


def delivered(bench: Bench) -> list[str]:
    return words_of([each for each in bench.telegram.sent if isinstance(each, SendContent) and each.person == BEN])


@staged(bench_that_counts, "monkeypatch")
async def test_events_of_one_burst_are_decided_on_one_read(bench: Bench, read: list[PersonId], /) -> None:
    for number in range(100):
        bench.happens(written(ANN, f"text {number}", 2000 + number))
    await asyncio.sleep(0.2)
    assert len(read) <= 2
    await bench.quiet(200)
    assert delivered(bench) == [f"text {number}" for number in range(100)]


@staged(bench_that_counts, "monkeypatch")
async def test_an_event_after_the_read_has_its_own_read(bench: Bench, read: list[PersonId], /) -> None:
    for number in range(3):
        bench.happens(written(ANN, f"text {number}", 2000 + number))
    await asyncio.sleep(0.01)  # meanwhile the facts are being read
    bench.happens(written(ANN, "late", 2003))
    await bench.quiet()
    assert read.count(ANN) == 2
    assert delivered(bench) == ["text 0", "text 1", "text 2", "late"]


@staged(bench_that_counts, "monkeypatch")
async def test_a_read_is_used_until_something_changes(bench: Bench, read: list[PersonId], /) -> None:
    for number, words in enumerate(("one", "two", "/stop", "three", "four")):
        bench.happens(written(ANN, words, 2000 + number))
    await bench.quiet()
    assert not {"three", "four"} & set(delivered(bench)), "these have no reader"
    assert read.count(ANN) >= 3
    told = [each for each in bench.telegram.sent if not isinstance(each, SendContent) and each.person == ANN]
    dropped = 2 - len(delivered(bench))
    assert words_of(told).count("Not delivered: the chat was already over.") == dropped, "they had not left at the end"
    assert words_of(told).count("The chat ended before we could send this, so nobody got it.") == 2


@staged(bench_that_counts, "monkeypatch")
async def test_a_message_that_comes_when_the_partner_has_left_reaches_nobody(
    bench: Bench, read: list[PersonId], /
) -> None:
    for number in range(50):
        bench.happens(written(ANN, f"text {number}", 2000 + number))
    bench.happens(written(BEN, "/stop", 900, OTHER_BOT), OTHER_BOT)
    await bench.quiet()
    before = len(delivered(bench))
    bench.happens(written(ANN, "too late", 2050))
    await bench.quiet()
    assert len(delivered(bench)) == before


@staged(bench_that_counts, "monkeypatch")
async def test_a_reply_has_a_read_that_includes_its_target(bench: Bench, read: list[PersonId], /) -> None:
    bench.happens(written(BEN, "hello", 2900, OTHER_BOT), OTHER_BOT)
    await bench.quiet()
    assert words_of(bench.telegram.sent) == ["hello"]
    for number in range(3):
        reply = MessageId(bench.telegram._message) if number == 1 else None
        bench.happens(written(ANN, f"text {number}", 2000 + number, reply_to=reply))
    await bench.quiet()
    replies = [each.reply_to for each in bench.telegram.sent if isinstance(each, SendContent) and each.person == BEN]
    assert replies == [None, MessageId(2900), None]


@pytest.mark.parametrize(
    ("age_s", "number", "event", "is_used"),
    [
        (0.0, 5, written(ANN, "hello"), True),
        (0.01, 5, written(ANN, "hello"), True),
        (0.1, 5, written(ANN, "hello"), False),
        (0.0, 6, written(ANN, "it came later"), False),
        (0.0, 5, written(ANN, "a reply", reply_to=MessageId(3)), False),
        (0.0, 5, written(ANN, "of an album", group="g"), False),
        (0.0, 5, written(BEN, "of another person"), False),
    ],
)
@in_virtual_time
async def test_facts_are_used_again_only_for_a_moment_and_only_for_plain_messages_before_them(
    age_s: float, number: int, event: MessageReceived, is_used: bool
) -> None:
    clock = VirtualClock()
    readings = Readings(clock)
    kept = Reading(Facts(somebody(ANN)), None, 5, clock.monotonic())
    readings.keep(ANN, kept)
    await asyncio.sleep(age_s)
    assert readings.take(event, number) == (kept if is_used else None)
    assert readings.take(written(ANN, "again"), 5) == (kept if event.person == BEN else None), "once at most"
