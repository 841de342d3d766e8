"""The actions of people on their phones: start, write, send files, edit, react, press, vote, pay, block.

Each action has the same results as in Telegram: the chat's history changes, and the bot's queue gets an update. An
action that a phone does not offer (a press without a button, an edit of a bot's message) raises `CannotDo`.
"""

from __future__ import annotations

from typing import Any

from botapi_sandbox.world import payments, polls, subscriptions
from botapi_sandbox.world.answers import Json, Upload
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.composing import FILE_KINDS, CannotDo, Composer
from botapi_sandbox.world.copying import KINDS, kind_of, origin_of
from botapi_sandbox.world.delivery import find_quote, without_reply
from botapi_sandbox.world.keyboards import button_at
from botapi_sandbox.world.media import media_fields, new_album_id
from botapi_sandbox.world.reactions import first_of_album
from botapi_sandbox.world.state import Bot, Chat, ChatMessage, Payment, Press, Subscription
from botapi_sandbox.world.values import Mismatch

__all__ = ["FILE_KINDS", "CannotDo", "Phones"]

_FORWARDED = (
    *KINDS, "story", "game", "giveaway", "entities", "caption", "caption_entities", "has_media_spoiler",
    "link_preview_options",
)  # fmt: skip


class Phones:
    """The actions. Each world has one instance, `world.phones`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._composer = Composer(backend)

    def start(self, person_id: int, bot_id: int, parameter: str | None = None) -> Json:
        """Press Start, or follow a deep link: unblocks the bot and sends /start."""
        bot, chat = self._chat(person_id, bot_id)
        if chat.blocked:
            self.unblock(person_id, bot_id)
        elif not chat.started and self._backend.switches.first_start_member_update:
            self._member(bot, chat, {"status": "left"}, {"status": "member"})
        chat.started = True
        return self.send(person_id, bot_id, {"text": f"/start {parameter}" if parameter else "/start"})

    def block(self, person_id: int, bot_id: int) -> None:
        """Block the bot. It gets an update, and can no longer write to this person."""
        bot, chat = self._chat(person_id, bot_id)
        if not chat.blocked:
            chat.blocked = True
            self._member(bot, chat, {"status": "member"}, {"status": "kicked", "until_date": 0})

    def unblock(self, person_id: int, bot_id: int) -> None:
        """Unblock the bot. It gets an update."""
        bot, chat = self._chat(person_id, bot_id)
        if chat.blocked:
            chat.blocked, chat.started = False, True
            self._member(bot, chat, {"status": "kicked", "until_date": 0}, {"status": "member"})

    def _member(self, bot: Bot, chat: Chat, before: Json, after: Json) -> None:
        person = self._backend.state.people[chat.person_id]
        update = {
            "chat": person.chat(),
            "from": person.user(),
            "date": int(self._backend.now()),
            "old_chat_member": {**before, "user": bot.user()},
            "new_chat_member": {**after, "user": bot.user()},
        }
        self._backend.changes += 1
        update_queue = f"member:{person.id}"
        self._backend.queue_update(bot, "my_chat_member", update, update_queue=update_queue, person=person.id)

    def deactivate(self, person_id: int) -> None:
        """Delete the account."""
        self._backend.state.people[person_id].deactivated = True
        self._backend.changes += 1

    def write(
        self,
        person_id: int,
        bot_id: int,
        text: str,
        *,
        entities: list[Json] | None = None,
        reply_to: int | None = None,
        quote: str | None = None,
    ) -> Json:
        """Send text. Returns the message as the bot sees it."""
        content: Json = {"text": text}
        if entities:
            content["entities"] = entities
        return self.send(person_id, bot_id, content, reply_to=reply_to, quote=quote)

    def send(
        self, person_id: int, bot_id: int, content: Json, *, reply_to: int | None = None, quote: str | None = None
    ) -> Json:
        """Send any content that a client can send, as Bot API Message fields.

        A description can replace a file: `{"voice": {"duration": 3}}`. `file_size` says a size, and `file_unique_id`
        sends a known file again. The sandbox makes the bytes, the ids and the missing details. It throws dice that have
        no value, and completes polls that have only a question and options.
        """
        bot, chat = self._chat(person_id, bot_id)
        if chat.blocked:
            raise CannotDo("this person has blocked the bot")
        premium = self._backend.state.people[person_id].premium
        content = self._composer.completed(bot, content, premium=premium)
        content = {**self._reply(chat, reply_to, quote), **content}
        self._composer.check(content)
        if not chat.started:
            chat.started = True
        return self._arrive(bot, chat, content)

    def upload(
        self,
        person_id: int,
        bot_id: int,
        kind: str,
        upload: Upload,
        *,
        details: Json | None = None,
        reply_to: int | None = None,
        **message: Any,
    ) -> Json:
        """Send a file of this kind. `message` are further Message fields: caption, media_group_id ..."""
        bot, _ = self._chat(person_id, bot_id)
        if kind not in FILE_KINDS:
            raise CannotDo(f"kind must be one of {', '.join(FILE_KINDS)}")
        record = self._composer.add(kind, upload, details or {})
        described = self._backend.files.describe(bot, record)
        content = {**media_fields(kind, described), **message}
        return self.send(person_id, bot_id, content, reply_to=reply_to)

    def album(self, person_id: int, bot_id: int, items: list[Json]) -> list[Json]:
        """Send several messages as one album. Items are as for `send`."""
        group = new_album_id(self._backend.rng.getrandbits)
        return [self.send(person_id, bot_id, {**item, "media_group_id": group}) for item in items]

    def open_topic(self, person_id: int, bot_id: int, name: str = "New") -> int:
        """Open a topic in the chat with a bot, and return its id. The bot gets a service message."""
        bot, chat = self._chat(person_id, bot_id)
        if not bot.topics:
            raise CannotDo("this bot's chats have no topics")
        thread = bot.next_message_id
        chat.topics.add(thread)
        made = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
        self._arrive(bot, chat, {**made, "message_thread_id": thread, "is_topic_message": True})
        return thread

    def close_topic(self, person_id: int, bot_id: int, thread: int) -> None:
        bot, chat = self._chat(person_id, bot_id)
        chat.topics.discard(thread)
        self._arrive(bot, chat, {"forum_topic_closed": {}, "message_thread_id": thread, "is_topic_message": True})

    def forward(self, person_id: int, from_bot: int, message_id: int, to_bot: int) -> Json:
        """Forward a message from the chat with one bot into the chat with another (or the same)."""
        source_bot, source = self._chat(person_id, from_bot)
        target_bot, _ = self._chat(person_id, to_bot)
        found = self._message(source, message_id)
        carried = {name: found.message[name] for name in _FORWARDED if name in found.message}
        for kind in FILE_KINDS:
            if kind in carried:
                one = carried[kind][-1] if isinstance(carried[kind], list) else carried[kind]
                record = self._backend.files.find(source_bot, one["file_id"])
                if record is not None:
                    carried[kind] = self._backend.files.describe(target_bot, record)
        if "animation" in carried:
            carried |= media_fields("animation", carried["animation"])
        if "live_photo" in carried:
            carried |= media_fields("live_photo", carried["live_photo"])
        return self.send(person_id, to_bot, {"forward_origin": origin_of(found.message), **carried})

    def edit(
        self,
        person_id: int,
        bot_id: int,
        message_id: int,
        *,
        text: str | None = None,
        caption: str | None = None,
        entities: list[Json] | None = None,
        content: Json | None = None,
    ) -> Json:
        """Change the text or caption of the person's own message, or with `content` other fields (a live location)."""
        bot, chat = self._chat(person_id, bot_id)
        found = self._message(chat, message_id)
        if not found.outgoing or kind_of(found.message) is None:
            raise CannotDo("people can edit only their own messages")
        after = dict(found.message)
        if text is not None:
            self._composer.put_text(after, "text", "entities", text, entities)
        if caption is not None:
            premium = self._backend.state.people[person_id].premium
            self._composer.put_text(after, "caption", "caption_entities", caption, entities, premium=premium)
        after |= content or {}
        after["edit_date"] = int(self._backend.now())
        self._composer.check({key: value for key, value in after.items() if key in (content or {})})
        found.message = after
        self._backend.show_edited(chat, bot, found)
        self._update(bot, chat, "edited_message", after)
        return after

    def delete(self, person_id: int, bot_id: int, message_id: int) -> None:
        """Delete a message for both sides. The bot is not told: Telegram has no such update for private chats."""
        bot, chat = self._chat(person_id, bot_id)
        self._message(chat, message_id)
        del chat.messages[message_id]
        self._backend.changes += 1
        self._backend.show(chat, bot, {"type": "deleted", "message_id": message_id})

    def react(self, person_id: int, bot_id: int, message_id: int, emoji: str | None) -> None:
        """Add a reaction to a message, or remove it. The bot gets an update only if `Switches.reactions` is on."""
        bot, chat = self._chat(person_id, bot_id)
        found = first_of_album(chat, self._message(chat, message_id))
        before = found.persons_reaction
        wanted = {"type": "emoji", "emoji": emoji.rstrip("\ufe0f")} if emoji else None
        if wanted == before:
            return
        if wanted is not None:
            try:
                self._backend.schema.emissions.verify(wanted, "ReactionType")
            except Mismatch:
                raise CannotDo(f"{emoji} is not one of Telegram's reactions") from None
        found.persons_reaction = wanted
        self._backend.show_reactions(chat, bot, found)
        if self._backend.switches.reactions:
            person = self._backend.state.people[person_id]
            update = {
                "chat": person.chat(),
                "message_id": found.message["message_id"],
                "user": person.user(),
                "date": int(self._backend.now()),
                "old_reaction": [before] if before else [],
                "new_reaction": [wanted] if wanted else [],
            }
            self._backend.queue_update(
                bot,
                "message_reaction",
                update,
                update_queue=f"reaction:{person_id}",
                person=person_id,
                message_id=message_id,
            )

    def press(self, person_id: int, bot_id: int, message_id: int, row: int, column: int) -> str:
        """Press an inline button. Returns the id of the callback query. Rows and columns count from 0."""
        _, chat = self._chat(person_id, bot_id)
        if chat.blocked:
            raise CannotDo("this person has blocked the bot")
        found = self._message(chat, message_id)
        button = button_at(found.message, row, column)
        if button is None or "callback_data" not in button:
            raise CannotDo("there is no callback button at that place")
        return self.press_data(person_id, bot_id, message_id, button["callback_data"])

    def press_data(self, person_id: int, bot_id: int, message_id: int, data: str) -> str:
        """Send a callback query with any data, for any message, as a modified client can."""
        bot, chat = self._chat(person_id, bot_id)
        found = chat.messages.get(message_id)
        person = self._backend.state.people[person_id]
        press = Press(str(self._backend.rng.getrandbits(62)), bot_id, person_id, self._backend.now())
        self._backend.state.presses[press.id] = press
        self._forget_old_presses()
        shown: Json = {"chat": person.chat(), "message_id": message_id, "date": 0}
        query = {
            "id": press.id,
            "from": person.user(),
            "message": found.message if found is not None else shown,
            "chat_instance": str(-(person_id * 2**31 + bot_id)),
            "data": data,
        }
        update_queue = f"callback:{person_id}"
        self._backend.queue_update(
            bot, "callback_query", query, update_queue=update_queue, person=person_id, message_id=message_id
        )
        self._backend.changes += 1
        return press.id

    def _forget_old_presses(self) -> None:
        presses = self._backend.state.presses
        while presses:
            oldest = next(iter(presses.values()))
            if len(presses) <= 10_000 and oldest.at > self._backend.now() - 3600:
                return
            del presses[oldest.id]

    def vote(self, person_id: int, bot_id: int, message_id: int, options: list[int]) -> None:
        """Vote in a poll by option indexes; none retracts the vote. The bot gets updates only for polls it sent."""
        bot, chat = self._chat(person_id, bot_id)
        found = self._message(chat, message_id)
        poll = found.message.get("poll")
        if poll is None or poll["is_closed"]:
            raise CannotDo("that message is not an open poll")
        if any(not 0 <= option < len(poll["options"]) for option in options):
            raise CannotDo("there is no such option")
        # A chat has one voter, so the counts show that person's votes.
        former = [index for index, option in enumerate(poll["options"]) if option["voter_count"]]
        changed = polls.voted(poll, options, former)
        found.message = {**found.message, "poll": changed}
        self._backend.show_edited(chat, bot, found)
        if found.outgoing:
            return
        self._backend.queue_update(bot, "poll", changed, update_queue=f"poll:{poll['id']}", person=person_id)
        if not poll["is_anonymous"]:
            answer = {
                "poll_id": poll["id"],
                "user": self._backend.state.people[person_id].user(),
                "option_ids": options,
                "option_persistent_ids": [poll["options"][option]["persistent_id"] for option in options],
            }
            self._backend.queue_update(bot, "poll_answer", answer, update_queue=f"poll:{poll['id']}", person=person_id)

    def pay(self, person_id: int, bot_id: int, message_id: int) -> Payment:
        """Pay the invoice in a message, also repeatedly. The payment's `status` tells the result."""
        bot, chat = self._chat(person_id, bot_id)
        found = self._message(chat, message_id)
        invoice = bot.invoices.get(str(message_id))
        if invoice is None or "invoice" not in found.message:
            raise CannotDo("that message is not an invoice")
        return payments.begin(self._backend, bot, person_id, invoice)

    def pay_link(self, person_id: int, link: str) -> Payment:
        """Pay an invoice link."""
        slug = link.rsplit("/", 1)[-1].removeprefix("$")
        for bot in self._backend.state.bots.values():
            if slug in bot.invoices:
                self._chat(person_id, bot.id)
                return payments.begin(self._backend, bot, person_id, bot.invoices[slug])
        raise CannotDo("that is not an invoice link")

    def subscriptions(self, person_id: int) -> list[Subscription]:
        """The person's subscriptions, the newest last."""
        return [each for each in self._backend.state.subscriptions.values() if each.person_id == person_id]

    def turn_subscription(self, person_id: int, charge: str, *, cancelled: bool) -> None:
        """Cancel a subscription in the settings, or take it up again. `charge` is its first charge."""
        found = next((each for each in self.subscriptions(person_id) if each.first_charge == charge), None)
        if found is None or not subscriptions.set_cancelled(self._backend, found, cancelled=cancelled):
            raise CannotDo("that subscription cannot be changed")

    def view(self, person_id: int, bot_id: int) -> tuple[Chat, list[ChatMessage]]:
        """The chat and its messages, oldest first."""
        _, chat = self._chat(person_id, bot_id)
        return chat, list(chat.messages.values())

    def _chat(self, person_id: int, bot_id: int) -> tuple[Bot, Chat]:
        bot = self._backend.state.bots.get(bot_id)
        if bot is None:
            raise CannotDo(f"there is no bot {bot_id}")
        person = self._backend.state.people.get(person_id)
        if person is None:
            raise CannotDo(f"there is no person {person_id}")
        return bot, self._backend.chat(bot, person_id)

    def _message(self, chat: Chat, message_id: int) -> ChatMessage:
        found = chat.messages.get(message_id)
        if found is None:
            raise CannotDo(f"there is no message {message_id}")
        return found

    def _reply(self, chat: Chat, reply_to: int | None, quote: str | None) -> Json:
        if reply_to is None:
            return {}
        message = self._message(chat, reply_to).message
        reply: Json = {"reply_to_message": without_reply(message)}
        if quote:
            found = find_quote(message, quote)
            if found is None:
                raise CannotDo("the quote is not in the message")
            reply["quote"] = {**found, "is_manual": True}
        return reply

    def _arrive(self, bot: Bot, chat: Chat, content: Json) -> Json:
        message = self._backend.post(bot, chat, content, outgoing=True)
        self._update(bot, chat, "message", message)
        return message

    def _update(self, bot: Bot, chat: Chat, kind: str, message: Json) -> None:
        self._backend.queue_update(
            bot,
            kind,
            message,
            update_queue=f"chat:{chat.person_id}",
            person=chat.person_id,
            message_id=message["message_id"],
        )
