"""Referrals: which newcomer counts for whoever invited them, and when the VIP days are given, or taken back.

A friend counts who is new to the whole fleet, came by the link, and had three real chats with different people within a
week. The days are given an hour later, to both. Until then blocks can come, and a farm can be found.
"""

from typing import Final

import msgspec

from passerby.domain.farms.challenge import is_asked
from passerby.domain.money.grants import give
from passerby.domain.money.wallets import new_code, read_code, wallet_of, with_wallet
from passerby.domain.sanctions import binding
from passerby.kernel.decision import Env
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.journey import COUNTED_TALKS
from passerby.kernel.money import GrantSource
from passerby.kernel.participant import Participant
from passerby.kernel.referral import Referral, ReferralOutcome
from passerby.kernel.sanction import SanctionKind

LINK: Final = "r_"
"""The start of a link's parameter that invites somebody: `?start=r_TOKEN`."""

WEEK_S: Final = 7 * 86_400.0
MONTH_S: Final = 30 * 86_400.0
WAIT_S: Final = 3600.0
"""How long after the last of these chats it is decided."""

TAKEN_BACK_WITHIN_S: Final = MONTH_S


def token_in_link(payload: str) -> str | None:
    """The token that a link brings, if it is one."""
    return read_code(payload.removeprefix(LINK)) if payload.startswith(LINK) else None


def with_link(me: Participant, env: Env) -> tuple[Participant, str]:
    """The person and the token of their link. It is `me` itself if they have one."""
    wallet = wallet_of(me, env.now)
    if wallet.invite:
        return me, wallet.invite
    token = new_code(env.rng)
    return with_wallet(me, msgspec.structs.replace(wallet, invite=token), env.now), token


def invited(me: Participant, token: str) -> Participant:
    """A newcomer whose link brought this token."""
    assert me.journey is not None, "their first start is counted"
    return msgspec.structs.replace(me, journey=msgspec.structs.replace(me.journey, invite=token))


def after_real_chat(me: Participant, chat: ChatId, partner: PersonId, now: float) -> Participant:
    """The person after a chat became a real one. It is `me` itself if it does not count for a referral."""
    journey = me.journey
    if journey is None or not journey.invite or len(journey.talks) >= COUNTED_TALKS or now > journey.began_at + WEEK_S:
        return me
    if any(met.person == partner and met.chat in journey.talks for met in me.recent):
        return me
    return msgspec.structs.replace(me, journey=msgspec.structs.replace(journey, talks=(*journey.talks, chat)))


def reached(before: Participant, after: Participant) -> str:
    """The token for which this change is the last chat that was needed. Empty: it is not."""
    journey = after.journey
    if journey is None or len(journey.talks) < COUNTED_TALKS or before.journey is journey:
        return ""
    return journey.invite if before.journey is None or len(before.journey.talks) < COUNTED_TALKS else ""


def verdict(
    referral: Referral, friend: Participant | None, inviter: Participant | None, most: int, now: float
) -> ReferralOutcome | None:
    """Return the outcome of a referral. `most`: see `Rules.referrals_a_month`. None: it is not certain yet."""
    if friend is None or inviter is None or friend.person == inviter.person:
        return ReferralOutcome.GONE
    if _is_apart(friend, now) or _is_apart(inviter, now):
        return ReferralOutcome.FARM
    if is_banned(friend, now) or is_banned(inviter, now):
        return ReferralOutcome.BARRED
    if referral.affiliate:
        return ReferralOutcome.AFFILIATE
    if 2 * referral.blocked_by > max(referral.met, COUNTED_TALKS):
        return ReferralOutcome.BLOCKED
    if referral.given >= most:
        return ReferralOutcome.CAP
    if is_asked(friend) and now < referral.reached_at + WEEK_S:
        return None
    return ReferralOutcome.GIVEN


def is_over(friend: Participant | None, now: float) -> bool:
    """Whether what was given for this friend must be taken back. Nobody loses anything by somebody's erasure."""
    return friend is not None and (_is_apart(friend, now) or is_banned(friend, now))


def _is_apart(me: Participant, now: float) -> bool:
    return me.watched is not None and me.watched.apart_until > now


def is_banned(me: Participant, now: float) -> bool:
    """Whether a ban without an end binds them."""
    return any(each.kind is SanctionKind.BANNED and each.until is None for each in binding(me, now))


def rewarded(me: Participant, grant: str, days: int, now: float) -> Participant:
    """The person with these VIP days. It is `me` itself if they have them already, or were erased."""
    return me if me.is_blank else give(me, GrantSource.REFERRAL, grant, days, now)
