"""The people who run an installation, and what a decision about or by them consists of.

Staff are not participants: they use a bot of their own, have no chats there, and are stored in the records only. A
staff member may be a person in the public bots too; the two have nothing to do with each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from passerby.kernel.alone import NOTHING_ALONE, Alone
from passerby.kernel.approval import Approval
from passerby.kernel.broadcast import Broadcast, Progress, Reach
from passerby.kernel.case import Case, Desk, Judged, LegalHold, Mute
from passerby.kernel.decision import Env
from passerby.kernel.drain import Drain, KnownBots, RetireBot
from passerby.kernel.effect import Answer, Menu, Revise, Say
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.money_report import Ledgered
from passerby.kernel.override import Override
from passerby.kernel.panel import PanelFacts, PanelLogin, PanelSession, Passkey, PasskeysGone
from passerby.kernel.participant import Participant
from passerby.kernel.payment_case import AnswerOrder, PaymentCase, PaymentDesk
from passerby.kernel.promo import PromoCode
from passerby.kernel.purchase import Purchase, RefundOrder
from passerby.kernel.sanction import Sanction
from passerby.kernel.staff_ids import COMMAND_LINE as COMMAND_LINE
from passerby.kernel.staff_ids import StaffId as StaffId
from passerby.kernel.text import Text


class Role(StrEnum):
    """The highest rank first."""

    OWNER = "owner"
    ADMIN = "admin"
    MODERATOR = "moderator"
    SUPPORT = "support"
    ANALYST = "analyst"


class Permission(StrEnum):
    """A right that a role gives. A role is a set of permissions."""

    TEAM = "team"
    """Invite and revoke staff, and change their roles."""
    AUDIT = "audit"
    """Read the audit."""
    PEOPLE = "people"
    """Look at a person who shows their support code."""
    SANCTION = "sanction"
    """Warn and restrict people, for a time."""
    BAN = "ban"
    """Restrict people without an end."""
    LEGAL = "legal"
    """Hold and export evidence, and learn who the accused is."""
    MONEY = "money"
    """Look at payments, and refund."""
    BROADCAST = "broadcast"
    """Write to many people."""
    SETTINGS = "settings"
    ALERTS = "alerts"
    """Get alerts, and act on them."""
    FIGURES = "figures"
    """See statistics. They name nobody."""


class StaffMember(msgspec.Struct, frozen=True, omit_defaults=True):
    """`name` is what the one who invited them wrote, for lists; it may be empty. `alerts`: they want to get alerts.

    `language` is Telegram's (an IETF tag). Times are in Unix seconds.
    """

    number: StaffId
    person: PersonId
    role: Role
    joined_at: float
    name: str = ""
    language: str = ""
    alerts: bool = False
    revoked_at: float | None = None


class Invite(msgspec.Struct, frozen=True, omit_defaults=True):
    """The right to join, once. `digest` stands for the secret in its link, which is stored nowhere."""

    digest: str
    role: Role
    made_by: StaffId
    made_at: float
    expires_at: float
    name: str = ""
    used_by: StaffId | None = None
    used_at: float | None = None


class AuditNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """A staff action, for the audit. `action` is a constant such as "team.role_changed".

    `subject` says what it was done to, and `details` what it changed. Neither may contain an id of Telegram's, a name
    of a person or anything that a person wrote.
    """

    action: str
    subject: str = ""
    details: Mapping[str, str | int | float | bool | None] = {}
    reason: str = ""


class SanctionOrder(msgspec.Struct, frozen=True, tag="sanction"):
    """The fleet imposes this sanction on a person."""

    person: PersonId
    sanction: Sanction


class LiftOrder(msgspec.Struct, frozen=True, tag="lift"):
    """The fleet ends a sanction of a person now. `sanction` is its id, or "farm": then everything that the rule against
    farms has done to them ends, and it does nothing for a week."""

    person: PersonId
    sanction: str


class OverturnOrder(msgspec.Struct, frozen=True, tag="overturn"):
    """A decision about a person was wrong: what it took is given back. `costs`: how much karma its reports took, and
    when. Without a sanction, there is only the karma."""

    person: PersonId
    sanction: Sanction | None = None
    costs: tuple[tuple[float, float], ...] = ()


class UpholdOrder(msgspec.Struct, frozen=True, tag="uphold"):
    """A person's appeal was looked at, and the sanction stays."""

    person: PersonId
    sanction: str


