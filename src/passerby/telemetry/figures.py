"""The figures of a process at one moment. Workers report them to each other; `status` and `monit` show them.

They are counts since the start of the process, and gauges. The difference of two snapshots is what happened in between;
the sum of several is the whole fleet. `metrics` makes them.
"""

from collections.abc import Iterable
from itertools import accumulate

import msgspec

LATENCY_S = (0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0)
"""Upper bounds of the buckets for latencies. There is one more bucket for longer ones."""

LATE_CHECKOUT_S = 5.0
"""Telegram gives up after ten (source: Bot API, answerPreCheckoutQuery). It is one of `LATENCY_S`."""

COUNTS = (
    *("updates", "relays", "relays_failed", "notices", "searches", "pairs", "floods", "retries", "errors", "lapses"),
    *(
        "reservations",
        "cpu_s",
        "poll_errors",
        "set_aside",
        "statements",
        "statements_s",
        "waits",
        "waited_s",
        "sales_found",
        "refunds_refused",
    ),
    "late_checkouts",
)
OF_THE_PROCESS = ("pending", "memory_bytes", "crashes_last_hour", "stuck_last_hour")
TIMES = ("polled_at", "conflict_at", "missing_at")
OF_THE_FLEET = ("waiting", "chats", "outbox", "journal")


class Snapshot(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`at`: Unix seconds. `relays`: delivered ones. `errors`: bugs of ours, and stores that did not answer.

    `latency`: relays by the buckets of `LATENCY_S`, from receiving the update to delivery. Empty if there were none.
    `latency_of`: the same since the start of the process, by the bot that delivered; a difference or a sum of snapshots
    does not have it. `waiting`, `chats`, `outbox` and `journal` are of the whole fleet.
    `polled_at`: bot -> Unix seconds of its last answered poll; 0 if the process had none yet. `conflict_at`: bot ->
    Unix seconds of the last poll that another program's has ended. `missing_at`: bot -> Unix seconds of the last time
    that updates were missing.
    `poll_errors`, `set_aside`: failed polls, and updates that could not be handled. `statements`, `waits`: statements
    to the records and waits for a partner; `statements_s`, `waited_s` are their sums. `held_s`: bot -> for how long
    Telegram has held it back. `pool_percent`: the part of the connection pool in use. `disk_free_percent`: None if
    unknown. `clock_skew_s`: how far this machine's clock is ahead. `backup_at`, `restore_test_at`: when the newest
    backup was begun and when one was last restored for a test, in Unix seconds; 0 if this process does not know.
    `restore_test_faults`: what the last restore test found wrong.
    `sales_found`, `refunds_refused`, `charges_unconfirmed`, `owed_s`, `swept_at`: what the duty `money` found, as in
    the metrics.
    `late_checkouts`: those that took more than `LATE_CHECKOUT_S`. `farm_accounts`: those found in farms, if this
    process looks for them.
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
    reservations: int = 0
    cpu_s: float = 0.0
    latency: tuple[int, ...] = ()
    latency_of: dict[int, tuple[int, ...]] = {}
    pending: int = 0
    memory_bytes: int = 0
    waiting: int = 0
    chats: int = 0
    outbox: int = 0
    journal: int = 0
    recorder_lag_s: float = 0.0
    loop_lag_s: float = 0.0
    polled_at: dict[int, float] = {}
    conflict_at: dict[int, float] = {}
    missing_at: dict[int, float] = {}
    poll_errors: int = 0
    set_aside: int = 0
    statements: int = 0
    statements_s: float = 0.0
    waits: int = 0
    waited_s: float = 0.0
    held_s: dict[int, float] = {}
    outbox_oldest_s: float = 0.0
    pool_percent: float = 0.0
    crashes_last_hour: int = 0
    stuck_last_hour: int = 0
    disk_free_percent: float | None = None
    clock_skew_s: float = 0.0
    backup_at: float = 0.0
    restore_test_at: float = 0.0
    restore_test_faults: int = 0
    sales_found: int = 0
    refunds_refused: int = 0
    late_checkouts: int = 0
    charges_unconfirmed: int = 0
    farm_accounts: int = 0
    owed_s: float = 0.0
    swept_at: dict[int, float] = {}

    def since(self, earlier: "Snapshot") -> "Snapshot":
        """Return the difference between two readings. Gauges are as they are now. If the process has restarted, all
        that it counted."""
        if any(getattr(self, name) < getattr(earlier, name) for name in COUNTS):
            return self
        counts = {name: getattr(self, name) - getattr(earlier, name) for name in COUNTS}
        before = earlier.latency or (0,) * len(self.latency)
        latency = tuple(now - then for now, then in zip(self.latency, before, strict=True))
        return msgspec.structs.replace(self, latency=latency, **counts)

    def quantile_s(self, share: float) -> float | None:
        """The latency that this share of the relays did not exceed, as exact as its bucket. None without relays."""
        wanted = share * sum(self.latency)
        if not wanted:
            return None
        bounds = (0.0, *LATENCY_S)
        for index, (count, below) in enumerate(zip(self.latency, accumulate(self.latency), strict=True)):
            if below >= wanted and index < len(LATENCY_S):
                part = 1 - (below - wanted) / count
                return bounds[index] + part * (bounds[index + 1] - bounds[index])
        return LATENCY_S[-1]


def together(snapshots: Iterable[Snapshot]) -> Snapshot:
    """The sum of several processes. Raises: ValueError, if there are none."""
    every = list(snapshots)
    newest = max(every, key=lambda each: (any(getattr(each, name) for name in OF_THE_FLEET), each.at))
    columns = [each.latency for each in every if each.latency]
    newest_of: dict[str, dict[int, float]] = {name: {} for name in TIMES}
    for each in every:
        for name, times in newest_of.items():
            for bot, at in getattr(each, name).items():
                times[bot] = max(at, times.get(bot, at))
    sums = {name: sum(getattr(each, name) for each in every) for name in (*COUNTS, *OF_THE_PROCESS)}
    return Snapshot(
        at=max(each.at for each in every),
        latency=tuple(map(sum, zip(*columns, strict=True))),
        recorder_lag_s=max(each.recorder_lag_s for each in every),
        loop_lag_s=max(each.loop_lag_s for each in every),
        outbox_oldest_s=max(each.outbox_oldest_s for each in every),
        **{name: getattr(newest, name) for name in OF_THE_FLEET},
        polled_at=newest_of["polled_at"],
        conflict_at=newest_of["conflict_at"],
        missing_at=newest_of["missing_at"],
        **sums,
    )
