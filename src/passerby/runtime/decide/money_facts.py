"""The facts about money, derived by comparing a person's wallet before and after a decision.

So no feature can forget one, and VIP can never be granted without the charge. Entries that a wallet has just dropped
(see `domain.money.wallets`) is no fact. There is one exception: a subscription that Telegram still renews, of a person
who is being erased. Its cancellation is owed.
"""

from collections.abc import Iterator

from passerby.kernel.money import (
    ChargeId,
    RefundedBy,
    RefundSeen,
    StarCallDone,
    StarCallKind,
    Subscription,
    SubscriptionState,
    Wallet,
)
from passerby.kernel.participant import Participant
from passerby.ports.facts import (
    ChargeTaken,
    Fact,
    GrantChanged,
    OrderPlaced,
    ReferralLinkMade,
    RefundMade,
    StarCallOwed,
    StarCallSettled,
    SubscriptionChanged,
)

_ENDED = (SubscriptionState.CANCELLING, SubscriptionState.ENDED)
_EMPTY = Wallet()


def ledger_fact(entry: StarCallDone | RefundSeen, now: float) -> Fact:
    if isinstance(entry, RefundSeen):
        return RefundMade(entry.bot, entry.charge, entry.stars, RefundedBy.TELEGRAM, now)
    return StarCallSettled(entry.kind, entry.bot, entry.charge, now)


def money_changed(before: Participant, after: Participant, now: float) -> list[Fact]:
    """Return the facts for the records about a changed wallet, in order: a charge comes before the facts that follow
    from it."""
    was, is_ = before.wallet or _EMPTY, after.wallet or _EMPTY
    person = after.person
    return [
        *(OrderPlaced(person, each, now) for each in is_.orders if each not in was.orders),
        *_charges(was, is_, after, now),
        *(SubscriptionChanged(person, each, now) for each in is_.subscriptions if each not in was.subscriptions),
        *(GrantChanged(person, each, now) for each in is_.grants if each not in was.grants),
        *_cancellations(was, is_, after, now),
        *([ReferralLinkMade(person, is_.invite, now)] if is_.invite and is_.invite != was.invite else []),
    ]


def _charges(was: Wallet, is_: Wallet, me: Participant, now: float) -> Iterator[Fact]:
    known = {(each.bot, each.id): each for each in was.charges}
    for charge in is_.charges:
        earlier = known.get((charge.bot, charge.id))
        if earlier is None:
            yield ChargeTaken(me.person, charge, now, me.journey.source if me.journey is not None else "")
        if charge.refund_owed_at and not charge.refunded_at and (earlier is None or not earlier.refund_owed_at):
            yield StarCallOwed(me.person, StarCallKind.REFUND, charge.bot, charge.id, charge.provider_id, now)
        if charge.refunded_at and (earlier is None or not earlier.refunded_at):
            assert charge.refunded_by is not None, "somebody wanted it"
            yield RefundMade(charge.bot, charge.id, charge.stars, charge.refunded_by, now)


def _cancellations(was: Wallet, is_: Wallet, me: Participant, now: float) -> Iterator[Fact]:
    # By its first charge: one invoice that was paid twice is two subscriptions.
    owed = {(each.bot, each.first) for each in was.subscriptions if each.state in _ENDED}
    for each in is_.subscriptions:
        if each.state is SubscriptionState.CANCELLING and (each.bot, each.first) not in owed:
            yield _cancel(me, each, now)
    if me.wallet is None:
        for each in was.subscriptions:
            if each.state not in _ENDED and each.paid_until > now:
                yield _cancel(me, each, now)


def _cancel(me: Participant, subscription: Subscription, now: float) -> Fact:
    first = ChargeId(subscription.first)
    return StarCallOwed(me.person, StarCallKind.CANCEL, subscription.bot, first, subscription.first_provider, now)
