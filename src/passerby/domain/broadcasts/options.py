"""The options of a broadcast as words, the same in the staff bot, on the command line and in the panel.

    category=promo language=de,en gender=female age=18-30 active=30 idle=60 vip=yes bot=123456,234567 source=spring
    silent=off hour=on canary=off holdout=10 paid=off at=2026-12-01T18:00 weekly=on

`active` and `idle` are in days, `at` is UTC, `holdout` is in percent. `any` takes a condition back. A bot may also be
named: `bot=@its_name`. With line breaks, each line is one option, so a value may have spaces.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from passerby.domain import moments
from passerby.domain.broadcasts.codes import is_language
from passerby.domain.journeys import AFFILIATE, INVITE, PROMO, tag_of
from passerby.domain.moments import moment
from passerby.kernel.broadcast import Audience, Broadcast, Category
from passerby.kernel.drain import KnownBots
from passerby.kernel.ids import BotId
from passerby.kernel.participant import Gender

ANY: Final = "any"
NAMED: Final = frozenset({AFFILIATE, INVITE, PROMO})
"""Sources that are no tag."""
COMEBACK_DAYS: Final = 7.0
RANGES: Final = {"holdout": (0.0, 50.0), "active": (0.1, 3_650.0), "idle": (0.1, 3_650.0)}
"""Percent, and days."""
NO_FLEET: Final = KnownBots()
_AROUND: Final = re.compile(" ?([,-]) ?")


class WrongOption(Exception):
    """`word` is the option that is not taken, and `why` says it as a text key. `value` is the part that is wrong."""

    def __init__(self, word: str, why: str = "broadcasts.wrong_option", value: str = "", **more: str) -> None:
        """`more`: what else the text says."""
        super().__init__(word)
        self.word = word
        self.why = why
        self.value = value
        self.more = more


class _Unknown(ValueError):
    """`value` has the right form, but there is no such thing."""

    def __init__(self, why: str, value: str, **more: str) -> None:
        super().__init__(value)
        self.why = why
        self.value = value
        self.more = more


def _flag(value: str) -> bool:
    return {"on": True, "yes": True, "off": False, "no": False}[value]


def _bots(value: str, fleet: KnownBots) -> tuple[BotId, ...]:
    """Bots by their numbers or names. If no bot is known here, every number is taken."""
    if value == ANY:
        return ()
    numbers = {each.bot for each in fleet.bots}
    names = {each.username.lower(): each.bot for each in fleet.bots if each.username}
    found = []
    for each in value.split(","):
        bot = names.get(each.removeprefix("@")) or (BotId(int(each)) if each.isascii() and each.isdecimal() else None)
        if bot is None and not numbers:
            raise ValueError(each)
        if bot is None or (numbers and bot not in numbers):
            raise _Unknown("broadcasts.unknown_bot", each, bots=", ".join(fleet.name(bot) for bot in numbers))
        found.append(bot)
    return tuple(dict.fromkeys(found))


def _languages(value: str) -> tuple[str, ...]:
    if value == ANY:
        return ()
    found = tuple(value.split(","))
    for each in found:
        if not is_language(each):
            raise _Unknown("broadcasts.unknown_language", each)
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
    return float(value)


def _ages(value: str) -> tuple[int | None, int | None]:
    if value == ANY:
        return None, None
    low, dash, high = value.partition("-")
    youngest, oldest = int(low) if low else None, int(high) if high else None
    if not dash or (youngest is None and oldest is None):
        raise ValueError
    return youngest, oldest


def _moment(value: str) -> float | None:
    return None if value == ANY else moment(value)


_OF_AUDIENCE: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
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
    "holdout": ("holdout_percent", int),
    "at": ("starts_at", _moment),
    "weekly": ("weekly", _flag),
}


def with_options(
    broadcast: Broadcast, words: str, now: float, fleet: KnownBots = NO_FLEET, minimum_age: int = 0
) -> Broadcast:
    """The broadcast with these options changed. `minimum_age`: nobody is younger. Raises: WrongOption."""
    typed: dict[str, str] = {}
    for word in filter(None, map(str.strip, words.splitlines())) if "\n" in words else words.split():
        name, _, value = word.partition("=")
        value = _AROUND.sub(r"\1", " ".join(value.split()))
        try:
            changed = _with_option(broadcast, name, value.lower() if name != "at" else value, fleet)
        except _Unknown as wrong:
            raise WrongOption(word, wrong.why, wrong.value, **wrong.more) from None
        except (KeyError, ValueError, OverflowError):
            raise _wrong(word, name) from None
        if name == "at" and changed.starts_at is not None and changed.starts_at <= now:
            raise WrongOption(word, "broadcasts.at_is_over", value)
        typed[name], broadcast = word, changed
    impossible = _impossible(broadcast, typed, minimum_age)
    if impossible is not None:
        raise impossible
    return broadcast


def _wrong(word: str, name: str) -> WrongOption:
    if name not in RANGES:
        return WrongOption(word)
    least, most = (f"{each:g}" for each in RANGES[name])
    return WrongOption(word, "broadcasts.out_of_range", least=least, most=most)


def _impossible(broadcast: Broadcast, typed: Mapping[str, str], minimum_age: int) -> WrongOption | None:
    """The options, as far as they were typed now, that nobody can fit together."""
    audience = broadcast.audience
    words = {name: typed[name] for name in ("age", "active", "idle", "category", "weekly", "at") if name in typed}
    low, high = audience.age_min, audience.age_max
    if "age" in words and low is not None and high is not None and low > high:
        return WrongOption(words["age"], "broadcasts.age_backwards", example=f"age={high}-{low}")
    if "age" in words and high is not None and high < minimum_age:
        return WrongOption(words["age"], "broadcasts.too_young", least=str(minimum_age))
    active, idle = audience.active_days, audience.idle_days
    if active is not None and idle is not None and active <= idle and words.keys() & {"active", "idle"}:
        return WrongOption(f"active={active:g} idle={idle:g}", "broadcasts.active_against_idle")
    if words.keys() & {"category", "idle"} and needs_idle(broadcast):
        return WrongOption(words.get("category", words.get("idle", "")), "broadcasts.idle_needed")
    if words.keys() & {"weekly", "at"} and needs_moment(broadcast):
        return WrongOption(words.get("weekly", words.get("at", "")), "broadcasts.moment_needed")
    return None


def needs_idle(broadcast: Broadcast) -> bool:
    """Whether it is for people who were away, but does not say for how long."""
    return broadcast.category is Category.COMEBACK and (broadcast.audience.idle_days or 0.0) < COMEBACK_DAYS


def needs_moment(broadcast: Broadcast) -> bool:
    """Whether it comes every week, but does not say when."""
    return broadcast.weekly and broadcast.starts_at is None


def _with_option(broadcast: Broadcast, name: str, value: str, fleet: KnownBots) -> Broadcast:
    audience = broadcast.audience
    if name == "age":
        low, high = _ages(value)
        return msgspec.structs.replace(broadcast, audience=msgspec.structs.replace(audience, age_min=low, age_max=high))
    if name == "bot":
        return msgspec.structs.replace(broadcast, audience=msgspec.structs.replace(audience, bots=_bots(value, fleet)))
    of_audience = name in _OF_AUDIENCE
    field, read = _OF_AUDIENCE[name] if of_audience else _OF_BROADCAST[name]
    found = read(value)
    if name in RANGES and found is not None and not RANGES[name][0] <= found <= RANGES[name][1]:
        raise ValueError(value)
    if of_audience:
        return msgspec.structs.replace(broadcast, audience=msgspec.structs.replace(audience, **{field: found}))
    return msgspec.structs.replace(broadcast, **{field: found})


def shown(broadcast: Broadcast, name_of: Callable[[BotId], str] = str) -> str:
    """The options as words. Conditions that are not set, and what is off, are left out. `name_of`: for bots."""
    audience = broadcast.audience
    words = [f"category={broadcast.category}"]
    words += [f"{name}={','.join(map(str, values))}" for name, values in _lists(audience, name_of) if values]
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


def _lists(audience: Audience, name_of: Callable[[BotId], str]) -> tuple[tuple[str, tuple[object, ...]], ...]:
    return (
        ("bot", tuple(map(name_of, audience.bots))),
        ("language", audience.languages),
        ("gender", audience.genders),
        ("source", audience.sources),
    )


def _day_counts(audience: Audience) -> tuple[tuple[str, float | None], ...]:
    return ("active", audience.active_days), ("idle", audience.idle_days)
