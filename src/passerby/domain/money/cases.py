"""Payment cases: what a person asks staff about payments. One person has one open case at most."""

from typing import Final

import msgspec

from passerby.domain.money.wallets import new_code, wallet_of, with_wallet
from passerby.kernel.decision import Env
from passerby.kernel.money import OpenCase
from passerby.kernel.participant import Participant

LONGEST: Final = 1000
"""The longest question, and the longest answer, in characters."""


def open_case(me: Participant) -> OpenCase | None:
    """The case that staff have not answered."""
    return me.wallet.case if me.wallet is not None else None


def with_case(me: Participant, env: Env) -> tuple[Participant, OpenCase]:
    """The person with a new case."""
    opened = OpenCase(new_code(env.rng), env.now)
    wallet = msgspec.structs.replace(wallet_of(me, env.now), case=opened)
    return with_wallet(me, wallet, env.now), opened


def answered(me: Participant, case: str, now: float) -> Participant:
    """The person without this case. It is `me` itself if it is not open: it is answered, or they were erased."""
    if me.wallet is None or me.wallet.case is None or me.wallet.case.code != case:
        return me
    return with_wallet(me, msgspec.structs.replace(me.wallet, case=None), now)
