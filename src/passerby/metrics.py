"""What this process counts, for operators: cheap to count, rendered only when somebody asks.

Counting is an addition in a dictionary; nothing here awaits, locks or reads a clock. `exposition()` renders everything
in Prometheus' text format, `snapshot()` the handful of figures that `passerby status` and `monit` show and that a
worker reports to the others.

Nothing may tell of a person. Every label has a closed list of values: words that stand in this file or in the kernel's
enums, bots that `know_bots` has named, pools that `know_pools` has. Whatever else comes in a label's place is
counted under "other" and never shown.

What belongs here: the instruments and what they mean. Not: when something is counted, which its place in the code says.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import get_args

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from passerby.kernel.effect import Priority
from passerby.kernel.event import Attempt, Event, Refusal
from passerby.kernel.ids import BotId, PoolId

Label = str | int

OTHER = "other"
"""What a value is shown as that is none of its label's."""

MOST_SETS = 5_000
"""So many label sets an instrument keeps apart: nothing that comes from outside may grow without a bound."""

LATENCY_S = (0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0)
WAITING_S = (0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0)
STORE_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 5.0)

BOTS: set[Label] = set()
POOLS: set[Label] = set()


def know_bots(bots: Iterable[BotId]) -> None:
    """Name the bots there are; every other number is hidden."""
    BOTS.update(bots)


def know_pools(pools: Iterable[PoolId]) -> None:
    POOLS.update(pools)


class _Instrument:
    """`meaning` is one sentence; the labels are given with the values that they may have."""

    kind: str

    def __init__(self, name: str, meaning: str, **labels: Collection[Label]) -> None:
        self.name = name
        self.meaning = meaning
        self.labels = labels
        INSTRUMENTS.append(self)

    def _shown(self, values: tuple[Label, ...]) -> tuple[str, ...]:
        pairs = zip(self.labels.values(), values, strict=True)
        return tuple(str(value) if value in known else OTHER for known, value in pairs)

    def family(self) -> Metric:
        raise NotImplementedError

    def clear(self) -> None:
        """Forget everything: for tests."""
        raise NotImplementedError


INSTRUMENTS: list[_Instrument] = []


class Counter(_Instrument):
    kind = "counter"

    def __init__(self, name: str, meaning: str, **labels: Collection[Label]) -> None:
        super().__init__(name, meaning, **labels)
        self._counts: dict[tuple[Label, ...], float] = {}

    def add(self, *labels: Label, count: float = 1) -> None:
        counts = self._counts
        if labels not in counts and len(counts) >= MOST_SETS:
            labels = (OTHER,) * len(labels)
        counts[labels] = counts.get(labels, 0) + count

    def total(self, *labels: Label) -> float:
        """All that was counted under label values that begin with these."""
        return sum(count for key, count in self._counts.items() if key[: len(labels)] == labels)

    def family(self) -> Metric:
        family = CounterMetricFamily(self.name, self.meaning, labels=tuple(self.labels))
        sums: dict[tuple[str, ...], float] = {}
        for labels, count in self._counts.items():
            shown = self._shown(labels)
            sums[shown] = sums.get(shown, 0) + count
        for shown, count in sums.items():
            family.add_metric(shown, count)
        return family

    def clear(self) -> None:
        self._counts.clear()


class Gauge(_Instrument):
    kind = "gauge"

    def __init__(self, name: str, meaning: str, **labels: Collection[Label]) -> None:
        super().__init__(name, meaning, **labels)
        self._values: dict[tuple[Label, ...], float] = {}

    def set(self, value: float, *labels: Label) -> None:
        if labels in self._values or len(self._values) < MOST_SETS:
            self._values[labels] = value

    def drop(self, *labels: Label) -> None:
        """It is another worker's to say from now on."""
        self._values.pop(labels, None)

    def value(self, *labels: Label) -> float:
        return self._values.get(labels, 0.0)

    def values(self) -> Iterator[tuple[tuple[Label, ...], float]]:
        return iter(self._values.items())

    def family(self) -> Metric:
        family = GaugeMetricFamily(self.name, self.meaning, labels=tuple(self.labels))
        for labels, value in self._values.items():
            family.add_metric(self._shown(labels), value)
        return family

    def clear(self) -> None:
        self._values.clear()


