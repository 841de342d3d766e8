"""The metrics of this process. Counting is cheap, and they are only rendered on request.

Counting is an addition in a dictionary. Nothing here awaits, locks or reads a clock. `exposition()` renders everything
in Prometheus' text format. `snapshot()` gives the few figures that `passerby status` and `monit` show and that a worker
reports to the others.

Metrics say nothing about a person. Every label has a closed list of values: words in this file or in the kernel's
enums, bots named by `know_bots`, pools named by `know_pools`. Any other value is counted as "other" and never shown.

This file has the instruments and their meaning. The code that counts is where the counted thing happens.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from passerby.kernel.effect import Priority
from passerby.kernel.event import WHY_UNUSED, Attempt, Event, Refusal
from passerby.kernel.ids import BotId, PoolId
from passerby.kernel.money import NotNow, StarCallKind
from passerby.telemetry.figures import LATE_CHECKOUT_S, LATENCY_S, Snapshot
from passerby.telemetry.figures import together as together
from passerby.telemetry.instruments import INSTRUMENTS, Counter, Gauge, Histogram, Label

WAITING_S = (0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0)
STORE_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 5.0)

BOTS: set[Label] = set()
POOLS: set[Label] = set()
STATEMENT_NAMES: set[Label] = set()


def know_bots(bots: Iterable[BotId]) -> None:
    """Name the bots. Every other number is hidden."""
    BOTS.update(bots)


def know_pools(pools: Iterable[PoolId]) -> None:
    POOLS.update(pools)


def know_statements(names: Iterable[str]) -> None:
    """Name the statements to the records' database."""
    STATEMENT_NAMES.update(names)


EVENTS = tuple(each.__name__ for each in get_args(Event))
ATTEMPTS = tuple(map(str, Attempt))
PRIORITIES = tuple(priority.name.lower() for priority in Priority)
ENDS = ("delivered", "nothing", *map(str, Refusal))

