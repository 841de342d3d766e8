"""Many people's actions in one request. For load tests, where one request for each action would be most of the work."""

from __future__ import annotations

from typing import Any

import msgspec

from botapi_sandbox.control.chats import Chats
from botapi_sandbox.control.request import ControlError, ControlRequest, Routes
from botapi_sandbox.world import World
from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.people import CannotDo

VERBS = ("send", "edit", "delete", "forward", "press", "react", "vote", "start", "block", "unblock")
"""The actions that need no file and never wait."""


class _Act(msgspec.Struct):
    person: int
    bot: int
    act: str


class Crowd(Routes):
    """The routes that take many actions."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        chats = Chats(world)
        self._verbs = {name: getattr(chats, name) for name in VERBS}

    def acts(self, request: ControlRequest) -> list[Json]:
        """Takes a list of actions, and returns the result of each one. See below."""
        if request.items is None:
            raise ControlError("the body must be a list of acts")
        return [self._do(each) for each in request.items]

    def _do(self, described: Any) -> Json:
        try:
            who = msgspec.convert(described, _Act)
            verb = self._verbs.get(who.act)
            if verb is None:
                raise ControlError(f"act must be one of {', '.join(VERBS)}")
            shown = verb(ControlRequest({"person": who.person, "bot": who.bot}, {}, described))
        except (CannotDo, ControlError, msgspec.ValidationError) as problem:
            return {"error": str(problem)}
        return {"message_id": shown["message_id"]} if "message_id" in shown else {}
