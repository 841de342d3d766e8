"""Referrals: a friend came by somebody's own link, and both may get VIP days. See `domain.money.referrals`."""

from enum import StrEnum

import msgspec

from passerby.kernel.ids import PersonId


class ReferralOutcome(StrEnum):
    """The outcome of a referral. Only the first one gives anything."""

    GIVEN = "given"
    GONE = "gone"
    """One of the two was erased."""
    BLOCKED = "blocked"
    """Most people whom the friend met have blocked them."""
    FARM = "farm"
    """One of the two behaves like a farm's account."""
    BARRED = "barred"
    AFFILIATE = "affiliate"
    """Telegram's affiliate programme was paid for the friend already."""
    CAP = "cap"
    """The inviter has got enough of them this month."""
    TAKEN_BACK = "taken_back"
    """It was given, and the friend turned out to be a farm's account, or was banned."""


class Referral(msgspec.Struct, frozen=True):
    """A friend who came by a link and has had enough real chats. `inviter` 0: they were erased.

    - `met`: how many people the friend met, and `blocked_by`: how many of those who know them block them.
    - `given`: for how many friends the inviter got VIP days in the last 30 days.
    - `affiliate`: Telegram has paid an affiliate for a purchase of the friend's.
    """

    friend: PersonId
    inviter: PersonId
    reached_at: float
    met: int = 0
    blocked_by: int = 0
    given: int = 0
    affiliate: bool = False


class Reward(msgspec.Struct, frozen=True):
    """VIP days that somebody has to get: a grant with this code. `for_friend`: as the one who was invited."""

    person: PersonId
    grant: str
    for_friend: bool
