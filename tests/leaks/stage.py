"""The whole app in one process, two couples who chat through it, and a record of everything that leaves it.

Ann and Ben share a bot; Cat and Dan use one each. In each case Cat does the same as Ann. Messages are put into the
world exactly as given, even if an honest client would refuse or repair them.
"""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any

import structlog

from botapi_sandbox import Answer, Switches, Upload, World
from botapi_sandbox.world.faults import Fault
from botapi_sandbox.world.files import default_details
from botapi_sandbox.world.media import media_fields
from botapi_sandbox.world.state import Bot, Person
from passerby.domain.budgets import Budget
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Gender, Participant, Profile
from passerby.kernel.rules import ContactPolicy, Rules
from passerby.runtime.worker import Worker
from passerby.telemetry import logs
from tests.botapi_sandbox.samples import PNG
from tests.leaks.canaries import Who, filled
from tests.simulation.network import Network
from tests.simulation.process import Build, Host
from tests.simulation.virtual_time import VirtualClock, VirtualLoop

Json = dict[str, Any]

EPOCH_S = 1_760_000_000.0
SETTLE_S = 2.5
"""Long enough for an album to be complete, and for a late answer."""
FILES = ("photo", "video", "animation", "audio", "voice", "video_note", "document", "sticker", "live_photo")
PLENTY = Budget(10_000.0, 10_000)


@dataclass
class Left:
    """Everything that left the process, and everything it wrote, since the last look."""

    requests: list[Json] = field(default_factory=list)
    """Method, params, and the `names` of the uploaded files."""
    shown: list[tuple[int, Json]] = field(default_factory=list)
    """Messages of bots as they appear in somebody's chat: (person, message)."""
    log: str = ""
    stored: bytes = b""


@dataclass
class Couple:
    """`me` sends through `bot`, `partner` reads through `partner_bot`."""

    me: Who
    bot: int
    partner: Who
    partner_bot: int


def app_with(*, ours: Rules, **parts: Any) -> Worker:
    return Worker(**{**parts, "config": replace(parts["config"], rules=ours)})