class ThankOrder(msgspec.Struct, frozen=True, tag="thank"):
    """A person hears what became of their report. `acted`: it led to something."""

    person: PersonId
    acted: bool


class DataOrder(msgspec.Struct, frozen=True, tag="data"):
    """A person asked staff for a copy of their data, or for its erasure (`erases`), instead of asking the bot."""

    person: PersonId
    erases: bool = False


StaffOrder = (
    SanctionOrder | LiftOrder | OverturnOrder | UpholdOrder | ThankOrder | RefundOrder | AnswerOrder | DataOrder
)
"""An order of staff about a person. It is stored with the staff decision, and carried out once."""


class Subject(msgspec.Struct, frozen=True):
    """The person of a support code. `reported`: for how many chats they were reported in 90 days.
    `ordered`: the sanctions that are ordered and not imposed yet."""

    code: str
    person: Participant
    reported: int = 0
    ordered: tuple[Sanction, ...] = ()


class ShowExhibit(msgspec.Struct, frozen=True):
    """Show a member one of the messages that a reporter chose; `place` 0 is the reporter's comment. It is opened only
    now. `of` says whose report it belongs to.

    With `case`, it is the question of this payment case.
    """

    to: PersonId
    chat: ChatId
    by: PersonId
    place: int
    of: Text
    case: str = ""


class StaffFacts(msgspec.Struct, frozen=True):
    """Everything that a staff decision may look at. It is read in the transaction that stores the decision.

    - `me` is who acts. None: somebody who is not staff. The command line acts as an owner with the number 0.
    - `team` are all staff members who are not revoked, by number. `next_number` is free.
    - `former` is who opens an invite and was staff before, with the number that they had.
    - `draining` are the bots that close. `fleet` is read if the event is about bots, money or a purchase.
    - `money` is read if the event is about money and its sender may see it. None: it is not read here.
    - `invite` is the invite that the event shows, if its secret is right. `subject` is the person of its support code.
    - `panel` is read if the event is about signing in to the panel. `panel_url` is its address; empty: there is none.
    - `secret` is a new one that nobody has seen, and `digest` is what may be stored of it.
    - `broadcasts` are those that are not over, and the latest others, by number. `next_broadcast` is free. If the
      event is about one of them, `reach` is how many people it would be frozen for now (None: it has started), and
      `progress` is what became of its targets.
    - `promo` is the promo code that the event names, if there is one.
    - `desk` is there if the event is about cases.
    - `approvals` are those that are not decided. `approval` is the one that the event is about; then `subject` is the
      person whom it is about. `next_approval` is free. `proposed` are the cases with a ban that waits for a second
      member.
    - `override` is the newest one of the place that the request is about. `next_override` is free, and would be
      version `override_version` of the settings, or of the texts.
    - `payment_desk` is there if the event is about payment cases.
    - `purchase` is the one whose code the event or the approval names. `can_refund`: its bot works.
    - `alone` is read if the event may be an act that adds to it: what `me` did in the last day.
    """

    me: StaffMember | None
    team: tuple[StaffMember, ...] = ()
    next_number: StaffId = StaffId(1)
    invite: Invite | None = None
    former: StaffMember | None = None
    subject: Subject | None = None
    draining: tuple[Drain, ...] = ()
    fleet: KnownBots = KnownBots()
    money: Ledgered | None = None
    panel: PanelFacts = PanelFacts()
    panel_url: str = ""
    secret: str = ""
    digest: str = ""
    desk: Desk | None = None
    broadcasts: tuple[Broadcast, ...] = ()
    next_broadcast: int = 1
    reach: Reach | None = None
    progress: Progress = Progress()
    approvals: tuple[Approval, ...] = ()
    approval: Approval | None = None
    next_approval: int = 1
    proposed: tuple[Case, ...] = ()
    override: Override | None = None
    next_override: int = 1
    override_version: int = 1
    purchase: Purchase | None = None
    can_refund: bool = True
    promo: PromoCode | None = None
    payment_desk: PaymentDesk | None = None
    alone: Alone = NOTHING_ALONE

    def broadcast(self, number: int) -> Broadcast | None:
        return next((each for each in self.broadcasts if each.number == number), None)

    def member(self, number: int) -> StaffMember | None:
        return next((each for each in self.team if each.number == number), None)


