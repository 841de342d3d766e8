"""A newer edit or reaction replaces older ones that nobody has seen yet; messages keep their order."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

from passerby.domain.budgets import Budget
from passerby.kernel.content import Content, Kind
from passerby.kernel.event import MessageEdited, ReactionChanged
from passerby.kernel.ids import MessageId
from passerby.ports.telegram import EditContent, SendContent, SetReaction
from tests.runtime.virtual import run
from tests.runtime.world import ANN, BEN, BOT, HEIR, ME, Bench, talking, words_of, written
from tests.staged import staged

SLOW = Budget(1.0, 1)
_ids = count(3000)


def slowly(body: Callable[[Bench], Awaitable[None]]) -> None:
    """Run `body` while Ann and Ben chat. Each may get one message a second."""

    async def main() -> None:
        bench = Bench(chat_budget=SLOW)
        await talking(bench)
        await body(bench)
        await bench.close()

    run(main())


def edited(words: str, message: int = 2000) -> MessageEdited:
    return MessageEdited(ANN, BOT, MessageId(message), Content(Kind.TEXT, words), 1.0)


def said(bench: Bench) -> list[str]:
    """Return what Ben got, in order; edits begin with an equals sign."""
    kept = []
    for each in bench.telegram.sent:
        if each.person != BEN:  # type: ignore[union-attr]
            continue
        if isinstance(each, EditContent):
            kept.append(f"={each.content.text}")
        elif isinstance(each, SetReaction):
            kept.append(f"~{each.emoji}")
        else:
            kept += words_of([each])
    return kept


@staged(slowly)
async def test_a_hundred_edits_delay_the_next_message_by_a_second_or_two(bench: Bench, /) -> None:
    bench.happens(written(ANN, "here", 2000))
    await bench.quiet()
    refs = []
    for step in range(120):
        refs.append(bench.happens(edited(f"step {step}")))
        await asyncio.sleep(0.25)
    sent_at = bench.clock.monotonic()
    bench.happens(written(ANN, "after", 2001))
    await bench.quiet()
    assert bench.clock.monotonic() - sent_at <= 3.0
    assert said(bench)[-2:] == ["=step 119", "after"]
    assert set(refs) <= set(bench.finished), "none of them holds the queue up"


@staged(slowly)
async def test_the_last_state_arrives_after_any_number_of_edits(bench: Bench, /) -> None:
    bench.happens(written(ANN, "here", 2000))
    await bench.quiet()
    for step in range(500):
        bench.happens(edited(f"step {step}"))
    await bench.quiet(60)
    assert said(bench)[-1] == "=step 499"
    assert len(said(bench)) <= 4
    assert bench.courier.pending == 0
    assert await bench.store.outbox(ME) == []


@staged(slowly)
async def test_the_newest_edit_keeps_its_place_among_the_messages(bench: Bench, /) -> None:
    bench.happens(written(ANN, "a", 2000))
    await bench.quiet()
    bench.happens(written(ANN, "b", 2001))
    bench.happens(edited("a2"))
    bench.happens(written(ANN, "c", 2002))
    bench.happens(edited("a3"))
    bench.happens(written(ANN, "d", 2003))
    await bench.quiet(60)
    assert said(bench) == ["a", "b", "c", "=a3", "d"]


@staged(slowly)
async def test_a_new_reaction_replaces_older_ones_of_its_message_only(bench: Bench, /) -> None:
    for message in (2000, 2001):
        bench.happens(written(ANN, str(message), message))
    await bench.quiet(60)
    bench.telegram.sent.clear()
    for emoji in ("👍", "❤", None, "🔥"):
        bench.happens(ReactionChanged(ANN, BOT, MessageId(2000), emoji))
        bench.happens(ReactionChanged(ANN, BOT, MessageId(2001), emoji))
    await bench.quiet(60)
    # The first may already have been under way.
    assert said(bench)[-2:] == ["~🔥", "~🔥"]
    assert len(said(bench)) <= 3


@staged(slowly)
async def test_an_edit_of_an_unsent_message_changes_what_is_sent(bench: Bench, /) -> None:
    bench.happens(written(ANN, "first", 2000))
    message = bench.happens(written(ANN, "secnod", 2001))
    edit = bench.happens(edited("second", 2001))
    bench.happens(written(ANN, "third", 2002))
    await bench.quiet(60)
    assert said(bench) == ["first", "second", "third"]
    assert not any(isinstance(each, EditContent) for each in bench.telegram.sent)
    assert {message, edit} <= set(bench.finished)


@staged(slowly)
async def test_a_parked_message_and_its_last_edit_both_survive_the_process(bench: Bench, /) -> None:
    bench.happens(written(ANN, "first", 2000))
    bench.happens(written(ANN, "one", 2001))
    await asyncio.sleep(0.01)
    await bench.parking.park_overdue(-2.0)
    for words in ("two", "three"):
        bench.happens(edited(words, 2001))
        await asyncio.sleep(0.01)
        await bench.parking.park_overdue(-2.0)
    again = Bench(disk=bench.disk, worker=HEIR)
    await again.parking.take_up(await again.store.inherit(HEIR))
    await again.quiet()
    assert said(again)[-1] in {"three", "=three"}
    assert await again.store.outbox(HEIR) == []
    await again.close()


@staged(slowly)
async def test_a_superseded_edit_that_was_parked_leaves_nothing_behind(bench: Bench, /) -> None:
    bench.happens(written(ANN, "here", 2000))
    await bench.quiet()
    bench.happens(written(ANN, "between", 2001))
    for step in range(5):
        bench.happens(edited(f"step {step}"))
        await asyncio.sleep(0.01)
        await bench.parking.park_overdue(-2.0)
    await bench.quiet(60)
    assert said(bench) == ["here", "between", "=step 4"]
    assert await bench.store.outbox(ME) == []


@staged(slowly)
async def test_a_chat_can_end_with_superseded_edits(bench: Bench, /) -> None:
    bench.happens(written(ANN, "here", 2000))
    await bench.quiet()
    bench.happens(written(ANN, "between", 2001))
    for step in range(3):
        bench.happens(edited(f"step {step}"))
    bench.happens(written(ANN, "/stop", 2002))
    await bench.quiet(60)
    assert "=step 2" not in said(bench)
    assert not any(isinstance(each, SendContent) for each in bench.telegram.sent[2:])
    assert bench.courier.pending == 0
