"""Computes how much all workers together counted in the last minutes, from the figures that they report."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from passerby.ports.leases import WorkerId
from passerby.telemetry.figures import Snapshot

KEPT_S: Final = 3600.0
COUNTED: Final = (
    *("poll_errors", "set_aside", "statements", "statements_s", "waits", "waited_s", "sales_found", "late_checkouts"),
    "refunds_refused",
)
"""Counters of `Snapshot`."""


class Rates:
    """Workers come and go, and their counters with them. Their counts stay."""

    def __init__(self) -> None:
        self._last: dict[WorkerId, Snapshot] = {}
        self._total = dict.fromkeys(COUNTED, 0.0)
        self._past: deque[tuple[float, dict[str, float]]] = deque()
        self._since: float | None = None

    def feed(
        self, figures: Mapping[WorkerId, Snapshot], started: Mapping[WorkerId, float], now: float
    ) -> dict[str, float]:
        """Take in what the living workers report. `started`: when each began, in Unix seconds like `now`.

        Returns what was counted since the last time. A worker that began after the first look counts from zero; what
        others had counted before the first look is not new.
        """
        if self._since is None:
            self._since = now
        self._follow_the_clock(now)
        new = dict.fromkeys(COUNTED, 0.0)
        for worker, snapshot in figures.items():
            before = self._last.get(worker)
            if before is None and started.get(worker, 0.0) >= self._since:
                before = Snapshot(at=now)
            if before is not None:
                for name in COUNTED:
                    new[name] += max(0.0, getattr(snapshot, name) - getattr(before, name))
        self._last = dict(figures)
        for name, count in new.items():
            self._total[name] += count
        self._past.append((now, dict(self._total)))
        while len(self._past) > 1 and now - self._past[1][0] >= KEPT_S:
            self._past.popleft()
        return new

    def _follow_the_clock(self, now: float) -> None:
        """If the clock was set back, so are the times of the past: windows stay as long as they were."""
        back_s = self._past[-1][0] - now if self._past else 0.0
        if back_s > 0:
            self._past = deque((at - back_s, then) for at, then in self._past)

    def increase(self, name: str, window_s: float) -> float:
        """How much was counted within the window before the last look, or since the first look if that is later."""
        if not self._past:
            return 0.0
        now, total = self._past[-1]
        before = self._past[0][1]
        for at, then in self._past:
            if now - at < window_s:
                break
            before = then
        return total[name] - before[name]
