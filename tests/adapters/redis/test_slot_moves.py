"""A cluster's slot moves from node to node, key by key, while the store works. Nothing may be done by halves."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any, TypeVar

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from passerby.adapters.redis.scripts import Script
from passerby.kernel.ids import PersonId
from passerby.ports.leases import NOBODY
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.participants import Commit, Committed
from tests.adapters.redis.stores import opened
from tests.adapters.redis.test_redis_store import everything
from tests.contract import slots
from tests.contract.declared import watched
from tests.contract.live_cluster import SLOT, Cluster, start_cluster
from tests.contract.live_values import (
    ADULTS,
    ANN,
    BEN,
    BOT,
    CHAT,
    at,
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

PATIENCE_S = 60
T = TypeVar("T")


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    with start_cluster(3) as cluster:
        yield cluster


@pytest.fixture
def cluster(nodes: Cluster) -> Cluster:
    with Redis.from_url(nodes.owner.url) as redis:
        redis.flushall()
    return nodes


def old_and_new(cluster: Cluster) -> tuple[Valkey, Valkey]:
    owner = cluster.owner
    return owner, next(node for node in cluster.nodes if node is not owner)


async def persistently(ask: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await ask()
            except LiveStoreLost:
                await asyncio.sleep(0.01)


async def hears_of(store: LiveStore, cursor: int, person: PersonId) -> None:
    """Follow the tickets until this person's comes. After a slot move, all tickets are returned again first."""
    while True:
        feed = await persistently(partial(store.tickets, ADULTS, cursor, 1000.0))
        if person in {change.person for change in feed.changes}:
            return
        cursor = feed.cursor


BOTH_SENT = Mark((update(9),), ("n", "m"), CHAT, (copied(9, 90),), Anchor(CHAT, ANN, at(9)), (fact(3),), ANN)
"""This mark settles both entries, so the outbox is empty and its keys are gone."""

WRITES: dict[str, Callable[[LiveStore], Awaitable[Any]]] = {
    "mark": lambda store: store.mark(BOTH_SENT),
    "commit": lambda store: store.commit(Commit((somebody(PersonId(50)),), updates=(update(8),), sent=("n", "m"))),
    "inherit": lambda store: store.inherit(NOBODY),
}


@pytest.mark.parametrize("write", WRITES)
def test_writes_during_a_slot_move_are_refused_whole_and_stored_after_it(cluster: Cluster, write: str) -> None:
    async def main(*, moving: bool) -> list[Any]:
        old, new = old_and_new(cluster)
        async with opened(cluster.url) as store:
            await store.commit(Commit(couple(), (), (notice("n"), notice("m")), (fact(1),), (update(7),)))
            # So every key that a mark names exists before the slot begins to move.
            await store.heartbeat(NOBODY, {}, 60.0, b"")
            await store.take(NOBODY, "bot:1", 60.0)
            await store.mark(Mark((update(6),), (), CHAT, (copied(1, 10),), speaker=ANN))
            before = await everything(store)
            if moving:
                await slots.opened(cluster, old, new)
                for _ in range(3):
                    with pytest.raises(LiveStoreLost):
                        await WRITES[write](store)
                await slots.stayed(old, new)
                assert await persistently(lambda: everything(store)) == before
                await slots.moved(cluster, old, new, Random(1), pause_s=0)
            await persistently(lambda: WRITES[write](store))
            found = await everything(store)
            with Redis.from_url(cluster.owner.url) as redis:
                redis.flushall()
            return found

    still, moved = asyncio.run(main(moving=False)), asyncio.run(main(moving=True))
    assert [fact for _, fact in moved.pop(3)] == [fact for _, fact in still.pop(3)]
    assert moved == still


@pytest.mark.parametrize("at_once", [1, 7])
def test_every_call_during_repeated_slot_moves_is_done_once(cluster: Cluster, at_once: int) -> None:
    """Several processes work at the same time. Each repeats its calls until they are answered, like the runtime."""
    rng = Random(at_once)
    people, rounds = 12, 4

    async def main() -> None:
        async with opened(cluster.url, 1) as one, opened(cluster.url, 2) as other:
            stores = [one, other]
            stored = list[int]()

            async def live(number: int) -> None:
                for turn in range(rounds):
                    store = stores[(number + turn) % 2]
                    id_ = 100 * (number + 1) + turn
                    person = somebody(PersonId(number + 1), turn + 1)
                    commit = Commit((person,), (), (notice(f"n{id_}"),), (fact(id_),), (update(id_),))
                    answer = await persistently(lambda store=store, commit=commit: store.commit(commit))
                    assert answer in (Committed.YES, Committed.ALREADY_DONE)
                    assert person == (await persistently(lambda store=store, who=person.person: store.load(who))).me
                    stored.append(id_)
                    if turn % 2:
                        mark = Mark((), (f"n{id_}", f"n{id_ - 1}"))
                        await persistently(lambda store=store, mark=mark: store.mark(mark))

            living = asyncio.gather(*(live(number) for number in range(people)))
            moves = 0
            while not living.done() or moves < 2:
                old, new = old_and_new(cluster)
                await slots.moved(cluster, old, new, rng, pause_s=0.002, at_once=at_once)
                moves += 1
                await asyncio.sleep(0.1)
            await living
            assert await one.outbox(NOBODY) == []
            assert await one.done(BOT, stored) == set(stored)
            facts = await one.journal(0, 10_000)
            assert sorted(each.at for _, each in facts) == sorted(fact(id_).at for id_ in stored)
            with Redis.from_url(cluster.owner.url) as redis:
                left = [redis.exists("{passerby}:" + name) for name in ("outbox", "order", "turns")]
            assert left == [0, 0, 0], "nothing of an entry is left"

    asyncio.run(main())


