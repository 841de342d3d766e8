"""Decides on staff events and requests, and has each decision stored. The staff bot, the panel and the commands share
it."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from random import Random

import msgspec

from passerby.domain import support
from passerby.domain.commands import command_in, words_after
from passerby.domain.money.report import PERIOD_S
from passerby.domain.money.wallets import read_code
from passerby.domain.team import may
from passerby.kernel.case import CaseAsked
from passerby.kernel.decision import Env
from passerby.kernel.digits import whole
from passerby.kernel.drain import KnownBots
from passerby.kernel.effect import Answer, Menu, Say
from passerby.kernel.event import ButtonPressed, Event, MessageReceived
from passerby.kernel.facts_wanted import FactsWanted
from passerby.kernel.ids import BotId, PersonId, UpdateRef
from passerby.kernel.money_report import Ledgered
from passerby.kernel.staff import THE_OPERATOR, Permission, StaffDecision, StaffFacts, StaffRequest
from passerby.kernel.staff_requests import (
    ApprovalDeclined,
    BroadcastAsked,
    CaseActAsked,
    ExportAsked,
    LiftAsked,
    OverrideAsked,
    PanelEntered,
    PaymentCaseAsked,
    PersonAsked,
    Pressed,
    PromoAsked,
    PromoMade,
    PurchaseAsked,
    RefundAsked,
    RefundPlanned,
    SanctionAsked,
    SessionEnded,
    UnmaskAsked,
)
from passerby.ports.staff import StaffRecords
from passerby.runtime.staff.router import StaffRouter

SECRET_BITS = 128

ABOUT_A_PERSON = "person"
ABOUT_THE_PANEL = "panel"

NO_LOGIN = "-"
"""No login has this name, so only the sessions are read."""
ABOUT_A_CASE = "case"
NEXT_CASE = "next"
CASE_COMMANDS = ("cases", NEXT_CASE)
ABOUT_A_BROADCAST = "broadcast"
ABOUT_AN_APPROVAL = "approval"
ABOUT_BOTS = "bots"
ABOUT_MONEY = "money"
ABOUT_A_PURCHASE = "purchase"
ABOUT_A_PAYMENT = "payment"
PAYMENT_COMMANDS = ("payments", "answer")
SUMMED_PRESSES = (
    *("purchase_sure", "purchase_do", "person_lift", "person_do"),
    *("case_do", "case_lift", "case_suspend", "case_ban"),
)
SUMMED_REQUESTS = (RefundAsked, RefundPlanned, LiftAsked, PromoMade, BroadcastAsked, SanctionAsked)
"""Acts of which a member may do only so many alone in a day. So are broadcasts."""
_NUMBER = re.compile(r"[0-9]{1,9}")

_NO_BOTS = KnownBots()
_NO_BOT = BotId(0)
"""Stands for the bot of a request that came through none."""


def new_secret(rng: Random) -> str:
    """The secret of an invite, in hexadecimal: what its link carries."""
    return f"{rng.getrandbits(SECRET_BITS):0{SECRET_BITS // 4}x}"


def digest_of(secret: str) -> str:
    """Return the digest of a secret, which is stored in its place. A secret has 128 random bits, so nobody finds it
    from the digest by trying."""
    return hashlib.sha256(secret.encode()).hexdigest()


Ledger = Callable[[float, float, float], Awaitable[Ledgered]]
"""Reads the report about money: (since, until, now), in Unix seconds. Raises: RecordsLost."""


class StaffDecisions:
    """`env.rng` makes secrets and the names of requests, so nobody must be able to guess it. `fleet` finds out which
    bots there are. It is called for each event or request that shows bots.

    `works` says whether a bot can make calls, as far as is known here. `ledger` reads the report about money, for
    members who may see it. None: nobody sees the report here.
    """

    def __init__(
        self,
        records: StaffRecords,
        router: StaffRouter,
        env: Callable[[], Env],
        panel_url: str = "",
        fleet: Callable[[], Awaitable[KnownBots]] | None = None,
        works: Callable[[BotId], bool] = lambda bot: True,
        ledger: Ledger | None = None,
    ) -> None:
        self._ledger = ledger
        self._fleet = fleet
        self._records = records
        self._router = router
        self._env = env
        self._panel_url = panel_url
        self._works = works

    async def on_event(self, event: Event, ref: UpdateRef) -> StaffDecision:
        """The decision on an update of the staff bot. The same update again gets the same answer.

        Raises: RecordsLost.
        """
        return await self._on_event(event, event.person, ref, self._env())

    async def _on_event(self, event: Event, person: PersonId | None, ref: UpdateRef, env: Env) -> StaffDecision:
        words = event.text if isinstance(event, MessageReceived) else ""
        command, _, secret = words.partition(" ")
        language = event.language if isinstance(event, MessageReceived | ButtonPressed) else ""

        money = await self._money(event, person, env.now)
        about_bots = (ABOUT_BOTS, ABOUT_A_PURCHASE, ABOUT_A_BROADCAST)
        looks = money is not None or any(_is_about(each, event) for each in about_bots)
        fleet = await self._fleet() if self._fleet is not None and looks else KnownBots()
        decide = self._decider(event, env, fleet, money)
        code = _code_in(event, ABOUT_A_PERSON) or ""
        digest = digest_of(secret.strip()) if command == "/start" and secret else ""
        return await self._records.decide(
            person,
            ref,
            decide,
            env.now,
            FactsWanted(
                digest=digest,
                code=code,
                language=language,
                login=_code_in(event, ABOUT_THE_PANEL) or "",
                broadcast=_broadcast_in(event),
                case=_case_in(event),
                approval=_approval_in(event),
                purchase=_code_in(event, ABOUT_A_PURCHASE, read_code) or "",
                payment_case=_payment_case_in(event),
                sums=_broadcast_in(event) > 0 or (isinstance(event, ButtonPressed) and event.action in SUMMED_PRESSES),
            ),
        )

    async def _money(self, event: Event, person: PersonId | None, now: float) -> Ledgered | None:
        """Read outside the decision, which has a lock, and only for those who may see it: it reads every buyer."""
        if self._ledger is None or not _is_about(ABOUT_MONEY, event):
            return None
        me = next((each for each in await self._records.team() if each.person == person), None)
        return await self._ledger(now - PERIOD_S, now, now) if may(me, Permission.MONEY) else None

    async def on_request(self, request: StaffRequest, by: PersonId | None = None) -> StaffDecision:
        """The decision on a request of a staff member, or of the command line (None). Raises: RecordsLost."""
        env = self._env()
        ref = UpdateRef(_NO_BOT, env.rng.getrandbits(62))
        if isinstance(request, Pressed):
            presser = THE_OPERATOR.person if by is None else by
            press = ButtonPressed(presser, _NO_BOT, "", None, request.action, request.token)
            return _replied(await self._on_event(press, by, ref, env), presser)
        shows = type(request) in (PurchaseAsked, RefundPlanned) or isinstance(request, BroadcastAsked)
        fleet = await self._fleet() if shows and self._fleet is not None else _NO_BOTS
        decide = self._decider(request, env, fleet)
        code = support.read(request.code) if isinstance(request, PersonAsked) else None
        login = _login_of(request)
        about = request.broadcast if isinstance(request, BroadcastAsked) else 0
        purchase = read_code(request.purchase) if isinstance(request, PurchaseAsked) else None
        return await self._records.decide(
            by,
            ref,
            decide,
            env.now,
            FactsWanted(
                code=code or "",
                login=login,
                broadcast=about,
                case=CaseAsked(request.case, closed=True) if isinstance(request, CaseActAsked) else None,
                approval=request.approval if isinstance(request, ApprovalDeclined | UnmaskAsked | ExportAsked) else 0,
                override_key=request.key if isinstance(request, OverrideAsked) else None,
                purchase=purchase or "",
                promo=request.code if isinstance(request, PromoAsked) else "",
                payment_case=(read_code(request.code) or "") if isinstance(request, PaymentCaseAsked) else None,
                sums=isinstance(request, SUMMED_REQUESTS),
            ),
        )

    def _decider(
        self, event: Event | StaffRequest, env: Env, fleet: KnownBots = _NO_BOTS, money: Ledgered | None = None
    ) -> Callable[[StaffFacts], StaffDecision]:
        secret = new_secret(env.rng)

        def decide(facts: StaffFacts) -> StaffDecision:
            known = msgspec.structs.replace(
                facts,
                panel_url=self._panel_url,
                secret=secret,
                digest=digest_of(secret),
                fleet=fleet,
                money=money,
            )
            if facts.purchase is not None:
                known = msgspec.structs.replace(known, can_refund=self._works(facts.purchase.charge.bot))
            return self._router.decide(event, known, env)

        return decide


def _replied(decision: StaffDecision, presser: PersonId) -> StaffDecision:
    """Turn the staff bot's message to the member who presses into the reply. The rest stays."""
    said, menu = decision.reply, None
    for each in decision.effects:
        if isinstance(each, Say) and each.to == presser:
            said, menu = each.text, each.keyboard if isinstance(each.keyboard, Menu) else None
        elif isinstance(each, Answer) and each.text is not None:
            said = each.text
    rest = tuple(
        each
        for each in decision.effects
        if not isinstance(each, Answer) and not (isinstance(each, Say) and each.to == presser)
    )
    return msgspec.structs.replace(decision, reply=said, menu=menu, effects=rest)


