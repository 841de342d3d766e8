"""The control API under /sandbox/: what people do, what their phones show, the journal, faults and switches.

JSON in and out (the upload of a file is multipart). Errors are `{"ok": false, "error": "<sentence>"}`. Each route is
one method below, named in `ROUTES`; what it does is in `world.people`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import Any

import msgspec

from botapi_sandbox.bodies import BadBody, read_body
from botapi_sandbox.live import Streams
from botapi_sandbox.wire import Receive, Scope, Send, header, read, write
from botapi_sandbox.world import Upload, World
from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.faults import Fault
from botapi_sandbox.world.media import new_album_id
from botapi_sandbox.world.people import CannotDo
from botapi_sandbox.world.state import Person
from botapi_sandbox.world.world import phone_message

MOST_BODY = 64 * 2**20
MOST_IN_ALBUM = 10
_encode = msgspec.json.Encoder().encode
_JSON = ((b"content-type", b"application/json"),)
_UPLOAD_FIELDS = frozenset(
    {"kind", "caption", "caption_entities", "has_spoiler", "show_caption_above_media", "media_group_id",
     "reply_to_message_id", "file_name", "width", "height", "duration", "length", "performer", "title", "emoji"}
)  # fmt: skip
_FACTS = ("width", "height", "duration", "length")


class Wrong(Exception):
    """The request cannot be served."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class Asked(msgspec.Struct):
    """One control request."""

    ids: dict[str, int]
    query: dict[str, Any]
    body: dict[str, Any] = msgspec.field(default_factory=dict)
    uploads: dict[str, Upload] = msgspec.field(default_factory=dict)
    raw: Any = None
    """The body as it came, where it is a list."""

    def need(self, name: str, *types: type) -> Any:
        """A body field of one of `types`. Raises: Wrong."""
        value = self.body.get(name)
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise Wrong(f"{name} is missing or of a wrong type")
        return value


