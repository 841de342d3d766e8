"""A control request as routes receive it, and the error that a route raises."""

from __future__ import annotations

from typing import Any

import msgspec

from botapi_sandbox.world import Upload, World
from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.backend import phone_message
from botapi_sandbox.world.state import Person


class ControlError(Exception):
    """The request cannot be served."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class ControlRequest(msgspec.Struct):
    """A request whose body has been read."""

    ids: dict[str, int]
    query: dict[str, Any]
    body: dict[str, Any] = msgspec.field(default_factory=dict)
    uploads: dict[str, Upload] = msgspec.field(default_factory=dict)
    items: Any = None
    """The decoded body, if it is a list."""

    def need(self, name: str, *types: type) -> Any:
        """A body field of one of `types`. Raises: ControlError."""
        value = self.body.get(name)
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise ControlError(f"{name} is missing or has the wrong type")
        return value


class Routes:
    """The base of every group of routes: the world, and the people and bots named in a path."""

    def __init__(self, world: World) -> None:
        self._world = world

    def _person(self, person_id: int) -> Person:
        person = self._world.state.people.get(person_id)
        if person is None:
            raise ControlError(f"there is no person {person_id}", 404)
        return person

    def _pair(self, request: ControlRequest) -> tuple[int, int]:
        self._person(request.ids["person"])
        if request.ids["bot"] not in self._world.state.bots:
            raise ControlError(f"there is no bot {request.ids['bot']}", 404)
        return request.ids["person"], request.ids["bot"]

    def _shown(self, request: ControlRequest, message: Json) -> Json:
        person_id, bot_id = self._pair(request)
        return phone_message(self._world.state.bots[bot_id].chats[person_id].messages[message["message_id"]])
