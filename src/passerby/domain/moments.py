"""Moments as people type them: `2026-12-01T18:00`, always UTC.

The days are counted as in "chrono-Compatible Low-Level Date Algorithms" by Howard Hinnant (`days_from_civil`).
"""

import re
from typing import Final

DAY_S: Final = 86_400
_TYPED: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})")
_ERA_DAYS: Final = 146_097
"""Days in 400 years."""
_EPOCH_DAYS: Final = 719_468
"""Days from 1 March of the year 0 to 1 January 1970."""


def moment(typed: str) -> float:
    """In Unix seconds. Raises: ValueError, if it is not such a moment."""
    found = _TYPED.fullmatch(typed)
    if found is None:
        raise ValueError(typed)
    year, month, day, hour, minute = map(int, found.groups())
    at = _days(year, month, day) * DAY_S + hour * 3600 + minute * 60
    if shown(at) != typed:
        raise ValueError(typed)
    return float(at)


def shown(at: float) -> str:
    """As it would be typed. Seconds are left out."""
    days, second = divmod(int(at), DAY_S)
    days += _EPOCH_DAYS
    era, of_era = divmod(days, _ERA_DAYS)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    since_march = (5 * of_year + 2) // 153
    day = of_year - (153 * since_march + 2) // 5 + 1
    month = since_march + 3 if since_march < 10 else since_march - 9  # January is the eleventh
    year = year_of_era + era * 400 + (month <= 2)
    return f"{year:04}-{month:02}-{day:02}T{second // 3600:02}:{second // 60 % 60:02}"


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970. Years begin in March here, so that the leap day is the last one."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * _ERA_DAYS + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + of_year - _EPOCH_DAYS