class Control:
    """An ASGI app for the paths under /sandbox/."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._streams = Streams(world)
        self._routes = [(verb, re.compile(pattern), getattr(self, name)) for verb, pattern, name in ROUTES]

    def close(self) -> None:
        """End the event streams."""
        self._streams.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 200
        try:
            result = await self._serve(scope, receive, send)
            if result is None:
                return
        except (CannotDo, BadBody) as problem:
            status, result = 400, {"ok": False, "error": str(problem)}
        except msgspec.ValidationError as problem:
            status, result = 400, {"ok": False, "error": str(problem)}
        except Wrong as problem:
            status, result = problem.status, {"ok": False, "error": str(problem)}
        if isinstance(result, tuple):
            data, mime = result
            await write(send, status, data, [(b"content-type", mime.encode()), (b"cache-control", b"max-age=3600")])
            return
        await write(send, status, _encode(result), _JSON)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> Any:
        path = scope["path"].removeprefix("/sandbox")
        verbs = []
        for verb, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if verb != scope["method"]:
                verbs.append(verb)
                continue
            query, _ = read_body("", b"", scope["query_string"].decode("latin-1"))
            named = match.groupdict()
            ids = {name: int(value) for name, value in named.items() if value.isdigit()}
            if path.endswith("/events"):
                await self._stream(ids, query, receive, send)
                return None
            body = await read(receive, MOST_BODY)
            asked = Asked(ids, query)
            if body[:1] == b"[":
                asked.raw = msgspec.json.decode(body)
            else:
                # Whatever a client calls its JSON; only files need another form.
                given = header(scope, b"content-type")
                given = given if given.startswith("multipart/") else "application/json"
                asked.body, asked.uploads = read_body(given, body, "")
            if "file_id" in named:
                query["file_id"] = named["file_id"]
            result = handler(asked)
            return await result if isinstance(result, Awaitable) else result
        if verbs:
            raise Wrong(f"{path} takes {', '.join(verbs)}", 405)
        raise Wrong(f"there is nothing at /sandbox{path}", 404)

    def events(self, asked: Asked) -> Json:
        """A stream of server-sent events for one person, or with `?people=1,2,3` for several, see below."""
        raise AssertionError("streams are served before routes are called")

    async def _stream(self, ids: dict[str, int], query: Json, receive: Receive, send: Send) -> None:
        if "person" in ids:
            people = frozenset(ids.values())
        else:
            try:
                people = frozenset(int(each) for each in query.get("people", "").split(",") if each)
            except ValueError:
                raise Wrong("people must be numbers with commas between") from None
        for person_id in people:
            self._person(person_id)
        await self._streams.serve(people, receive, send)

    def _person(self, person_id: int) -> Person:
        person = self._world.state.people.get(person_id)
        if person is None:
            raise Wrong(f"there is no person {person_id}", 404)
        return person

    def _pair(self, asked: Asked) -> tuple[int, int]:
        self._person(asked.ids["person"])
        if asked.ids["bot"] not in self._world.state.bots:
            raise Wrong(f"there is no bot {asked.ids['bot']}", 404)
        return asked.ids["person"], asked.ids["bot"]

    def _shown(self, asked: Asked, message: Json) -> Json:
        person_id, bot_id = self._pair(asked)
        return phone_message(self._world.state.bots[bot_id].chats[person_id].messages[message["message_id"]])

    # Bots and people

    def bots(self, asked: Asked) -> list[Json]:
        """Every bot, without its token: `[{"id", "username", "first_name"}]`."""
        return [
            {"id": bot.id, "username": bot.username, "first_name": bot.first_name}
            for bot in self._world.state.bots.values()
        ]

    def add_bot(self, asked: Asked) -> Json:
        """A new bot from `{"first_name"?, "username"?, "token"?}`, with its token."""
        body = asked.body
        try:
            bot = self._world.add_bot(body.get("first_name"), body.get("username"), body.get("token"))
        except ValueError as problem:
            raise Wrong(str(problem)) from None
        return {"id": bot.id, "token": bot.token, "username": bot.username, "first_name": bot.first_name}

    def revoke(self, asked: Asked) -> Json:
        """Its token is refused from now on; `{"revoked": false}` takes that back."""
        bot = self._world.state.bots.get(asked.ids["bot"])
        if bot is None:
            raise Wrong("there is no such bot", 404)
        bot.revoked = bool(asked.body.get("revoked", True))
        self._world.changes += 1
        return {}

    def people(self, asked: Asked) -> list[Json]:
        """Every person: `[{"id", "first_name", "username", "language_code"}]`."""
        return [_person(person) for person in self._world.state.people.values()]

    def add_person(self, asked: Asked) -> Json:
        """A new person from `{"first_name"?, "last_name"?, "username"?, "language_code"?, "refuses_voice"?}`."""
        allowed = {"first_name", "last_name", "username", "language_code", "refuses_voice"}
        unknown = asked.body.keys() - allowed
        if unknown:
            raise Wrong(f"a person has no {', '.join(sorted(unknown))}")
        given = {name: value for name, value in asked.body.items() if value is not None}
        return _person(self._world.add_person(**msgspec.convert(given, _NewPerson).given()))

    def change_person(self, asked: Asked) -> Json:
        """`{"first_name"?, "language_code"?}`: bots learn of it with the next update."""
        unknown = asked.body.keys() - {"first_name", "language_code"}
        if unknown:
            raise Wrong(f"{', '.join(sorted(unknown))} cannot be changed")
        person = self._person(asked.ids["person"])
        changes = {name: asked.need(name, str) for name in asked.body}
        if not all(changes.values()):
            raise Wrong("a name and a language are not empty")
        for name, value in changes.items():
            setattr(person, name, value)
        self._world.changes += 1
        return _person(person)

    def deactivate(self, asked: Asked) -> Json:
        """The person deletes the account."""
        self._person(asked.ids["person"])
        self._world.phones.deactivate(asked.ids["person"])
        return {}

    # A chat

    def chat(self, asked: Asked) -> Json:
        """The chat as that phone shows it: `{"started", "blocked", "keyboard", "messages": [PhoneMessage]}`."""
        person_id, bot_id = self._pair(asked)
        chat = self._world.state.bots[bot_id].chats.get(person_id)
        if chat is None:
            return {"started": False, "blocked": False, "keyboard": None, "messages": []}
        return {
            "started": chat.started,
            "blocked": chat.blocked,
            "keyboard": chat.keyboard,
            "messages": [phone_message(held) for held in chat.messages.values()],
        }

    def send(self, asked: Asked) -> Json:
        """`{"text", "entities"?, "reply_to_message_id"?, "quote"?}`, or `{"message": {...}}`: any content."""
        pair = self._pair(asked)
        body = asked.body
        content = dict(asked.need("message", dict)) if "message" in body else {"text": asked.need("text", str)}
        if body.get("entities") and "message" not in body:
            content["entities"] = body["entities"]
        return self._shown(
            asked,
            self._world.phones.send(*pair, content, reply_to=body.get("reply_to_message_id"), quote=body.get("quote")),
        )

    def upload(self, asked: Asked) -> Json:
        """Multipart: `kind`, `file`, `caption`?, `caption_entities`?, `has_spoiler`?, `duration`? ..."""
        return self._take_in(asked, asked.body, asked.uploads.get("file"))

    def album(self, asked: Asked) -> list[Json]:
        """Multipart: `items`, a JSON list of the fields of uploads, and their files in `file0`, `file1` ...

        One request for all, because a bot gets an album in one burst, and nothing comes between.
        """
        try:
            items = msgspec.json.decode(asked.need("items", str), type=list[dict[str, Any]])
        except msgspec.DecodeError:
            raise Wrong("items is not a list in JSON") from None
        if not 2 <= len(items) <= MOST_IN_ALBUM:
            raise Wrong(f"an album has from 2 to {MOST_IN_ALBUM} items")
        group = new_album_id(self._world.rng.getrandbits)
        files = [asked.uploads.get(f"file{number}") for number in range(len(items))]
        return [
            self._take_in(asked, {**item, "media_group_id": group}, file)
            for item, file in zip(items, files, strict=True)
        ]

    def _take_in(self, asked: Asked, fields: Json, file: Upload | None) -> Json:
        pair = self._pair(asked)
        unknown = fields.keys() - _UPLOAD_FIELDS
        if unknown:
            raise Wrong(f"an upload has no {', '.join(sorted(unknown))}")
        if file is None:
            raise Wrong("there is no file")
        if fields.get("file_name"):
            file = Upload(file.data, fields["file_name"], file.mime)
        try:
            facts: Json = {name: int(float(fields[name])) for name in _FACTS if fields.get(name)}
        except ValueError:
            raise Wrong(f"{', '.join(_FACTS)} must be numbers") from None
        facts |= {name: fields[name] for name in ("performer", "title", "emoji") if fields.get(name)}
        message: Json = {name: fields[name] for name in ("caption", "media_group_id") if fields.get(name)}
        if fields.get("caption_entities"):
            message["caption_entities"] = msgspec.json.decode(fields["caption_entities"])
        if _is_on(fields.get("has_spoiler")):
            message["has_media_spoiler"] = True
        if _is_on(fields.get("show_caption_above_media")):
            message["show_caption_above_media"] = True
        reply_to = fields.get("reply_to_message_id")
        sent = self._world.phones.upload(
            *pair, fields.get("kind", ""), file, facts=facts, reply_to=int(reply_to) if reply_to else None, **message
        )
        return self._shown(asked, sent)

    def edit(self, asked: Asked) -> Json:
        """`{"message_id", "text" or "caption", "entities"?}`, or `{"message_id", "message": {...}}`."""
        pair = self._pair(asked)
        body = asked.body
        if not isinstance(body.get("text", body.get("caption")), str) and "message" not in body:
            raise Wrong("text or caption is missing")
        edited = self._world.phones.edit(
            *pair,
            asked.need("message_id", int),
            text=body.get("text"),
            caption=body.get("caption"),
            entities=body.get("entities"),
            content=body.get("message"),
        )
        return self._shown(asked, edited)

    def delete(self, asked: Asked) -> Json:
        """`{"message_id"}`: deleted for both, and the bot is not told."""
        self._world.phones.delete(*self._pair(asked), asked.need("message_id", int))
        return {}

    def forward(self, asked: Asked) -> Json:
        """`{"message_id", "to_bot"}`: into the chat with another bot, or the same."""
        person_id, bot_id = self._pair(asked)
        to_bot = asked.need("to_bot", int)
        message = self._world.phones.forward(person_id, bot_id, asked.need("message_id", int), to_bot)
        return phone_message(self._world.state.bots[to_bot].chats[person_id].messages[message["message_id"]])

    def press(self, asked: Asked) -> Json:
        """`{"message_id", "row", "column"}`, or `{"message_id", "data"}` as a modified client would."""
        pair = self._pair(asked)
        message_id = asked.need("message_id", int)
        if "data" in asked.body:
            return {"callback_query_id": self._world.phones.press_data(*pair, message_id, asked.need("data", str))}
        place = asked.need("row", int), asked.need("column", int)
        return {"callback_query_id": self._world.phones.press(*pair, message_id, *place)}

    def react(self, asked: Asked) -> Json:
        """`{"message_id", "emoji" or null}`."""
        emoji = None if asked.body.get("emoji") is None else asked.need("emoji", str)
        self._world.phones.react(*self._pair(asked), asked.need("message_id", int), emoji)
        return {}

    def vote(self, asked: Asked) -> Json:
        """`{"message_id", "options": [0, ...]}`."""
        options = asked.need("options", list)
        self._world.phones.vote(*self._pair(asked), asked.need("message_id", int), options)
        return {}

    def start(self, asked: Asked) -> Json:
        """`{"parameter"?}`: sends /start, marks the bot as started, unblocks it."""
        return self._shown(asked, self._world.phones.start(*self._pair(asked), asked.body.get("parameter")))

    def block(self, asked: Asked) -> Json:
        """Stops the bot."""
        self._world.phones.block(*self._pair(asked))
        return {}

    def unblock(self, asked: Asked) -> Json:
        """Restarts the bot."""
        self._world.phones.unblock(*self._pair(asked))
        return {}

    async def pay(self, asked: Asked) -> Json:
        """`{"message_id"}`; answered once it is decided: `{"status": "paid", "refused" or "timeout", "error"?}`."""
        payment = self._world.phones.pay(*self._pair(asked), asked.need("message_id", int))
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

    # The world

    def file(self, asked: Asked) -> tuple[bytes, str]:
        """A file's bytes, by any bot's file id."""
        found = self._world.blob(asked.query["file_id"])
        if found is None:
            raise Wrong("there is no such file", 404)
        data, record = found
        return data, record.mime or "application/octet-stream"

    def sticker_set(self, asked: Asked) -> list[Json]:
        """The sandbox's own stickers, with that bot's file ids."""
        bot = self._world.state.bots.get(asked.ids["bot"])
        if bot is None:
            raise Wrong("there is no such bot", 404)
        made = self._world.call(bot.token, "getStickerSet", {"name": "SandboxStickers"}).json()
        stickers: list[Json] = made["result"]["stickers"]
        return stickers

    def journal(self, asked: Asked) -> Json:
        """`?after=N` gives `{"first", "last", "entries"}`: what happened after entry N, see below."""
        try:
            after = int(asked.query.get("after", 0))
        except ValueError:
            raise Wrong("after must be a number") from None
        entries = self._world.journal.after(after)
        return {"first": self._world.journal.first, "last": self._world.journal.last, "entries": entries}

    def faults(self, asked: Asked) -> list[Fault]:
        """The faults and what is left of them, see below."""
        return self._world.faults

    def put_faults(self, asked: Asked) -> list[Fault]:
        """A list of faults in the place of the former ones."""
        given = asked.raw if asked.raw is not None else asked.body.get("faults", [])
        self._world.faults = msgspec.convert(given, list[Fault])
        return self._world.faults

    def settings(self, asked: Asked) -> Any:
        """The switches, see below."""
        return self._world.switches

    def put_settings(self, asked: Asked) -> Any:
        """`{"<switch>": value}`: changes some."""
        return self._world.switch(asked.body)


class _NewPerson(msgspec.Struct, kw_only=True):
    first_name: str | None = None
    last_name: str | None = None
    username: str | None = None
    language_code: str = "en"
    refuses_voice: bool = False

    def given(self) -> Json:
        return msgspec.structs.asdict(self)


def _person(person: Person) -> Json:
    return {
        "id": person.id,
        "first_name": person.first_name,
        "username": person.username,
        "language_code": person.language_code,
    }


def _is_on(value: Any) -> bool:
    return str(value).lower() in ("1", "true", "on", "yes")


_CHAT = r"/people/(?P<person>\d+)/chats/(?P<bot>\d+)"
ROUTES: tuple[tuple[str, str, str], ...] = (
    ("GET", r"/bots", "bots"),
    ("POST", r"/bots", "add_bot"),
    ("POST", r"/bots/(?P<bot>\d+)/revoke", "revoke"),
    ("GET", r"/people", "people"),
    ("POST", r"/people", "add_person"),
    ("PATCH", r"/people/(?P<person>\d+)", "change_person"),
    ("POST", r"/people/(?P<person>\d+)/deactivate", "deactivate"),
    ("GET", r"/people/(?P<person>\d+)/events", "events"),
    ("GET", r"/events", "events"),
    ("GET", _CHAT, "chat"),
    *(
        ("POST", f"{_CHAT}/{verb}", verb)
        for verb in (
            "send", "upload", "album", "edit", "delete", "forward", "press", "react", "vote", "start", "block",
            "unblock", "pay",
        )
    ),
    ("GET", r"/files/(?P<file_id>[A-Za-z0-9_-]+)", "file"),
    ("GET", r"/stickers/(?P<bot>\d+)", "sticker_set"),
    ("GET", r"/journal", "journal"),
    ("GET", r"/faults", "faults"),
    ("PUT", r"/faults", "put_faults"),
    ("GET", r"/settings", "settings"),
    ("POST", r"/settings", "put_settings"),
)  # fmt: skip
