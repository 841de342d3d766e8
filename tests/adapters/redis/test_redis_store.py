"""The Redis store's own tests: lost answers, several processes, and a full, a wiped or a killed server."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from itertools import pairwise
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any

import pytest
from redis import Redis

from passerby.adapters.redis import RedisFull, RedisRefuses, RedisUnreachable, RedisWiped
from passerby.adapters.redis.batcher import LINES, PENDING
from passerby.adapters.redis.holds import Holds, hold_message
from passerby.adapters.redis.keys import Keys, day_of
from passerby.kernel.decision import Facts
from passerby.kernel.ids import NOWHERE, ChatId, PersonId, UpdateRef
from passerby.kernel.participant import Chatting, Idle
from passerby.ports.leases import NOBODY
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.participants import Commit, Committed
from passerby.ports.shared_budgets import Account
from passerby.ports.tickets import TicketChange
from passerby.telemetry import metrics
from tests.adapters.redis.stores import Wire, opened, wait_at_most
from tests.contract.live_body import settled
from tests.contract.live_values import (
    ADULTS,
    ANN,
    BEN,
    BOT,
    CHAT,
    EVE,
    NEXT_CHAT,
    NOW,
    at,
    becomes,
    copied,
    couple,
    fact,
    notice,
    somebody,
    update,
    waiting,
)
from tests.contract.servers import Valkey
from tests.staged import in_a_loop

pytestmark = pytest.mark.services

WHOLE = Commit((somebody(ANN, 1, waiting(ANN)),), (), (notice("n"),), (fact(1),), (update(7),))
OF_NO_UPDATE = Commit((somebody(ANN, 1, waiting(ANN)),), (), (notice("n"),), (fact(1),))


async def everything(store: LiveStore) -> list[Any]:
    return [
        await store.load(ANN, at(1)),
        await store.load(BEN),
        await store.outbox(NOBODY),
        await store.journal(0, 1000),
        await store.done(BOT, range(20)),
        await store.pools(),
        (await store.tickets(ADULTS, None, 0)).changes,
        await store.open_chats((CHAT, NEXT_CHAT)),
    ]


@pytest.mark.parametrize("commit", [WHOLE, OF_NO_UPDATE], ids=["of an update", "of none"])
@pytest.mark.parametrize("lost", ["lose_request", "lose_answer"])
@in_a_loop
async def test_a_commit_whose_answer_was_lost_is_stored_once_and_reported_as_stored(
    valkey: Valkey, by_hand: Redis, commit: Commit, lost: str
) -> None:
    wire = Wire(valkey.url)
    async with wire.laid() as url, opened(url) as store:
        await store.pools()
        setattr(wire, lost, True)
        assert await store.commit(commit) is Committed.YES
        assert wire.breaks == 1
        assert await store.journal(0, 10) == [(1, fact(1))]
        assert await store.load(ANN) == Facts(commit.puts[0])
        assert await store.outbox(NOBODY) == [notice("n")]
        again = Committed.ALREADY_DONE if commit.updates else Committed.STALE
        assert await store.commit(commit) is again, "another commit is not affected"


WRITES: dict[str, Callable[[LiveStore], Awaitable[Any]]] = {
    "mark": lambda store: store.mark(Mark((update(9),), ("n",), CHAT, (copied(9, 90),), Anchor(CHAT, ANN, at(9)))),
    "adopt": lambda store: store.adopt((somebody(EVE, 3, waiting(EVE)),), whole=True),
    "trim_journal": lambda store: store.trim_journal(1, store.generation),
    "sweep": lambda store: store.sweep(),
}


@pytest.mark.parametrize("write", WRITES)
def test_running_a_script_twice_gives_the_same_result(valkey: Valkey, by_hand: Redis, write: str) -> None:
    async def main(lose: bool) -> list[Any]:
        wire = Wire(valkey.url)
        async with wire.laid() as url, opened(url) as store:
            await store.commit(Commit(couple(), (), (notice("n"),), (fact(1),)))
            wire.lose_answer = lose
            await WRITES[write](store)
            assert wire.breaks == lose
            return await everything(store)

    once = asyncio.run(main(False))
    by_hand.flushall()
    assert asyncio.run(main(True)) == once


@in_a_loop
async def test_a_connection_that_breaks_under_many_calls_loses_none_of_them(valkey: Valkey, by_hand: Redis) -> None:
    wire = Wire(valkey.url)
    async with wire.laid() as url, opened(url) as store:
        await store.pools()
        wire.lose_answer = True
        people = [somebody(PersonId(number)) for number in range(1, 200)]
        stored = await asyncio.gather(*(store.commit(Commit((each,), facts=(fact(1),))) for each in people))
        assert wire.breaks == 1
        assert set(stored) == {Committed.YES}
        assert len(await store.journal(0, 1000)) == len(people)


@in_a_loop
async def test_a_server_that_does_not_answer_in_time_is_lost_and_found_again(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        await store.pools()
        wait_at_most(store, 0.2)
        errors = metrics.STORE_ERRORS.total(kind="live")
        os.kill(valkey.pid, SIGSTOP)
        try:
            with pytest.raises(RedisUnreachable):
                await store.commit(WHOLE)
        finally:
            os.kill(valkey.pid, SIGCONT)
        assert metrics.STORE_ERRORS.total(kind="live") > errors
        wait_at_most(store, 60.0)
        assert await store.commit(WHOLE) in (Committed.YES, Committed.ALREADY_DONE)
        assert await store.journal(0, 10) == [(1, fact(1))]


@in_a_loop
async def test_calls_of_one_turn_leave_together_over_few_connections(valkey: Valkey, by_hand: Redis) -> None:
    wire = Wire(valkey.url)
    async with wire.laid() as url, opened(url) as store:
        await store.pools()
        before = wire.requests
        await asyncio.gather(*(store.load(PersonId(number)) for number in range(100)))
        # The script must be loaded once: called, loaded, called again.
        assert wire.requests - before <= 3
        before, calls, trips = wire.requests, metrics.STORE_CALLS.total(), sum(metrics.STORE_TRIPS.counts())
        await asyncio.gather(*(store.load(PersonId(number)) for number in range(100)))
        assert wire.requests - before == 1
        assert metrics.STORE_CALLS.total() - calls == 100
        assert sum(metrics.STORE_TRIPS.counts()) - trips == 1


@in_a_loop
async def test_the_relays_of_one_turn_are_read_and_marked_together(valkey: Valkey, by_hand: Redis) -> None:
    chats = [ChatId(f"chat-{number}") for number in range(100)]
    pairs = [(PersonId(1000 + number), PersonId(2000 + number)) for number in range(100)]

    def used(command: str) -> int:
        stats: Any = by_hand.info("commandstats")
        return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])

    async with opened(valkey.url) as store:
        for chat, (one, other) in zip(chats, pairs, strict=True):
            await store.commit(Commit((somebody(one, 1, Chatting(chat, other, NOW)),)))
            await store.commit(Commit((somebody(other, 1, Chatting(chat, one, NOW)),)))
            await store.load(one)
        reads, scripts = used("hmget"), used("evalsha")
        loaded = await asyncio.gather(*(store.load(one) for one, _ in pairs))
        assert [each.partner and each.partner.person for each in loaded if each] == [other for _, other in pairs]
        assert (used("hmget") - reads, used("evalsha") - scripts) == (2, 1), "people, chats; and one seal"
        await store.mark(Mark((update(999),)))  # the script is loaded
        scripts, chatted = used("evalsha"), list(enumerate(zip(chats, pairs, strict=True)))
        await asyncio.gather(
            *(
                store.mark(Mark((update(at_),), chat=chat, pairs=(copied(at_, 500 + at_),)))
                for at_, (chat, _) in chatted
            )
        )
        assert used("evalsha") - scripts == 1
        assert await store.done(BOT, range(100)) == set(range(100))
        for number, (chat, _) in chatted:
            assert await store.counterpart(chat, at(number)) is not None


@in_a_loop
async def test_a_mark_that_cannot_be_stored_does_not_affect_the_others(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        ann, ben = couple()
        await store.commit(Commit((ann, ben, somebody(EVE, 1, Chatting(NEXT_CHAT, ANN, NOW)))))
        by_hand.set(Keys("passerby").map(NEXT_CHAT, day_of(by_hand.time()[0])), "not a list")
        bad, good, unfit = (
            Mark((update(1),), chat=NEXT_CHAT, pairs=(copied(1, 10),)),
            Mark((update(2),), chat=CHAT, pairs=(copied(2, 20),)),
            Mark((update(3),), chat=CHAT, pairs=(copied(3, 1 << 40),)),
        )
        answers = await asyncio.gather(*map(store.mark, (bad, good, unfit)), return_exceptions=True)
        assert [isinstance(each, Exception) for each in answers] == [True, False, True]
        assert await store.done(BOT, (2,)) == {2}
        assert await store.counterpart(CHAT, at(2)) is not None


@in_a_loop
async def test_more_calls_than_may_wait_all_get_through(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        asked = [asyncio.ensure_future(store.load(PersonId(number))) for number in range(PENDING + 700)]
        await asyncio.sleep(0)
        assert len(store._batcher._queue) <= PENDING
        assert await asyncio.gather(*asked) == [None] * len(asked)
        assert len(by_hand.client_list()) <= LINES + 1, "and this test's own"


@in_a_loop
async def test_a_cancelled_call_does_not_affect_the_others(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        given_up, kept = (asyncio.ensure_future(store.load(person)) for person in (ANN, BEN))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await kept is None
        assert given_up.cancelled()


@in_a_loop
async def test_scripts_that_the_server_has_forgotten_are_loaded_again(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        await store.commit(WHOLE)
        by_hand.script_flush()
        assert len(await asyncio.gather(*(store.load(ANN) for _ in range(5)), store.pools())) == 6


@in_a_loop
async def test_if_two_processes_commit_on_one_version_one_is_stored(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
        people = [somebody(PersonId(number), 1, waiting(PersonId(number))) for number in range(1, 41)]
        await one.commit(Commit(tuple(people)))
        with_left = [
            Commit(
                (
                    becomes(me, Chatting(NEXT_CHAT, you.person, NOW)),
                    becomes(you, Chatting(NEXT_CHAT, me.person, NOW)),
                )
            )
            for me, you in pairwise(people)
        ]
        results = await asyncio.gather(
            *((one, other)[number % 2].commit(each) for number, each in enumerate(with_left))
        )
        winners = [each for each, said in zip(with_left, results, strict=True) if said is Committed.YES]
        paired = [put.person for each in winners for put in each.puts]
        assert len(paired) == len(set(paired))
        for each in winners:
            for put in each.puts:
                facts = await other.load(put.person)
                assert facts is not None
                assert facts.me == put
        assert {each for each in results if each is not Committed.YES} == {Committed.STALE}


@in_a_loop
async def test_each_process_knows_what_the_other_has_done(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
        assert one.generation == other.generation
        await one.commit(WHOLE)
        assert await other.commit(WHOLE) is Committed.ALREADY_DONE
        assert await other.done(BOT, (6, 7)) == {7}
        assert await everything(one) == await everything(other)


@in_a_loop
async def test_a_change_by_one_process_wakes_the_reader_of_another(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
        feed = await other.tickets(ADULTS, None, 0)
        reader = asyncio.ensure_future(other.tickets(ADULTS, feed.cursor, 100.0))
        while by_hand.pubsub_numsub("{passerby}:pubsub")[0][1] == 0:
            await asyncio.sleep(0.001)
        await one.commit(WHOLE)
        async with asyncio.timeout(120):
            assert (await reader).changes == (TicketChange(ANN, waiting(ANN).ticket, 1),)


@in_a_loop
async def test_changes_while_nobody_listened_are_found_when_listening_resumes(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
        feed = await other.tickets(ADULTS, None, 0)
        reader = asyncio.ensure_future(other.tickets(ADULTS, feed.cursor, 100.0))
        while by_hand.pubsub_numsub("{passerby}:pubsub")[0][1] == 0:
            await asyncio.sleep(0.001)
        by_hand.client_kill_filter(_type="pubsub")
        await one.commit(WHOLE)
        async with asyncio.timeout(120):
            assert (await reader).changes == (TicketChange(ANN, waiting(ANN).ticket, 1),)


def test_all_processes_learn_of_a_hold_at_once(valkey: Valkey, by_hand: Redis) -> None:
    chat, bot = Account(BOT, ANN), Account(BOT)

    async def main() -> None:
        async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
            assert (await other.reserve(chat, 1.0, 5, 1)).granted == 1
            while by_hand.pubsub_numsub("{passerby}:pubsub")[0][1] == 0:
                await asyncio.sleep(0.001)
            assert not other.is_held(chat)
            await one.hold(chat, 60.0)
            await one.hold(bot, 0.001)
            async with asyncio.timeout(120):
                while not other.is_held(chat):
                    await asyncio.sleep(0.001)
            assert one.is_held(chat)
            assert not other.is_held(Account(BOT, BEN))
            while other.is_held(bot) or one.is_held(bot):
                await asyncio.sleep(0.001)

    asyncio.run(main())


def test_expired_holds_are_removed() -> None:
    class ManualClock:
        now_s = 0.0

        def monotonic(self) -> float:
            return self.now_s

    hand = ManualClock()
    holds = Holds(hand)  # type: ignore[arg-type]
    for person in range(1, 3001):
        holds.on_message(hold_message(Account(BOT, PersonId(person)), 1.0).encode())
        hand.now_s += 0.01
    assert Account(BOT, PersonId(3000)) in holds
    assert Account(BOT, PersonId(1)) not in holds
    assert len(holds._until) <= 1101
    holds.on_message(b"adults")
    holds.add(Account(BOT), 5.0)
    holds.add(Account(BOT), 1.0)
    hand.now_s += 4.0
    assert Account(BOT) in holds, "a hold is never shortened"


@in_a_loop
async def test_a_commit_that_finds_memory_full_leaves_nothing_behind(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        await store.commit(Commit(couple(), outbox=(notice("kept"),), facts=(fact(1),)))
        before = await everything(store)
        by_hand.config_set("maxmemory", 1)
        ended = (becomes(couple()[0], Idle()), becomes(couple()[1], Idle()))
        with pytest.raises(RedisFull):
            await store.commit(Commit(ended, (CHAT,), (notice("n"),), (fact(2),), (update(7),), ("kept",)))
        with pytest.raises(RedisFull):
            await store.mark(Mark((update(7),), ("kept",), CHAT, (copied(1, 10),)))
        assert await everything(store) == before
        await store.trim_journal(1, store.generation)
        assert await store.journal(0, 10) == [], "commits that free memory pass"
        by_hand.config_set("maxmemory", 0)
        assert await store.commit(Commit(ended, (CHAT,))) is Committed.YES


@in_a_loop
async def test_a_server_without_its_replicas_refuses(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        by_hand.config_set("min-replicas-to-write", 1)
        try:
            with pytest.raises(RedisRefuses):
                await store.commit(WHOLE)
        finally:
            by_hand.config_set("min-replicas-to-write", 0)
        assert await store.commit(WHOLE) is Committed.YES


@in_a_loop
async def test_after_a_kill_acknowledged_commits_are_there_and_the_others_are_whole_or_missing(
    valkey: Valkey, by_hand: Redis
) -> None:
    acknowledged: set[int] = set()
    enough = asyncio.Event()

    async def keep_committing(store: LiveStore, first: int) -> None:
        for number in range(first, first + 1000):
            person = PersonId(number)
            words = (notice(str(number), person),)
            commit = Commit((somebody(person),), (), words, (fact(number),), (UpdateRef(BOT, number),))
            try:
                assert await store.commit(commit) is Committed.YES
            except LiveStoreLost:
                return
            acknowledged.add(number)
            if len(acknowledged) >= 300:
                enough.set()

    async with opened(valkey.url) as store:
        generation = store.generation
        working = [asyncio.ensure_future(keep_committing(store, first * 1000)) for first in range(1, 17)]
        await enough.wait()
        valkey.stop(SIGKILL)
        await asyncio.gather(*working)
        valkey.start()
        await settled(store)
        stored = {number for number in range(1000, 17000) if await store.load(PersonId(number))}
        assert stored >= acknowledged
        assert len(stored) < 16_000, "the kill came in the middle"
        assert await store.done(BOT, range(1000, 17000)) == stored
        assert {int(entry.id) for entry in await store.outbox(NOBODY)} == stored
        facts = await store.journal(0, 20_000)
        assert [number for number, _ in facts] == list(range(1, len(stored) + 1))
        assert store.generation != generation
        await store.commit(WHOLE)


@in_a_loop
async def test_a_server_that_lost_its_last_second_gives_out_no_number_twice(valkey: Valkey, by_hand: Redis) -> None:
    """The records would skip a fact whose number they have seen."""
    async with opened(valkey.url) as store:
        await store.commit(Commit((somebody(ANN, 1, waiting(ANN)),), facts=(fact(1),)))
        kept = [(key, by_hand.dump(key)) for key in by_hand.scan_iter()]
        await store.commit(Commit((somebody(BEN, 1, waiting(BEN)),), (), (notice("n"),), (fact(2), fact(3))))
        feed = await store.tickets(ADULTS, None, 0)
        by_hand.flushall()
        for key, value in kept:
            by_hand.restore(key, 0, value)
        valkey.stop(SIGKILL)
        valkey.start()
        await settled(store)
        await store.commit(Commit((somebody(EVE, 1, waiting(EVE)),), facts=(fact(4),)))
        (first, last) = await store.journal(0, 10)
        assert first == (1, fact(1))
        assert last[1] == fact(4)
        assert last[0] > 3
        later = await store.tickets(ADULTS, feed.cursor, 0)
        assert later.whole
        assert {change.person for change in later.changes} == {ANN, EVE}


@in_a_loop
async def test_a_wiped_store_refuses_until_the_records_have_been_adopted(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        await store.adopt((), whole=True)
        generation = store.generation
        await store.commit(Commit(couple(), facts=(fact(1),), updates=(update(7),)))
        by_hand.flushall()
        for _ in range(2):
            with pytest.raises(RedisWiped):
                await store.done(BOT, (7,))
            with pytest.raises(RedisWiped):
                await store.commit(Commit((somebody(EVE),)))
        assert store.generation != generation
        assert store.newborn
        await store.adopt(couple(), whole=True)
        assert not store.newborn
        assert await store.load(EVE) is None
        assert await store.open_chats((CHAT,)) == {CHAT}
        assert await store.journal(0, 10) == []


@in_a_loop
async def test_one_process_adopts_and_the_others_continue(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
        await one.adopt((), whole=True)
        by_hand.flushall()
        for store in (one, other):
            with pytest.raises(RedisWiped):
                await store.load(ANN)
        assert one.generation == other.generation
        await one.adopt(couple(), whole=True)
        assert await other.open_chats((CHAT,)) == {CHAT}
        assert not other.newborn


@in_a_loop
async def test_all_people_are_adopted_before_any_call_is_answered(valkey: Valkey, by_hand: Redis) -> None:
    """Otherwise a person could be told that they are in no chat, before their chat is adopted."""
    async with opened(valkey.url, 1) as one, opened(valkey.url, 2) as other:
        by_hand.flushall()
        with pytest.raises(RedisWiped):
            await other.pools()
        crowd = [somebody(PersonId(number), 1, waiting(PersonId(number))) for number in range(1, 3001)]
        with pytest.raises(RedisWiped):
            await one.pools()
        adopting = asyncio.ensure_future(one.adopt(crowd, whole=True))
        while True:
            try:
                facts = await other.load(crowd[-1].person)
            except RedisWiped:
                continue
            assert facts == Facts(crowd[-1], anchor=NOWHERE)
            break
        await adopting


@in_a_loop
async def test_a_reader_from_before_the_wipe_starts_again(valkey: Valkey, by_hand: Redis) -> None:
    async with opened(valkey.url) as store:
        await store.commit(WHOLE)
        feed = await store.tickets(ADULTS, None, 0)
        by_hand.flushall()
        with pytest.raises(RedisWiped):
            await store.pools()
        await store.adopt((somebody(BEN, 1, waiting(BEN)),), whole=True)
        later = await store.tickets(ADULTS, feed.cursor, 5.0)
        assert later.whole
        assert later.changes == (TicketChange(BEN, waiting(BEN).ticket, 1),)


def test_only_our_keys_are_touched_and_all_have_one_hash_tag(valkey: Valkey, by_hand: Redis) -> None:
    async def main() -> None:
        async with opened(valkey.url) as store:
            ann, ben = couple()
            await store.commit(Commit((ann, ben), (), (notice("n"),), (fact(1),), (update(7),)))
            await store.mark(Mark((update(8),), ("n",), CHAT, (copied(1, 10),), Anchor(CHAT, ANN, at(3))))
            await store.commit(Commit((becomes(ann, waiting(ANN)), becomes(ben, Idle())), (CHAT,)))
            await store.remember_file("u", BOT, "id")

    asyncio.run(main())
    keys = set(by_hand.scan_iter())
    assert all(key.startswith(b"{passerby}:") for key in keys)
    assert not any(b":map:" in key for key in keys), "a chat's map goes with it"
    expiring = {key.split(b":")[1] for key in keys if by_hand.ttl(key) > 0}
    assert expiring == {b"done", b"stored", b"file", b"received"}


@in_a_loop
async def test_a_chat_that_another_process_has_taken_from_the_records_counts_after_a_check(
    valkey: Valkey, by_hand: Redis
) -> None:
    """The server was wiped, and another process has adopted the same chat. Ours still remembers it from before."""
    async with opened(valkey.url) as one:
        await one.commit(Commit(couple()))
        assert await one.load(ANN) == await one.load(ANN) == Facts(*couple())
        by_hand.flushall()
        async with opened(valkey.url, 2) as other:
            await other.adopt(couple(), whole=True)
            with pytest.raises(RedisWiped):
                await one.load(ANN)
            found = await one.load(ANN)
            assert found is not None
            assert found.me == couple()[0]


@in_a_loop
async def test_the_chat_that_a_person_was_last_seen_in_is_checked(valkey: Valkey, by_hand: Redis) -> None:
    """There are two processes: one remembers the chat, and the other changes it."""
    async with opened(valkey.url) as one, opened(valkey.url, 2) as other:
        ann, ben = couple()
        await one.commit(Commit((ann, ben, somebody(EVE))))
        assert await one.load(ANN) == await one.load(ANN) == Facts(ann, ben)
        apart = becomes(ann, Idle()), becomes(ben, Idle())
        await other.commit(Commit(apart, ended=(CHAT,)))
        assert await one.load(ANN) == Facts(apart[0])
        eve = becomes(somebody(EVE), Chatting(NEXT_CHAT, ANN, NOW))
        again = becomes(apart[0], Chatting(NEXT_CHAT, EVE, NOW))
        await other.commit(Commit((again, eve)))
        assert await one.load(ANN) == await one.load(ANN) == Facts(again, eve)
        rated = becomes(eve, eve.state)
        await other.commit(Commit((rated,)))
        assert await one.load(ANN) == Facts(again, rated)
        await other.mark(Mark((), chat=NEXT_CHAT, pairs=(copied(1, 10),)))
        seen = await one.load(ANN, at(1))
        assert seen is not None
        assert seen.counterpart is not None


@in_a_loop
async def test_a_chat_that_ends_between_two_reads_is_not_taken_for_open(valkey: Valkey, by_hand: Redis) -> None:
    """The people were read while they were in it, and the chat when it was over. Then everything is read again."""
    async with opened(valkey.url) as store:
        ann, ben = couple()
        await store.commit(Commit((ann, ben)))
        assert await store.load(ANN) == Facts(ann, ben)
        apart = becomes(ann, Idle()), becomes(ben, Idle())
        add = store._loads.add

        async def ending(*of: Any) -> Any:
            mine, theirs, _, read_in = await add(*of)
            await store.commit(Commit(apart, ended=(CHAT,)))
            return mine, theirs, None, read_in

        store._loads.add = lambda *of: asyncio.ensure_future(ending(*of))  # type: ignore[method-assign]
        assert await store.load(ANN) == Facts(apart[0])
