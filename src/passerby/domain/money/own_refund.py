"""Decides when a buyer may take a refund themselves: they changed their mind, and used nothing of it yet."""

from enum import StrEnum

from passerby.domain.money.wallets import DAY_S
from passerby.kernel.money import Charge, Wallet
from passerby.kernel.participant import Participant

WITHIN_S = DAY_S
ONCE_IN_S = 90 * DAY_S


class NoRefund(StrEnum):
    """Why not. There is a text for each (`vip.no_refund_...`)."""

    DONE = "done"
    TOO_LATE = "too_late"
    USED = "used"
    ONCE = "once"
    REFUSED = "refused"
    """Telegram has refused it for good."""
    GIFT = "gift"
    """Whether the receiver has used it is no business of the giver's."""


def refund_denied(me: Participant, charge: Charge, now: float) -> NoRefund | None:
    """Why the buyer cannot take this refund themselves; None if they can. Staff may refund in any case."""
    wallet = me.wallet or Wallet()
    if charge.refund_owed_at or charge.refunded_at:
        return NoRefund.DONE
    if charge.refund_refused_at:
        return NoRefund.REFUSED
    if charge.gift:
        return NoRefund.GIFT
    if now - charge.paid_at >= WITHIN_S:
        return NoRefund.TOO_LATE
    if wallet.filtered_at >= charge.paid_at:
        return NoRefund.USED
    if me.spent is not None and now < me.spent.no_refund_until:
        return NoRefund.ONCE
    if wallet.refunded_at and now - wallet.refunded_at < ONCE_IN_S:
        return NoRefund.ONCE
    return None
