"""One person as another program knew them: read from columns whose names and forms vary, and judged by our rules."""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Gender, Participant, Preferences, Profile
from passerby.kernel.rules import Rules
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff import COMMAND_LINE

COLUMNS: Final = ("telegram_id", "bot", "gender", "age", "language", "vip_until", "banned_until", "blocked_ids")
"""The documented columns. Upper and lower case, spaces, hyphens and underscores do not matter."""
MORE_COLUMNS: Final = ("wants_gender", "wants_age_min", "wants_age_max", "last_active")
"""Fields that only the other program's database has."""

FOREVER: Final = math.inf
LIFETIME: Final = datetime(2999, 12, 31, tzinfo=UTC).timestamp()
"""VIP for ever, as we store it: below the most that a row may hold (1e11), with room for what is bought later."""
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC).timestamp() + 3 * 86_400
"""Other programs write the last date that they can hold for "for ever", in any zone. A time after it is a mistake."""
_GENDERS: Final = {
    "male": Gender.MALE,
    "m": Gender.MALE,
    "man": Gender.MALE,
    "female": Gender.FEMALE,
    "f": Gender.FEMALE,
    "woman": Gender.FEMALE,
    "other": Gender.OTHER,
    "unsaid": Gender.UNSAID,
}
_OLDEST: Final = Rules().maximum_age
_MOST_ID: Final = 2**52
"""Source: Bot API, User.id: at most 52 significant bits."""
_YES: Final = frozenset({"true", "t", "yes", "y", "on", "1", "1.0"})
_NO: Final = frozenset({"false", "f", "no", "n", "off", "0", "0.0"})
_MOST_SHOWN: Final = 80
_UNIX: Final = (datetime(2015, 1, 1, tzinfo=UTC).timestamp(), datetime(2201, 1, 1, tzinfo=UTC).timestamp())
"""A Unix time is believed from the first to the second. Telegram has had bots since 2015."""
_LAST_DAYS: Final = (datetime(9999, 12, 29, tzinfo=UTC).timestamp(), _LAST)
_BASIC: Final = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}
"""Dates and times that are written as a number, by how many digits they have."""


class NotReadable(Exception):
    """A value has not the form that its column needs. The text names the column. It quotes numbers, and no texts."""


class Incoming(msgspec.Struct):
    """`where`: the row, for the operator. Times in Unix seconds. `banned_until` may be FOREVER, and `age` too low."""

    where: str
    person: PersonId
    bots: tuple[BotId, ...] = ()
    gender: Gender | None = None
    age: int | None = None
    language: str = ""
    vip_until: float = 0.0
    banned_until: float = 0.0
    blocked: tuple[PersonId, ...] = ()
    wants: Preferences = Preferences()
    last_active: float = 0.0

    def merge(self, other: "Incoming") -> None:
        """The same person in another row, for example with another bot. The strongest restriction counts."""
        self.bots = tuple(dict.fromkeys((*self.bots, *other.bots)))
        self.gender = self.gender or other.gender
        ages = [age for age in (self.age, other.age) if age is not None]
        self.age = min(ages, default=None)
        self.language = self.language or other.language
        self.vip_until = max(self.vip_until, other.vip_until)
        self.banned_until = max(self.banned_until, other.banned_until)
        self.blocked = tuple(dict.fromkeys((*self.blocked, *other.blocked)))
        self.last_active = max(self.last_active, other.last_active)

    def is_banned(self, now: float) -> bool:
        return self.banned_until > now

    def participant(self, now: float, *, only_ban: bool) -> Participant:
        """They have agreed to nothing here, so the first question comes at their next visit. `only_ban`: without what
        they said about themselves."""
        sanctions = (self.ban(now),) if self.is_banned(now) else ()
        if only_ban:
            return Participant(self.person, 1, seen_at=now, sanctions=sanctions)
        profile = Profile(None, self.age, now if self.age is not None else 0.0, self.gender, self.language)
        return Participant(
            self.person,
            1,
            self.bots[0] if self.bots else None,
            self.bots,
            profile,
            seen_at=min(self.last_active, now) or now,
            preferences=self.wants,
            vip_until=self.vip_until,
            blocked=self.blocked,
            blocked_at=(now,) * len(self.blocked),
            sanctions=sanctions,
        )

    def ban(self, now: float) -> Sanction:
        """Their ban, as a sanction. The same ban has the same id, so it counts once if it is imported again."""
        until = None if self.banned_until == FOREVER else self.banned_until
        named = hashlib.sha256(f"{self.person} {until}".encode()).hexdigest()[:10]
        return Sanction(named, SanctionKind.BANNED, Reason.OTHER, now, until, by=COMMAND_LINE, evidence="import")


def squeezed(name: str) -> str:
    """A column's name without what does not matter."""
    return re.sub(r"[\s_-]", "", name).lower()