THE_OPERATOR = StaffMember(COMMAND_LINE, PersonId(0), Role.OWNER, joined_at=0.0)
"""Acts on the command line. A person who can run commands on the server could read and change every row anyway."""

StaffEffect = Say | Revise | Answer | ShowExhibit | RetireBot


class StaffDecision(msgspec.Struct, frozen=True):
    """`members`, `invites`, `logins`, `sessions`, `drains`, `broadcasts`, `promos` and `payment_cases` are new
    values. `drains_over`: these bots are open again. `resolved`: fingerprints of faults. A decider that changes or
    orders something adds a note for the audit.

    `reply` is the answer for a request from outside the bot, and `menu` what can be pressed under it. `refused`:
    nothing was done.
    """

    members: tuple[StaffMember, ...] = ()
    invites: tuple[Invite, ...] = ()
    notes: tuple[AuditNote, ...] = ()
    drains: tuple[Drain, ...] = ()
    drains_over: tuple[BotId, ...] = ()
    orders: tuple[StaffOrder, ...] = ()
    logins: tuple[PanelLogin, ...] = ()
    sessions: tuple[PanelSession, ...] = ()
    passkeys: tuple[Passkey, ...] = ()
    passkeys_gone: tuple[PasskeysGone, ...] = ()
    broadcasts: tuple[Broadcast, ...] = ()
    resolved: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    verdicts: tuple[Judged, ...] = ()
    mutes: tuple[Mute, ...] = ()
    holds: tuple[LegalHold, ...] = ()
    approvals: tuple[Approval, ...] = ()
    overrides: tuple[Override, ...] = ()
    promos: tuple[PromoCode, ...] = ()
    payment_cases: tuple[PaymentCase, ...] = ()
    effects: tuple[StaffEffect, ...] = ()
    reply: Text | None = None
    menu: Menu | None = None
    refused: bool = False

    @property
    def changes(self) -> bool:
        changed = self.members or self.invites or self.drains or self.drains_over or self.logins or self.sessions
        return bool(changed or self.broadcasts or self.notes or self.orders or self.cases)


class StaffRequest(msgspec.Struct, frozen=True):
    """The base of what is asked for outside the staff bot: on the command line, for example."""


StaffDecider = Callable[[Any, StaffFacts, Env], StaffDecision]
"""Pure and synchronous: (event or request, facts, env) -> StaffDecision."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A decider, and the permission that it needs. None: every staff member may."""

    decider: StaffDecider
    needs: Permission | None = None


@dataclass(frozen=True, slots=True)
class Agreed:
    """The decisions that follow if a second member agrees to a request, and if somebody declines. `facts.approval` is
    what was agreed to, and `facts.me` who agrees. A refusal leaves it waiting."""

    carry_out: StaffDecider
    undo: StaffDecider | None = None


@dataclass(frozen=True, slots=True)
class StaffFeature:
    """The table of one staff ability. Two of them cannot have the same command, button or request.

    - `commands`: names without the slash. The text `staff_commands.<name>` says in /help what it does.
    - `presses`: actions of inline buttons.
    - `requests`: what is asked for outside the bot.
    - `awaits`: returns the decider for a message that is no command, if the staff member was asked for it; or None.
    - `help`: gets all commands with the permissions that they need, and makes the decider for /help and for messages
      that are no command. Only one feature has it.
    - `stranger`: everything that somebody does who is not staff. Only one feature has it.
    - `agreed`: requests that need a second member (see `domain.approvals`), and how they are carried out then.
    - `seconds`: gets all of these, and makes the table of agreeing and declining. Only one feature has it.
    """

    name: str
    commands: Mapping[str, Allowed] = field(default_factory=dict)
    presses: Mapping[str, Allowed] = field(default_factory=dict)
    requests: Mapping[type[StaffRequest], Allowed] = field(default_factory=dict)
    awaits: Callable[[MessageReceived, StaffFacts], Allowed | None] | None = None
    help: Callable[[Mapping[str, Permission | None]], StaffDecider] | None = None
    stranger: StaffDecider | None = None
    agreed: Mapping[type[StaffRequest], Agreed] = field(default_factory=dict)
    seconds: "Callable[[Mapping[type[StaffRequest], Agreed]], StaffFeature] | None" = None
