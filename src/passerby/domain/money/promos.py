"""Promo codes: how people write them, who may try, and what follows from a redemption."""

import re
from typing import Final

import msgspec

from passerby.domain.money.grants import give
from passerby.domain.money.spent import has_bought, running
from passerby.domain.money.wallets import wallet_of, with_wallet
from passerby.kernel.decision import Env
from passerby.kernel.money import GrantSource, Plan, Wallet
from passerby.kernel.participant import Participant
from passerby.kernel.promo import Discount, Redemption, RedemptionOutcome

LINK: Final = "p_"
"""The start of a link's parameter that carries a promo code: `?start=p_CODE`."""

SHORTEST: Final = 4
LONGEST: Final = 32
_CODE = re.compile(rf"[A-Z0-9](?:[A-Z0-9-]{{{SHORTEST - 2},{LONGEST - 2}}})[A-Z0-9]")

MOST_CODES: Final = 50
WRONG_TRIES: Final = 5
WRONG_WITHIN_S: Final = 300.0


def read_code(words: str) -> str | None:
    """The code that somebody typed, in capitals. None if it cannot be one."""
    code = words.strip().upper()
    return code if _CODE.fullmatch(code) else None


def code_in_link(payload: str) -> str | None:
    """The code that a link brings, if it is one."""
    return read_code(payload.removeprefix(LINK)) if payload.startswith(LINK) else None


def tries_too_often(me: Participant, now: float) -> bool:
    """Whether somebody has tried too many codes that do not exist."""
    tries = me.wallet.tries if me.wallet is not None else ()
    # A time in the future is from a clock that was wrong.
    return sum(0 <= now - at < WRONG_WITHIN_S for at in tries) >= WRONG_TRIES


def tried_wrongly(me: Participant, now: float) -> Participant:
    wallet = wallet_of(me, now)
    return with_wallet(me, msgspec.structs.replace(wallet, tries=(*wallet.tries, now)[-WRONG_TRIES:]), now)


def redeemed(me: Participant, redemption: Redemption, env: Env) -> Participant:
    """The person after a redemption that is OK. It is `me` itself if they have what follows from it already."""
    assert redemption.outcome is RedemptionOutcome.OK, "nothing follows from others"
    if redemption.days:
        given = give(me, GrantSource.PROMO, redemption.grant, redemption.days, env.now)
        if given is me:
            return me
        noted = _with_code(wallet_of(given, env.now), redemption, env.now)
        return with_wallet(given, noted, env.now)
    discount = Discount(redemption.code, redemption.percent, redemption.ends_at)
    wallet = wallet_of(me, env.now)
    if wallet.discount == discount:
        return me
    noted = _with_code(wallet, redemption, env.now)
    return with_wallet(me, msgspec.structs.replace(noted, discount=discount), env.now)


def _with_code(wallet: Wallet, redemption: Redemption, now: float) -> Wallet:
    """Without the codes that are over."""
    codes = (*wallet.codes, (redemption.code, redemption.ends_at))
    return msgspec.structs.replace(wallet, codes=running(codes, now)[-MOST_CODES:])


def discount_of(me: Participant, now: float) -> Discount | None:
    """The discount that counts now: until the first purchase, or until it ends."""
    wallet = me.wallet
    if wallet is None or wallet.discount is None or has_bought(me):
        return None
    return wallet.discount if not wallet.discount.ends_at or now < wallet.discount.ends_at else None


def price_of(plan: Plan, me: Participant, now: float) -> int:
    """Return the price of a plan for this person, in Stars: at least one. A subscription keeps its price, because every
    renewal would be cheaper, too."""
    discount = discount_of(me, now)
    if discount is None or plan.renews:
        return plan.stars
    return max(1, -(-plan.stars * (100 - discount.percent) // 100))
