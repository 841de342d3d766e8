"""Promo codes: free VIP days, or a discount on the first purchase."""

from enum import StrEnum

import msgspec


class PromoCode(msgspec.Struct, frozen=True, omit_defaults=True):
    """It gives `days`, or takes `percent` off the price of the first purchase.

    Times are in Unix seconds. `starts_at` and `ends_at` 0: no limit. `new_buyers`: only for people who have bought
    nothing yet. `made_by` is the number of a staff member.
    """

    code: str
    days: int = 0
    percent: int = 0
    most_uses: int = 1
    starts_at: float = 0.0
    ends_at: float = 0.0
    new_buyers: bool = False
    made_at: float = 0.0
    made_by: int = 0
    revoked_at: float | None = None
    uses: int = 0


class RedemptionOutcome(StrEnum):
    """There is a text for each (`promo.redeem_...`)."""

    OK = "ok"
    UNKNOWN = "unknown"
    EARLY = "early"
    OVER = "over"
    """Revoked, or its last day is past."""
    USED_UP = "used_up"
    MINE = "mine"
    """This person has used it."""
    BUYER = "buyer"
    """It is for people who have bought nothing yet."""
    AWAY = "away"
    """We could not look."""


class Redemption(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person's use of a code. If it is OK, the use is counted, and stays theirs: the same code again is OK until the
    records know what came of it. `grant` is the code of the VIP grant that follows from it."""

    outcome: RedemptionOutcome
    code: str = ""
    grant: str = ""
    days: int = 0
    percent: int = 0
    ends_at: float = 0.0


class Discount(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A discount on a person's first purchase. `ends_at` 0: no limit."""

    code: str
    percent: int
    ends_at: float = 0.0
