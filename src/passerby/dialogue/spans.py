"""Says in words for staff how long something takes or has waited."""

from typing import Final

from passerby.kernel.text import Text, text

MINUTE_S: Final = 60
HOUR_S: Final = 3600
DAY_S: Final = 86_400


def span(seconds: float) -> Text:
    """In minutes below two hours, in hours below two days, else in days: whole ones, rounded down."""
    whole = max(0, int(seconds))
    if whole < 2 * HOUR_S:
        return text("people.minutes", minutes=whole // MINUTE_S)
    if whole < 2 * DAY_S:
        return text("people.hours", hours=whole // HOUR_S)
    return text("people.days", days=whole // DAY_S)
