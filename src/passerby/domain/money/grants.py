"""VIP time that somebody did not buy themselves. The same grant twice is one grant."""

from typing import Final

import msgspec

from passerby.domain.money.timeline import cut
from passerby.domain.money.wallets import DAY_S, wallet_of, with_wallet
from passerby.kernel.money import GrantSource, VipGrant
from passerby.kernel.participant import Participant

BACK: Final = "back-"
"""Begins the code of a grant that gives back what was taken of another one."""


def give(me: Participant, source: GrantSource, code: str, days: float, now: float) -> Participant:
    """The person with this grant. It is `me` itself if they have it already."""
    wallet = wallet_of(me, now)
    if any(each.code == code for each in wallet.grants):
        return me
    grant = VipGrant(code, source, now, lasts_s=days * DAY_S)
    return with_wallet(me, msgspec.structs.replace(wallet, grants=(*wallet.grants, grant)), now)


def give_back(me: Participant, code: str, now: float) -> Participant:
    """The person with what was taken back of a grant, as a new one. It is `me` itself if that is nothing."""
    if me.wallet is None or not (lost_s := sum(each.lost_s for each in me.wallet.grants if each.code == code)):
        return me
    kept = [msgspec.structs.replace(each, lost_s=0.0) if each.code == code else each for each in me.wallet.grants]
    back = VipGrant(f"{BACK}{code}", GrantSource.STAFF, now, lost_s)
    return with_wallet(me, msgspec.structs.replace(me.wallet, grants=(*kept, back)), now)


def take_back(me: Participant, code: str, now: float) -> Participant:
    """The person without what a grant still had. It is `me` itself if that is nothing."""
    if me.wallet is None:
        return me
    grants = cut(me.wallet.grants, code, now)
    if grants == me.wallet.grants:
        return me
    return with_wallet(me, msgspec.structs.replace(me.wallet, grants=grants), now)
