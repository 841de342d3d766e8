"""Trials: some VIP days after somebody's first real chat, once in the whole fleet. They end by themselves."""

from passerby.domain.entitlement import is_vip
from passerby.domain.money.grants import give
from passerby.domain.money.spent import has_bought, has_talked_before
from passerby.domain.money.timeline import pieces
from passerby.domain.money.wallets import new_code
from passerby.kernel.decision import Env
from passerby.kernel.money import GrantSource, Wallet
from passerby.kernel.participant import Participant


def with_trial(me: Participant, env: Env) -> Participant:
    """The person after their first real chat. It is `me` itself if they get no trial: they are a VIP, or bought, or had
    such a chat before an erasure."""
    if not env.rules.trial_days or is_vip(me, env.now) or has_bought(me) or has_talked_before(me):
        return me
    return give(me, GrantSource.TRIAL, new_code(env.rng), env.rules.trial_days, env.now)


def ends_with_trial(wallet: Wallet) -> bool:
    """Whether the last VIP time of somebody is a trial. Its end is told once, when it comes."""
    last = max(pieces(wallet.grants), key=lambda piece: piece.until, default=None)
    sources = {each.code: each.source for each in wallet.grants}
    return last is not None and sources[last.code] is GrantSource.TRIAL