def _broadcast_in(event: Event) -> int:
    """The broadcast that a command or a button is about; 0 if there is none. Their names begin with `broadcast`."""
    match event:
        case MessageReceived(text=words) if command_in(words) == ABOUT_A_BROADCAST:
            number = words.split()[1:2]
        case ButtonPressed(action=action, token=token) if action.startswith(f"{ABOUT_A_BROADCAST}_"):
            number = [token.partition(".")[0]]
        case _:
            return 0
    return int(number[0]) if number and _NUMBER.fullmatch(number[0]) else 0


def _login_of(request: StaffRequest) -> str:
    match request:
        case PanelEntered(login=login):
            return login
        case SessionEnded():
            return NO_LOGIN
        case _:
            return ""


def _code_in(event: Event, about: str, read: Callable[[str], str | None] = support.read) -> str | None:
    """The code of a person, a purchase or the panel, that a command or a button is about. Its name begins with
    `about`."""
    match event:
        case MessageReceived(text=words) if command_in(words) == about:
            return read(words_after(words))
        case ButtonPressed(action=action, token=token) if action.startswith(f"{about}_"):
            return read(token.partition(".")[0])
        case _:
            return None


def _is_about(what: str, event: Event) -> bool:
    """Whether an event is the command `what`, or a button whose name begins with it."""
    match event:
        case MessageReceived(text=words):
            return command_in(words) == what
        case ButtonPressed(action=action):
            return action.startswith(f"{what}_")
        case _:
            return False


