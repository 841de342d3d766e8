"""Things that everybody has only once and that a person had before an erasure. `domain.money.spent` has the rules."""

import msgspec


class Spent(msgspec.Struct, frozen=True, gc=False, array_like=True, omit_defaults=True):
    """No time in it is finer than a month of 30 days. Times are in Unix seconds.

    - `until`: for so long it is kept after the erasure.
    - `steps` are the bits of `Step.TALK` (they had the trial, and are no new friend) and `Step.PAID` (they bought).
    - `codes` are the promo codes that they used, with their ends.
    - `no_refund_until`: until then they take no refund themselves. 0: they took none lately.
    """

    until: float
    steps: int = 0
    no_refund_until: float = 0.0
    codes: tuple[tuple[str, float], ...] = ()