UPDATES = Counter("passerby_updates", "Updates taken from Telegram, by the kind of event.", bot=BOTS, kind=EVENTS)
UNUSED = Counter("passerby_updates_unused", "Updates that needed no work, by reason.", bot=BOTS, kind=WHY_UNUSED)
UNKNOWN = Counter(
    "passerby_messages_unknown",
    "Messages and edits of an unknown kind, or that could not be read. Their senders are told.",
    bot=BOTS,
)
POLLED_AT = Gauge(
    "passerby_bot_polled_at_seconds",
    "When the last poll of the bot was answered, or the next one began; Unix time. 0: none was answered yet.",
    bot=BOTS,
)
CONFLICT_AT = Gauge(
    "passerby_bot_conflict_at_seconds",
    "When a poll was last refused because another program polls the bot or has a webhook on it; Unix time.",
    bot=BOTS,
)
MISSING_AT = Gauge(
    "passerby_bot_updates_missing_at_seconds",
    "When updates of the bot were last missing, so its chats ended. Another program took them, or Telegram dropped "
    "them. Unix time.",
    bot=BOTS,
)
POLL_ERRORS = Counter("passerby_poll_errors", "Polls that failed, or were refused.", bot=BOTS)
BOT_LOST = Gauge("passerby_bot_lost", "1 if Telegram refuses the bot's token for good.", bot=BOTS)
BOT_PENDING = Gauge(
    "passerby_bot_pending_updates",
    "Updates that wait at Telegram for the bot. One worker asks for all.",
    bot=BOTS,
)
BOT_HELD = Gauge(
    "passerby_bot_held_seconds", "For how long Telegram has held the bot back (429). 0 if it does not.", bot=BOTS
)
DECISIONS = Counter(
    "passerby_decisions",
    "Events that were decided. Stale ones are decided again.",
    outcome=("stored", "stale", "already_done", "put_aside", "fatal"),
)
CRASHES = Counter("passerby_update_crashes", "Ends of a process that an update caused, found at its next start.")
LOOKUPS = Counter(
    "passerby_people_lookups",
    "Where a person was found: in the live store (the user cache), in the records, or nowhere.",
    outcome=("live", "records", "new"),
)
RELAYS = Counter(
    "passerby_relays",
    "Messages, edits and reactions between people, by outcome.",
    bot=BOTS,
    kind=ATTEMPTS,
    outcome=ENDS,
)
RELAY_LATENCY = Histogram(
    "passerby_relay_latency_seconds",
    "Time from taking an update to its delivery to the partner, by the bot that delivered it.",
    LATENCY_S,
    bot=BOTS,
)
NOTICES = Counter("passerby_notices", "Our own messages, by outcome.", priority=PRIORITIES, outcome=ENDS)
QUEUE_WAIT = Histogram(
    "passerby_queue_wait_seconds", "Time from joining a queue to its front.", LATENCY_S, priority=PRIORITIES
)
BUDGET_WAIT = Histogram(
    "passerby_budget_wait_seconds", "Waits for a budget, if there was a wait.", LATENCY_S, kind=("chat", "bot")
)
PENDING = Gauge("passerby_courier_pending", "Deliveries that this process has not finished.")
FLOODS = Counter("passerby_flood_waits", "429 answers, by what had to wait.", bot=BOTS, kind=("chat", "bot"))
RETRIES = Counter(
    "passerby_send_retries",
    "Sends that must be repeated: not sent, outcome uncertain, token refused, or store away.",
    bot=BOTS,
    kind=("not_sent", "uncertain", "refused", "store"),
)
REFUSED = Counter(
    "passerby_updates_refused",
    "Updates refused unread, because their sender had too much waiting.",
    kind=EVENTS,
)
CHECKOUTS = Counter(
    "passerby_checkouts",
    "Checkouts that were answered, by what the person was told.",
    outcome=("approved", *map(str, NotNow)),
)
CHECKOUT_TOOK = Histogram(
    "passerby_checkout_seconds", "Time from taking a checkout to its answer. Telegram gives up after ten.", LATENCY_S
)
SALES_FOUND = Counter("passerby_sales_found", "Sales that no update brought. The bots' transactions showed them.")
REFUNDS_REFUSED = Counter("passerby_refunds_refused", "Refunds that Telegram will never make, so we owe them no more.")
SALES_UNMATCHED = Gauge("passerby_star_rows_unmatched", "Payments and refunds at Telegram that the ledger lacks.")
CHARGES_UNCONFIRMED = Gauge("passerby_charges_unconfirmed", "Charges of ours that Telegram's transactions lack.")
SWEPT_AT = Gauge("passerby_bot_swept_at_seconds", "When the bot's transactions were read last; Unix time.", bot=BOTS)
STAR_CALLS = Gauge(
    "passerby_star_call_oldest_seconds",
    "How long the oldest refund or cancellation has been owed. 0: none is.",
    kind=tuple(map(str, StarCallKind)),
)
SUPERSEDED = Counter(
    "passerby_relays_superseded",
    "Edits and reactions never sent, because a newer one or the message itself contains them. Also notices that a "
    "search goes on, if it was over.",
    kind=(*ATTEMPTS, "notice"),
)
PARKED = Counter("passerby_relays_parked", "Relays encrypted and stored in the outbox because they took long.")
SEARCHES = Counter("passerby_searches", "Searches started.", pool=POOLS)
PAIRS = Counter("passerby_pairs", "Pairs made.", pool=POOLS)
WAITED = Histogram(
    "passerby_search_wait_seconds", "How long each person of a pair had searched.", WAITING_S, pool=POOLS
)
WAITING = Gauge("passerby_people_waiting", "People who are searching, in the whole fleet.")
CHATS = Gauge("passerby_chats_open", "Open chats, in the whole fleet.")
OUTBOX = Gauge("passerby_outbox_entries", "Entries of the outbox, in the whole fleet.")
OUTBOX_OLDEST = Gauge(
    "passerby_outbox_oldest_seconds", "For how long the oldest entry of the outbox has waited in this process."
)
JOURNAL = Gauge("passerby_journal_facts", "Facts that are not in the records yet.")
RECORDED = Counter("passerby_facts_recorded", "Facts written to the records.")
REPAIRED = Counter("passerby_people_repaired", "People on whom the live store and the records differed.")
RECORDER_LAG = Gauge("passerby_recorder_lag_seconds", "Age of the oldest fact that is not in the records yet.")
STORE_CALLS = Counter("passerby_store_calls", "Calls to the live store, if it is a server.")
STORE_TRIPS = Histogram(
    "passerby_store_trip_seconds", "Round trips to the live store. Each one carries the calls of one moment.", STORE_S
)
STORE_ERRORS = Counter(
    "passerby_store_errors",
    "How often a store could not be reached or did not answer in time.",
    kind=("live", "records"),
)
RECORDS_CONNECTIONS = Gauge(
    "passerby_records_connections",
    "Connections to the records' database. Idle ones are also open.",
    kind=("open", "idle"),
)
STATEMENTS = Histogram(
    "passerby_records_statement_seconds",
    "Time of each statement to the records' database, by its name in our code.",
    STORE_S,
    statement=STATEMENT_NAMES,
)
POSTGRES_SHARE = Gauge(
    "passerby_postgres_connections_percent",
    "The share of connections to PostgreSQL in use: of this process's pool, or of the server's max_connections.",
    kind=("pool", "server"),
)
REDIS_MEMORY = Gauge("passerby_redis_memory_percent", "The share of its maxmemory that Redis uses.")
STORE_AWAY = Gauge(
    "passerby_store_away_seconds",
    "For how long a store has not answered. 0 if it does. One worker asks for all.",
    kind=("live", "records"),
)
RESERVATIONS = Counter(
    "passerby_budget_reservations", "Requests for a block of a shared budget.", outcome=("granted", "refused")
)
CONNECTIONS = Counter("passerby_connections_opened", "New connections to the Bot API.", kind=("tls", "plain"))
LAPSES = Counter(
    "passerby_worker_lapses",
    "How often this worker paused because its leases were unsure, or started again.",
    kind=("unsure", "restarted"),
)
CRASHED = Gauge("passerby_crashes_last_hour", "How often a process of this name has crashed in the last hour.")
STUCK = Gauge("passerby_stuck_loops_last_hour", "How many of these crashes were a stuck event loop.")
DISK_FREE = Gauge("passerby_disk_free_percent", "The free share of the disk that has the data or the logs.")
CLOCK_SKEW = Gauge(
    "passerby_clock_skew_seconds", "How far this machine's clock is ahead of the Bot API server's, to half a second."
)
CERTIFICATE_DAYS = Gauge(
    "passerby_certificate_days_left", "For how many days the certificate at WEBHOOK_URL is still valid."
)
CASE_OLDEST = Gauge(
    "passerby_case_oldest_seconds",
    "How long the oldest case that is not decided has waited. Only the worker that evaluates alerts.",
    kind=("first", "appeals", "rest", "payment"),
)
LEASES = Gauge("passerby_leases_held", "Leases of this worker.", kind=("bot", "pool", "duty"))
BACKUP_AT = Gauge(
    "passerby_backup_at_seconds", "When the newest backup was begun; Unix time. Only the worker with this duty."
)
RESTORE_TEST_AT = Gauge(
    "passerby_restore_test_at_seconds",
    "When a backup was last restored for a test without a fault; Unix time. Only the worker with this duty.",
)
RESTORE_TEST_FAULTS = Gauge(
    "passerby_restore_test_faults", "How many faults the last restore test found. Only the worker with this duty."
)
BUGS = Counter("passerby_bugs", "Units of work that ended because of a bug.")
LONG_TURNS = Counter("passerby_loop_long_turns", "Turns of the event loop that took more than 250 ms.")
FARM_ACCOUNTS = Gauge(
    "passerby_farm_accounts", "Accounts found in farms within the last hours, by the process that looks for them."
)
LOOP_LAG = Gauge("passerby_loop_lag_seconds", "How late the event loop last woke a timer.")


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