def _case_in(event: Event) -> CaseAsked | None:
    """The case that a command or a button is about. Names of buttons begin with `case`."""
    match event:
        case MessageReceived(text=words) if command_in(words) in CASE_COMMANDS:
            return CaseAsked(next=command_in(words) == NEXT_CASE)
        case ButtonPressed(action=action, token=token) if action.startswith(f"{ABOUT_A_CASE}_"):
            number = token.partition(".")[0]
            return CaseAsked(whole(number), next=not number)
        case _:
            return None


def _payment_case_in(event: Event) -> str | None:
    """The code of the payment case that a command or a button is about; empty: all of them; None: it is about none.
    Names of buttons begin with `payment`."""
    match event:
        case MessageReceived(text=words) if command_in(words) in PAYMENT_COMMANDS:
            return read_code("".join(words.split()[1:2])) or ""
        case ButtonPressed(action=action, token=token) if action.startswith(f"{ABOUT_A_PAYMENT}_"):
            return read_code(token) or ""
        case _:
            return None


def _approval_in(event: Event) -> int:
    """The approval that a button is about; 0 if there is none. Names of its buttons begin with `approval`."""
    match event:
        case ButtonPressed(action=action, token=token) if action.startswith(f"{ABOUT_AN_APPROVAL}_"):
            return int(token) if _NUMBER.fullmatch(token) else 0
        case _:
            return 0
