"""Requests to the staff deciders from the command line, the panel and the staff bot, besides the words people write."""

from enum import StrEnum

from passerby.kernel.content import Content
from passerby.kernel.ids import BotId
from passerby.kernel.override import OverrideKey
from passerby.kernel.promo import PromoCode
from passerby.kernel.purchase import RefundReason
from passerby.kernel.sanction import Reason, SanctionKind
from passerby.kernel.staff import Role, StaffRequest
from passerby.kernel.staff_ids import COMMAND_LINE as COMMAND_LINE
from passerby.kernel.staff_ids import StaffId as StaffId


class Pressed(StaffRequest, frozen=True):
    """A button of the staff bot, pressed in the panel: it decides the same there."""

    action: str
    token: str = ""


class InviteAsked(StaffRequest, frozen=True):
    """`lasts_s` None: as long as usual."""

    digest: str
    role: Role
    name: str = ""
    lasts_s: float | None = None


class RoleAsked(StaffRequest, frozen=True):
    member: StaffId
    role: Role


class RevocationAsked(StaffRequest, frozen=True):
    member: StaffId


class PersonAsked(StaffRequest, frozen=True):
    """`code` is the person's support code."""

    code: str


class SanctionAsked(PersonAsked, frozen=True, tag="person.ban"):
    """Without `hours`: for good. `note` is for the audit."""

    kind: SanctionKind
    reason: Reason
    hours: float | None = None
    note: str = ""


class LiftAsked(PersonAsked, frozen=True, tag="person.lift"):
    sanction: str
    note: str = ""


class DataAsked(PersonAsked, frozen=True):
    """The person wants a copy of their data, or its erasure (`erases`). `note` is for the audit."""

    erases: bool = False
    note: str = ""


class ApprovalsAsked(StaffRequest, frozen=True):
    """The acts that wait for a second member."""


class ApprovalDeclined(StaffRequest, frozen=True):
    approval: int


class PurchaseAsked(StaffRequest, frozen=True):
    """`purchase` is the code that the buyer reads in /paysupport."""

    purchase: str


class PaymentCaseAsked(StaffRequest, frozen=True):
    """`code` is that of a payment case."""

    code: str


class AnswerAsked(PaymentCaseAsked, frozen=True):
    """The person gets this answer, and the case is closed."""

    words: str


class CaseActAsked(StaffRequest, frozen=True):
    """`note` is for the audit."""

    case: int
    note: str = ""


class HoldAsked(CaseActAsked, frozen=True, tag="evidence.hold"):
    """The evidence of a case is held for the law, or released."""

    held: bool = True


class UnmaskAsked(CaseActAsked, frozen=True, tag="person.unmask"):
    """Asks who the accused is on Telegram. `approval`: fetch the answer that a second member agreed to."""

    approval: int = 0


class ExportAsked(CaseActAsked, frozen=True, tag="evidence.export"):
    """The evidence of a case, as a file. `approval`: fetch what a second member agreed to."""

    approval: int = 0


class RefundPlanned(PurchaseAsked, frozen=True):
    """Say what a refund would do. Nothing is done."""

    reason: RefundReason


class RefundAsked(PurchaseAsked, frozen=True, tag="purchase.refund"):
    """`note` is for the audit."""

    reason: RefundReason
    note: str = ""


class DrainAsked(StaffRequest, frozen=True):
    """`username` is the sister's, without the @."""

    bot: BotId
    sister: BotId
    username: str


class DrainEndAsked(StaffRequest, frozen=True):
    bot: BotId


class BotAddAsked(StaffRequest, frozen=True):
    """A bot joins the fleet. Telegram took its token, which is nowhere in the request. `username` without the @."""

    bot: BotId
    username: str


class RetireAsked(StaffRequest, frozen=True):
    """The part that asks removes the token."""

    bot: BotId


class AlertAsked(StaffRequest, frozen=True):
    """Somebody looks after the alert of this rule; with `silences`, nothing new is said about it for an hour."""

    rule: str
    silences: bool = False


class FaultResolved(StaffRequest, frozen=True):
    """The fault with this fingerprint is mended, they say. If it comes back, it shows."""

    fingerprint: str


class OverrideAsked(StaffRequest, frozen=True, tag="override"):
    """A setting or a text gets another value; None: its default again. `seen`: the number of the newest override of
    this key that they saw; 0: none. `gives_more`: with it, VIP is sold for less than anybody agreed to. `leads_to`: the
    places that it sends everybody to, and that it did not send them to before."""

    key: OverrideKey
    value: str | None
    seen: int
    gives_more: bool = False
    leads_to: tuple[str, ...] = ()


class PanelLinkAsked(StaffRequest, frozen=True):
    """A link that signs a browser in to the panel, as a member or as the command line (0). `digest`: its secret's."""

    digest: str
    member: StaffId
    lasts_s: float


class PanelEntered(StaffRequest, frozen=True):
    """A browser takes up its login. `login`: the code or the link's digest. `browser`, `session`: digests.

    `replaces`: the number of the session that the browser had before; 0: none.
    """

    login: str
    browser: str
    session: str
    agent: str = ""
    replaces: int = 0


class SessionEnded(StaffRequest, frozen=True):
    """Somebody signs out, or ends a session of somebody else."""

    session: int


class PasskeyAdded(StaffRequest, frozen=True):
    """A member's new passkey. See `kernel.panel.Passkey`."""

    name: str
    key: str
    count: int
    label: str


class PasskeyRemoved(StaffRequest, frozen=True):
    """A member no longer wants one of their passkeys."""

    name: str


class PasskeysReset(StaffRequest, frozen=True):
    """A member has lost their passkeys."""

    member: StaffId


class PromoAsked(StaffRequest, frozen=True):
    """`code` names a promo code; if there are several new ones, the first."""

    code: str


class PromoMade(PromoAsked, frozen=True, tag="promos.make"):
    """New promo codes, which differ in their names only."""

    codes: tuple[PromoCode, ...]


class PromoRevoked(PromoAsked, frozen=True):
    """A promo code ends now. Those who used it keep what they got."""


class BroadcastAct(StrEnum):
    """An act of staff on a broadcast, besides writing it."""

    SHOW = "show"
    PLAN = "plan"
    """Say what a start would do, and ask."""
    PREVIEW = "preview"
    TEST = "test"
    START = "start"
    APPROVE = "approve"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    RECALL = "recall"
    CORRECT = "correct"


class BroadcastNew(StaffRequest, frozen=True):
    """A draft. The answer has its number."""


class BroadcastAsked(StaffRequest, frozen=True):
    broadcast: int


class BroadcastWritten(BroadcastAsked, frozen=True):
    """The message in one language, with buttons as lines `label | https://link`."""

    content: Content
    language: str = ""
    arm: str = "A"
    buttons: str = ""


class BroadcastSet(BroadcastAsked, frozen=True):
    """Options as words `name=value`, see `domain.broadcasts.options`."""

    options: str


class BroadcastKept(BroadcastAsked, frozen=True):
    """A draft as a form has it: options as words, and perhaps a message. All of it is kept, or nothing.

    Without `content`, the buttons belong to the message that is there. `seal`: of the draft that the form showed
    (`domain.broadcasts.starting.seal_of`). Empty: it showed none.
    """

    options: str = ""
    content: Content | None = None
    language: str = ""
    arm: str = "A"
    buttons: str = ""
    seal: str = ""


class BroadcastDone(BroadcastAsked, frozen=True):
    """`seal`: what the member had looked at when they started it (`domain.broadcasts.starting.seal_of`). Empty: they
    typed the command."""

    act: BroadcastAct
    seal: str = ""
