"""Decides which sanctions bind a person now, and how sanctions begin and end.

Nothing ends a sanction when its time is over: everybody who asks compares the times. So it ends on the second, even if
no process runs.
"""

import msgspec

from passerby.domain.karma import given_back
from passerby.domain.lifecycle import cancel, part, refresh_ticket
from passerby.domain.money.wallets import wallet_of, with_wallet
from passerby.kernel.decision import Env
from passerby.kernel.money import GrantSource, VipGrant
from passerby.kernel.participant import Chatting, Participant, Searching
from passerby.kernel.sanction import Appeal, Sanction, SanctionKind

APPEAL_S = 20 * 86_400.0
"""How long after its beginning a sanction can be appealed."""

WARNING_H = 24
"""A warning restricts nothing. For these hours, staff see it and the person can appeal. Nobody chooses its length."""

BARRING = (SanctionKind.SUSPENDED, SanctionKind.BANNED)
ENDING = (SanctionKind.AGE_DOUBT, *BARRING)
"""They end a chat that they forbid."""
_STRICTNESS = {kind: place for place, kind in enumerate(SanctionKind)}


GIVEN_BACK_S = 7 * 86_400.0
"""How long a sanction that was overturned is remembered."""


def binds(sanction: Sanction, now: float) -> bool:
    return sanction.until is None or now < sanction.until


def binding(me: Participant, now: float) -> tuple[Sanction, ...]:
    """The sanctions that bind a person now, the strictest first, and of equal ones the one that lasts longest."""
    bound = [each for each in me.sanctions if binds(each, now)]
    return tuple(sorted(bound, key=lambda each: (-_STRICTNESS[each.kind], -(each.until or float("inf")))))


def is_bound(me: Participant, kind: SanctionKind, now: float) -> bool:
    return any(each.kind is kind and binds(each, now) for each in me.sanctions)


def bar(me: Participant, now: float) -> Sanction | None:
    """The sanction that keeps a person from chatting at all."""
    return next((each for each in binding(me, now) if each.kind in BARRING), None)


def barred_until(me: Participant) -> float | None:
    """Until when a person is barred from chatting: infinity for good, None for not at all. It may be over."""
    ends = [each.until for each in me.sanctions if each.kind in BARRING]
    if None in ends:
        return float("inf")
    return max((end for end in ends if end is not None), default=None)


def impose(me: Participant, partner: Participant | None, sanction: Sanction, env: Env) -> tuple[Participant, ...]:
    """The people after a sanction of `me`: first `me`, then the partner of a chat that it ends.

    Nothing changes if they have this sanction already, if it is over, or if it was given back. It takes the place of
    an earlier one that rests on the same evidence, never of a later one: a case leads to one sanction, even if orders
    come twice or late.
    """
    same = [each for each in me.sanctions if sanction.evidence and each.evidence == sanction.evidence]
    known = any(each.id == sanction.id for each in me.sanctions) or any(each.since > sanction.since for each in same)
    if known or not binds(sanction, env.now):
        return ()
    others = (
        each for each in me.sanctions if (binds(each, env.now) and each not in same) or _was_given_back(each, env.now)
    )
    bound = msgspec.structs.replace(me, sanctions=(*others, sanction))
    if sanction.kind not in ENDING:
        return (bound,)
    match bound.state:
        case Searching():
            return (cancel(bound) if sanction.kind in BARRING else refresh_ticket(bound, env),)
        case Chatting():
            return part(bound, partner, env, reason="sanction", leaver=me.person)
        case _:
            return (bound,)


def _was_given_back(sanction: Sanction, now: float) -> bool:
    """Whether it was overturned lately: it is remembered, so that a repeated order does not bring it back."""
    return sanction.appeal is Appeal.OVERTURNED and sanction.until is not None and now - sanction.until < GIVEN_BACK_S


def lift(me: Participant, sanction_id: str, now: float) -> Participant:
    """The person without this sanction. It is `me` itself if it does not bind them."""
    kept = tuple(each for each in me.sanctions if each.id != sanction_id)
    was = next((each for each in me.sanctions if each.id == sanction_id), None)
    if was is None or not binds(was, now):
        return me
    return msgspec.structs.replace(me, sanctions=kept)


def may_appeal(sanction: Sanction, now: float) -> bool:
    """Whether there is still time to appeal this sanction. One appeal for each."""
    return sanction.appeal is Appeal.NONE and now - sanction.since < APPEAL_S


def appealable(me: Participant, now: float) -> Sanction | None:
    """The strictest sanction that a person can appeal now."""
    return next((each for each in binding(me, now) if may_appeal(each, now)), None)


def appeal(me: Participant, sanction: Sanction, now: float) -> Participant:
    """The person after they have appealed."""
    asked = msgspec.structs.replace(sanction, appeal=Appeal.OPEN, appealed_at=now)
    return msgspec.structs.replace(
        me, sanctions=tuple(asked if each.id == sanction.id else each for each in me.sanctions)
    )


def overturn(
    me: Participant, sanction: Sanction | None, costs: tuple[tuple[float, float], ...], now: float
) -> Participant:
    """The person as if they had been neither sanctioned nor reported: the sanction no longer applies, and they get back
    the karma, and the VIP time that passed while they were barred."""
    known = next((each for each in me.sanctions if sanction is not None and each.id == sanction.id), None)
    if known is not None and known.appeal is Appeal.OVERTURNED:
        return me
    if costs:
        me = msgspec.structs.replace(me, karma=given_back(me.karma, costs, now))
    if sanction is None:
        return me
    end = now if sanction.until is None else min(now, sanction.until)
    over = msgspec.structs.replace(known or sanction, until=end, appeal=Appeal.OVERTURNED)
    kept = tuple(each for each in me.sanctions if each.id != sanction.id)
    if sanction.kind in BARRING:
        lost_s = max(0.0, min(end, me.vip_until) - sanction.since)
        if lost_s:
            wallet = wallet_of(me, now)
            back = VipGrant(f"back-{sanction.id}", GrantSource.STAFF, now, lost_s)
            me = with_wallet(me, msgspec.structs.replace(wallet, grants=(*wallet.grants, back)), now)
    return msgspec.structs.replace(me, sanctions=(*kept, over))


def refused(me: Participant, sanction_id: str) -> Participant:
    """The person after their appeal was looked at and did not help. It is `me` itself if there is no such appeal."""
    if all(each.id != sanction_id or each.appeal is not Appeal.OPEN for each in me.sanctions):
        return me
    return msgspec.structs.replace(
        me,
        sanctions=tuple(
            msgspec.structs.replace(each, appeal=Appeal.UPHELD) if each.id == sanction_id else each
            for each in me.sanctions
        ),
    )
