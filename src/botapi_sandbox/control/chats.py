"""Routes for a person's actions in the chat with a bot. `world.people` holds the rules."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from botapi_sandbox.control.request import ControlError, ControlRequest, Routes
from botapi_sandbox.world import Upload
from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.backend import phone_message
from botapi_sandbox.world.media import new_album_id

MOST_IN_ALBUM = 10
_UPLOAD_FIELDS = frozenset(
    {"kind", "caption", "caption_entities", "has_spoiler", "show_caption_above_media", "media_group_id",
     "reply_to_message_id", "file_name", "width", "height", "duration", "length", "performer", "title", "emoji"}
)  # fmt: skip
_DETAILS = ("width", "height", "duration", "length")


class Chats(Routes):
    """Routes under /people/{person}/chats/{bot}."""

    def chat(self, request: ControlRequest) -> Json:
        """The chat as the phone shows it: `{"started", "blocked", "keyboard", "messages": [PhoneMessage]}`."""
        person_id, bot_id = self._pair(request)
        chat = self._world.state.bots[bot_id].chats.get(person_id)
        if chat is None:
            return {"started": False, "blocked": False, "keyboard": None, "messages": []}
        return {
            "started": chat.started,
            "blocked": chat.blocked,
            "keyboard": chat.keyboard,
            "messages": [phone_message(sent) for sent in chat.messages.values()],
        }

    def send(self, request: ControlRequest) -> Json:
        """`{"text", "entities"?, "reply_to_message_id"?, "quote"?}`, or `{"message": {...}}`: any content."""
        pair = self._pair(request)
        body = request.body
        content = dict(request.need("message", dict)) if "message" in body else {"text": request.need("text", str)}
        if body.get("entities") and "message" not in body:
            content["entities"] = body["entities"]
        return self._shown(
            request,
            self._world.phones.send(*pair, content, reply_to=body.get("reply_to_message_id"), quote=body.get("quote")),
        )

    def upload(self, request: ControlRequest) -> Json:
        """Multipart: `kind`, `file`, `caption`?, `caption_entities`?, `has_spoiler`?, `duration`? ..."""
        return self._take_in(request, request.body, request.uploads.get("file"))

    def album(self, request: ControlRequest) -> list[Json]:
        """Multipart: `items`, a JSON list of the fields of uploads, and their files in `file0`, `file1` ...

        One request carries all files, because a bot gets an album in one burst with nothing in between.
        """
        try:
            items = msgspec.json.decode(request.need("items", str), type=list[dict[str, Any]])
        except msgspec.DecodeError:
            raise ControlError("items must be a JSON list") from None
        if not 2 <= len(items) <= MOST_IN_ALBUM:
            raise ControlError(f"an album has from 2 to {MOST_IN_ALBUM} items")
        group = new_album_id(self._world.rng.getrandbits)
        files = [request.uploads.get(f"file{number}") for number in range(len(items))]
        return [
            self._take_in(request, {**item, "media_group_id": group}, file)
            for item, file in zip(items, files, strict=True)
        ]

    def _take_in(self, request: ControlRequest, fields: Json, file: Upload | None) -> Json:
        pair = self._pair(request)
        unknown = fields.keys() - _UPLOAD_FIELDS
        if unknown:
            raise ControlError(f"unknown fields in an upload: {', '.join(sorted(unknown))}")
        if file is None:
            raise ControlError("file is missing")
        if fields.get("file_name"):
            file = Upload(file.data, fields["file_name"], file.mime)
        try:
            details: Json = {name: int(float(fields[name])) for name in _DETAILS if fields.get(name)}
        except ValueError:
            raise ControlError(f"{', '.join(_DETAILS)} must be numbers") from None
        details |= {name: fields[name] for name in ("performer", "title", "emoji") if fields.get(name)}
        message: Json = {name: fields[name] for name in ("caption", "media_group_id") if fields.get(name)}
        if fields.get("caption_entities"):
            message["caption_entities"] = msgspec.json.decode(fields["caption_entities"])
        if _is_on(fields.get("has_spoiler")):
            message["has_media_spoiler"] = True
        if _is_on(fields.get("show_caption_above_media")):
            message["show_caption_above_media"] = True
        reply_to = fields.get("reply_to_message_id")
        if reply_to and not str(reply_to).isdigit():
            raise ControlError("reply_to_message_id must be a number")
        sent = self._world.phones.upload(
            *pair,
            fields.get("kind", ""),
            file,
            details=details,
            reply_to=int(reply_to) if reply_to else None,
            **message,
        )
        return self._shown(request, sent)

    def edit(self, request: ControlRequest) -> Json:
        """`{"message_id", "text" or "caption", "entities"?}`, or `{"message_id", "message": {...}}`."""
        pair = self._pair(request)
        body = request.body
        if not isinstance(body.get("text", body.get("caption")), str) and "message" not in body:
            raise ControlError("text or caption is missing")
        edited = self._world.phones.edit(
            *pair,
            request.need("message_id", int),
            text=body.get("text"),
            caption=body.get("caption"),
            entities=body.get("entities"),
            content=body.get("message"),
        )
        return self._shown(request, edited)

    def delete(self, request: ControlRequest) -> Json:
        """`{"message_id"}`: deletes it for both sides. The bot is not told."""
        self._world.phones.delete(*self._pair(request), request.need("message_id", int))
        return {}

    def forward(self, request: ControlRequest) -> Json:
        """`{"message_id", "to_bot"}`: forwards it to the chat with another bot, or with the same one."""
        person_id, bot_id = self._pair(request)
        to_bot = request.need("to_bot", int)
        message = self._world.phones.forward(person_id, bot_id, request.need("message_id", int), to_bot)
        return phone_message(self._world.state.bots[to_bot].chats[person_id].messages[message["message_id"]])

    def press(self, request: ControlRequest) -> Json:
        """Presses a button: `{"message_id", "row", "column"}`, or `{"message_id", "data"}` like a modified client."""
        pair = self._pair(request)
        message_id = request.need("message_id", int)
        if "data" in request.body:
            return {"callback_query_id": self._world.phones.press_data(*pair, message_id, request.need("data", str))}
        place = request.need("row", int), request.need("column", int)
        return {"callback_query_id": self._world.phones.press(*pair, message_id, *place)}

    def react(self, request: ControlRequest) -> Json:
        """`{"message_id", "emoji" or null}`: adds a reaction, or removes it."""
        emoji = None if request.body.get("emoji") is None else request.need("emoji", str)
        self._world.phones.react(*self._pair(request), request.need("message_id", int), emoji)
        return {}

    def vote(self, request: ControlRequest) -> Json:
        """`{"message_id", "options": [0, ...]}`: votes in a poll."""
        options = request.need("options", list)
        self._world.phones.vote(*self._pair(request), request.need("message_id", int), options)
        return {}

    def start(self, request: ControlRequest) -> Json:
        """`{"parameter"?}`: sends /start, marks the bot as started, unblocks it."""
        return self._shown(request, self._world.phones.start(*self._pair(request), request.body.get("parameter")))

    def block(self, request: ControlRequest) -> Json:
        """Blocks the bot."""
        self._world.phones.block(*self._pair(request))
        return {}

    def unblock(self, request: ControlRequest) -> Json:
        """Unblocks the bot."""
        self._world.phones.unblock(*self._pair(request))
        return {}

    async def pay(self, request: ControlRequest) -> Json:
        """`{"message_id"}` or `{"link"}`. Waits for the end: `{"status", "error"?}`: paid, refused, timeout, short."""
        person, bot = self._pair(request)
        if "link" in request.body:
            payment = self._world.phones.pay_link(person, request.need("link", str))
        else:
            payment = self._world.phones.pay(person, bot, request.need("message_id", int))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settled(person_id: int, event: Json) -> None:
            if event.get("query_id") == payment.query_id and not done.done():
                done.set_result(None)

        stop = self._world.on_event(settled)
        try:
            if payment.status == "pending":
                await asyncio.wait_for(done, self._world.switches.checkout_answer_s + 1)
        except TimeoutError:
            self._world.tick()
        finally:
            stop()
        return {"status": payment.status, **({"error": payment.error} if payment.error else {})}


def _is_on(value: Any) -> bool:
    return str(value).lower() in ("1", "true", "on", "yes")
