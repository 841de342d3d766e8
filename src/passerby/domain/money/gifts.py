"""Gifts: somebody pays, and somebody else gets the VIP time. Neither learns who the other is.

A gift is for the present partner, the last one or a friend. The buttons look the same whether or not the other has
blocked the giver, and so does the checkout: only a gift that was paid can fail, and then it says only that it could not
be delivered. Why it failed (blocked, banned, gone) is never said. The Stars go back by themselves.

The receiver's grant has a code of its own, so that nobody can compare it with the giver's purchase.
"""

from collections.abc import Iterable

import msgspec

from passerby.domain.money.grants import give
from passerby.domain.money.payments import owe_refund
from passerby.domain.money.wallets import with_wallet
from passerby.domain.sanctions import bar
from passerby.kernel.decision import Env
from passerby.kernel.ids import PersonId
from passerby.kernel.money import ERASED_RECEIVER, Charge, GrantSource, Plan, RefundedBy
from passerby.kernel.participant import Chatting, Participant


def gift_plans(plans: Iterable[Plan]) -> tuple[Plan, ...]:
    """Return the plans that can be given. A subscription cannot: it would charge the giver on and on."""
    return tuple(plan for plan in plans if not plan.renews)


def receiver(me: Participant, token: str) -> PersonId | None:
    """The person for whom a token stands, if `me` may give them something. Tokens are ids of chats, or of friends."""
    found: PersonId | None = None
    if isinstance(me.state, Chatting) and me.state.chat == token:
        found = me.state.partner
    elif me.last is not None and me.last.chat == token:
        found = me.last.partner
    else:
        found = next((each.person for each in me.saved if each.mutual and each.token == token), None)
    return found if found not in me.blocked else None


def takes_gifts(them: Participant | None, giver: Participant, now: float) -> bool:
    """Whether a gift can be delivered. Each of the two can prevent it by a block."""
    if them is None or them.bot is None or not them.profile.complete or bar(them, now) is not None:
        return False
    is_leaving = them.requests is not None and them.requests.erase_at > 0
    return not is_leaving and giver.person not in them.blocked and them.person not in giver.blocked


def delivered(
    me: Participant, charge: Charge, them: Participant | None, days: float, env: Env
) -> tuple[Participant, ...]:
    """The giver and the receiver after a gift was paid. Only the giver, if it cannot be delivered: then its refund is
    owed."""
    if them is None or not takes_gifts(them, me, env.now):
        return (owe_refund(me, charge, RefundedBy.RULE, env.now),)
    return me, give(them, GrantSource.GIFT, charge.gift, days, max(env.now, charge.paid_at))


def without_receiver(me: Participant, whom: PersonId, now: float) -> Participant:
    """The giver's value after the receiver was erased. Their invoice may still be paid; then the Stars go back."""
    if me.wallet is None or not names(me, whom):
        return me
    orders = tuple(
        msgspec.structs.replace(each, gift_to=ERASED_RECEIVER) if each.gift_to == whom else each
        for each in me.wallet.orders
    )
    charges = tuple(
        msgspec.structs.replace(each, gift_to=PersonId(0)) if each.gift_to == whom else each
        for each in me.wallet.charges
    )
    return with_wallet(me, msgspec.structs.replace(me.wallet, orders=orders, charges=charges), now)


def names(me: Participant, whom: PersonId) -> bool:
    """Whether the person's wallet names somebody as the receiver of a gift."""
    wallet = me.wallet
    if wallet is None:
        return False
    return whom in {*(each.gift_to for each in wallet.orders), *(each.gift_to for each in wallet.charges)}
