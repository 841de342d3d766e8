"""Keeps after an erasure that somebody had the trial, a purchase, promo codes, a referral or a refund, so that nobody
has them once more by having their data erased."""

import math
from collections.abc import Iterable
from typing import Final

from passerby.domain.money.own_refund import ONCE_IN_S
from passerby.domain.money.wallets import DAY_S
from passerby.kernel.journey import Step
from passerby.kernel.participant import Participant
from passerby.kernel.spent import Spent

KEPT_S: Final = 365 * DAY_S
MONTH_S: Final = 30 * DAY_S


def has_bought(me: Participant) -> bool:
    """Whether they have ever bought something, also before an erasure."""
    return bool(_steps(me) & Step.PAID)


def has_talked_before(me: Participant) -> bool:
    """Whether they had their first real chat before an erasure: then they had their trial, and are no new friend."""
    return me.spent is not None and bool(me.spent.steps & Step.TALK)


def spent_by(me: Participant, at: float) -> Spent | None:
    """Return the part that an erasure at `at` leaves. None: nothing."""
    earlier = me.spent or Spent(0.0)
    refunded_at = me.wallet.refunded_at if me.wallet is not None else 0.0
    refund_over_at = _month_end(refunded_at + ONCE_IN_S) if refunded_at else 0.0
    no_refund_until = max(earlier.no_refund_until, refund_over_at)
    steps = _steps(me) & (Step.TALK | Step.PAID)
    used = me.wallet.codes if me.wallet is not None else ()
    codes = running((*earlier.codes, *used), at)
    if not steps and not codes and no_refund_until <= at:
        return None
    return Spent(_month_end(at + KEPT_S), steps, no_refund_until if no_refund_until > at else 0.0, codes)


def has_used_before(me: Participant, code: str) -> bool:
    """Whether they used this promo code before an erasure."""
    return me.spent is not None and any(name == code for name, _ in me.spent.codes)


def running(codes: Iterable[tuple[str, float]], at: float) -> tuple[tuple[str, float], ...]:
    """Those of these codes that are not over, each once."""
    return tuple(dict.fromkeys(each for each in codes if not each[1] or at < each[1]))


def _steps(me: Participant) -> int:
    steps = me.journey.steps if me.journey is not None else 0
    if me.spent is not None:
        steps |= me.spent.steps
    if me.wallet is not None and me.wallet.charges:
        steps |= Step.PAID
    return steps


def _month_end(at: float) -> float:
    return math.ceil(at / MONTH_S) * MONTH_S
