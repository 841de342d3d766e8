"""The base of the commands for staff: the same decisions as in the staff bot, made for the command line."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, time
from pathlib import Path
from random import SystemRandom
from typing import Final, NamedTuple

import msgspec

from passerby.adapters.botapi import BotApi
from passerby.adapters.botapi.webhook_api import BotApiWebhooks
from passerby.adapters.sql import ConnectionPool, SqlBroadcasts, SqlRecords, SqlStaff
from passerby.adapters.sql.installation import noted_limits
from passerby.adapters.sql.overrides import SqlOverrides
from passerby.bootstrap.clock import SystemClock
from passerby.bootstrap.override_watch import OverrideWatch, stricter
from passerby.bootstrap.promos import PromoOffice
from passerby.bootstrap.team_messages import tell
from passerby.catalogue import Catalogue
from passerby.domain import support
from passerby.domain.alone import SECOND_ASKED, SUBMITTED
from passerby.domain.audit import AuditRow, Broken, first_broken
from passerby.domain.broadcasts.actions import plain
from passerby.domain.money import report as money_report
from passerby.domain.sanctions import binding
from passerby.domain.spreadsheet import as_csv
from passerby.domain.transparency import figures, markdown
from passerby.kernel.content import Content
from passerby.kernel.decision import Env
from passerby.kernel.drain import Drain
from passerby.kernel.effect import Say
from passerby.kernel.ids import BotId
from passerby.kernel.override import Overridden
from passerby.kernel.purchase import RefundReason
from passerby.kernel.rules import Rules
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff import Role, ShowExhibit, StaffDecision, StaffId, StaffMember, StaffRequest
from passerby.kernel.staff_requests import (
    ApprovalDeclined,
    ApprovalsAsked,
    BroadcastAct,
    BroadcastDone,
    BroadcastNew,
    BroadcastSet,
    BroadcastWritten,
    DataAsked,
    DrainAsked,
    DrainEndAsked,
    ExportAsked,
    HoldAsked,
    InviteAsked,
    LiftAsked,
    PanelLinkAsked,
    PersonAsked,
    PurchaseAsked,
    RefundAsked,
    RetireAsked,
    RevocationAsked,
    RoleAsked,
    SanctionAsked,
    UnmaskAsked,
)
from passerby.ops.bots import known_bots
from passerby.ops.stores import database, init_schema, must_exist, sentences
from passerby.ports.telegram import TelegramError
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.staff.decisions import StaffDecisions, digest_of, new_secret
from passerby.runtime.staff.router import StaffRouter
from passerby.settings import Settings, WrongSetting, former_keys, open_key
from passerby.settings.described import write
from passerby.settings.overrides import longest_in, longest_plan
from passerby.staff import ALL

_FEW: Final = ConnectionPool(2, 1)
_ROWS_AT_ONCE: Final = 2_000
_PLANS_MOST: Final = 10_000
"""How many earlier values of VIP_PLANS are read."""
LINK_S: Final = 600.0


class _NoFiles:
    """The command line sends messages to the team, and these have no files."""

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        return None

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        pass


class Done(NamedTuple):
    """The answer to the operator. `refused`: nothing was done. `is_unknown`: because the number names nothing.
    `waits`: a second member must agree first."""

    said: str
    refused: bool
    is_unknown: bool = False
    waits: bool = False


class Invited(NamedTuple):
    """`username` is empty if Telegram does not say how the bot is called."""

    said: str
    secret: str
    username: str

    @property
    def link(self) -> str:
        return f"https://t.me/{self.username}?start={self.secret}" if self.username else ""


class PanelLink(NamedTuple):
    """`url` is empty if no link was made."""

    said: str
    url: str


class Exported(NamedTuple):
    """One piece of evidence. `digest` is in the audit, too. `opened` None: it is damaged, or its key is unknown."""

    whose: str
    place: int
    digest: str
    opened: str | tuple[BotId, Content] | None

    @property
    def written(self) -> dict[str, object]:
        """As it is in the file."""
        shown: dict[str, object] = {"from": self.whose, "place": self.place, "digest": self.digest}
        match self.opened:
            case None:
                return shown | {"unreadable": True}
            case str() as comment:
                return shown | {"comment": comment}
            case (bot, content):
                return shown | {"bot": bot, "kind": content.kind, "text": content.text, "file": content.file}


class Verified(NamedTuple):
    """`broken`: the first row that does not fit; None if all fit. `newest` is the hash of the last."""

    rows: int
    newest: str
    broken: Broken | None


class StaffOffice:
    """Acts with the rights of an owner."""

    def __init__(self, settings: Settings, records: SqlStaff, broadcasts: SqlBroadcasts, rules: Rules) -> None:
        """`rules`: those in effect, with what staff changed, and with the fleet's limits if these are stricter."""
        self._settings = settings
        self._rules = rules
        self.broadcasts = broadcasts
        self._records = records
        self.promos = PromoOffice(records.engine, self._do, SystemClock())
        self._rng = SystemRandom()
        self._clock = SystemClock()
        self._words = Catalogue.load(Path(__file__).parents[1])
        bots = frozenset(settings.tokens)
        self._decisions = StaffDecisions(
            records,
            StaffRouter(ALL),
            self._env,
            settings.panel_url or "",
            fleet=lambda: known_bots(settings),
            works=lambda bot: bot in bots,
        )

    def _env(self) -> Env:
        return Env(self._clock.now(), self._rng, self._rules)

    async def invite(self, role: Role, name: str, lasts_s: float | None = None) -> Invited:
        """Make an invite. Raises: WrongSetting, RecordsLost."""
        username = await self._username()
        secret = new_secret(self._rng)
        done = await self._do(InviteAsked(digest_of(secret), role, name, lasts_s))
        return Invited(done.said, secret, username)

    async def panel_link(self, member: int, lasts_s: float = LINK_S) -> PanelLink:
        """Make a link that signs one browser in to the panel. Raises: WrongSetting, RecordsLost."""
        url = self._settings.panel_url
        if url is None:
            raise WrongSetting("PANEL_URL", "is not set, so there is no panel", write(Settings, "panel_url"))
        secret = new_secret(self._rng)
        done = await self._decisions.on_request(PanelLinkAsked(digest_of(secret), StaffId(member), lasts_s))
        assert done.reply is not None
        said = self._words.plain(done.reply, "en")
        return PanelLink(said, "" if done.refused else f"{url}/enter/{secret}")

    async def change_role(self, number: int, role: Role) -> Done:
        return await self._do(RoleAsked(StaffId(number), role))

    async def revoke(self, number: int) -> Done:
        return await self._do(RevocationAsked(StaffId(number)))

    async def person(self, code: str) -> Done:
        """Show the person who has this support code, as staff see them."""
        return await self._do(PersonAsked(code))

    async def sanction(self, code: str, kind: SanctionKind, reason: Reason, hours: float | None, note: str) -> Done:
        """Order a sanction. Without `hours`: for good."""
        return await self._do(SanctionAsked(code, kind, reason, hours, note))

    async def lift(self, code: str, sanction: str, note: str) -> Done:
        """Order the end of a sanction."""
        return await self._do(LiftAsked(code, sanction, note))

    async def data(self, code: str, erases: bool, note: str) -> Done:
        """The person gets a copy of their data, or it is erased a day later."""
        return await self._do(DataAsked(code, erases, note))

    async def hold(self, case: int, held: bool, note: str) -> Done:
        """Ask to hold the evidence of a case for the law, or to release it."""
        return await self._do(HoldAsked(case, note, held))

    async def unmask(self, case: int, approval: int, note: str) -> Done:
        """Say who the accused of a case is. Without an approval, ask for one."""
        return await self._do(UnmaskAsked(case, note, approval))

    async def export(self, case: int, approval: int, note: str) -> tuple[Done, list[Exported]]:
        """The evidence of a case, opened. Without an approval, it is asked for. Raises: WrongSetting, RecordsLost."""
        decision = await self._decisions.on_request(ExportAsked(case, note, approval))
        await self._tell(decision)
        done = self._done(decision)
        shows = [each for each in decision.effects if isinstance(each, ShowExhibit)]
        if not shows:
            return done, []
        sealer = Sealer(open_key(self._settings), *former_keys(self._settings))
        found = []
        for each in shows:
            sealed = await self._records.exhibit(each.chat, each.by, each.place)
            if sealed is not None:
                whose = self._words.plain(each.of, "en")
                opened = sealer.open_exhibit(sealed, each.place)
                found.append(Exported(whose, each.place, hashlib.sha256(sealed).hexdigest(), opened))
        return done, found

    async def approvals(self) -> Done:
        """The acts that wait for a second member."""
        return await self._do(ApprovalsAsked())

    async def decline(self, approval: int) -> Done:
        return await self._do(ApprovalDeclined(approval))

    async def purchase(self, code: str) -> Done:
        """Show the purchase with this code, as staff see it."""
        return await self._do(PurchaseAsked(code))

    async def refund(self, code: str, reason: RefundReason, note: str) -> Done:
        """Order the refund of a purchase."""
        return await self._do(RefundAsked(code, reason, note))

    async def drain(self, bot: BotId, sister: BotId, username: str) -> Done:
        """Close a bot, and send its people to its sister."""
        return await self._do(DrainAsked(bot, sister, username))

    async def end_drain(self, bot: BotId) -> Done:
        return await self._do(DrainEndAsked(bot))

    async def retire(self, bot: BotId) -> Done:
        """Note that a bot is retired. The part that asks removes its token."""
        return await self._do(RetireAsked(bot))

    async def drains(self) -> Sequence[Drain]:
        return await self._records.drains()

    async def new_broadcast(self) -> Done:
        return await self._do(BroadcastNew())

    async def write_broadcast(self, number: int, words: str, language: str, arm: str, buttons: str) -> Done:
        """Write the message in one language, as plain text."""
        return await self._do(BroadcastWritten(number, plain(words), language, arm, buttons))

    async def set_broadcast(self, number: int, options: str) -> Done:
        return await self._do(BroadcastSet(number, options))

    async def act_on_broadcast(self, number: int, act: BroadcastAct) -> Done:
        return await self._do(BroadcastDone(number, act))

    async def sanctions(self, code: str) -> tuple[Sanction, ...]:
        """The sanctions that bind the person now."""
        now = self._clock.now()
        subject = await self._records.subject(support.read(code) or "", now)
        return binding(subject.person, now) if subject is not None else ()

    async def transparency(self, since: date, until: date, *, as_json: bool) -> str:
        """The transparency report for the days from `since` until before `until`, in Markdown or JSON."""
        ends = (datetime.combine(day, time(), UTC).timestamp() for day in (since, until))
        counted = figures(await self._records.period(*ends), since.isoformat(), until.isoformat())
        return msgspec.json.format(msgspec.json.encode(counted)).decode() if as_json else markdown(counted)

    async def money(self, since: date, until: date, form: str) -> str:
        """The report about money for the days from `since` until before `until`, as text, csv or json."""
        now = self._clock.now()
        begins, ends = (datetime.combine(day, time(), UTC).timestamp() for day in (since, until))
        read = await self._records.ledgered(begins, ends, now)
        fleet = frozenset(self._settings.tokens)
        found = money_report.figures(read, since.isoformat(), until.isoformat(), fleet, now)
        bots = await known_bots(self._settings)
        if form == "text":
            return money_report.in_words(found, bots) + "\n"
        found = money_report.named(found, bots)
        if form == "json":
            return msgspec.json.format(msgspec.json.encode(found)).decode() + "\n"
        return as_csv(money_report.rows(found))

    async def team(self) -> tuple[StaffMember, ...]:
        return await self._records.team()

    async def audit(self, limit: int) -> Sequence[AuditRow]:
        """The newest rows, the newest last."""
        return await self._records.newest_audit(limit)

    async def verify(self) -> Verified:
        """Compare every row of the audit with the chain."""
        last: AuditRow | None = None
        while rows := await self._records.audit(last.number if last is not None else 0, _ROWS_AT_ONCE):
            broken = first_broken(rows, last)
            if broken is not None:
                return Verified(rows[-1].number, rows[-1].hash, broken)
            last = rows[-1]
        return Verified(last.number if last is not None else 0, last.hash if last is not None else "", None)

    async def _do(self, request: StaffRequest) -> Done:
        decision = await self._decisions.on_request(request)
        await self._tell(decision)
        return self._done(decision)

    def _done(self, decision: StaffDecision) -> Done:
        assert decision.reply is not None, "every request is answered"
        is_unknown = decision.refused and decision.reply.key.endswith((".unknown", ".nobody"))
        waits = any(each.action == SECOND_ASKED or SUBMITTED in each.details for each in decision.notes)
        return Done(self._words.plain(decision.reply, "en"), decision.refused, is_unknown, waits)

    async def _tell(self, decision: StaffDecision) -> None:
        says = any(isinstance(each, Say) for each in decision.effects)
        bot, token = self._settings.staff_bot, self._settings.staff_bot_token
        if not says or bot is None or token is None:
            return
        telegram = BotApi({bot: token.get_secret_value()}, _NoFiles(), base_url=self._settings.bot_api_url)
        try:
            await tell(decision, await self.team(), self._words, telegram, bot)
        finally:
            await telegram.aclose()

    async def _username(self) -> str:
        """How the staff bot is called. Raises: WrongSetting, if there is none."""
        settings = self._settings
        if settings.staff_bot is None or settings.staff_bot_token is None:
            remedy = "ask @BotFather for a bot that only your team uses, and write its token here"
            raise WrongSetting("STAFF_BOT_TOKEN", "is not set, so there is no bot to join", remedy)
        tokens = {settings.staff_bot: settings.staff_bot_token.get_secret_value()}
        telegram = BotApiWebhooks(tokens, settings.bot_api_url)
        try:
            with suppress(TelegramError):
                return await telegram.username(settings.staff_bot)
            return ""
        finally:
            await telegram.aclose()


@asynccontextmanager
async def staff_office(
    settings: Settings, *, makes_tables: bool = False, may_be_changed: bool = False
) -> AsyncIterator[StaffOffice]:
    """`makes_tables`: also without a database; it is made then. `may_be_changed`: somebody may have changed the tables.

    Raises: WrongSetting, also if the database goes away meanwhile.
    """
    await (init_schema(settings) if makes_tables else must_exist(settings, may_be_changed=may_be_changed))
    with sentences(settings):
        records = SqlRecords.at(database(settings), _FEW)
        try:
            overrides = SqlOverrides(records.engine)
            overriding = OverrideWatch(settings, overrides, SystemClock())
            await overriding.take_up_new()
            # A code outlives the plans of the moment, so its discount counts as a share of the longest one ever.
            sold = await overrides.versions(Overridden.SETTING, "VIP_PLANS", _PLANS_MOST)
            longest = max(longest_plan(settings), longest_in(each.value for each in sold if each.value))
            rules = msgspec.structs.replace(overriding.rules, longest_plan=longest)
            rules = stricter(rules, await noted_limits(records.engine))
            yield StaffOffice(settings, SqlStaff(records.engine), SqlBroadcasts(records.engine), rules)
        finally:
            await records.aclose()
