"""Finds the people whose VIP time ends, to tell them: once a day before, and once when it has ended."""

import msgspec

from passerby.domain.money.trials import ends_with_trial
from passerby.domain.money.wallets import DAY_S
from passerby.kernel.money import SubscriptionState, Wallet
from passerby.kernel.participant import Participant

SOON_S = DAY_S
LATE_S = 2 * DAY_S
"""An end that is further back is not news any more."""


def is_due(me: Participant, now: float) -> bool:
    """Whether the person has to be told something about the end of their VIP time now."""
    wallet, until = me.wallet or Wallet(), me.vip_until
    if not until or until + LATE_S <= now:
        return False
    if until <= now:
        return wallet.told_end != until
    is_told = wallet.told_until == until or ends_with_trial(wallet)
    return until - now <= SOON_S and not is_told and not _goes_on(wallet, now)


def told_of_end(me: Participant, now: float) -> Participant:
    """The person who needs no more news about the end of their VIP time, if it has come."""
    if me.wallet is None or me.vip_until > now:
        return me
    told = msgspec.structs.replace(me.wallet, told_until=me.vip_until, told_end=me.vip_until)
    return msgspec.structs.replace(me, wallet=told)


def _goes_on(wallet: Wallet, now: float) -> bool:
    """Whether Telegram is about to renew a subscription. Then nothing ends."""
    return any(each.state is SubscriptionState.ACTIVE and each.paid_until > now for each in wallet.subscriptions)
