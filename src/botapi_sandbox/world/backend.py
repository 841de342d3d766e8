"""The backend that methods and phones use: the stored state, the clock, and three operations.

`post` adds a message to a chat, `show` sends an event to a phone, and `queue_update` queues an update for a bot.
`World` adds the entrances above: bots' requests, phones, webhooks and time. This module does not import methods, so
they can import it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from botapi_sandbox.world import queue
from botapi_sandbox.world.answers import Json, Refusal
from botapi_sandbox.world.faults import Fault
from botapi_sandbox.world.files import Files
from botapi_sandbox.world.journal import Journal
from botapi_sandbox.world.limits import Limits
from botapi_sandbox.world.poller import Poller
from botapi_sandbox.world.schema import bot_api_schema
from botapi_sandbox.world.state import Bot, Chat, ChatMessage, Queued, State
from botapi_sandbox.world.switches import Switches, changed

_encode = msgspec.json.Encoder().encode

PhoneEvent = Json
"""`{"type": ..., "bot": id, ...}` as in the control API. The person's id is passed beside it."""


class Backend:
    """See the module's docstring.

    `clock` returns Unix seconds. `rng` decides ids, dice and faults. `state` is a stored world to continue.
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
        self.polls: dict[int, Poller] = {}
        self.changes = 0
        """Grows with every change of `state`. The state file is written when this has grown."""
        self.bots_by_token = {bot.token: bot for bot in self.state.bots.values()}
        self._update_hooks: dict[int, list[Callable[[], None]]] = {}
        self._webhook_hooks: list[Callable[[int], None]] = []
        self._event_hooks: list[Callable[[int, PhoneEvent], None]] = []

    def bot_by_token(self, token: str) -> Bot:
        """Raises: Refusal, 401 for a wrong token, 404 for a text that is not a token."""
        bot = self.bots_by_token.get(token)
        if bot is not None and not bot.revoked:
            return bot
        head, _, tail = token.partition(":")
        if head.isdigit() and len(tail) >= 20:
            raise Refusal(401, "Unauthorized")
        raise Refusal(404, "Not Found")

    def chat(self, bot: Bot, person_id: int) -> Chat:
        """The chat of a bot and an existing person. It is made if necessary."""
        chat = bot.chats.get(person_id)
        if chat is None:
            chat = bot.chats[person_id] = Chat(person_id)
        return chat

    def post(self, bot: Bot, chat: Chat, content: Json, *, outgoing: bool) -> Json:
        """Add a message of the person (`outgoing`) or the bot. Returns the message as the bot sees it."""
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
            sent = chat.messages[message["message_id"]]
            self.show(chat, bot, {"type": "message", "message": phone_message(sent)})
        return message

    def hold(self, chat: Chat, message: Json, *, outgoing: bool) -> None:
        """Put a message into the history, and drop the oldest ones above the limit."""
        chat.messages[message["message_id"]] = ChatMessage(message, outgoing)
        while len(chat.messages) > self.switches.history_length:
            del chat.messages[next(iter(chat.messages))]
        self.changes += 1

    def show(self, chat: Chat, bot: Bot, event: PhoneEvent) -> None:
        """Send an event to a phone."""
        for hook in self._event_hooks:
            hook(chat.person_id, {"bot": bot.id, **event})

    def show_edited(self, chat: Chat, bot: Bot, sent: ChatMessage) -> None:
        """Tell the phone that a message has changed."""
        self.changes += 1
        if self._event_hooks:
            self.show(chat, bot, {"type": "edited", "message": phone_message(sent)})

    def show_reactions(self, chat: Chat, bot: Bot, sent: ChatMessage) -> None:
        """Tell the phone that the reactions on a message have changed."""
        self.changes += 1
        reactions = phone_message(sent)["reactions"]
        event = {"type": "reactions", "message_id": sent.message["message_id"], "reactions": reactions}
        self.show(chat, bot, event)

    def queue_update(self, bot: Bot, kind: str, payload: Json, *, update_queue: str, **details: Any) -> int | None:
        """Queue an update, if the bot wants its kind. Returns the update's id, or None."""
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
        self.journal.note("queued", bot.id, update_id=update_id, update=kind, **details)
        self.changes += 1
        self.announce_updates(bot)
        return update_id

    def announce_updates(self, bot: Bot) -> None:
        """Wake the bot's waiting poll and call its update hooks. Needed only after a direct change to the queue."""
        poller = self.polls.get(bot.id)
        if poller is not None and poller.waiting is not None:
            poller.waiting.wake_up()
        for hook in self._update_hooks.get(bot.id, ()):
            hook()

    def on_update(self, bot_id: int, hook: Callable[[], None]) -> Callable[[], None]:
        """Call `hook` after each update queued for this bot. Returns a function that stops this."""
        hooks = self._update_hooks.setdefault(bot_id, [])
        hooks.append(hook)
        return lambda: hooks.remove(hook)

    def on_webhook(self, hook: Callable[[int], None]) -> Callable[[], None]:
        """Call `hook(bot_id)` after a webhook was set or deleted. Returns a function that stops this."""
        self._webhook_hooks.append(hook)
        return lambda: self._webhook_hooks.remove(hook)

    def webhooks_changed(self, bot: Bot) -> None:
        """Tell everyone who delivers webhooks."""
        for hook in self._webhook_hooks:
            hook(bot.id)

    def on_event(self, hook: Callable[[int, PhoneEvent], None]) -> Callable[[], None]:
        """Call `hook(person_id, event)` for each event on a phone. Returns a function that stops this."""
        self._event_hooks.append(hook)
        return lambda: self._event_hooks.remove(hook)

    def switch(self, changes: Json) -> Switches:
        """Change switches. Raises: msgspec.ValidationError."""
        self.switches = changed(self.switches, changes)
        self.journal.resize(self.switches.journal_length)
        return self.switches


def phone_message(sent: ChatMessage) -> Json:
    """The message as the person's phone shows it."""
    return {
        **sent.message,
        "outgoing": sent.outgoing,
        "reactions": {"mine": _emoji(sent.persons_reaction), "bot": _emoji(sent.bots_reaction)},
    }


def _emoji(reaction: Json | None) -> str | None:
    return None if reaction is None else reaction.get("emoji") or reaction.get("custom_emoji_id")
