"""The event handler among several workers: fences of writes, and commits without an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from passerby.features.search import introduce
from passerby.kernel.decision import Decision, Env, Facts
from passerby.kernel.effect import Priority, Say
from passerby.kernel.event import MessageReceived, ReactionChanged
from passerby.kernel.feature import Feature
from passerby.kernel.ids import MessageId, MessageRef, UpdateRef, search_of
from passerby.kernel.participant import Chatting, Idle, Searching
from passerby.kernel.text import text
from passerby.ports.facts import ChatTold
from passerby.ports.leases import Fence, bot_lease
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.outbox import Notice, Parked
from passerby.ports.participants import Commit, Committed
from passerby.ports.telegram import SendContent
from passerby.runtime.delivery.new_deliveries import PASSING_WAIT_S
from passerby.runtime.inbound.crashes import FATAL_CRASHES
from passerby.runtime.inbound.person_queues import Work
from tests.runtime.virtual import EPOCH, run
from tests.runtime.world import ANN, BEN, BOT, EVE, ME, OTHER_BOT, Bench, somebody, talking, words_of, written
from tests.staged import staged
from tests.wording import html

REF = UpdateRef(BOT, 900)


def at_bench(body: Callable[[Bench, Fence], Awaitable[None]], **how: Any) -> None:
    """Run `body` on a worker that holds the bot's lease."""

    async def main() -> None:
        bench = Bench(**how)
        await bench.store.adopt((), whole=True)
        await bench.store.heartbeat(ME, {}, 1e6, b"")
        epoch = await bench.store.take(ME, bot_lease(BOT), 1e6)
        assert epoch is not None
        fence = Fence(bot_lease(BOT), epoch)
        bench.fences.add(fence)
        await body(bench, fence)
        await bench.close()

    run(main())


async def lose_lease(bench: Bench, fence: Fence) -> None:
    """Let another worker take the lease."""
    await bench.store.give(ME, fence.lease, fence.epoch)
    other = type(ME)("another")
    await bench.store.heartbeat(other, {}, 1e6, b"")
    assert await bench.store.take(other, fence.lease, 1e6) is not None


def notice(name: str) -> Notice:
    return Notice(name, BEN, OTHER_BOT, text("search.idle"), Priority.COMMAND, EPOCH)


def relays(bench: Bench) -> list[str]:
    return words_of([each for each in bench.telegram.sent if isinstance(each, SendContent)])


@staged(at_bench)
async def test_a_decision_under_a_lost_lease_is_not_stored_and_ends_this_incarnation(
    bench: Bench, fence: Fence, /
) -> None:
    await bench.put(somebody(ANN))
    await lose_lease(bench, fence)
    bench.person_queues.put(Work(written(ANN, "/search"), (REF,), fences=(fence,)))
    await asyncio.sleep(5)
    assert bench.lapses == ["a write was refused"]
    assert isinstance((await bench.facts_of(ANN)).state, Idle)
    assert bench.finished == []
    assert bench.telegram.tried == []


@staged(at_bench)
async def test_an_update_of_a_lease_that_was_given_back_is_dropped(bench: Bench, fence: Fence, /) -> None:
    await bench.put(somebody(ANN), somebody(BEN, bot=OTHER_BOT))
    bench.fences.discard(fence)
    bench.person_queues.put(Work(written(ANN, "/search"), (REF,), fences=(fence,)))
    bench.happens(written(BEN, "/search", bot=OTHER_BOT), OTHER_BOT)
    await asyncio.sleep(5)
    assert bench.lapses == []
    assert isinstance((await bench.facts_of(ANN)).state, Idle)
    assert isinstance((await bench.facts_of(BEN)).state, Searching)


