"""A person's history, as the records keep it. Deciders never see it; it is for the copy that the person asked for."""

import msgspec

from passerby.kernel.broadcast import Category, TargetState
from passerby.kernel.ids import BotId, ChatId, MessageId, PersonId
from passerby.kernel.money import Charge, PurchaseOrder, Subscription, VipGrant
from passerby.kernel.participant import Complaint, Rating
from passerby.kernel.payment_case import SealedWords
from passerby.kernel.sanction import Sanction


class PastChat(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One chat, from the person's side. `left`: they ended it. Times are in Unix seconds.

    A day after its end, the records keep less of it: no id (then it is empty), no bot, and times in minutes.
    """

    chat: ChatId
    partner: PersonId
    bot: BotId | None
    opened_at: float
    closed_at: float | None
    left: bool
    reason: str | None
    rating: Rating | None


class PastBlock(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A block that the person made. `lifted_at` None: it still holds."""

    whom: PersonId
    blocked_at: float
    lifted_at: float | None


class PastReport(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A report that the person made. `words` is their comment, sealed; None if they added none.

    `verdict` is what staff thought of it: upheld or dismissed; None: they have not decided.
    """

    chat: ChatId
    whom: PersonId
    reason: Complaint
    filed_at: float
    words: bytes | None
    verdict: str | None = None
    decided_at: float | None = None


class PastEvidence(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A message of a partner's that the person chose as evidence. `erase_at` None: the case is not decided. `held`: the
    law asks to keep it."""

    chat: ChatId
    place: int
    chosen_at: float
    erase_at: float | None
    held: bool


class PastSanction(msgspec.Struct, frozen=True, kw_only=True):
    """A sanction that the person had or has. `lifted_at` None: it was not ended before its time."""

    sanction: Sanction
    lifted_at: float | None


class PastRefund(msgspec.Struct, frozen=True):
    """A refund of one of the person's charges, which `charge` names."""

    charge: str
    stars: int
    by: str
    at: float


class PastRedemption(msgspec.Struct, frozen=True):
    """A promo code that the person used, and the code of the VIP grant that followed."""

    promo: str
    grant: str
    at: float


class PastCase(msgspec.Struct, frozen=True):
    """A payment case of the person. `words` are sealed, in order; empty: it is answered."""

    case: str
    opened_at: float
    answered_at: float | None
    words: tuple[SealedWords, ...] = ()


class PastReferral(msgspec.Struct, frozen=True):
    """A referral of the person's: as the one who was invited, with the token of that link, or as the inviter (`token`
    empty). `outcome` None: not decided."""

    token: str
    reached_at: float
    decided_at: float | None
    outcome: str | None
    grant: str | None


class PastMoney(msgspec.Struct, frozen=True):
    """The person's part of the ledger. The newest entries may still be missing."""

    orders: tuple[PurchaseOrder, ...] = ()
    charges: tuple[Charge, ...] = ()
    grants: tuple[VipGrant, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    refunds: tuple[PastRefund, ...] = ()
    redemptions: tuple[PastRedemption, ...] = ()
    cases: tuple[PastCase, ...] = ()
    referrals: tuple[PastReferral, ...] = ()


class PastBroadcast(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A broadcast that the person got, or was to get. `at` is when that was decided; None: it waits.

    `message` is its number in the person's chat with the bot. `arm` and `language` say which message they got."""

    number: int
    category: Category
    state: TargetState
    bot: BotId
    at: float | None
    message: MessageId | None = None
    arm: str = ""
    language: str = ""


class History(msgspec.Struct, frozen=True):
    """Everything in the records that a person did, their sanctions and the broadcasts to them, apart from their newest
    value.

    Each list is in order of time.
    """

    created_at: float | None = None
    chats: tuple[PastChat, ...] = ()
    blocks: tuple[PastBlock, ...] = ()
    reports: tuple[PastReport, ...] = ()
    sanctions: tuple[PastSanction, ...] = ()
    money: PastMoney = PastMoney()
    broadcasts: tuple[PastBroadcast, ...] = ()
    evidence: tuple[PastEvidence, ...] = ()
    reports_muted_until: float | None = None
    """Their reports count nothing until then."""
