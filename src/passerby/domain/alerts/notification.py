"""Decides how one channel hears of an alert: by a new message, by an edit, or not at all. It also writes the words."""

from enum import Enum, auto
from typing import Final

import msgspec

from passerby.domain.alerts.engine import Alert
from passerby.domain.alerts.rules import Rule, Severity
from passerby.domain.moments import shown

MARKS: Final = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠"}
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
SHOWN: Final = 10
"""How many subjects a message names."""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last news that a channel was told. `messages`: how the channel finds the newest message again."""

    version: int = 0
    messages: tuple[str, ...] = ()


class Due(Enum):
    NOTHING = auto()
    NEW = auto()
    """Send a message; an older one about the same alert is edited to point to it."""
    EDIT = auto()


def due(alert: Alert, told: Told, now: float) -> Due:
    if told.version >= alert.version:
        return Due.NOTHING
    if alert.is_firing and told.version < alert.fresh:
        return Due.NOTHING if alert.is_silent(now) else Due.NEW
    return Due.EDIT if told.messages else Due.NOTHING


def message(rule: Rule, alert: Alert, threshold: float, now: float) -> str:
    """The whole text about the alert as it is now. Nothing in it is about a person."""
    mark = "✅" if alert.resolved_at else MARKS[rule.severity]
    lines = [f"{mark} {rule.title}", ""]
    if alert.resolved_at:
        lines += [f"Over after {_duration(alert.resolved_at - alert.since)}. It was:"]
    for subject, value in list(alert.firing.items())[:SHOWN]:
        lines.append(rule.told.format(subject=subject, value=value, threshold=threshold))
    if (more := len(alert.firing) - SHOWN) > 0:
        lines.append(f"And {more} more.")
    if alert.resolved_at:
        return "\n".join(lines)
    # The message stays as it is for hours, so it names times and no durations until now.
    lines += ["", f"It began at {_time(alert.since, now)}."]
    if alert.acknowledged_by:
        lines.append(f"{alert.acknowledged_by} is looking after it.")
    if alert.is_silent(now):
        lines.append(f"Silent until {_time(alert.silent_until, now)}.")
    return "\n".join(lines)


REPEATED: Final = "\n\nIt is still going on: see the newer message below."


def _time(at: float, now: float) -> str:
    """A time of day, with the date if that is not today's. UTC, as in the logs."""
    (date, clock), (today, _) = (shown(each).split("T") for each in (at, now))
    _, month, day = map(int, date.split("-"))
    return f"{clock} UTC" if date == today else f"{clock} UTC, {day} {_MONTHS[month - 1]}"


def _duration(seconds: float) -> str:
    minutes = max(0, round(seconds / 60))
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"{minutes} min"
    hours, left = divmod(minutes, 60)
    if not left and hours < 24:
        return f"{hours} h"
    return f"{hours} h {left} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"