@staged(at_bench)
async def test_a_relay_whose_mark_is_refused_ends_this_incarnation_and_is_not_done(
    bench: Bench, fence: Fence, /
) -> None:
    await talking(bench)
    bench.telegram.latency_s = 1.0
    bench.person_queues.put(Work(written(ANN, "hello", 2000, sent_at=EPOCH + 60), (REF,), fences=(fence,)))
    await asyncio.sleep(0.5)
    await lose_lease(bench, fence)
    await asyncio.sleep(5)
    assert bench.lapses == ["a write was refused"]
    assert bench.finished == []
    assert await bench.store.done(BOT, (REF.update,)) == set()


@staged(at_bench)
async def test_the_notices_of_a_commit_without_an_answer_are_sent_once(bench: Bench, fence: Fence, /) -> None:
    await bench.put(somebody(ANN))
    store, lost = bench.store.commit, 1

    async def unanswered(commit: Commit) -> Committed:
        nonlocal lost
        committed = await store(commit)
        if lost and commit.outbox:
            lost -= 1
            raise LiveStoreLost("no answer")
        return committed

    bench.store.commit = unanswered  # type: ignore[method-assign]
    bench.person_queues.put(Work(written(ANN, "/search"), (REF,), fences=(fence,)))
    await asyncio.sleep(PASSING_WAIT_S + 0.1)
    assert words_of(bench.telegram.sent) == [html("search.begun").partition("\n")[0]], "before anything that follows"
    await bench.quiet()
    assert len(bench.telegram.sent) == 1
    assert bench.finished == [REF]
    assert await bench.store.outbox(ME) == []
    assert bench.uncertain.last_at() >= 0


@staged(at_bench)
async def test_a_relay_that_may_be_parked_is_sent_once_and_leaves_nothing_behind(bench: Bench, fence: Fence, /) -> None:
    await talking(bench)
    store = bench.store.commit

    async def unanswered(commit: Commit) -> Committed:
        committed = await store(commit)
        if any(isinstance(entry, Parked) for entry in commit.outbox):
            raise LiveStoreLost("no answer")
        return committed

    bench.store.commit = unanswered  # type: ignore[method-assign]
    bench.telegram.latency_s = 3.0
    bench.person_queues.put(Work(written(ANN, "hello", 2000, sent_at=EPOCH + 60), (REF,), fences=(fence,)))
    await asyncio.sleep(2.0)
    with suppress(LiveStoreLost):
        await bench.parking.park_overdue()
    await bench.quiet()
    assert relays(bench) == ["hello"]
    assert await bench.store.outbox(ME) == []
    assert bench.finished == [REF]


@staged(at_bench)
async def test_the_notices_that_announced_a_chat_are_recorded(bench: Bench, fence: Fence, /) -> None:
    await talking(bench)
    announced = [fact for _, fact in await bench.store.journal(0, 99) if isinstance(fact, ChatTold)]
    state = (await bench.facts_of(ANN)).state
    assert isinstance(state, Chatting)
    assert {fact.person for fact in announced} == {ANN, BEN}
    assert {fact.chat for fact in announced} == {state.chat}
    facts = await bench.store.load(ANN)
    assert facts is not None
    assert facts.anchor in {fact.anchor for fact in announced}


