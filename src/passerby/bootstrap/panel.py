"""Puts the operators' panel together, and serves it in a process that runs anyway."""

import sys
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from passerby.adapters.passkeys import Passkeys
from passerby.adapters.sql import SqlBroadcasts, SqlStaff
from passerby.adapters.sql.approvals import SqlApprovals
from passerby.adapters.sql.overrides import SqlOverrides
from passerby.adapters.sql.panel_access import SqlPanelAccess
from passerby.adapters.sql.panel_ledger import PanelLedger
from passerby.adapters.sql.panel_reader import PanelReader, reading_engine
from passerby.bootstrap.override_watch import OverrideWatch
from passerby.bootstrap.parts import Parts
from passerby.bootstrap.team_messages import tell
from passerby.catalogue import Catalogue
from passerby.domain.money.cases import as_one
from passerby.kernel.content import Content
from passerby.kernel.decision import Env
from passerby.kernel.drain import FleetBot, KnownBots
from passerby.kernel.effect import Say
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.staff import THE_OPERATOR, ShowExhibit, StaffDecision, StaffRequest
from passerby.ops.bots import sister_of, username_of
from passerby.ops.slow import read_insights
from passerby.ops.stores import database
from passerby.ops.token_file import TokenFile
from passerby.panel.app import Panel
from passerby.panel.bot_names import BotNames
from passerby.panel.doors import Doors
from passerby.panel.kept import KeptForms
from passerby.panel.live import FleetReader
from passerby.panel.look import Look
from passerby.panel.marks import Marks
from passerby.panel.pages.alerts import AlertsPage
from passerby.panel.pages.approvals import ApprovalsPage
from passerby.panel.pages.audit import AuditPage
from passerby.panel.pages.bots import BotsPage
from passerby.panel.pages.broadcasts import BroadcastsPage
from passerby.panel.pages.errors import ErrorsPage
from passerby.panel.pages.exports import ExportsPage
from passerby.panel.pages.growth import GrowthPage
from passerby.panel.pages.health import HealthPage
from passerby.panel.pages.money import MoneyPage
from passerby.panel.pages.now import NowPage
from passerby.panel.pages.passkeys import PasskeysPage
from passerby.panel.pages.people import PeoplePage
from passerby.panel.pages.safety import SafetyPage
from passerby.panel.pages.settings import SettingsPage
from passerby.panel.pages.stores import StoresPage
from passerby.panel.pages.team import TeamPage
from passerby.panel.pages.texts import TextsPage
from passerby.ports.telegram import SendContent, TelegramError
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.staff.decisions import StaffDecisions
from passerby.runtime.staff.router import StaffRouter
from passerby.runtime.tasks import Background
from passerby.settings import Settings, addresses
from passerby.staff import ALL
from passerby.telemetry import logs
from passerby.web import CannotListen, Listener, listen_on_tcp

SANDBOX = ":sandbox-"
"""Tokens of the sandbox's bots have it (see `settings.forms`)."""
MENU = tuple(
    each.page
    for each in (
        NowPage,
        GrowthPage,
        HealthPage,
        BotsPage,
        AlertsPage,
        SafetyPage,
        ApprovalsPage,
        MoneyPage,
        BroadcastsPage,
        PeoplePage,
        AuditPage,
        ErrorsPage,
        StoresPage,
        TextsPage,
        SettingsPage,
        ExportsPage,
        TeamPage,
    )
)


class Acting:
    """Has what somebody does in the panel decided by the same deciders as in the staff bot, and tells those whom it is
    about."""

    def __init__(
        self,
        settings: Settings,
        parts: Parts,
        staff: SqlStaff,
        words: Catalogue,
        overriding: OverrideWatch,
        names: BotNames,
    ) -> None:
        self._names = names
        self._bot = settings.staff_bot
        self._parts = parts
        self._staff = staff
        self._words = words
        self._sealer = Sealer(parts.files.key, *parts.files.former_keys)
        self._decisions = StaffDecisions(
            staff,
            StaffRouter(ALL),
            lambda: Env(parts.clock.now(), parts.rng, overriding.rules),
            settings.panel_url or "",
            self._fleet,
            works=lambda bot: bot in parts.tokens.tokens,
        )

    async def _fleet(self) -> KnownBots:
        return KnownBots(tuple(FleetBot(bot, self._names.username(bot)) for bot in self._parts.tokens.tokens))

    async def __call__(self, request: StaffRequest, by: PersonId | None) -> StaffDecision:
        decision = await self._decisions.on_request(request, by)
        if self._bot is not None and any(isinstance(each, Say) for each in decision.effects):
            await tell(decision, await self._staff.team(), self._words, self._parts.telegram, self._bot)
        return decision

    async def open_exhibit(self, exhibit: ShowExhibit) -> str | tuple[BotId, Content] | None:
        """Raises: RecordsLost."""
        if exhibit.case:
            asked = await self._staff.question(exhibit.case)
            return as_one((part.at, self._sealer.open_words(part.sealed)) for part in asked)
        sealed = await self._staff.exhibit(exhibit.chat, exhibit.by, exhibit.place)
        return self._sealer.open_exhibit(sealed, exhibit.place) if sealed is not None else None

    async def send_blurred(self, exhibit: ShowExhibit, source: BotId, content: Content) -> bool:
        """A file goes through Telegram, so it is shown in the member's chat with the staff bot."""
        if self._bot is None or exhibit.to == THE_OPERATOR.person:
            return False
        blurred = msgspec.structs.replace(content, spoiler=True, protected=True, group=None, effect=None)
        try:
            await self._parts.telegram.send(SendContent(self._bot, exhibit.to, source, exhibit.by, (), (blurred,)))
        except TelegramError:
            return False
        return True