def incoming(where: str, row: Mapping[str, Any], bots: Iterable[BotId]) -> Incoming:
    """`row`: by squeezed names. `bots`: those of the fleet; others cannot reach anybody. Raises: NotReadable."""
    known = tuple(bots)
    person = _id(row.get("telegramid"), "telegram_id")
    if person is None:
        raise NotReadable("telegram_id is missing")
    return Incoming(
        where,
        person,
        tuple(bot for each in _list(row.get("bot")) if (bot := _bot(each, known)) is not None),
        _gender(row.get("gender")),
        _age(row.get("age")),
        language(row.get("language")),
        min(time_of(row.get("vipuntil"), "vip_until"), LIFETIME),
        until if (until := time_of(row.get("banneduntil"), "banned_until")) < LIFETIME else FOREVER,
        tuple(
            dict.fromkeys(
                blocked
                for each in _list(row.get("blockedids"))
                if (blocked := _id(each, "blocked_ids")) is not None and blocked != person
            )
        ),
        _wants(row),
        time_of(row.get("lastactive"), "last_active"),
    )


def language(value: Any) -> str:
    """The language of an IETF tag, without its region. Empty if it is none."""
    found = re.match(r"([A-Za-z]{2,3})(?:[-_]|$)", str(value or "").strip())
    return found[1].lower() if found else ""


def _wants(row: Mapping[str, Any]) -> Preferences:
    gender = _gender(row.get("wantsgender"))
    least, most = _whole(row.get("wantsagemin"), "wants_age_min"), _whole(row.get("wantsagemax"), "wants_age_max")
    return Preferences((gender,) if gender is not None else (), least or None, most or None)


def _age(value: Any) -> int | None:
    """None if it is not a believable age: it is asked then."""
    age = _whole(value, "age")
    return age if age is not None and 1 <= age <= _OLDEST else None


def _gender(value: Any) -> Gender | None:
    return _GENDERS.get(str(value or "").strip().lower())


def _bot(value: Any, known: tuple[BotId, ...]) -> BotId | None:
    """A bot's id, or its position among the fleet's (`bot_0`)."""
    text = str(value).strip()
    if (found := re.fullmatch(r"bot_(\d{1,4})", text)) and int(found[1]) < len(known):
        return known[int(found[1])]
    return BotId(int(text)) if text.isdecimal() and len(text) < 20 and BotId(int(text)) in known else None


def _list(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    if isinstance(value, list | tuple):
        return list(value)
    return [part for part in re.split(r"[\s,;|]+", str(value).strip("[] ")) if part]


def _id(value: Any, column: str) -> PersonId | None:
    number = _whole(value, column)
    if number is None:
        return None
    if not 0 < number < _MOST_ID:
        raise NotReadable(f"{column} is not the id of a person")
    return PersonId(number)


def shown(name: str) -> str:
    """A name from a file, for a message: printable, and not too long."""
    return "".join(sign if sign.isprintable() else "?" for sign in name[:_MOST_SHOWN])


def yes_or_no(value: Any, column: str) -> bool | None:
    """Yes or no as databases and programs write it. None if it is empty. Raises: NotReadable, if it is neither."""
    text = "" if value is None else str(value).strip().lower()
    if text == "":
        return None
    if text not in _YES | _NO:
        raise NotReadable(f"{column} is neither yes nor no")
    return text in _YES


def _whole(value: Any, column: str) -> int | None:
    if value is None or isinstance(value, bool) or str(value).strip() == "":
        return None
    if isinstance(value, int):
        return value
    # A text has digits only: int() would also take "1_0" and "+5". A column of decimals writes 30.00.
    found = re.fullmatch(r"(-?[0-9]{1,40})(\.0*)?", str(value).strip()) if isinstance(value, str | float) else None
    if found is None:
        raise NotReadable(f"{column} is not a whole number")
    return int(found[1])


def time_of(value: Any, column: str) -> float:
    """Unix seconds or milliseconds, or ISO 8601; "forever", true and 1 mean for ever. 0.0 if it is empty, false or 0.

    Raises: NotReadable.
    """
    if isinstance(value, bool):
        return FOREVER if value else 0.0
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    text = str(value if value is not None else "").strip()
    if text.lower() in {"", "none", "null", "never"} | _NO:
        return 0.0
    if text.lower() in {"forever", "permanent", "lifetime", "infinity"} | _YES:
        return FOREVER
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return _moment_of_number(text, column)
    try:
        # Sequelize writes a space before the zone.
        moment = datetime.fromisoformat(re.sub(r"(?<!\s)\s{1,3}([+-]\d\d:?\d\d)$", r"\1", text))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise NotReadable(f"{column} is neither a date nor a Unix time") from None


def _moment_of_number(text: str, column: str) -> float:
    """A Unix time in seconds or milliseconds, or a date without hyphens: only one of them can be believed."""
    for number in (float(text), float(text) / 1000):
        if any(first <= number < last for first, last in (_UNIX, _LAST_DAYS)):
            return number
    try:
        return datetime.strptime(text, _BASIC[len(text)]).replace(tzinfo=UTC).timestamp()
    except (KeyError, ValueError):
        raise NotReadable(f"{column} {shown(text)} is neither a date nor a Unix time between 2015 and 2200") from None


def refusal(person: Incoming, minimum_age: int) -> str:
    """Why somebody is not taken in. Empty: they are."""
    if person.age is not None and person.age < minimum_age:
        return f"their age is under {minimum_age}"
    return ""
