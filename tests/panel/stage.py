"""The whole panel on a database of its own and a memory store, asked in this process. `Browser` keeps cookies."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import passerby
from passerby.adapters.memory import MemoryStore
from passerby.adapters.sql import SqlRecords, SqlStaff
from passerby.adapters.sql.overrides import SqlOverrides
from passerby.adapters.sql.panel_access import SqlPanelAccess
from passerby.adapters.sql.panel_counter import PanelCounter
from passerby.adapters.sql.panel_reader import PanelReader, reading_engine
from passerby.bootstrap.override_watch import OverrideWatch
from passerby.bootstrap.panel import make_panel
from passerby.catalogue import Catalogue
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.event import ButtonPressed, MessageReceived
from passerby.kernel.ids import BotId, MessageId, PersonId, UpdateRef
from passerby.kernel.staff import Role, StaffDecision, StaffId
from passerby.kernel.staff_requests import InviteAsked, PanelLinkAsked
from passerby.panel.bot_names import BotNames
from passerby.panel.figures_duty import FiguresDuty
from passerby.runtime.staff.decisions import StaffDecisions, digest_of, new_secret
from passerby.runtime.staff.router import StaffRouter
from passerby.settings import Settings
from passerby.staff import ALL
from tests.contract.records_places import make_tables
from tests.runtime.world import Disk, DiskLog

URL = "http://127.0.0.1:8090"
START = 1_800_000_000.0
TOKENS = ("1000001:sandbox-aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1000002:sandbox-bbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
STAFF_TOKEN = "1000009:sandbox-ccccccccccccccccccccccccccccc"
WORDS = Catalogue.load(Path(passerby.__file__).parent)


@dataclass
class Clock:
    """Stands still, unless a test moves it."""

    at: float = START

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass
class Telegram:
    """Keeps what the staff were told."""

    said: list[Any] = field(default_factory=list)

    async def send(self, call: Any) -> tuple[MessageId, ...]:
        self.said.append(call)
        return (MessageId(1),)


@dataclass
class Answered:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


class Browser:
    def __init__(self, app: Any, agent: str = "Mozilla/5.0 (X11; Linux) Firefox/140", url: str = URL) -> None:
        self.app = app
        self.url = url
        self.agent = agent
        self.cookies: dict[str, str] = {}

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answered:
        told = {"host": self.url.removeprefix("http://"), "user-agent": self.agent}
        told["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body:
            told["content-type"] = "application/x-www-form-urlencoded"
        told |= headers or {}
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in told.items() if value],
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        pairs = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        for name, value in pairs:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                secret = rest.partition(";")[0]
                self.cookies.pop(key, None)
                if secret:
                    self.cookies[key] = secret
        return Answered(sent[0]["status"], pairs, sent[1]["body"])

    async def get(self, path: str, **headers: str) -> Answered:
        return await self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def post(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answered:
        """The page that answers the form. A redirect to any other page is not followed."""
        answered = await self.sent(path, form, headers)
        to = answered.header("location")
        return await self.get(to) if "answer=" in to else answered

    async def sent(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answered:
        told = {"origin": self.url, "sec-fetch-site": "same-origin", **(headers or {})}
        return await self.ask("POST", path, urlencode(form).encode(), told)

    async def press(self, page: str, path: str, **fields: str) -> Answered:
        """Open a page and send its form to `path`, with the fields that the form has."""
        opened = await self.get(page)
        form = next(
            each for each in re.findall(r"<form.*?</form>", opened.text, re.DOTALL) if f'action="{path}"' in each
        )
        return await self.post(path, hidden(form) | fields)


def hidden(form: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))


class Stage:
    """`act` has a request decided as the command line would."""

    def __init__(self, folder: Path, records: SqlRecords, reading: PanelReader, **settings: Any) -> None:
        self.url = settings.get("panel_url", URL)
        self.clock, self.rng, self.telegram = Clock(), Random(7), Telegram()
        self.records, self.reading = records, reading
        self.store = MemoryStore(DiskLog(Disk()), self.clock, Random(1))  # type: ignore[arg-type]
        usual = {} if "bot_tokens_file" in settings else {"bot_tokens": TOKENS}
        self.settings = Settings(
            staff_bot_token=STAFF_TOKEN,  # type: ignore[arg-type]
            sqlite_db_path=folder / "panel.db",
            **(usual | {"panel_url": URL} | settings),
        )
        self.staff = SqlStaff(records.engine)
        self.access = SqlPanelAccess(records.engine)
        self.counting = PanelCounter(records.engine)
        bots = tuple(self.settings.tokens)
        self.duty = FiguresDuty(lambda: bots, self.store, self.counting, self.clock)
        parts: Any = SimpleNamespace(
            clock=self.clock,
            rng=self.rng,
            files=SimpleNamespace(key=b"k" * 32, former_keys=()),
            store=self.store,
            records=records,
            telegram=self.telegram,
            tokens=SimpleNamespace(tokens=self.settings.tokens),
        )
        self.words = copy(WORDS)
        self.overriding = OverrideWatch(self.settings, SqlOverrides(records.engine), self.clock, self.words)
        self.names = BotNames()
        self.app = make_panel(self.settings, parts, self.words, reading, self.overriding, self.names)
        self.decisions = StaffDecisions(self.staff, StaffRouter(ALL), lambda: Env(self.clock.now(), self.rng), self.url)
        self._update = 0

    async def hire(self, role: Role, person: int, name: str = "") -> StaffId:
        secret = new_secret(self.rng)
        await self.decisions.on_request(InviteAsked(digest_of(secret), role, name))
        await self.write(person, f"/start {secret}")
        return next(each.number for each in await self.staff.team() if each.person == person)

    async def write(self, person: int, words: str) -> StaffDecision:
        self._update += 1
        event = MessageReceived(
            PersonId(person), BotId(1000009), (MessageId(5),), (Content(Kind.TEXT, text=words),), self.clock.now()
        )
        return await self.decisions.on_event(event, UpdateRef(BotId(1000009), self._update))

    async def press(self, person: int, action: str, token: str) -> StaffDecision:
        self._update += 1
        event = ButtonPressed(PersonId(person), BotId(1000009), "q", MessageId(5), action, token)
        return await self.decisions.on_event(event, UpdateRef(BotId(1000009), self._update))

    async def link(self, member: int = 0) -> str:
        secret = new_secret(self.rng)
        await self.decisions.on_request(PanelLinkAsked(digest_of(secret), StaffId(member), 600.0))
        return f"/enter/{secret}"

    async def signed_in(self, member: int = 0) -> Browser:
        """A browser that has used a link of the command line."""
        browser = Browser(self.app, url=self.url)
        done = await browser.press(await self.link(member), "/enter")
        assert (done.status, done.header("location")) == (303, "/"), done.text
        return browser

    async def actions(self) -> list[str]:
        return [row.action for row in await self.staff.newest_audit(1000)]


Scene = Callable[[Stage], Awaitable[None]]


def play(folder: Path, scene: Scene, **settings: Any) -> None:
    """Run a scene with an empty panel."""

    async def run() -> None:
        await make_tables(folder / "panel.db")
        records = SqlRecords.at(folder / "panel.db")
        reading = PanelReader(reading_engine(folder / "panel.db"))
        try:
            await scene(Stage(folder, records, reading, **settings))
        finally:
            await reading.aclose()
            await records.aclose()

    asyncio.run(run())