class Histogram(_Instrument):
    """Counts by upper bounds, in seconds; what is beyond the last one is counted as well."""

    kind = "histogram"

    def __init__(self, name: str, meaning: str, bounds_s: Sequence[float], **labels: Collection[Label]) -> None:
        super().__init__(name, meaning, **labels)
        self.bounds_s = tuple(bounds_s)
        self._seen: dict[tuple[Label, ...], tuple[list[int], list[float]]] = {}

    def observe(self, value_s: float, *labels: Label) -> None:
        seen = self._seen.get(labels)
        if seen is None:
            if len(self._seen) >= MOST_SETS:
                labels = (OTHER,) * len(labels)
            seen = self._seen.setdefault(labels, ([0] * (len(self.bounds_s) + 1), [0.0]))
        counts, total = seen
        counts[bisect_left(self.bounds_s, value_s)] += 1
        total[0] += value_s

    def counts(self, *labels: Label) -> tuple[int, ...]:
        """How many fell into each bucket, over all label values that begin with these."""
        columns = [counts for key, (counts, _) in self._seen.items() if key[: len(labels)] == labels]
        return tuple(map(sum, zip(*columns, strict=True))) if columns else (0,) * (len(self.bounds_s) + 1)

    def family(self) -> Metric:
        family = HistogramMetricFamily(self.name, self.meaning, labels=tuple(self.labels))
        sums: dict[tuple[str, ...], tuple[list[int], float]] = {}
        for labels, (counts, total) in self._seen.items():
            shown = self._shown(labels)
            before, value = sums.get(shown, ([0] * len(counts), 0.0))
            sums[shown] = [a + b for a, b in zip(before, counts, strict=True)], value + total[0]
        for shown, (counts, value) in sums.items():
            below, buckets = 0, []
            for bound, count in zip((*map(str, self.bounds_s), "+Inf"), counts, strict=True):
                below += count
                buckets.append((bound, float(below)))
            family.add_metric(shown, buckets, value)
        return family

    def clear(self) -> None:
        self._seen.clear()


# ---------------------------------------------------------------------- what is counted

EVENTS = tuple(each.__name__ for each in get_args(Event))
ATTEMPTS = tuple(map(str, Attempt))
PRIORITIES = tuple(priority.name.lower() for priority in Priority)
ENDS = ("delivered", "nothing", *map(str, Refusal))
VERBS = (
    *("load", "commit", "mark", "adopt", "done", "open_chats", "counterpart", "tickets", "pools", "outbox", "inherit"),
    *("is_preceded", "told", "quiet_chats", "journal", "trim_journal", "figures", "file_id", "remember_file", "sweep"),
    *("attend", "take", "give", "leave", "roll", "reserve", "hold"),
)

