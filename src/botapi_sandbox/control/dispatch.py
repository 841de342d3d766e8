"""Finds the route of a control request, reads the body and writes the answer. Event streams are served by `live`."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Any

import msgspec

from botapi_sandbox.bodies import BadBody, read_body
from botapi_sandbox.callers import body_refusal
from botapi_sandbox.control.chats import Chats
from botapi_sandbox.control.crowd import Crowd
from botapi_sandbox.control.request import ControlError, ControlRequest, Routes
from botapi_sandbox.control.roster import Roster
from botapi_sandbox.control.stars import Stars
from botapi_sandbox.control.test_routes import TestRoutes
from botapi_sandbox.live import Streams
from botapi_sandbox.wire import Receive, Scope, Send, header, read, write
from botapi_sandbox.world import World
from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.people import CannotDo

MOST_BODY = 64 * 2**20
_encode = msgspec.json.Encoder().encode
_JSON = ((b"content-type", b"application/json"),)


class Control(Routes):
    """An ASGI app for the paths under /sandbox/."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._streams = Streams(world)
        groups: dict[type[Routes], Routes] = {
            Control: self, Roster: Roster(world), Chats: Chats(world), Crowd: Crowd(world),
            Stars: Stars(world), TestRoutes: TestRoutes(world),
        }  # fmt: skip
        self._routes = [
            (verb, re.compile(pattern), getattr(groups[group], name)) for verb, pattern, group, name in ROUTES
        ]

    def close(self) -> None:
        """End the event streams."""
        self._streams.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 200
        try:
            result = await self._serve(scope, receive, send)
            if result is None:
                return
        except (CannotDo, BadBody, msgspec.DecodeError, RecursionError) as problem:
            status, result = 400, {"ok": False, "error": str(problem)}
        except ControlError as problem:
            status, result = problem.status, {"ok": False, "error": str(problem)}
        if isinstance(result, tuple):
            data, mime = result
            # Uploaded files share the page's origin, so they must not run there as scripts or pages.
            guarded = [(b"content-security-policy", b"sandbox"), (b"x-content-type-options", b"nosniff")]
            kept = [(b"content-type", mime.encode()), (b"cache-control", b"max-age=3600")]
            await write(send, status, data, [*kept, *guarded])
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
            request = ControlRequest(ids, query)
            given = header(scope, b"content-type")
            if body and (problem := body_refusal(given)) is not None:
                raise ControlError(problem, 415)
            if body[:1] == b"[":
                request.items = msgspec.json.decode(body)
            else:
                request.body, request.uploads = read_body(given, body, "")
            if "file_id" in named:
                query["file_id"] = named["file_id"]
            result = handler(request)
            return await result if isinstance(result, Awaitable) else result
        if verbs:
            raise ControlError(f"{path} accepts only {', '.join(verbs)}", 405)
        raise ControlError(f"there is nothing at /sandbox{path}", 404)

    async def _stream(self, ids: dict[str, int], query: Json, receive: Receive, send: Send) -> None:
        people: frozenset[int] | None
        if "person" in ids:
            people = frozenset(ids.values())
        elif query.get("people") == "all":
            people = None
        else:
            try:
                people = frozenset(int(each) for each in query.get("people", "").split(",") if each)
            except ValueError:
                raise ControlError("people must be numbers separated by commas") from None
        for person_id in people or ():
            self._person(person_id)
        await self._streams.serve(people, receive, send)

    def events(self, request: ControlRequest) -> Json:
        """A stream of server-sent events for one person, or for several with `?people=1,2,3` or `all`."""
        raise AssertionError("streams are served before routes are called")


_CHAT = r"/people/(?P<person>\d+)/chats/(?P<bot>\d+)"
ROUTES: tuple[tuple[str, str, type[Routes], str], ...] = (
    ("GET", r"/bots", Roster, "bots"),
    ("POST", r"/bots", Roster, "add_bot"),
    ("POST", r"/bots/(?P<bot>\d+)/revoke", Roster, "revoke"),
    ("GET", r"/people", Roster, "people"),
    ("POST", r"/people", Roster, "add_person"),
    ("PATCH", r"/people/(?P<person>\d+)", Roster, "change_person"),
    ("POST", r"/people/(?P<person>\d+)/deactivate", Roster, "deactivate"),
    ("GET", r"/people/(?P<person>\d+)/stars", Stars, "stars"),
    ("POST", r"/people/(?P<person>\d+)/stars", Stars, "set_stars"),
    *(
        ("POST", rf"/people/(?P<person>\d+)/stars/{verb}", Stars, verb)
        for verb in ("renew", "cancel", "resume", "refund")
    ),
    ("GET", r"/people/(?P<person>\d+)/events", Control, "events"),
    ("GET", r"/events", Control, "events"),
    ("GET", _CHAT, Chats, "chat"),
    *(
        ("POST", f"{_CHAT}/{verb}", Chats, verb)
        for verb in (
            "send", "upload", "album", "edit", "delete", "forward", "press", "react", "vote", "start", "block",
            "unblock", "pay",
        )
    ),
    ("POST", r"/acts", Crowd, "acts"),
    ("GET", r"/files/(?P<file_id>[A-Za-z0-9_-]+)", Roster, "file"),
    ("GET", r"/stickers/(?P<bot>\d+)", Roster, "sticker_set"),
    ("GET", r"/journal", TestRoutes, "journal"),
    ("GET", r"/faults", TestRoutes, "faults"),
    ("PUT", r"/faults", TestRoutes, "put_faults"),
    ("GET", r"/settings", TestRoutes, "settings"),
    ("POST", r"/settings", TestRoutes, "put_settings"),
)  # fmt: skip
