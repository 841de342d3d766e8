"""VIP time that somebody did not buy themselves. The same grant twice is one grant."""

import msgspec

from passerby.domain.money.timeline import cut
from passerby.domain.money.wallets import DAY_S, wallet_of, with_wallet
from passerby.kernel.money import GrantSource, VipGrant
from passerby.kernel.participant import Participant


def give(me: Participant, source: GrantSource, code: str, days: float, now: float) -> Participant:
    """The person with this grant. It is `me` itself if they have it already."""
    wallet = wallet_of(me, now)
    if any(each.code == code for each in wallet.grants):
        return me
    grant = VipGrant(code, source, now, lasts_s=days * DAY_S)
    return with_wallet(me, msgspec.structs.replace(wallet, grants=(*wallet.grants, grant)), now)


def take_back(me: Participant, code: str, now: float) -> Participant:
    """The person without what a grant still had. It is `me` itself if that is nothing."""
    if me.wallet is None:
        return me
    grants = cut(me.wallet.grants, code, now)
    if grants == me.wallet.grants:
        return me
    return with_wallet(me, msgspec.structs.replace(me.wallet, grants=grants), now)
