"""Metrics: what is shown, what is hidden, and what a worker reports about itself."""

from collections.abc import Iterator

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from passerby.kernel.event import Refusal
from passerby.kernel.ids import BotId
from passerby.telemetry import metrics
from passerby.telemetry.figures import LATENCY_S, Snapshot, together
from passerby.telemetry.instruments import INSTRUMENTS, MOST_SETS, Counter, Gauge, Histogram

BOT = BotId(1000001)
PERSON = BotId(7351946001)
"""The id of a person in place of a bot's."""


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    kept = list(INSTRUMENTS)
    for instrument in kept:
        instrument.clear()
    metrics.know_bots((BOT,))
    yield
    INSTRUMENTS[:] = kept
    for instrument in kept:
        instrument.clear()


def shown(name: str) -> dict[tuple[str, ...], float]:
    """The counts by label values. The values are in the alphabetical order of their labels."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
        if sample.name == name
    }


def test_counted_values_are_shown() -> None:
    metrics.RELAYS.add(BOT, "relay", "delivered")
    metrics.RELAYS.add(BOT, "relay", "delivered")
    metrics.RELAYS.add(BOT, "relay", str(Refusal.LEFT))
    metrics.RECORDED.add(count=40)
    metrics.CHATS.set(12)
    assert shown("passerby_relays_total") == {
        (str(BOT), "relay", "delivered"): 2,
        (str(BOT), "relay", "left"): 1,
    }
    assert shown("passerby_facts_recorded_total") == {(): 40}
    assert shown("passerby_chats_open") == {(): 12}
    assert shown("process_resident_memory_bytes")[()] > 1e6


def test_a_histogram_counts_up_to_each_bound_and_beyond_the_last() -> None:
    for latency_s in (0.001, 0.002, 0.2, 1e6):
        metrics.RELAY_LATENCY.observe(latency_s, 1000001)
    buckets = shown("passerby_relay_latency_seconds_bucket")
    assert buckets[("1000001", "0.002")] == 2, "a bound belongs to its bucket"
    assert buckets[("1000001", "0.25")] == 3
    assert buckets[("1000001", "600.0")] == 3
    assert buckets[("1000001", "+Inf")] == 4
    assert shown("passerby_relay_latency_seconds_sum") == {("1000001",): pytest.approx(1e6 + 0.203)}


def test_an_unknown_label_value_is_counted_and_hidden() -> None:
    metrics.UPDATES.add(PERSON, "my name is Kanarek")
    metrics.UPDATES.add(PERSON + 1, "MessageReceived")
    metrics.WAITED.observe(0.1, "Kanarek")
    metrics.POLLED_AT.set(1.0, PERSON)
    metrics.POLLED_AT.set(2.0, BOT)
    assert shown("passerby_updates_total") == {("other", "other"): 1, ("other", "MessageReceived"): 1}
    assert shown("passerby_search_wait_seconds_count") == {("other",): 1}
    assert shown("passerby_bot_polled_at_seconds") == {(str(BOT),): 2.0}
    text = metrics.exposition().decode()
    assert "7351946" not in text
    assert "Kanarek" not in text


def test_labels_from_outside_stay_bounded() -> None:
    counter, gauge = Counter("many", "Many.", bot=()), Gauge("more", "More.", bot=())
    histogram = Histogram("most", "Most.", (1.0,), bot=())
    for number in range(MOST_SETS + 10):
        counter.add(number)
        gauge.set(1.0, number)
        histogram.observe(0.5, number)
    assert counter.total() == MOST_SETS + 10
    assert histogram.counts() == (MOST_SETS + 10, 0)
    assert len(list(gauge.values())) == MOST_SETS
    assert len(counter._counts) == len(histogram._seen) == MOST_SETS + 1


def test_counts_that_are_kept_go_on_after_a_clear_and_are_not_shown_while_they_are_zero() -> None:
    counter, histogram = Counter("kept", "Kept.", bot=(BOT,)), Histogram("times", "Times.", (1.0,), bot=(BOT,))
    count, timings = counter.of(BOT), histogram.of(BOT)
    assert counter.of(BOT) is count
    assert histogram.of(BOT) is timings
    for _ in range(2):
        assert not counter.family().samples
        assert not histogram.family().samples
        assert (histogram.counts(), list(histogram.each()), list(histogram.counts_each())) == ((), [], [])
        count.n += 1
        timings.observe(0.5)
        counter.add(BOT)
        histogram.observe(2.0, BOT)
        assert counter.total(bot=BOT) == 2
        assert histogram.counts() == (1, 1)
        assert histogram.total() == (2, 2.5)
        counter.clear()
        histogram.clear()


def test_a_dropped_gauge_is_not_shown() -> None:
    metrics.POLLED_AT.set(1.0, BOT)
    metrics.POLLED_AT.drop(BOT)
    metrics.POLLED_AT.drop(BOT)
    assert shown("passerby_bot_polled_at_seconds") == {}


def test_every_metric_has_a_name_of_its_own_and_says_what_it_means() -> None:
    names = [instrument.name for instrument in INSTRUMENTS]
    assert len(set(names)) == len(names)
    for instrument in INSTRUMENTS:
        assert instrument.name.startswith("passerby_")
        assert instrument.meaning.endswith(".")
        assert set(instrument.labels) <= {"bot", "kind", "outcome", "pool", "priority", "statement"}


def test_a_snapshot_has_what_was_counted() -> None:
    metrics.UPDATES.add(BOT, "MessageReceived", count=5)
    metrics.RELAYS.add(BOT, "relay", "delivered", count=3)
    metrics.RELAYS.add(BOT, "relay", "left")
    metrics.RELAYS.add(BOT, "react", "delivered")
    metrics.NOTICES.add("match", "delivered", count=2)
    metrics.NOTICES.add("match", "unreachable")
    metrics.BUGS.add()
    metrics.STORE_ERRORS.add("live")
    metrics.RELAY_LATENCY.observe(0.03, 1000001)
    metrics.POLLED_AT.set(99.0, BOT)
    metrics.WAITING.set(7)
    seen = metrics.snapshot(100.0)
    assert seen.memory_bytes > 1e6
    assert seen.cpu_s > 0
    assert msgspec.structs.replace(seen, memory_bytes=0, cpu_s=0.0) == Snapshot(
        at=100.0,
        updates=5,
        relays=3,
        relays_failed=1,
        notices=2,
        errors=2,
        latency=tuple(int(bound == 0.035) for bound in (*LATENCY_S, 0)),
        latency_of={1000001: tuple(int(bound == 0.035) for bound in (*LATENCY_S, 0))},
        waiting=7,
        polled_at={BOT: 99.0},
    )


def test_a_snapshot_survives_encoding_in_a_report() -> None:
    metrics.RELAY_LATENCY.observe(0.03, 1000001)
    metrics.POLLED_AT.set(99.0, BOT)
    seen = metrics.snapshot(100.0)
    for codec in (msgspec.json, msgspec.msgpack):
        blob = codec.encode(seen)
        assert codec.decode(blob, type=Snapshot) == seen
        assert len(blob) < 1000


def of(at: float, *latencies: int, **rest: float) -> Snapshot:
    padded = (*latencies, *[0] * (len(LATENCY_S) + 1 - len(latencies))) if latencies else ()
    return Snapshot(at=at, latency=padded, **rest)  # type: ignore[arg-type]


def test_the_difference_of_two_snapshots_is_what_was_counted_in_between() -> None:
    earlier, later = of(1.0, 5, 5, relays=10, chats=3), of(2.0, 5, 7, 1, relays=13, chats=2)
    assert later.since(earlier) == of(2.0, 0, 2, 1, relays=3, chats=2)
    assert later.since(of(1.0)) == later
    assert of(3.0, 1, relays=1).since(later) == of(3.0, 1, relays=1), "a process that was started again"


def test_a_quantile_lies_in_its_bucket() -> None:
    assert of(1.0).quantile_s(0.5) is None
    assert of(1.0, 0).quantile_s(0.5) is None
    seen = of(1.0, 10, 0, 80, 10)
    assert seen.quantile_s(0.05) == pytest.approx(0.001)
    assert seen.quantile_s(0.5) == pytest.approx(0.0075)
    assert seen.quantile_s(0.9) == pytest.approx(0.01)
    assert seen.quantile_s(1.0) == pytest.approx(0.02)
    assert of(1.0, *[0] * len(LATENCY_S), 1).quantile_s(0.5) == LATENCY_S[-1]


def test_the_figures_of_several_workers_add_up() -> None:
    first = of(5.0, 1, 2, relays=3, memory_bytes=10, chats=4, loop_lag_s=0.1, polled_at={1: 4.0, 2: 9.0})  # type: ignore[arg-type]
    second = of(6.0, 1, relays=1, memory_bytes=20, chats=5, recorder_lag_s=2.0, polled_at={1: 5.0})  # type: ignore[arg-type]
    idle = of(7.0)
    assert together([first, second, idle]) == of(
        7.0,
        2,
        2,
        relays=4,
        memory_bytes=30,
        chats=5,
        loop_lag_s=0.1,
        recorder_lag_s=2.0,
        polled_at={1: 5.0, 2: 9.0},  # type: ignore[arg-type]
    )
    with pytest.raises(ValueError, match="empty"):
        together([])
