"""A row of `chats` as a row of `past_chats`, and what that row says.

The digits of `outcome` are: the reason (one or two digits); who closed the chat (1: user1, 2: user2, 0: neither); how
user1 rated user2, and user2 user1 (1: bad, 2: not, 3: good). One number of two bytes saves eight bytes a row:
PostgreSQL rounds rows up to multiples of eight.
"""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from passerby.adapters.sql.tables import past_chats
from passerby.kernel.history import PastChat
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Rating

REASONS: Final = ("", "next", "stop", "idle", "block", "report", "blocked", "bot_lost", "lost")
"""A past chat keeps the number of its reason here; 0 for any other one. Only add at the end, 32 at most."""

_MOST_S: Final = 2**15 - 1
_DIGITS: Final = {Rating.BAD: 1, None: 2, Rating.GOOD: 3}
_RATINGS: Final = {digit: rating for rating, digit in _DIGITS.items()}
_UNRATED: Final = _DIGITS[None]


def pack(row: Mapping[str, Any]) -> dict[str, int]:
    """`row`: of `chats`, closed."""
    by = row["closed_by"]
    reason = REASONS.index(row["reason"]) if row["reason"] in REASONS else 0
    closed_by = 1 if by == row["user1"] else 2 if by == row["user2"] else 0
    first, second = (_DIGITS.get(row[name], _UNRATED) for name in ("rating1", "rating2"))
    return {
        "user1": row["user1"],
        "user2": row["user2"],
        "opened_min": int(row["opened_at"] // 60),
        "lasted_s": min(_MOST_S, lasted_s(row)),
        "outcome": reason * 1000 + closed_by * 100 + first * 10 + second,
    }


def lasted_s(row: Mapping[str, Any]) -> int:
    """`row`: of `chats`, closed."""
    return max(0, round(float(row["closed_at"]) - float(row["opened_at"])))


def unpack(row: Mapping[str, Any], person: PersonId) -> PastChat:
    """Return a row of `past_chats` from a person's side. It has no id and no bot any more."""
    is_first, outcome = row["user1"] == person, row["outcome"]
    opened_at = row["opened_min"] * 60.0
    return PastChat(
        chat=ChatId(""),
        partner=PersonId(row["user2" if is_first else "user1"]),
        bot=None,
        opened_at=opened_at,
        closed_at=opened_at + row["lasted_s"],
        left=outcome // 100 % 10 == (1 if is_first else 2),
        reason=REASONS[outcome // 1000] or None,
        rating=_RATINGS[outcome // 10 % 10 if is_first else outcome % 10],
    )


def without_side(side: int) -> dict[str, sa.ColumnElement[Any]]:
    """The outcome without what one side did: whether they closed the chat, and how they rated the other."""
    outcome, place = past_chats.c.outcome, 10 if side == 1 else 1
    rating = outcome // place % 10
    closed = sa.case((outcome // 100 % 10 == side, side * 100), else_=0)
    return {"outcome": outcome - closed - (rating - _UNRATED) * place}
