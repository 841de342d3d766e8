"""The world: Telegram as bots and people see it. A caller drives it, one call at a time.

- Bots' requests: `call` (everything except getUpdates), `poll` (getUpdates) and `fetch_file`.
- People's actions: `world.phones` (`people.Phones`).
- Channels: `world.channels` (`channels.Channels`).
- Webhooks: `world.webhooks` (`webhooks.Webhooks`).
- Time: nothing happens by itself. `tick` does everything that is due, and `next_due` says when to call it.
- Results: `on_update(bot_id, ...)` reports new updates for a bot, and `on_event(...)` reports events on phones.

Deterministic: the same seed, clock and calls give the same world. Not thread-safe.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from botapi_sandbox.world import faults as faulty
from botapi_sandbox.world import payments, polling, queue, stickers, subscriptions
from botapi_sandbox.world.answers import (
    Answer,
    Json,
    Refusal,
    Upload,
    Waiting,
    refused,
    success,
    unsupported,
)
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.channels import Channels
from botapi_sandbox.world.methods import HANDLERS
from botapi_sandbox.world.people import Phones
from botapi_sandbox.world.requests import Request
from botapi_sandbox.world.state import Bot, FileRecord, Person, Queue, State
from botapi_sandbox.world.switches import Switches
from botapi_sandbox.world.values import Mismatch
from botapi_sandbox.world.webhooks import Webhooks
from botapi_sandbox.world.wording import mismatch_refusal

_encode = msgspec.json.Encoder().encode
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_NUMERALS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
FIRST_BOT_ID = 1_000_001
FIRST_PERSON_ID = 5_000_001


class World(Backend):
    """The backend with its entrances. See the module's docstring; the arguments are those of `Backend`."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        rng: random.Random | None = None,
        switches: Switches | None = None,
        state: State | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(clock=clock, rng=rng, switches=switches, state=state, seed=seed)
        self.phones = Phones(self)
        self.channels = Channels(self)
        self.webhooks = Webhooks(self, self.call)
        stickers.provide(self)

    def add_bot(self, first_name: str | None = None, username: str | None = None, token: str | None = None) -> Bot:
        """A new bot. Without a given token, one is made from the seed and the bot's id. Raises: ValueError."""
        bot_id = max((bot_id for bot_id in self.state.bots), default=FIRST_BOT_ID - 1) + 1
        if token is not None:
            head, _, tail = token.partition(":")
            if not head.isdigit() or not tail or int(head) in self.state.bots:
                raise ValueError("token must look like <bot id>:<secret>, with an id that is still free")
            bot_id = int(head)
        number = len(self.state.bots) + 1
        name = first_name or f"Sandbox {_NUMERALS[number - 1] if number <= len(_NUMERALS) else number}"
        bot = Bot(
            id=bot_id,
            token=token or pretend_token(self.state.seed, bot_id),
            first_name=name,
            username=username or f"sandbox_{number}_bot",
            queue=Queue(queue.first_id(self.rng)),
        )
        self.state.bots[bot.id] = bot
        self.bots_by_token[bot.token] = bot
        self.changes += 1
        return bot

    def add_person(
        self, first_name: str | None = None, username: str | None = None, language_code: str = "en", **more: Any
    ) -> Person:
        """A new person, unknown to every bot. `more` are the other fields of `state.Person`."""
        person_id = max(self.state.people, default=FIRST_PERSON_ID - 1) + 1
        person = Person(
            id=person_id,
            first_name=first_name or f"Person {person_id - FIRST_PERSON_ID + 1}",
            username=username,
            language_code=language_code,
            **more,
        )
        self.state.people[person_id] = person
        self.changes += 1
        return person

    def call(
        self, token: str, method: str, params: Mapping[str, Any], files: Mapping[str, Upload] | None = None
    ) -> Answer:
        """Answer any request. Here getUpdates never waits. Unknown methods and wrong tokens also get an answer."""
        if method.lower() == "getupdates":
            outcome = self.poll(token, {**params, "timeout": 0})
            if isinstance(outcome, Waiting):
                self.abandon(outcome)
                return success([])
            return outcome
        try:
            bot = self.bot_by_token(token)
        except Refusal as refusal:
            return refused(refusal)
        name = method.lower()
        uploads = files or {}
        fault = None
        if self.faults:
            fault = faulty.choose(self.faults, self.rng, bot.id, name, params.get("chat_id"), params)
        request = Request(self, bot, method, {}, uploads)
        unknown: list[str] = []
        error: str | None = None
        if fault is not None and not fault.happens_after():
            answer = faulty.apply(fault, None)
        else:
            try:
                request.params, unknown = self._read(name, params, uploads)
                answer = success(self._carry_out(name, request))
                self.changes += 1
            except Refusal as refusal:
                answer = refused(refusal)
                error = refusal.description
            if fault is not None:
                answer = faulty.apply(fault, answer)
        details: Json = {"method": method, "params": request.params or dict(params), "status": answer.status}
        if request.made:
            details["chat_id"] = request.params.get("chat_id")
            details["message_ids"] = request.made
        if error is not None:
            details["error"] = error
        if unknown:
            details["unknown"] = unknown
        if fault is not None:
            details["fault"] = fault.kind
        self.journal.note("request", bot.id, **details)
        return answer

    def _read(self, name: str, params: Mapping[str, Any], uploads: Mapping[str, Upload]) -> tuple[Json, list[str]]:
        check = self.schema.requests.methods.get(name)
        if check is None:
            raise Refusal(404, "Not Found: method not found")
        # A file part with the name of a parameter is that parameter. Others are for attach://<name>.
        own = {part: upload for part, upload in uploads.items() if check.takes(part)}
        try:
            read, unknown = check.read({**own, **params} if own else params)
        except Mismatch as mismatch:
            raise mismatch_refusal(check.name, mismatch) from None
        if unknown and self.switches.strict:
            names = ", ".join(entry.removeprefix(f"{check.name}.") for entry in unknown)
            raise Refusal(400, f"Bad Request: {check.name} has no parameter {names} in {self.schema.version}")
        return read, unknown

    def _carry_out(self, name: str, request: Request) -> object:
        handler = HANDLERS.get(name)
        if handler is None:
            raise unsupported(request.method)
        result = handler(request)
        if self.switches.check_own:
            plain = msgspec.json.decode(_encode(result))
            self.schema.emissions.verify(plain, *self.schema.requests.methods[name].returns)
        return result

    def poll(self, token: str, params: Mapping[str, Any]) -> Answer | Waiting:
        """getUpdates. The caller must resume or abandon a `Waiting`, see there."""
        return polling.poll(self, token, params)

    def resume(self, waiting: Waiting) -> Answer | Waiting:
        """Try a waiting poll again. Returns `Waiting` if there is still nothing and its deadline has not passed."""
        return polling.resume(self, waiting)

    def abandon(self, waiting: Waiting) -> None:
        """The client of this poll has left."""
        polling.abandon(self, waiting)

    def fetch_file(self, token: str, file_path: str) -> tuple[bytes, str] | Answer:
        """GET /file/bot<token>/<file_path>: the bytes and their MIME type, or a refusal."""
        try:
            bot = self.bot_by_token(token)
        except Refusal as refusal:
            return refused(refusal)
        unique, valid_until = bot.links.get(file_path, ("", 0.0))
        record = self.state.files.get(unique)
        data = self.files.blobs.get(record.blob) if record is not None else None
        fault = faulty.choose(self.faults, self.rng, bot.id, "download", None) if self.faults else None
        if fault is not None and not fault.happens_after():
            return faulty.apply(fault, None)
        if record is None or data is None or valid_until <= self.now():
            return refused(Refusal(404, "Not Found"))
        mime = record.mime or "application/octet-stream"
        if fault is not None:
            return faulty.apply(fault, Answer(200, data, {"Content-Type": mime}))
        return data, mime

    def blob(self, file_id: str) -> tuple[bytes, FileRecord] | None:
        """The bytes of a file by any bot's file id, for phones."""
        for bot in self.state.bots.values():
            record = self.files.find(bot, file_id)
            if record is not None:
                data = self.files.blobs.get(record.blob)
                return None if data is None else (data, record)
        return None

    def tick(self) -> None:
        """Do everything that is due: end the checkouts that no bot answered, and renew subscriptions."""
        payments.expire(self)
        subscriptions.renew_due(self)

    def next_due(self) -> float | None:
        """When `tick` next has something to do, in Unix seconds."""
        due = [at for at in (payments.next_due(self), subscriptions.next_due(self)) if at is not None]
        return min(due, default=None)


def pretend_token(seed: int, bot_id: int) -> str:
    """`<bot id>:` and 35 characters. They are clearly not Telegram's, whose tokens begin with AA."""
    digest = hashlib.sha256(f"{seed}:{bot_id}".encode()).digest()
    return f"{bot_id}:sandbox-" + "".join(_ALPHABET[byte & 63] for byte in digest[:27])
