"""The sums of what a staff member did during the last day without a second member."""

import msgspec


class Alone(msgspec.Struct, frozen=True):
    """`stars`: refunded. `promo_days`: the VIP days that new promo codes are worth. `lifts`: sanctions ended.
    `reached`: the people to whom broadcasts were started. `imposed`: accounts that were sanctioned. `freed`: accounts
    of farms that were freed."""

    stars: int = 0
    promo_days: int = 0
    lifts: int = 0
    reached: int = 0
    imposed: int = 0
    freed: int = 0


NOTHING_ALONE = Alone()