UPDATES = Counter("passerby_updates", "Updates taken from Telegram, by the kind of event.", bot=BOTS, kind=EVENTS)
POLLED_AT = Gauge(
    "passerby_bot_polled_at_seconds", "When Telegram last answered a poll of the bot; Unix time.", bot=BOTS
)
DECISIONS = Counter(
    "passerby_decisions",
    "Events decided on; stale ones are decided again.",
    outcome=("stored", "stale", "already_done", "put_aside"),
)
LOOKUPS = Counter(
    "passerby_people_lookups",
    "Where a person was found: in the live store, which is the user cache, in the records, or nowhere.",
    outcome=("live", "records", "new"),
)
RELAYS = Counter("passerby_relays", "What people send each other, by its end.", bot=BOTS, kind=ATTEMPTS, outcome=ENDS)
RELAY_LATENCY = Histogram(
    "passerby_relay_latency_seconds", "From taking an update to its delivery to the partner.", LATENCY_S
)
NOTICES = Counter("passerby_notices", "Our own messages, by their end.", priority=PRIORITIES, outcome=ENDS)
QUEUE_WAIT = Histogram("passerby_queue_wait_seconds", "From a lane's end to its head.", LATENCY_S, priority=PRIORITIES)
BUDGET_WAIT = Histogram(
    "passerby_budget_wait_seconds", "Waits for a budget, where there was one.", LATENCY_S, kind=("chat", "bot")
)
PENDING = Gauge("passerby_courier_pending", "What this process has still to deliver.")
FLOODS = Counter("passerby_flood_waits", "429s, by what was held after it.", bot=BOTS, kind=("chat", "bot"))
RETRIES = Counter(
    "passerby_send_retries",
    "Sends to be made again: not sent, of uncertain outcome, or with the store away.",
    bot=BOTS,
    kind=("not_sent", "uncertain", "store"),
)
PARKED = Counter("passerby_relays_parked", "Relays sealed into the outbox because they took long.")
SEARCHES = Counter("passerby_searches", "Searches begun.", pool=POOLS)
PAIRS = Counter("passerby_pairs", "Pairs made.", pool=POOLS)
WAITED = Histogram("passerby_search_wait_seconds", "How long each of a pair had searched.", WAITING_S, pool=POOLS)
WAITING = Gauge("passerby_people_waiting", "People who search, in the whole fleet.")
CHATS = Gauge("passerby_chats_open", "Open chats, in the whole fleet.")
OUTBOX = Gauge("passerby_outbox_entries", "What is still to be said, in the whole fleet.")
JOURNAL = Gauge("passerby_journal_facts", "Facts that the records have not got yet.")
RECORDED = Counter("passerby_facts_recorded", "Facts written to the records.")
RECORDER_LAG = Gauge("passerby_recorder_lag_seconds", "Age of the oldest fact that the records have not got.")
STORE_CALLS = Histogram("passerby_store_call_seconds", "Calls of the live store.", STORE_S, kind=VERBS)
STORE_ERRORS = Counter("passerby_store_errors", "Calls of a store that failed.", kind=("live", "records"))
RESERVATIONS = Counter(
    "passerby_budget_reservations", "Blocks asked for from shared budgets.", outcome=("granted", "refused", "lost")
)
CONNECTIONS = Counter("passerby_connections_opened", "New connections to the Bot API.", kind=("tls", "plain"))
LAPSES = Counter(
    "passerby_worker_lapses", "Times this worker paused unsure of its leases, or began anew.", kind=("unsure", "anew")
)
LEASES = Gauge("passerby_leases_held", "Leases of this worker.", kind=("bot", "pool", "duty"))
BUGS = Counter("passerby_bugs", "Units of work ended by a fault of ours.")
LOOP_LAG = Gauge("passerby_loop_lag_seconds", "How late the event loop last woke a timer.")


# ---------------------------------------------------------------------- for readers


class _Instruments(Collector):
    def collect(self) -> Iterator[Metric]:
        for instrument in INSTRUMENTS:
            yield instrument.family()


def exposition() -> bytes:
    """Everything, in Prometheus' text format (version 0.0.4), with this process's memory, CPU and open files."""
    registry = CollectorRegistry()
    registry.register(_Instruments())
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The figures of one worker, or of several together. Counts are since the process began; `at` is Unix time.

    `latency` are bucket counts over `LATENCY_S`: what happened between two snapshots is their difference.
    `polled_at`: bot -> Unix time of its last answered poll. Figures of the whole fleet are whatever was read last.
    """

    at: float
    updates: int = 0
    relays: int = 0
    relays_failed: int = 0
    notices: int = 0
    searches: int = 0
    pairs: int = 0
    floods: int = 0
    retries: int = 0
    errors: int = 0
    lapses: int = 0
    latency: tuple[int, ...] = ()
    pending: int = 0
    waiting: int = 0
    chats: int = 0
    outbox: int = 0
    journal: int = 0
    recorder_lag_s: float = 0.0
    loop_lag_s: float = 0.0
    memory_bytes: int = 0
    polled_at: dict[int, float] = {}

    def since(self, earlier: "Snapshot") -> "Snapshot":
        """What was counted in between. What is not a count is as it is now."""
        raise NotImplementedError

    def quantile_s(self, share: float) -> float | None:
        """The relay latency that this share stays under, or None without relays."""
        raise NotImplementedError


def snapshot(now: float) -> Snapshot:
    """This process's figures; `now` in Unix seconds."""
    raise NotImplementedError


def together(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Several workers' figures as one. Raises ValueError without any."""
    raise NotImplementedError