class Stage:
    """`just_met`: whether the people stay strangers for ever, or know each other from the start."""

    def __init__(self, loop: VirtualLoop, log: io.StringIO, *, just_met: bool, policy: ContactPolicy) -> None:
        rules = Rules(contact_policy=policy, just_met_s=1e9 if just_met else 0.0)
        clock = VirtualClock(loop, EPOCH_S)
        switches = Switches(limits=False, journal_length=1)
        self.loop = loop
        self.world = World(clock=clock.now, rng=Random(1), switches=switches)
        one, other = (self.world.add_bot().id for _ in range(2))
        ann, ben, cat, dan = (Who(letter, number) for number, letter in enumerate("ABCD", 101))
        self.couples = (Couple(ann, one, ben, one), Couple(cat, one, dan, other))
        tokens = {BotId(bot.id): bot.token for bot in self.world.state.bots.values()}
        network = Network(self.world, loop, Random(2))
        build = Build(app=partial(app_with, ours=rules), bot_budget=PLENTY, chat_budget=PLENTY)
        self.host = Host(loop, clock, network, tokens, Random(3), build)
        self._log = log
        self._files = 0
        self._left = Left()
        self._read: tuple[int, int] = (0, 0)
        self._listen()

    def _listen(self) -> None:
        ask = self.world.call

        def call(token: str, method: str, params: Any, files: Any = None) -> Answer:
            names = [[upload.name, upload.mime] for upload in (files or {}).values()]
            told = {key: value for key, value in params.items() if key not in (files or {})}
            self._left.requests.append({"method": method, "params": told, "names": names})
            return ask(token, method, params, files)

        self.world.call = call  # type: ignore[method-assign]
        self.world.on_event(self._see)

    def _see(self, person: int, event: Json) -> None:
        if event["type"] in ("message", "edited") and not event["message"]["outgoing"]:
            self._left.shown.append((person, event["message"]))

    async def open(self) -> None:
        """Register everybody, and pair both couples."""
        for couple in self.couples:
            for who, bot in ((couple.me, couple.bot), (couple.partner, couple.partner_bot)):
                self._let_in(who, bot)
        self.host.start()
        for couple in self.couples:
            for who, bot in ((couple.me, couple.bot), (couple.partner, couple.partner_bot)):
                self.world.phones.start(who.id, bot)
                self.world.phones.write(who.id, bot, "/search")
            left = await self.settled()
            met = {person for person, message in left.shown if "Partner found" in message.get("text", "")}
            assert met == {couple.me.id, couple.partner.id}
        await asyncio.sleep(2.0)  # a message within a second of the pairing has no recipient

    async def close(self) -> None:
        """Stop the app gracefully."""
        self.host._stop.set()
        await self.host._task

    def _let_in(self, who: Who, bot: int) -> None:
        user = who.user()
        self.world.state.people[who.id] = Person(
            id=who.id, first_name=user["first_name"], last_name=user["last_name"], username=user["username"]
        )
        profile = Profile(EPOCH_S - 1, 30, EPOCH_S - 1, Gender.OTHER, "en")
        person = PersonId(who.id)
        self.host.sql.people[person] = Participant(person, 1, BotId(bot), (BotId(bot),), profile)

    def send(self, who: Who, bot_id: int, content: Json) -> int:
        """Put a message into a chat. Return its id."""
        bot = self.world.state.bots[bot_id]
        chat = self.world.chat(bot, who.id)
        content = self._with_files(bot, filled(content, who))
        message = self.world.post(bot, chat, content, outgoing=True)
        self.world.queue_update(bot, "message", message, update_queue=f"chat:{who.id}")
        return int(message["message_id"])

    def edit(self, who: Who, bot_id: int, message: int, content: Json) -> None:
        bot = self.world.state.bots[bot_id]
        held = self.world.chat(bot, who.id).messages[message]
        edited = {"edit_date": int(self.world.now()), **self._with_files(bot, filled(content, who))}
        held.message = {key: value for key, value in {**held.message, **edited}.items() if value is not None}
        self.world.queue_update(bot, "edited_message", held.message, update_queue=f"chat:{who.id}")

    def _with_files(self, bot: Bot, content: Json) -> Json:
        """Replace descriptions of files by files: `{"document": {"file_name": ...}}`."""
        made: Json = {}
        for kind in FILES:
            if isinstance(wish := content.get(kind), dict):
                self._files += 1
                data = PNG if kind == "photo" else b"file %d" % self._files
                upload = Upload(data, wish.get("file_name", ""), wish.get("mime_type", ""))
                details = default_details(kind, upload, {})
                if "set_name" in wish:
                    details["set_name"] = wish["set_name"]  # it stays with the file, whoever sends its id
                record = self.world.files.add(kind, upload, details, 2**30)
                described = self.world.files.describe(bot, record)
                if isinstance(described, dict):
                    described |= wish
                made |= media_fields(kind, described)
        return {**content, **made}

    def held(self, who: Who, bot: int, message: int) -> Json:
        found: Json = self.world.state.bots[bot].chats[who.id].messages[message].message
        return found

    def flood(self, who: Who, seconds: int) -> None:
        """Refuse everything that is sent to this person, for a while."""
        self.world.faults = [Fault(kind="429", method="send*", chat=who.id, retry_after=seconds, count=1)]

    async def settled(self) -> Left:
        """Wait until everything is done. Return what left meanwhile."""
        await asyncio.sleep(SETTLE_S)
        return self.left()

    def left(self) -> Left:
        left, self._left = self._left, Left()
        logged, stored = self._log.getvalue(), bytes(self.host.disk.data)
        left.log, left.stored = logged[self._read[0] :], stored[self._read[1] :]
        self._read = len(logged), len(stored)
        return left


@contextmanager
def staged(*, just_met: bool, policy: ContactPolicy = ContactPolicy.WARN) -> Iterator[Stage]:
    """Yield a stage on its own loop, with every log line recorded, including debug. `stage.loop` runs it."""
    loop = VirtualLoop()
    former, was_strict, hook, root = structlog.get_config(), logs._strict, sys.excepthook, logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log = io.StringIO()
    logs.set_up("debug", "json", strict=True, stream=log)
    try:
        stage = Stage(loop, log, just_met=just_met, policy=policy)
        loop.run_until_complete(stage.open())
        yield stage
        loop.run_until_complete(stage.close())
        assert not loop.complaints
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.excepthook = hook
        structlog.configure(**former)
        logs._strict = was_strict
        loop.close()


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
