"""The benchmarks run: those with processes run briefly, and their figures come from work that happened."""

from dataclasses import replace

import pytest

from benchmarks import checkout, memory, relay
from benchmarks.peers.__main__ import PEERS, peer_sides
from benchmarks.sides import Shape, sides
from tests.size import in_full

SMALL = Shape(bots=2, pairs=4)


@pytest.mark.long
def test_a_relay_with_webhooks_and_over_tls_is_measured() -> None:
    shape = replace(SMALL, tls=True, web=True, delay_ms="1-2")
    closed, opened = relay.measure(shape, [4], [50], window_s=2.0, runs=1)
    for row in (closed, opened):
        assert row["relays"] > 0
        assert row["total_us"] == row["cpu_us"] > 0
    assert opened["p50_ms"] <= opened["p99_ms"] <= opened["p999_ms"] <= opened["max_ms"]


def test_the_memory_of_chats_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SETTLE_S", 0.2)
    monkeypatch.setattr(memory, "SAMPLE_S", 0.05)
    found = memory.hold(replace(SMALL, idle=True), rate_per_s=50, seconds=2)
    (product,) = found["processes"]
    assert product["of"] == "product"
    assert found["relays"] > 0
    assert product["peak_rss_mb"] >= product["peak_pss_mb"] >= product["before_pss_mb"] > 10


@pytest.mark.long
def test_the_answers_to_checkouts_are_measured_under_full_load() -> None:
    rows = checkout.measure(replace(SMALL, sells=True), rate_per_s=50, in_flight=4, window_s=1.0)
    assert [row["while"] for row in rows] == ["nobody writes", "full load"]
    assert rows[1]["relays_per_s"] > 0
    assert all(row["p50_ms"] <= row["p99_ms"] <= row["max_ms"] for row in rows)


@pytest.mark.long
@pytest.mark.services
def test_two_workers_share_the_bots_and_their_store_calls_are_counted() -> None:
    with sides(replace(SMALL, redis=True, workers=2)) as found:
        assert [worker.ask("usage")["bots"] for worker in found.workers] == [1, 1]
        row = relay.closed(found, 4, window_s=2.0, runs=1)
    assert row["total_us"] == pytest.approx(row["cpu_us"] + row["valkey_us"] + row["postgres_us"])
    assert row["calls_per_relay"] >= row["trips_per_relay"] > 0


@pytest.mark.parametrize("module", in_full(PEERS.values(), 0))
def test_a_peer_relays(module: str) -> None:
    with peer_sides(module, SMALL) as found:
        row = relay.closed(found, 4, window_s=2.0, runs=1)
    assert row["relays"] > 0
    assert row["cpu_us"] > 0