def greet(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    (eve,) = facts.others
    changed = msgspec.structs.replace(eve, blocked=(facts.me.person,))
    return Decision((changed,), (Say(eve.person, text("search.idle"), reply_to=MessageId(1)),))


GREETING = Feature(
    "greeting",
    commands={"greet": greet},
    also_load={greet: lambda event, facts: (EVE, facts.me.person, type(ANN)(77))},
)


@staged(at_bench, features=(GREETING,))
async def test_a_decision_gets_the_extra_people_its_feature_asks_for(bench: Bench, fence: Fence, /) -> None:
    await bench.put(somebody(ANN))
    bench.records.disk.people[EVE] = somebody(EVE, version=4)
    bench.person_queues.put(Work(written(ANN, "/greet"), (REF,), fences=(fence,)))
    await bench.quiet()
    assert (await bench.facts_of(EVE)).blocked == (ANN,)
    assert [each.person for each in bench.telegram.sent] == [EVE]  # type: ignore[union-attr]


@staged(at_bench)
async def test_the_last_person_who_wrote_is_known(bench: Bench, fence: Fence, /) -> None:
    await talking(bench)
    bench.person_queues.put(Work(written(ANN, "hello", 2000, sent_at=EPOCH + 60), (REF,), fences=(fence,)))
    await bench.quiet()
    await asyncio.sleep(100)
    (idle,) = await bench.store.idle_chats(bench.clock.now() - 10, 9)
    assert idle.speaker == ANN
    await bench.store.mark(Mark())


@staged(at_bench)
async def test_work_that_is_given_up_settles_its_outbox_entries(bench: Bench, fence: Fence, /) -> None:
    """Otherwise the next process would find them, and give the same work up again."""
    await bench.store.commit(Commit(outbox=(notice("entry"), notice("other")), owner=ME))
    work = Work(written(ANN, "hello", 2000), (REF,), ("entry",), (fence,), crashes=FATAL_CRASHES)
    bench.person_queues.put(work)
    await bench.quiet()
    assert [each.id for each in await bench.store.outbox(ME)] == ["other"]
    assert await bench.store.done(BOT, (REF.update,)) == {REF.update}
    assert bench.finished == [REF]
    assert words_of(bench.telegram.sent) == [html("chat.failed_fatal")]


@staged(at_bench)
async def test_work_without_an_effect_settles_its_outbox_entries(bench: Bench, fence: Fence, /) -> None:
    """As for the failure of a parked message of a chat that is long over."""
    await bench.put(somebody(ANN))
    await bench.store.commit(Commit(outbox=(notice("entry"),), owner=ME))
    bench.person_queues.put(Work(ReactionChanged(ANN, BOT, MessageId(7), ""), (), ("entry",), (fence,)))
    await bench.quiet()
    assert await bench.store.outbox(ME) == []


@staged(at_bench)
async def test_the_outcome_of_a_parked_relay_needs_no_lease(bench: Bench, fence: Fence, /) -> None:
    """Its update is done already. So it does not matter who polls the bot now."""
    await talking(bench)
    bench.telegram.latency_s = 5.0
    bench.person_queues.put(Work(written(ANN, "hello", 2000, sent_at=EPOCH + 60), (REF,), fences=(fence,)))
    await asyncio.sleep(2.0)
    await bench.parking.park_overdue()
    assert await bench.store.done(BOT, (REF.update,)) == {REF.update}
    await lose_lease(bench, fence)
    await bench.quiet(60)
    assert relays(bench) == ["hello"]
    assert bench.lapses == []
    assert await bench.store.outbox(ME) == []


@staged(at_bench)
async def test_a_relay_that_another_process_has_done_is_not_parked_here(bench: Bench, fence: Fence, /) -> None:
    """Telegram delivered the update to both. This process still finishes its own relay, and leaves nothing behind."""
    await talking(bench)
    bench.telegram.latency_s = 5.0
    bench.person_queues.put(Work(written(ANN, "hello", 2000, sent_at=EPOCH + 60), (REF,), fences=(fence,)))
    await asyncio.sleep(2.0)
    await bench.store.mark(Mark((REF,)))
    marks: list[Mark] = []
    mark = bench.store.mark

    async def watched(this: Mark) -> None:
        marks.append(this)
        await mark(this)

    bench.store.mark = watched  # type: ignore[method-assign]
    await bench.parking.park_overdue()
    assert await bench.store.outbox(ME) == []
    await bench.quiet(60)
    (outcome,) = [each for each in marks if each.pairs]
    assert outcome.fences == (fence,), "it was not parked, so it counts under the lease"


@staged(at_bench)
async def test_the_notice_of_a_search_is_an_anchor_and_not_a_fact(bench: Bench, fence: Fence, /) -> None:
    """The records know chats. To them, a search would be a chat that nobody opened."""
    await bench.put(somebody(ANN))
    bench.person_queues.put(Work(written(ANN, "/search"), (REF,), fences=(fence,)))
    await bench.quiet()
    still = Notice("still", ANN, BOT, text("search.idle"), Priority.COMMAND, EPOCH, anchors=search_of(ANN))
    await bench.store.commit(Commit(outbox=(still,), owner=ME))
    bench.courier.say(still)
    await bench.quiet()
    facts = await bench.store.load(ANN)
    assert facts is not None
    assert facts.anchor == MessageRef(BOT, MessageId(1002))
    assert [type(fact).__name__ for _, fact in await bench.store.journal(0, 99)] == ["PersonChanged"]


@pytest.mark.parametrize("is_stored", [True, False])
@staged(at_bench)
async def test_a_pair_without_an_answer_is_told_if_it_was_made(bench: Bench, fence: Fence, /, is_stored: bool) -> None:
    await bench.put(somebody(ANN), somebody(BEN, bot=OTHER_BOT))
    for person, bot in ((ANN, BOT), (BEN, OTHER_BOT)):
        bench.happens(written(person, "/search", bot=bot), bot)
    await bench.quiet()
    ann, ben = [await bench.facts_of(each) for each in (ANN, BEN)]
    store = bench.store.commit
    bench.telegram.sent.clear()

    async def unanswered(commit: Commit) -> Committed:
        if is_stored:
            await store(commit)
        raise LiveStoreLost("no answer")

    bench.store.commit = unanswered  # type: ignore[method-assign]
    settling = bench.pairings.settle(introduce(ann, ben, bench.env()), {ANN: ann, BEN: ben}, lambda index: f"p:{index}")
    if is_stored:
        assert await settling
        await bench.quiet()
        assert {each.person for each in bench.telegram.sent} == {ANN, BEN}  # type: ignore[union-attr]
    else:
        with pytest.raises(LiveStoreLost):
            await settling
        assert bench.telegram.sent == []
    assert bench.uncertain.last_at() == bench.clock.monotonic() or is_stored


@pytest.mark.parametrize("answer", ["late", "never"])
@staged(at_bench)
async def test_the_notices_of_two_commits_to_one_person_keep_their_order_whatever_the_store_answers(
    bench: Bench, fence: Fence, /, answer: str
) -> None:
    """Ann leaves a chat and is paired again. The answer about the first comes after the one about the second, or
    never."""
    await talking(bench)
    await bench.put(somebody(EVE))
    bench.happens(written(EVE, "/search"), BOT)
    await bench.quiet()
    bench.telegram.sent.clear()
    store, outbox, is_away = bench.store.commit, bench.store.outbox, answer == "never"

    async def slow(commit: Commit) -> Committed:
        committed = await store(commit)
        if REF in commit.updates:
            await asyncio.sleep(0.1)
            if is_away:
                raise LiveStoreLost("no answer")
        return committed

    async def away(owner: Any) -> Any:
        if is_away:
            raise LiveStoreLost("away")
        return await outbox(owner)

    bench.store.commit, bench.store.outbox = slow, away  # type: ignore[method-assign]
    bench.person_queues.put(Work(written(ANN, "/next"), (REF,), fences=(fence,)))
    await asyncio.sleep(0.2 if is_away else 0.01)
    is_away = False
    ann, eve = [await bench.facts_of(each) for each in (ANN, EVE)]
    assert isinstance(ann.state, Searching)
    introduced = introduce(ann, eve, bench.env())
    assert await bench.pairings.settle(introduced, {ANN: ann, EVE: eve}, lambda index: f"again:{index}")
    await asyncio.sleep(60)
    told = words_of([each for each in bench.telegram.sent if getattr(each, "person", None) == ANN])
    left, found = html("chat.you_moved_on").partition("\n")[0], "Partner found"
    assert next(words for words in told if words == left or found in words) == left, told
    assert sum(words == left for words in told) == 1, told
