"""The fleet as it is now: its workers, their reports, who holds what, and the alerts."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from passerby.domain.alerts.rules import BY_NAME
from passerby.ports.clock import Clock
from passerby.ports.live_store import Figures, LiveStore, LiveStoreLost
from passerby.runtime.alerting.watch import MEMO, Kept
from passerby.runtime.membership.report import Report, read_report

PATIENCE_S: Final = 2.0
NOTHING: Final = Figures(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that fires now. `told`: one sentence for each subject."""

    name: str
    title: str
    severity: str
    since: float
    told: tuple[str, ...]
    acknowledged_by: str
    silent_until: float


@dataclass(frozen=True, slots=True)
class Fleet:
    """`fault` says why nothing is known; then the rest is empty. `at`: the moment of the look."""

    at: float
    fault: str = ""
    figures: Figures = NOTHING
    reports: Mapping[str, Report] = field(default_factory=dict)
    holders: Mapping[str, str] = field(default_factory=dict)
    alerts: tuple[Firing, ...] = ()


class FleetReader:
    def __init__(
        self, store: LiveStore, clock: Clock, thresholds: Mapping[str, float], named: Callable[[str], str]
    ) -> None:
        """`named`: the name of a bot for its number. The subjects of some alerts are bots."""
        self._named = named
        self._store = store
        self._clock = clock
        self._thresholds = thresholds

    async def fleet(self) -> Fleet:
        """Never fails: a store that is away is what the reader wants to know."""
        now = self._clock.now()
        try:
            async with asyncio.timeout(PATIENCE_S):
                figures = await self._store.figures()
                members = await self._store.members()
                memos = await self._store.memos((MEMO,))
        except (LiveStoreLost, TimeoutError) as error:
            return Fleet(now, f"The live store does not answer ({type(error).__name__}).")
        reports = {str(worker): read_report(blob) for worker, blob in members.workers.items()}
        holders = {str(lease): str(worker) for lease, worker in members.holders.items()}
        return Fleet(now, "", figures, reports, holders, self._firing(memos.get(MEMO), now))

    def _firing(self, blob: bytes | None, now: float) -> tuple[Firing, ...]:
        try:
            kept = msgspec.json.decode(blob, type=Kept) if blob else Kept()
        except (msgspec.DecodeError, msgspec.ValidationError):  # another release wrote it
            return ()
        found = []
        for name, alert in kept.alerts.items():
            rule = BY_NAME.get(name)
            if rule is None or not alert.is_firing:
                continue
            threshold = rule.threshold(self._thresholds)
            told = tuple(
                rule.told.format(subject=self._named(subject), value=value, threshold=threshold)
                for subject, value in sorted(alert.firing.items())
            )
            silent = alert.silent_until if alert.is_silent(now) else 0.0
            found.append(Firing(name, rule.title, rule.severity, alert.since, told, alert.acknowledged_by, silent))
        return tuple(sorted(found, key=lambda each: (each.severity, each.since)))
