"""The options of a broadcast as words, the same in the staff bot, on the command line and in the panel.

    category=promo language=de,en gender=female age=18-30 active=30 idle=60 vip=yes bot=123456,234567 source=spring
    silent=off hour=on canary=off holdout=10 paid=off at=2026-12-01T18:00 weekly=on

`active` and `idle` are in days, `at` is UTC, `holdout` is in percent. `any` takes a condition back.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from passerby.domain import moments
from passerby.domain.broadcasts.codes import is_language
from passerby.domain.journeys import AFFILIATE, INVITE, PROMO, tag_of
from passerby.domain.moments import moment
from passerby.kernel.broadcast import Audience, Broadcast, Category
from passerby.kernel.ids import BotId
from passerby.kernel.participant import Gender

ANY: Final = "any"
NAMED: Final = frozenset({AFFILIATE, INVITE, PROMO})
"""Sources that are no tag."""
_HOLDOUT_MOST: Final = 50
_DAYS_MOST: Final = 3_650.0


class WrongOption(Exception):
    """`word` is the option that is not taken, and `why` says it as a text key. `value` is the part that is wrong."""

    def __init__(self, word: str, why: str = "broadcasts.wrong_option", value: str = "") -> None:
        super().__init__(word)
        self.word = word
        self.why = why
        self.value = value


class _NoLanguage(ValueError):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _flag(value: str) -> bool:
    return {"on": True, "yes": True, "off": False, "no": False}[value]


def _bots(value: str) -> tuple[BotId, ...]:
    return () if value == ANY else tuple(BotId(int(each)) for each in value.split(","))


def _languages(value: str) -> tuple[str, ...]:
    if value == ANY:
        return ()
    found = tuple(value.split(","))
    for each in found:
        if not is_language(each):
            raise _NoLanguage(each)
    return found


def _genders(value: str) -> tuple[Gender, ...]:
    return () if value == ANY else tuple(map(Gender, value.split(",")))


def _sources(value: str) -> tuple[str, ...]:
    if value == ANY:
        return ()
    found = tuple(value.split(","))
    if not all(each in NAMED or tag_of(each) for each in found):
        raise ValueError
    return found


def _vip(value: str) -> bool | None:
    return None if value == ANY else _flag(value)


def _days(value: str) -> float | None:
    if value == ANY:
        return None
    if not 0 < (days := float(value)) <= _DAYS_MOST:
        raise ValueError
    return days


def _ages(value: str) -> tuple[int | None, int | None]:
    if value == ANY:
        return None, None
    low, dash, high = value.partition("-")
    youngest, oldest = int(low) if low else None, int(high) if high else None
    if not dash or (youngest is None and oldest is None):
        raise ValueError
    return youngest, oldest


def _holdout(value: str) -> int:
    if not 0 <= (percent := int(value)) <= _HOLDOUT_MOST:
        raise ValueError
    return percent


def _moment(value: str) -> float | None:
    return None if value == ANY else moment(value)


_OF_AUDIENCE: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "bot": ("bots", _bots),
    "language": ("languages", _languages),
    "gender": ("genders", _genders),
    "active": ("active_days", _days),
    "idle": ("idle_days", _days),
    "vip": ("vip", _vip),
    "source": ("sources", _sources),
}
_OF_BROADCAST: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "category": ("category", Category),
    "silent": ("silent", _flag),
    "hour": ("usual_hour", _flag),
    "canary": ("canary", _flag),
    "paid": ("paid", _flag),
    "holdout": ("holdout_percent", _holdout),
    "at": ("starts_at", _moment),
    "weekly": ("weekly", _flag),
}


def with_options(broadcast: Broadcast, words: str, now: float) -> Broadcast:
    """The broadcast with these options changed. Raises: WrongOption."""
    for word in words.split():
        name, _, value = word.partition("=")
        try:
            changed = _with_option(broadcast, name, value.lower() if name != "at" else value)
        except _NoLanguage as wrong:
            raise WrongOption(word, "broadcasts.unknown_language", wrong.code) from None
        except (KeyError, ValueError, OverflowError):
            raise WrongOption(word) from None
        if name == "at" and changed.starts_at is not None and changed.starts_at <= now:
            raise WrongOption(word, "broadcasts.at_is_over", value)
        broadcast = changed
    return broadcast


def _with_option(broadcast: Broadcast, name: str, value: str) -> Broadcast:
    audience = broadcast.audience
    if name == "age":
        low, high = _ages(value)
        return msgspec.structs.replace(broadcast, audience=msgspec.structs.replace(audience, age_min=low, age_max=high))
    if name in _OF_AUDIENCE:
        field, read = _OF_AUDIENCE[name]
        return msgspec.structs.replace(broadcast, audience=msgspec.structs.replace(audience, **{field: read(value)}))
    field, read = _OF_BROADCAST[name]
    return msgspec.structs.replace(broadcast, **{field: read(value)})


def shown(broadcast: Broadcast) -> str:
    """The options as words. Conditions that are not set, and what is off, are left out."""
    audience = broadcast.audience
    words = [f"category={broadcast.category}"]
    words += [f"{name}={','.join(map(str, values))}" for name, values in _lists(audience) if values]
    if audience.age_min is not None or audience.age_max is not None:
        words.append(f"age={audience.age_min or ''}-{audience.age_max or ''}")
    words += [f"{name}={days:g}" for name, days in _day_counts(audience) if days is not None]
    if audience.vip is not None:
        words.append(f"vip={_switch(audience.vip)}")
    words += [f"{name}={_switch(getattr(broadcast, field))}" for name, field in _SWITCHES]
    if broadcast.holdout_percent:
        words.append(f"holdout={broadcast.holdout_percent}")
    if broadcast.starts_at is not None:
        words.append(f"at={moments.shown(broadcast.starts_at)}")
    return " ".join(words)


_SWITCHES: Final = (
    ("silent", "silent"),
    ("hour", "usual_hour"),
    ("canary", "canary"),
    ("paid", "paid"),
    ("weekly", "weekly"),
)


def _switch(on: bool) -> str:  # a value, as in the words
    return "on" if on else "off"


def _lists(audience: Audience) -> tuple[tuple[str, tuple[object, ...]], ...]:
    return (
        ("bot", audience.bots),
        ("language", audience.languages),
        ("gender", audience.genders),
        ("source", audience.sources),
    )


def _day_counts(audience: Audience) -> tuple[tuple[str, float | None], ...]:
    return ("active", audience.active_days), ("idle", audience.idle_days)