@in_a_loop
async def test_readers_of_tickets_get_changes_wherever_the_slot_has_moved(cluster: Cluster) -> None:
    async with opened(cluster.url, 1) as one, opened(cluster.url, 2) as other:
        await one.commit(Commit((somebody(BEN),)))
        for number in range(1, 4):
            feed = await persistently(lambda: other.tickets(ADULTS, None, 0))
            reader = asyncio.ensure_future(hears_of(other, feed.cursor, PersonId(number)))
            await asyncio.sleep(0.1)
            await slots.moved(cluster, *old_and_new(cluster), Random(number), pause_s=0)
            person = PersonId(number)
            commit = Commit((somebody(person, 2 if person == BEN else 1, waiting(person)),))
            await persistently(lambda commit=commit: one.commit(commit))
            async with asyncio.timeout(PATIENCE_S):
                await reader


def test_readers_of_tickets_get_changes_after_their_node_has_left_the_cluster() -> None:
    with start_cluster(3) as cluster:

        async def main() -> None:
            async with opened(cluster.url, 1) as one, opened(cluster.url, 2) as other:
                await one.commit(Commit((somebody(BEN),)))
                feed = await other.tickets(ADULTS, None, 0)
                reader = asyncio.ensure_future(hears_of(other, feed.cursor, ANN))
                with Redis.from_url(cluster.owner.url) as redis:
                    while redis.pubsub_numsub("{passerby}:pubsub")[0][1] == 0:
                        await asyncio.sleep(0.01)
                old, new = old_and_new(cluster)
                await slots.moved(cluster, old, new, Random(1), pause_s=0)
                for store in (one, other):
                    await persistently(partial(store.load, BEN))
                await slots.left(cluster, old)
                with Redis.from_url(new.url) as redis:
                    async with asyncio.timeout(PATIENCE_S):
                        while redis.pubsub_numsub("{passerby}:pubsub")[0][1] == 0:
                            await asyncio.sleep(0.01)
                commit = Commit((somebody(ANN, 1, waiting(ANN)),))
                await persistently(lambda: one.commit(commit))
                async with asyncio.timeout(PATIENCE_S):
                    await reader

        asyncio.run(main())


def test_a_script_that_uses_an_undeclared_key_is_caught(valkey: Valkey) -> None:
    """The whole contract of the live store runs under this check."""

    def asked(source: str, *keys: str) -> Any:
        with Redis.from_url(valkey.url) as redis:
            return redis.eval(watched(Script(source, b"", lasting=False, writes=True)).source, len(keys), *keys)

    assert asked("#!lua\nreturn redis.call('EXISTS', KEYS[1])", "given") == 0
    assert asked("#!lua\nredis.call('PUBLISH', 'news', 'x')\nreturn #redis.call('TIME')", "given") == 2
    for source in ("#!lua\nreturn redis.call('GET', 'other')", "#!lua\nreturn redis.call('UNLINK', KEYS[1], 'other')"):
        with pytest.raises(ResponseError):
            asked(source, "given")


@pytest.mark.parametrize("left", ["people", "outbox", "journal"])
def test_keys_that_an_operator_left_behind_are_noticed_at_once(cluster: Cluster, left: str) -> None:
    """The operator assigns the slot to the new node before the old one is empty. Redis deletes the rest."""

    async def main() -> None:
        old, new = old_and_new(cluster)
        async with opened(cluster.url) as store:
            await store.adopt((), whole=True)
            await store.commit(Commit(couple(), (), (notice("n"),), (fact(1),), (update(7),)))
            await slots.opened(cluster, old, new)
            keys = await slots.told(old, "CLUSTER GETKEYSINSLOT", SLOT, 1000)
            for key in keys:
                if not key.endswith(left):
                    await slots.moved_keys(old, new, key)
            await slots.taken_too_early(cluster, old, new)
            async with asyncio.timeout(PATIENCE_S):
                while not store.doubts:
                    with suppress(LiveStoreLost):
                        await store.load(ANN)
                    await asyncio.sleep(0.01)
            assert store.doubts.is_older

    asyncio.run(main())


def test_a_whole_move_leaves_no_doubt(cluster: Cluster) -> None:
    async def main() -> None:
        old, new = old_and_new(cluster)
        async with opened(cluster.url) as store:
            await store.adopt((), whole=True)
            await store.commit(Commit(couple(), (), (notice("n"),), (fact(1),), (update(7),)))
            await store.commit(Commit((somebody(PersonId(50)), somebody(PersonId(51), 1, waiting(PersonId(51))))))
            generation = store.generation
            await slots.moved(cluster, old, new, Random(1), pause_s=0)
            assert await persistently(lambda: store.load(ANN)) is not None
            assert [store.generation, bool(store.doubts)] == [generation, False]

    asyncio.run(main())
