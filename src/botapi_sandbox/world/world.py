"""The world: everything that Telegram is to the bots in it, driven from outside, one call at a time.

How it is driven. A bot's request comes in through `call` (everything but getUpdates), `poll` (getUpdates) and
`fetch_file`; what people do comes in through `people.Phones` (`world.phones`); webhooks are driven through
`webhooks.Webhooks` (`world.webhooks`). Nothing happens by itself: whatever is due by the clock happens in `tick`,
and `next_due` says when. `on_update(bot_id, ...)` and `on_event(...)` tell a shell that something is there for a bot
or on a phone.

Deterministic: the same seed, clock and calls give the same world. Not thread-safe.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from botapi_sandbox.world import faults as faulty
from botapi_sandbox.world import payments, polling, queue, stickers
from botapi_sandbox.world.answers import (
    Answer,
    Json,
    Refusal,
    Upload,
    Waiting,
    refused,
    success,
)
from botapi_sandbox.world.faults import Fault
from botapi_sandbox.world.files import Files
from botapi_sandbox.world.journal import Journal
from botapi_sandbox.world.limits import Limits
from botapi_sandbox.world.methods import HANDLERS
from botapi_sandbox.world.people import Phones
from botapi_sandbox.world.requests import Request
from botapi_sandbox.world.schema import bot_api_schema
from botapi_sandbox.world.state import Bot, Chat, FileRecord, Held, Person, Queue, Queued, State
from botapi_sandbox.world.switches import Switches, changed
from botapi_sandbox.world.values import Mismatch
from botapi_sandbox.world.webhooks import Webhooks
from botapi_sandbox.world.wording import complaint

_encode = msgspec.json.Encoder().encode
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_NUMERALS = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
FIRST_BOT_ID = 1_000_001
FIRST_PERSON_ID = 5_000_001

PhoneEvent = Json
"""{"type": ..., "bot": id, ...} as in the control API; the person comes beside it."""


class World:
    """See the module's docstring.

    `clock` gives unix seconds; `rng` decides ids, dice and faults. With `state`, a former world goes on.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        rng: random.Random | None = None,
        switches: Switches | None = None,
        state: State | None = None,
        seed: int = 0,
    ) -> None:
        self.now = clock
        self.state = state or State(seed=seed)
        self.rng = rng or random.Random(f"{self.state.seed}:{self.state.loads}")  # noqa: S311 - pretence, not secrecy
        self.switches = switches or Switches()
        self.schema = bot_api_schema()
        self.files = Files(self.state, self.rng)
        self.limits = Limits()
        self.journal = Journal(clock, self.switches.journal_length)
        self.faults: list[Fault] = []
        self.phones = Phones(self)
        self.webhooks = Webhooks(self)
        self.polls: dict[int, polling.Poller] = {}
        self.changes = 0
        """Grows with every change to `state`; the state file is written when it moved."""
        self._tokens = {bot.token: bot for bot in self.state.bots.values()}
        self._update_hooks: dict[int, list[Callable[[], None]]] = {}
        self._webhook_hooks: list[Callable[[int], None]] = []
        self._event_hooks: list[Callable[[int, PhoneEvent], None]] = []
        stickers.provide(self)

    # Bots and people

    def add_bot(self, first_name: str | None = None, username: str | None = None, token: str | None = None) -> Bot:
        """A new bot. Its token is made from the seed and its id, unless given. Raises: ValueError."""
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
        self._tokens[bot.token] = bot
        self.changes += 1
        return bot

    def add_person(
        self, first_name: str | None = None, username: str | None = None, language_code: str = "en", **more: Any
    ) -> Person:
        """A new person, known to no bot. `more` are the other fields of `state.Person`."""
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

    def bot_by_token(self, token: str) -> Bot:
        """Raises: Refusal 401 for a wrong token, 404 for what is no token."""
        bot = self._tokens.get(token)
        if bot is not None and not bot.revoked:
            return bot
        head, _, tail = token.partition(":")
        if head.isdigit() and len(tail) >= 20:
            raise Refusal(401, "Unauthorized")
        raise Refusal(404, "Not Found")

    def chat(self, bot: Bot, person_id: int) -> Chat:
        """The chat of a bot and an existing person, made if it is not there yet."""
        chat = bot.chats.get(person_id)
        if chat is None:
            chat = bot.chats[person_id] = Chat(person_id)
        return chat

    # What bots ask

    def call(
        self, token: str, method: str, params: Mapping[str, Any], files: Mapping[str, Upload] | None = None
    ) -> Answer:
        """Answer any request; getUpdates here never waits. Unknown methods and wrong tokens are answers too."""
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
            answer = faulty.spoiled(fault, None)
        else:
            try:
                request.params, unknown = self._read(name, params, uploads)
                answer = success(self._carry_out(name, request))
                self.changes += 1
            except Refusal as refusal:
                answer = refused(refusal)
                error = refusal.description
            if fault is not None:
                answer = faulty.spoiled(fault, answer)
        facts: Json = {"method": method, "params": request.params or dict(params), "status": answer.status}
        if request.made:
            facts["chat_id"] = request.params.get("chat_id")
            facts["message_ids"] = request.made
        if error is not None:
            facts["error"] = error
        if unknown:
            facts["unknown"] = unknown
        if fault is not None:
            facts["fault"] = fault.kind
        self.journal.note("request", bot.id, **facts)
        return answer

    def _read(self, name: str, params: Mapping[str, Any], uploads: Mapping[str, Upload]) -> tuple[Json, list[str]]:
        check = self.schema.requests.methods.get(name)
        if check is None:
            raise Refusal(404, "Not Found: method not found")
        # A file part with a parameter's name is that parameter; any other is there to be attached by name.
        own = {part: upload for part, upload in uploads.items() if check.takes(part)}
        try:
            read, unknown = check.read({**own, **params} if own else params)
        except Mismatch as mismatch:
            raise complaint(check.name, mismatch) from None
        if unknown and self.switches.strict:
            names = ", ".join(entry.removeprefix(f"{check.name}.") for entry in unknown)
            raise Refusal(400, f"Bad Request: {check.name} has no parameter {names} in {self.schema.version}")
        return read, unknown

    def _carry_out(self, name: str, request: Request) -> object:
        handler = HANDLERS.get(name)
        if handler is None:
            raise Refusal(400, f"Bad Request: the sandbox does not do {request.method} yet")
        result = handler(request)
        if self.switches.check_own:
            plain = msgspec.json.decode(_encode(result))
            self.schema.emissions.verify(plain, *self.schema.requests.methods[name].returns)
        return result

    def poll(self, token: str, params: Mapping[str, Any]) -> Answer | Waiting:
        """getUpdates. A `Waiting` is to be resumed or abandoned, see there."""
        return polling.poll(self, token, params)

    def resume(self, waiting: Waiting) -> Answer | Waiting:
        """Look again for a waiting poll; `Waiting` if there still is nothing and its time has not come."""
        return polling.resume(self, waiting)

    def abandon(self, waiting: Waiting) -> None:
        """The client of this poll went away."""
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
            return faulty.spoiled(fault, None)
        if record is None or data is None or valid_until <= self.now():
            return refused(Refusal(404, "Not Found"))
        mime = record.mime or "application/octet-stream"
        if fault is not None:
            return faulty.spoiled(fault, Answer(200, data, {"Content-Type": mime}))
        return data, mime

    def blob(self, file_id: str) -> tuple[bytes, FileRecord] | None:
        """The bytes behind any bot's file id, for phones."""
        for bot in self.state.bots.values():
            record = self.files.find(bot, file_id)
            if record is not None:
                data = self.files.blobs.get(record.blob)
                return None if data is None else (data, record)
        return None

    # What the rules use

    def post(self, bot: Bot, chat: Chat, content: Json, *, outgoing: bool) -> Json:
        """A new message in a chat, by its person (`outgoing`) or its bot; the message as the bot sees it."""
        person = self.state.people[chat.person_id]
        message: Json = {
            "message_id": bot.next_message_id,
            "from": person.user() if outgoing else bot.user(),
            "chat": person.chat(),
            "date": int(self.now()),
            **content,
        }
        bot.next_message_id += 1
        self.hold(chat, message, outgoing=outgoing)
        if self._event_hooks:
            held = chat.messages[message["message_id"]]
            self.show(chat, bot, {"type": "message", "message": phone_message(held)})
        return message

    def hold(self, chat: Chat, message: Json, *, outgoing: bool) -> None:
        """Put a message into the history, forgetting the oldest beyond its length."""
        chat.messages[message["message_id"]] = Held(message, outgoing)
        while len(chat.messages) > self.switches.history_length:
            del chat.messages[next(iter(chat.messages))]
        self.changes += 1

    def show(self, chat: Chat, bot: Bot, event: PhoneEvent) -> None:
        """Let a phone know."""
        for hook in self._event_hooks:
            hook(chat.person_id, {"bot": bot.id, **event})

    def show_edited(self, chat: Chat, bot: Bot, held: Held) -> None:
        """A message changed."""
        self.changes += 1
        if self._event_hooks:
            self.show(chat, bot, {"type": "edited", "message": phone_message(held)})

    def show_reactions(self, chat: Chat, bot: Bot, held: Held) -> None:
        """The reactions on a message changed."""
        self.changes += 1
        reactions = phone_message(held)["reactions"]
        event = {"type": "reactions", "message_id": held.message["message_id"], "reactions": reactions}
        self.show(chat, bot, event)

    def queue_update(self, bot: Bot, kind: str, payload: Json, *, update_queue: str, **facts: Any) -> int | None:
        """Queue an update if the bot wants its kind; its id."""
        if not queue.is_wanted(bot.queue, kind):
            return None
        now = self.now()
        update_id = queue.next_id(bot.queue, now, self.rng)
        update = {"update_id": update_id, kind: payload}
        if self.switches.check_own:
            self.schema.emissions.verify(msgspec.json.decode(_encode(update)), "Update")
        body = _encode(update)
        item = Queued(update_id, kind, update_queue, now + queue.LIFETIMES_S.get(kind, queue.DAY_S), body)
        if not queue.append(bot.queue, item, now):
            self.journal.note("dropped", bot.id, update_ids=[update_id], reason="full")
            return None
        self.journal.note("queued", bot.id, update_id=update_id, update=kind, **facts)
        self.changes += 1
        polling.notify(self, bot)
        for hook in self._update_hooks.get(bot.id, ()):
            hook()
        return update_id

    # Hooks and time

    def on_update(self, bot_id: int, hook: Callable[[], None]) -> Callable[[], None]:
        """Call `hook` after each update queued for this bot; returns what ends it."""
        hooks = self._update_hooks.setdefault(bot_id, [])
        hooks.append(hook)
        return lambda: hooks.remove(hook)

    def on_webhook(self, hook: Callable[[int], None]) -> Callable[[], None]:
        """Call `hook(bot_id)` when a webhook was set or deleted; returns what ends it."""
        self._webhook_hooks.append(hook)
        return lambda: self._webhook_hooks.remove(hook)

    def webhooks_changed(self, bot: Bot) -> None:
        """Tell the shell that delivers."""
        for hook in self._webhook_hooks:
            hook(bot.id)

    def on_event(self, hook: Callable[[int, PhoneEvent], None]) -> Callable[[], None]:
        """Call `hook(person_id, event)` for all that a phone would show; returns what ends it."""
        self._event_hooks.append(hook)
        return lambda: self._event_hooks.remove(hook)

    def tick(self) -> None:
        """Let happen what is due by the clock: checkout queries that nobody answered."""
        payments.expire(self)

    def next_due(self) -> float | None:
        """When `tick` has something to do next, in unix seconds."""
        return payments.next_due(self)

    def switch(self, changes: Json) -> Switches:
        """Change behaviours. Raises: msgspec.ValidationError."""
        self.switches = changed(self.switches, changes)
        self.journal.resize(self.switches.journal_length)
        return self.switches


def pretend_token(seed: int, bot_id: int) -> str:
    """`<bot id>:` and 35 characters that say at a glance that they are none of Telegram's (those begin with AA)."""
    digest = hashlib.sha256(f"{seed}:{bot_id}".encode()).digest()
    return f"{bot_id}:sandbox-" + "".join(_ALPHABET[byte & 63] for byte in digest[:27])


def phone_message(held: Held) -> Json:
    """The message as its person's phone shows it."""
    return {
        **held.message,
        "outgoing": held.outgoing,
        "reactions": {"mine": _emoji(held.mine), "bot": _emoji(held.bots)},
    }


def _emoji(reaction: Json | None) -> str | None:
    return None if reaction is None else reaction.get("emoji") or reaction.get("custom_emoji_id")
