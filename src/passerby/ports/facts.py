"""Facts for the records. The journal carries them from the live store to SQL, in order; each is applied once."""

import msgspec

from passerby.kernel.ids import BotId, ChatId, MessageRef, PersonId
from passerby.kernel.journey import Step
from passerby.kernel.money import (
    Charge,
    ChargeId,
    PurchaseOrder,
    RefundedBy,
    StarCallKind,
    Subscription,
    VipGrant,
)
from passerby.kernel.participant import Complaint, Participant, Rating
from passerby.kernel.sanction import Sanction


class PersonChanged(msgspec.Struct, frozen=True, gc=False, tag="person"):
    """The person's newest value. `at` in Unix seconds, like every time here."""

    participant: Participant
    at: float


class ChatOpened(msgspec.Struct, frozen=True, gc=False, tag="opened"):
    chat: ChatId
    first: PersonId
    second: PersonId
    first_bot: BotId
    second_bot: BotId
    at: float


class ChatClosed(msgspec.Struct, frozen=True, gc=False, tag="closed"):
    chat: ChatId
    by: PersonId | None
    reason: str
    at: float


class ChatTold(msgspec.Struct, frozen=True, gc=False, tag="told"):
    """The notice about a chat has reached a person. Only this part of the message map outlives the live store."""

    chat: ChatId
    person: PersonId
    anchor: MessageRef
    at: float


class ChatRated(msgspec.Struct, frozen=True, gc=False, tag="rated"):
    chat: ChatId
    by: PersonId
    rating: Rating
    at: float


class ComplaintFiled(msgspec.Struct, frozen=True, gc=False, tag="complaint", omit_defaults=True):
    """`cost` and `retaliates`: see `kernel.opinion.Complain`."""

    chat: ChatId
    by: PersonId
    whom: PersonId
    reason: Complaint
    at: float
    cost: float = 0.0
    retaliates: bool = False


class ComplaintExplained(msgspec.Struct, frozen=True, gc=False, tag="explained"):
    """The comment of the person who filed a complaint. `words` are encrypted. Only the first comment counts."""

    chat: ChatId
    by: PersonId
    words: bytes
    at: float


class PaymentCaseOpened(msgspec.Struct, frozen=True, gc=False, tag="payment_case"):
    """A person asked staff about their payments, or added to the open case with this code. `words` are encrypted."""

    person: PersonId
    case: str
    words: bytes
    at: float


class ReferralLinkMade(msgspec.Struct, frozen=True, gc=False, tag="referral_link"):
    """A person got a link of their own, with this token."""

    person: PersonId
    token: str
    at: float


class ReferralReached(msgspec.Struct, frozen=True, gc=False, tag="referral"):
    """A person who came by the link with this token has had enough real chats. Only the first one counts."""

    person: PersonId
    token: str
    at: float


class EvidenceKept(msgspec.Struct, frozen=True, gc=False, tag="evidence"):
    """A message that a reporter chose. `sealed` is encrypted; `digest` is the hexadecimal SHA-256 of it. The same
    `place` again changes nothing."""

    chat: ChatId
    by: PersonId
    whom: PersonId
    place: int
    sealed: bytes
    digest: str
    at: float


class BlockChanged(msgspec.Struct, frozen=True, gc=False, tag="block"):
    """`blocked` False: the block was lifted."""

    by: PersonId
    whom: PersonId
    blocked: bool
    at: float


class PersonErased(msgspec.Struct, frozen=True, gc=False, tag="erased"):
    """Remove the person's history from the records. `is_back`: they have started again, so their newest value stays.

    `left`: what binds them still and what they have spent, and nothing else. Records that have a key keep it under a
    pseudonym. Others keep the value of somebody whom something binds.
    """

    person: PersonId
    is_back: bool
    at: float
    left: Participant | None = None


class SanctionChanged(msgspec.Struct, frozen=True, gc=False, tag="sanction"):
    """A sanction began, or was appealed. The newest value counts."""

    person: PersonId
    sanction: Sanction
    at: float


class SanctionLifted(msgspec.Struct, frozen=True, gc=False, tag="lifted"):
    """A sanction ended before its time."""

    sanction: str
    at: float
    person: PersonId | None = None


class OrderPlaced(msgspec.Struct, frozen=True, gc=False, tag="order"):
    """A purchase order was placed, or a checkout for it approved. The newest value counts."""

    person: PersonId
    order: PurchaseOrder
    at: float


class ChargeTaken(msgspec.Struct, frozen=True, gc=False, tag="charge", omit_defaults=True):
    """Telegram took Stars. The first value of a charge counts. `source`: see `kernel.journey`."""

    person: PersonId
    charge: Charge
    at: float
    source: str = ""


class GrantChanged(msgspec.Struct, frozen=True, gc=False, tag="grant"):
    """VIP time was granted, or cut. The newest value counts."""

    person: PersonId
    grant: VipGrant
    at: float


class SubscriptionChanged(msgspec.Struct, frozen=True, gc=False, tag="subscription"):
    """A subscription began or changed. The newest value counts."""

    person: PersonId
    subscription: Subscription
    at: float


class RefundMade(msgspec.Struct, frozen=True, gc=False, tag="refund"):
    """Telegram gave the Stars of a charge back."""

    bot: BotId
    charge: ChargeId
    stars: int
    by: RefundedBy
    at: float


class StarCallOwed(msgspec.Struct, frozen=True, gc=False, tag="star_call"):
    """We owe a person a refund or a cancellation. `provider_charge` is the other id that may cancel."""

    person: PersonId
    kind: StarCallKind
    bot: BotId
    charge: ChargeId
    provider_charge: str
    at: float


class StarCallSettled(msgspec.Struct, frozen=True, gc=False, tag="star_call_done"):
    """Telegram has confirmed a refund or a cancellation that we owed."""

    kind: StarCallKind
    bot: BotId
    charge: ChargeId
    at: float


class StepReached(msgspec.Struct, frozen=True, gc=False, tag="step"):
    """Somebody reached a step of their journey, for the first time. It says nothing about who. Each fact counts."""

    source: str
    bot: BotId
    language: str
    began_at: float
    step: Step
    at: float


Fact = (
    PersonChanged
    | ChatOpened
    | ChatClosed
    | ChatTold
    | ChatRated
    | BlockChanged
    | ComplaintFiled
    | ComplaintExplained
    | EvidenceKept
    | PaymentCaseOpened
    | ReferralLinkMade
    | ReferralReached
    | PersonErased
    | SanctionChanged
    | SanctionLifted
    | OrderPlaced
    | ChargeTaken
    | GrantChanged
    | SubscriptionChanged
    | RefundMade
    | StarCallOwed
    | StarCallSettled
    | StepReached
)
