"""Routes for bots and people, and for their files and stickers."""

from __future__ import annotations

from typing import Any

import msgspec

from botapi_sandbox.control.request import ControlError, ControlRequest, Routes
from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.profile import commands_for_everybody
from botapi_sandbox.world.state import Person


class Roster(Routes):
    """Routes for bots, people, files and stickers."""

    def bots(self, request: ControlRequest) -> list[Json]:
        """All bots, without tokens: `[{"id", "username", "first_name", "commands"}]`, default commands only."""
        return [
            {
                "id": bot.id,
                "username": bot.username,
                "first_name": bot.first_name,
                "commands": commands_for_everybody(bot),
            }
            for bot in self._world.state.bots.values()
        ]

    def add_bot(self, request: ControlRequest) -> Json:
        """Makes a bot from `{"first_name"?, "username"?, "token"?}`, and returns it with its token."""
        body = request.body
        try:
            bot = self._world.add_bot(body.get("first_name"), body.get("username"), body.get("token"))
        except ValueError as problem:
            raise ControlError(str(problem)) from None
        return {"id": bot.id, "token": bot.token, "username": bot.username, "first_name": bot.first_name}

    def revoke(self, request: ControlRequest) -> Json:
        """Refuses the bot's token from now on. `{"revoked": false}` undoes that."""
        bot = self._world.state.bots.get(request.ids["bot"])
        if bot is None:
            raise ControlError("there is no such bot", 404)
        bot.revoked = bool(request.body.get("revoked", True))
        self._world.changes += 1
        return {}

    def people(self, request: ControlRequest) -> list[Json]:
        """All people: `[{"id", "first_name", "username", "language_code"}]`."""
        return [_person(person) for person in self._world.state.people.values()]

    def add_person(self, request: ControlRequest) -> Json | list[Json]:
        """Makes people: `{"first_name"?, "last_name"?, "username"?, "language_code"?, "refuses_voice"?}`, or a list."""
        if request.items is None:
            return self._add(request.body)
        return [self._add(each) for each in msgspec.convert(request.items, list[dict[str, Any]])]

    def _add(self, described: Json) -> Json:
        unknown = described.keys() - set(_NewPerson.__struct_fields__)
        if unknown:
            raise ControlError(f"unknown fields of a person: {', '.join(sorted(unknown))}")
        given = {name: value for name, value in described.items() if value is not None}
        return _person(self._world.add_person(**msgspec.convert(given, _NewPerson).given()))

    def change_person(self, request: ControlRequest) -> Json:
        """`{"first_name"?, "language_code"?}`: changes them. Bots see it in the next update."""
        unknown = request.body.keys() - {"first_name", "language_code"}
        if unknown:
            raise ControlError(f"{', '.join(sorted(unknown))} cannot be changed")
        person = self._person(request.ids["person"])
        changes = {name: request.need(name, str) for name in request.body}
        if not all(changes.values()):
            raise ControlError("first_name and language_code cannot be empty")
        for name, value in changes.items():
            setattr(person, name, value)
        self._world.changes += 1
        return _person(person)

    def deactivate(self, request: ControlRequest) -> Json:
        """The person deletes their account."""
        self._person(request.ids["person"])
        self._world.phones.deactivate(request.ids["person"])
        return {}

    def file(self, request: ControlRequest) -> tuple[bytes, str]:
        """The bytes of a file, by any bot's file id."""
        found = self._world.blob(request.query["file_id"])
        if found is None:
            raise ControlError("there is no such file", 404)
        data, record = found
        return data, record.mime or "application/octet-stream"

    def sticker_set(self, request: ControlRequest) -> list[Json]:
        """The sandbox's own stickers, with that bot's file ids."""
        bot = self._world.state.bots.get(request.ids["bot"])
        if bot is None:
            raise ControlError("there is no such bot", 404)
        made = self._world.call(bot.token, "getStickerSet", {"name": "SandboxStickers"}).json()
        stickers: list[Json] = made["result"]["stickers"]
        return stickers


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
