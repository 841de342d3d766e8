"""A wallet: what is kept in it, and for how long."""

from random import Random

import msgspec

from passerby.domain.money.timeline import vip_end
from passerby.domain.support import LETTERS
from passerby.kernel.money import (
    Charge,
    GrantSource,
    PurchaseId,
    PurchaseOrder,
    Subscription,
    SubscriptionState,
    VipGrant,
    Wallet,
)
from passerby.kernel.participant import Participant

DAY_S = 86_400.0

GRACE_S = DAY_S
"""How long after a subscription's date its VIP goes on: the update about the renewal may be late."""

ORDER_S = DAY_S
"""How long an invoice can be paid. Telegram's never expire."""

ORDERS_KEPT_S = 3 * DAY_S
"""A payment may come this long after its checkout: updates live a day, and an outage may take that long."""

MOST_ORDERS = 20
CHARGES_KEPT_S = 90 * DAY_S
OVER_KEPT_S = 7 * DAY_S

CODE_LENGTH = 10
"""50 random bits."""


def wallet_of(me: Participant, now: float) -> Wallet:
    """The person's wallet. VIP time from before this ledger becomes its first grant."""
    if me.wallet is not None:
        return me.wallet
    if me.vip_until <= now:
        return Wallet()
    return Wallet(grants=(VipGrant("earlier", GrantSource.EARLIER, now, until=me.vip_until),))


def with_wallet(me: Participant, wallet: Wallet, now: float) -> Participant:
    """The person with this wallet, without what is no longer needed in it. VIP follows from its grants."""
    kept = msgspec.structs.replace(
        wallet,
        orders=tuple(each for each in wallet.orders if now < each.made_at + ORDERS_KEPT_S)[-MOST_ORDERS:],
        charges=tuple(each for each in wallet.charges if _is_kept(each, now) or _is_needed(each, me, wallet)),
        early_refunds=tuple(each for each in wallet.early_refunds if now < each.at + ORDERS_KEPT_S)[-MOST_ORDERS:],
        subscriptions=tuple(each for each in wallet.subscriptions if now < each.paid_until + OVER_KEPT_S),
    )
    # Not in the change that cuts a grant: the records must hear of the cut first.
    is_settled = me.wallet is not None and kept.grants == me.wallet.grants
    if is_settled and vip_end(kept.grants) + OVER_KEPT_S <= now:
        kept = msgspec.structs.replace(kept, grants=())
    return msgspec.structs.replace(me, wallet=kept, vip_until=vip_end(kept.grants))


def _is_kept(charge: Charge, now: float) -> bool:
    return now < charge.paid_at + CHARGES_KEPT_S or (charge.refund_owed_at > 0 and not charge.refunded_at)


def _is_needed(charge: Charge, me: Participant, wallet: Wallet) -> bool:
    """Whether a charge that is too old to be kept must stay: the records have not heard of it, or it was found late and
    its VIP time goes on. Otherwise the sweep would find it once more."""
    known = me.wallet.charges if me.wallet is not None else ()
    is_new = all((each.bot, each.id) != (charge.bot, charge.id) for each in known)
    return is_new or (charge.found and any(each.code == charge.code for each in wallet.grants))


def order_for(wallet: Wallet, payload: str) -> PurchaseOrder | None:
    return next((each for each in wallet.orders if each.id == payload), None)


def subscription_for(wallet: Wallet, payload: str) -> Subscription | None:
    return next((each for each in wallet.subscriptions if each.order == payload), None)


def runs(subscription: Subscription, now: float) -> bool:
    """Whether it is paid for, or Telegram may be renewing it: the update may be late, and our clock fast."""
    is_awaited = subscription.state is SubscriptionState.ACTIVE
    return subscription.paid_until + (GRACE_S if is_awaited else 0.0) > now


def new_order_id(rng: Random) -> PurchaseId:
    return PurchaseId(f"{rng.getrandbits(128):032x}")


def new_code(rng: Random) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(CODE_LENGTH))


def read_code(words: str) -> str | None:
    """The code of a purchase that somebody typed, however they write it. None if it is none."""
    letters = "".join(each for each in words.upper() if each.isalnum())
    return letters if len(letters) == CODE_LENGTH and set(letters) <= set(LETTERS) else None
