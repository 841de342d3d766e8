"""What many people do at once, in one request: for load, where a request an act would be most of the work."""

from __future__ import annotations

from typing import Any

import msgspec

from botapi_sandbox.control.chats import Chats
from botapi_sandbox.control.request import ControlRequest, Routes, Wrong
from botapi_sandbox.world import World
from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.people import CannotDo

VERBS = ("send", "edit", "delete", "forward", "press", "react", "vote", "start", "block", "unblock")
"""Those that need no file and never wait."""


class _Act(msgspec.Struct):
    person: int
    bot: int
    act: str


class Crowd(Routes):
    """The routes that take many acts."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        chats = Chats(world)
        self._verbs = {name: getattr(chats, name) for name in VERBS}

    def acts(self, request: ControlRequest) -> list[Json]:
        """Takes a list of what people do, and returns the result of each. See below."""
        if request.raw is None:
            raise Wrong("acts are a list")
        return [self._do(each) for each in request.raw]

    def _do(self, described: Any) -> Json:
        try:
            who = msgspec.convert(described, _Act)
            verb = self._verbs.get(who.act)
            if verb is None:
                raise Wrong(f"act must be one of {', '.join(VERBS)}")
            shown = verb(ControlRequest({"person": who.person, "bot": who.bot}, {}, described))
        except (CannotDo, Wrong, msgspec.ValidationError) as problem:
            return {"error": str(problem)}
        return {"message_id": shown["message_id"]} if "message_id" in shown else {}