class TokensOfFleet:
    """BOT_TOKENS_FILE, for the page of bots."""

    def __init__(self, settings: Settings, file: TokenFile) -> None:
        self._settings = settings
        self.add, self.without, self.remove = file.add, file.without, file.remove

    @classmethod
    def of(cls, settings: Settings) -> "TokensOfFleet | None":
        """None if the tokens are in no file."""
        return cls(settings, TokenFile.of(settings)) if settings.bot_tokens_file is not None else None

    async def username(self, token: str) -> str:
        """Raises: WrongSetting, if Telegram does not take the token."""
        return await username_of(self._settings, token)


@asynccontextmanager
async def serving_panel(
    settings: Settings, parts: Parts, words: Catalogue, role: str, overriding: OverrideWatch
) -> AsyncIterator[None]:
    """If the address cannot be listened on, that is logged, and the bots are served without a panel."""
    assert settings.panel_url is not None
    uri = settings.panel_postgres_uri
    reading = PanelReader(reading_engine(uri.get_secret_value() if uri is not None else database(settings)))
    names = BotNames()
    background = Background(lambda error: logs.failed("panel.names", error))

    def bots() -> tuple[BotId, ...]:
        return tuple(parts.tokens.tokens)

    background.keep_going(partial(names.keep, bots, parts.telegram.identify, parts.clock), parts.clock)
    try:
        panel = make_panel(settings, parts, words, reading, overriding, names)
        listener: Listener | None = None
        try:
            # Several web processes on one machine share the address: sessions are in the records.
            listener = listen_on_tcp(panel, *settings.panel_address, shared=role == "web")
            logs.record("panel.listening", "debug", address=listener.address)
        except CannotListen as error:
            logs.record("panel.unavailable", "warning", setting="PANEL_LISTEN", reason=str(error))
        try:
            yield
        finally:
            if listener is not None:
                await listener.aclose()
    finally:
        await background.aclose()
        await reading.aclose()


def make_panel(
    settings: Settings,
    parts: Parts,
    words: Catalogue,
    reading: PanelReader,
    overriding: OverrideWatch,
    names: BotNames,
) -> Panel:
    staff = SqlStaff(parts.records.engine)
    access = SqlPanelAccess(parts.records.engine)
    act = Acting(settings, parts, staff, words, overriding, names)
    live = FleetReader(parts.store, parts.clock, overriding.thresholds, names.name)

    def bots() -> tuple[BotId, ...]:
        return tuple(parts.tokens.tokens)

    ledger = PanelLedger(reading.engine)
    marks = Marks(reading, SqlBroadcasts(reading.engine))
    look, kept = Look(MENU, names), KeptForms()

    async def sister(bot: BotId, wanted: BotId | None, closing: Collection[BotId]) -> tuple[BotId, str]:
        found = await sister_of(settings, bot, wanted, closing)
        return BotId(found.bot), found.username

    pages = (
        NowPage(look, live, reading, marks, bots),
        GrowthPage(look, reading, marks),
        HealthPage(look, reading, marks),
        BotsPage(look, live, reading, staff, act, words, bots, sister, TokensOfFleet.of(settings)),
        AlertsPage(look, live, act, overriding.thresholds),
        SafetyPage(look, ledger, act, words, act.open_exhibit, act.send_blurred),
        ApprovalsPage(look, SqlApprovals(reading.engine), staff, act, words),
        MoneyPage(look, ledger, marks, act, words, act.open_exhibit),
        BroadcastsPage(look, SqlBroadcasts(reading.engine), act, words, bots),
        PeoplePage(look, staff, act, words),
        AuditPage(look, reading, staff),
        ErrorsPage(look, reading, act),
        StoresPage(look, partial(read_insights, settings)),
        TextsPage(look, words, SqlOverrides(reading.engine), staff, act, bots),
        SettingsPage(look, settings, SqlOverrides(reading.engine), staff, act, words),
        ExportsPage(look, reading),
        TeamPage(look, staff, access, act, words),
    )
    has_bot = settings.staff_bot is not None
    commands = _command(settings, "panel invite"), _into_team(settings)
    doors = Doors(look, access, staff, act, parts.rng, kept, commands, has_bot=has_bot)
    assert settings.panel_url is not None
    passkeys = PasskeysPage(look, access, act, words, Passkeys(settings.panel_url), parts.files.key, parts.rng, kept)
    routes = (*doors.routes, *passkeys.routes, *(route for page in pages for route in page.routes))
    return Panel(settings.panel_url, routes, look, access, staff, parts.files.key, parts.clock, parts.rng, kept)


def _into_team(settings: Settings) -> str:
    """The command that prints an invite to the staff bot. Each start of the demo prints one for its own staff bot."""
    token = settings.staff_bot_token
    is_demo = token is not None and SANDBOX in token.get_secret_value()
    return "make run" if is_demo else _command(settings, "staff invite --role owner")


def _command(settings: Settings, words: str) -> str:
    """The command that lets somebody in.

    If only this machine reaches the panel, the command is whole: the demo's database is not where `.env` says.
    """
    command = f"passerby {words}"
    if settings.postgres_uri is not None or not addresses.is_loopback(
        urlsplit(settings.panel_url or "").hostname or ""
    ):
        return command
    program = Path(sys.executable).with_name(command)
    return f"SQLITE_DB_PATH={Path(database(settings)).absolute()} PANEL_URL={settings.panel_url} {program}"
