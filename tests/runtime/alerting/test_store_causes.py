"""The alert about a store that does not answer: a real Valkey that dies and comes back."""

import asyncio
import signal
from random import Random

import pytest

from passerby.adapters.redis import open_redis
from passerby.bootstrap.alerting import StoreProbe
from passerby.domain.alerts import rules
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.runtime.alerting.watch import Probe
from tests.contract.records_memory import MemoryRecords
from tests.contract.servers import Valkey, start_valkey
from tests.runtime.alerting.stage import clean_metrics
from tests.runtime.alerting.test_server_causes import Fleet


async def _adopted(store: LiveStore) -> None:
    """As workers do with a server that was down: they ask until it takes what they know."""
    async with asyncio.timeout(120):
        while True:
            try:
                return await store.adopt((), whole=True)
            except LiveStoreLost:
                await asyncio.sleep(0.1)


@pytest.mark.services
def test_a_redis_that_dies_is_an_alert_until_it_answers_again() -> None:
    async def main(server: Valkey) -> None:
        fleet = Fleet()
        store = (await open_redis(server.url, fleet.clock, Random(1), name="alerts")).store
        await store.adopt((), whole=True)
        probe = Probe(rules.STORE_AWAY.name, 5.0, StoreProbe(store, MemoryRecords(), fleet.clock).ask)
        fleet = Fleet(probe, clock=fleet.clock)
        await fleet.passes(20)
        assert not fleet.fires(rules.STORE_AWAY)
        server.stop(signal.SIGKILL)
        await fleet.passes(50)
        assert not fleet.fires(rules.STORE_AWAY), "not for a moment"
        await fleet.passes(40)
        assert fleet.fires(rules.STORE_AWAY)
        assert set(fleet.watch.alerts[rules.STORE_AWAY.name].firing) == {"live"}
        server.start()
        await _adopted(store)
        await fleet.passes(80)
        assert not fleet.fires(rules.STORE_AWAY)
        await store.aclose()

    with clean_metrics(), start_valkey("--appendonly", "yes", "--appendfsync", "always") as server:
        asyncio.run(main(server))
