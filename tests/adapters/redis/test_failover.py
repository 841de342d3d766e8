"""Another server becomes the right one: a cluster's slot moves, a replica is promoted. Callers notice nothing, or a
short loss of the store."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGSTOP
from time import sleep
from urllib.parse import urlsplit

import pytest
from redis import Redis

from passerby.adapters.redis import RedisUnreachable, open_redis
from passerby.kernel.decision import Facts
from passerby.kernel.ids import PersonId
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.ports.participants import Commit, Committed
from passerby.ports.tickets import TicketChange
from tests.adapters.redis.stores import opened
from tests.contract.live_body import settled
from tests.contract.live_cluster import SLOT, start_cluster
from tests.contract.live_values import ADULTS, ANN, BOT, CHAT, EVE, couple, fact, somebody, update, waiting
from tests.contract.servers import Server, start_valkey, valkey_binary
from tests.ports import free_port
from tests.runtime.virtual import VirtualClock

pytestmark = pytest.mark.services


async def persistently(store: LiveStore, commit: Commit) -> Committed:
    """Commit as the runtime does: if the store is lost, try again for as long as it takes."""
    async with asyncio.timeout(120):
        while True:
            try:
                return await store.commit(commit)
            except LiveStoreLost:
                await asyncio.sleep(0.02)


def test_the_store_follows_a_moving_slot() -> None:
    with start_cluster(2) as cluster:
        old = cluster.owner
        new = next(node for node in cluster.nodes if node is not old)

        async def main() -> None:
            async with opened(cluster.url) as store:
                generation = store.generation
                await store.commit(Commit((somebody(ANN),), facts=(fact(1),), updates=(update(7),)))
                feed = await store.tickets(ADULTS, None, 0)
                with Redis.from_url(old.url) as redis:
                    redis.execute_command(
                        "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", SLOT, SLOT, "NODE", cluster.node_id(new)
                    )
                number = 100
                while cluster.owner is not new or number < 140:
                    number += 1
                    person = PersonId(number)
                    commit = Commit((somebody(person),), facts=(fact(number),), updates=(update(number),))
                    await persistently(store, commit)
                assert store.generation == generation
                assert await store.done(BOT, range(200)) == {7, *range(101, number + 1)}
                assert len(await store.journal(0, 1000)) == 1 + number - 100
                reader = asyncio.ensure_future(store.tickets(ADULTS, feed.cursor, 100.0))
                await store.commit(Commit((somebody(PersonId(1000), 1, waiting(PersonId(1000))),)))
                ticket = waiting(PersonId(1000)).ticket
                assert (await reader).changes == (TicketChange(PersonId(1000), ticket, 1),)

        asyncio.run(main())


@pytest.mark.parametrize("commit", [Commit((somebody(ANN),), updates=(update(7),)), Commit((somebody(ANN),))])
def test_a_write_that_no_replica_has_is_not_acknowledged(commit: Commit) -> None:
    with (
        start_valkey("--repl-diskless-sync-delay", "0") as primary,
        start_valkey("--replicaof", "127.0.0.1 " + str(urlsplit(primary.url).port)) as replica,
        Redis.from_url(replica.url) as by_hand,
    ):
        while by_hand.info("replication")["master_link_status"] != "up":
            sleep(0.05)

        async def main() -> None:
            async with opened(primary.url, replicas=1) as store:
                assert await store.commit(Commit((somebody(EVE),))) is Committed.YES
                assert by_hand.hlen("{passerby}:people") == 1
                os.kill(replica.pid, SIGSTOP)
                try:
                    for _ in range(2):
                        with pytest.raises(RedisUnreachable):
                            await store.commit(commit)
                finally:
                    os.kill(replica.pid, SIGCONT)
                again = await persistently(store, commit)
                assert again is (Committed.ALREADY_DONE if commit.updates else Committed.STALE)
                assert by_hand.hlen("{passerby}:people") == 2
                assert await store.load(EVE) == Facts(somebody(EVE))

        asyncio.run(main())


def test_a_server_that_has_become_a_replica_is_not_trusted_about_a_known_chat() -> None:
    """The replica still answers plain reads, from whatever it has."""
    with start_valkey() as store_of_old, start_valkey() as other, Redis.from_url(store_of_old.url) as by_hand:

        async def main() -> None:
            async with opened(store_of_old.url) as store:
                await store.commit(Commit(couple()))
                assert await store.load(ANN) == await store.load(ANN) is not None
                by_hand.replicaof("127.0.0.1", urlsplit(other.url).port)
                with pytest.raises(LiveStoreLost):
                    await store.load(ANN)
                with pytest.raises(LiveStoreLost):
                    await store.open_chats((CHAT,))

        asyncio.run(main())


@contextmanager
def start_sentinel(master_port: int, directory: Path) -> Iterator[int]:
    """Yield the port of a sentinel that decides alone."""
    port, file = free_port(), directory / "sentinel.conf"
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {directory}\nsentinel monitor ours 127.0.0.1 {master_port} 1\n"
        # A slow machine must not look like a dead server. The test makes it impatient.
        "sentinel down-after-milliseconds ours 120000\nsentinel failover-timeout ours 3000\n"
    )

    def answers() -> bool:
        try:
            with Redis(port=port) as redis:
                return bool(redis.ping())
        except OSError:
            return False

    server = Server([str(valkey_binary()), str(file), "--sentinel"], directory, answers, nobody=False)
    server.start()
    try:
        yield port
    finally:
        server.stop()


def test_a_replica_that_is_promoted_takes_over(tmp_path: Path) -> None:
    with ExitStack() as stack:
        at_once = ("--appendonly", "yes", "--repl-diskless-sync-delay", "0")
        primary = stack.enter_context(start_valkey(*at_once))
        port = urlsplit(primary.url).port
        assert port is not None
        replica = stack.enter_context(start_valkey(*at_once, "--replicaof", f"127.0.0.1 {port}"))
        sentinel = stack.enter_context(start_sentinel(port, tmp_path))
        by_hand = stack.enter_context(Redis.from_url(replica.url))
        asked = stack.enter_context(Redis(port=sentinel))
        while by_hand.info("replication")["master_link_status"] != "up" or not asked.sentinel_slaves("ours"):
            sleep(0.05)

        url = f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{sentinel}/ours"

        async def main() -> None:
            warned, warnings = await open_redis(url, VirtualClock(), Random(2), may_lose=True)
            assert any("REDIS_REPLICAS=1" in each and "failover" in each for each in warnings)
            await warned.hang_up()
            async with opened(url) as store:
                await store.adopt((), whole=True)
                generation = store.generation
                await store.commit(Commit((somebody(ANN),), updates=(update(7),)))
                while by_hand.hlen("{passerby}:people") == 0:
                    await asyncio.sleep(0.01)
                asked.sentinel_set("ours", "down-after-milliseconds", 500)
                primary.stop()
                async with asyncio.timeout(120):
                    while not store.doubts:
                        with suppress(LiveStoreLost):
                            await store.figures()
                assert store.doubts.is_older, "nobody waited for the replica, so nobody knows what it lacks"
                await settled(store)
                assert await persistently(store, Commit((somebody(ANN, 2),), updates=(update(8),))) is Committed.YES
                assert await store.load(ANN) == Facts(somebody(ANN, 2))
                assert await store.done(BOT, range(10)) == {7, 8}
                assert store.generation != generation
                assert by_hand.hlen("{passerby}:people") == 1

        asyncio.run(main())