def snapshot(now: float) -> Snapshot:
    """This process's figures; `now` in Unix seconds."""
    statements, statements_s = STATEMENTS.total()
    waits, waited_s = WAITED.total()
    delivered = RELAYS.total(kind="relay", outcome="delivered")
    return Snapshot(
        at=now,
        updates=int(UPDATES.total()),
        relays=int(delivered),
        relays_failed=int(RELAYS.total(kind="relay") - delivered),
        notices=int(NOTICES.total(outcome="delivered")),
        searches=int(SEARCHES.total()),
        pairs=int(PAIRS.total()),
        floods=int(FLOODS.total()),
        retries=int(RETRIES.total()),
        errors=int(BUGS.total() + STORE_ERRORS.total()),
        lapses=int(LAPSES.total()),
        reservations=int(RESERVATIONS.total()),
        cpu_s=time.process_time(),
        poll_errors=int(POLL_ERRORS.total()),
        set_aside=int(DECISIONS.total(outcome="put_aside")),
        statements=statements,
        statements_s=statements_s,
        waits=waits,
        waited_s=waited_s,
        latency=RELAY_LATENCY.counts(),
        latency_of={bot: counts for (bot,), counts in RELAY_LATENCY.counts_each() if isinstance(bot, int)},
        pending=int(PENDING.value()),
        memory_bytes=_memory_bytes(),
        waiting=int(WAITING.value()),
        chats=int(CHATS.value()),
        outbox=int(OUTBOX.value()),
        journal=int(JOURNAL.value()),
        recorder_lag_s=RECORDER_LAG.value(),
        loop_lag_s=LOOP_LAG.value(),
        polled_at={int(bot): at for (bot,), at in POLLED_AT.values()},
        conflict_at={int(bot): at for (bot,), at in CONFLICT_AT.values()},
        missing_at={int(bot): at for (bot,), at in MISSING_AT.values()},
        held_s={int(bot): held_s for (bot,), held_s in BOT_HELD.values() if held_s},
        outbox_oldest_s=OUTBOX_OLDEST.value(),
        pool_percent=POSTGRES_SHARE.value("pool"),
        crashes_last_hour=int(CRASHED.value()),
        stuck_last_hour=int(STUCK.value()),
        disk_free_percent=DISK_FREE.value() if DISK_FREE.is_set else None,
        clock_skew_s=CLOCK_SKEW.value(),
        backup_at=BACKUP_AT.value(),
        restore_test_at=RESTORE_TEST_AT.value(),
        restore_test_faults=int(RESTORE_TEST_FAULTS.value()),
        sales_found=int(SALES_FOUND.total()),
        refunds_refused=int(REFUNDS_REFUSED.total()),
        late_checkouts=sum(CHECKOUT_TOOK.counts()[LATENCY_S.index(LATE_CHECKOUT_S) + 1 :]),
        charges_unconfirmed=int(CHARGES_UNCONFIRMED.value()),
        farm_accounts=int(FARM_ACCOUNTS.value()),
        owed_s=max((owed_s for _, owed_s in STAR_CALLS.values()), default=0.0),
        swept_at={int(bot): at for (bot,), at in SWEPT_AT.values()},
    )


def _memory_bytes() -> int:
    """Resident memory. 0 if the system has no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
