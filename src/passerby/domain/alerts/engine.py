"""Decides when an alert fires, changes, is repeated and is resolved: one step for one rule.

    quiet ──exceeded for `for_s`──► firing ──not exceeded for CALM_S──► resolved ──told──► quiet
                                     │  ▲
                                     └──┘ more or fewer subjects, acknowledged, silenced, repeated after REPEAT_S

All subjects of a rule are one alert: if forty bots are not polled, that is one message.

Nothing here is sent. A step only raises the alert's `version`; whoever delivers compares it with the version that each
channel was told last (`domain.alerts.notification`). So a delivery that failed is made up for by the next look, and a
worker that takes over says nothing twice.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from passerby.domain.alerts.rules import Rule

REPEAT_S: Final = 4 * 3600.0
MOST_SILENT_S: Final = 86_400.0
"""Nobody silences an alert for longer."""

CALM_S: Final = 60.0
"""A condition that comes and goes is one alert."""


class Alert(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One rule's alert. Times in Unix seconds; 0 means never.

    exceeded   subject -> since when its value is on the wrong side of the threshold
    firing     subject -> its value when this was last told
    since      when it began to fire; `calm_since`: since when nothing is exceeded
    version    raised by everything that somebody should hear of
    fresh      the version that deserves a new message; later ones edit it
    """

    exceeded: dict[str, float] = {}
    firing: dict[str, float] = {}
    since: float = 0.0
    calm_since: float = 0.0
    resolved_at: float = 0.0
    repeated_at: float = 0.0
    acknowledged_by: str = ""
    silent_until: float = 0.0
    version: int = 0
    fresh: int = 0

    @property
    def is_firing(self) -> bool:
        return self.since > 0 and not self.resolved_at

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to remember of it."""
        return not (self.exceeded or self.since)

    def is_silent(self, now: float) -> bool:
        return now < self.silent_until


QUIET: Final = Alert()


def step(rule: Rule, alert: Alert, threshold: float, reading: Mapping[str, float] | None, now: float) -> Alert:
    """Return the alert after a look. `reading` None: nothing is known this time, so nothing begins or ends."""
    alert = QUIET if alert.resolved_at else not_after(alert, now)
    if reading is None:
        return _repeat(alert, now)
    over = {subject: value for subject, value in reading.items() if rule.is_exceeded(value, threshold)}
    exceeded = {subject: min(now, alert.exceeded.get(subject, now)) for subject in over}
    known = alert.firing if alert.is_firing else {}
    lasting = {each: over[each] for each, since in exceeded.items() if each in known or now - since >= rule.for_s}
    alert = msgspec.structs.replace(alert, exceeded=exceeded)
    if lasting:
        return _repeat(_fire(alert, lasting, now), now)
    return _calm(alert, now) if alert.is_firing else alert


def not_after(alert: Alert, now: float) -> Alert:
    """Return it without times after `now`. If a clock was set back, they would keep it from ending or being repeated.

    A silence that would last longer than anybody can ask for is over.
    """
    if (
        max(alert.since, alert.calm_since, alert.resolved_at, alert.repeated_at, alert.silent_until - MOST_SILENT_S)
        <= now
    ):
        return alert
    return msgspec.structs.replace(
        alert,
        since=min(alert.since, now),
        calm_since=min(alert.calm_since, now),
        resolved_at=min(alert.resolved_at, now),
        repeated_at=min(alert.repeated_at, now),
        silent_until=alert.silent_until if alert.silent_until <= now + MOST_SILENT_S else 0.0,
    )


def acknowledge(alert: Alert, by: str) -> Alert:
    """Somebody looks after it: it is not repeated."""
    if not alert.is_firing or alert.acknowledged_by:
        return alert
    return msgspec.structs.replace(alert, acknowledged_by=by, version=alert.version + 1)


def silence(alert: Alert, until: float) -> Alert:
    """Say nothing new about it until then. An end is still told, because that only edits a message."""
    if until <= alert.silent_until:
        return alert
    return msgspec.structs.replace(alert, silent_until=until, version=alert.version + 1)


def _fire(alert: Alert, lasting: dict[str, float], now: float) -> Alert:
    if not alert.is_firing:
        first = alert.version + 1
        return msgspec.structs.replace(
            alert, firing=lasting, since=now, repeated_at=now, calm_since=0.0, version=first, fresh=first
        )
    alert = msgspec.structs.replace(alert, calm_since=0.0)
    if lasting.keys() == alert.firing.keys():
        return alert
    return msgspec.structs.replace(alert, firing=lasting, version=alert.version + 1)


def _repeat(alert: Alert, now: float) -> Alert:
    is_due = now - alert.repeated_at >= REPEAT_S and not alert.acknowledged_by and not alert.is_silent(now)
    if not alert.is_firing or not is_due:
        return alert
    again = alert.version + 1
    return msgspec.structs.replace(alert, repeated_at=now, version=again, fresh=again)


def _calm(alert: Alert, now: float) -> Alert:
    calm_since = alert.calm_since or now
    if now - calm_since < CALM_S:
        return msgspec.structs.replace(alert, calm_since=calm_since)
    return msgspec.structs.replace(
        alert, calm_since=calm_since, resolved_at=now, version=alert.version + 1, exceeded={}
    )
