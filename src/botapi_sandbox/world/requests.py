"""A bot's request inside the core, and the table of methods that answer requests.

A method is a function from `Request` to a result; it may raise `Refusal`. Modules register methods with `@method`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from botapi_sandbox.world.answers import Json, Upload, unsupported
from botapi_sandbox.world.backend import Backend
from botapi_sandbox.world.state import Bot


@dataclass(slots=True)
class Request:
    """`params` are checked and have their final types. `uploads` are all file parts by name."""

    backend: Backend
    bot: Bot
    method: str
    params: Json
    uploads: Mapping[str, Upload]
    made: list[int] = field(default_factory=list)
    """Ids of the new messages, for the journal."""

    def user(self, user_id: int) -> Json | None:
        """A user that this bot may mention: itself, or a person it has a chat with."""
        if user_id == self.bot.id:
            return self.bot.user()
        if user_id not in self.bot.chats:
            return None
        return self.backend.state.people[user_id].user()

    def refuse_unsupported(self, *names: str) -> None:
        """Raises: Refusal, if one of these parameters is given. The sandbox does not support them."""
        for name in names:
            if self.params.get(name) is not None:
                raise unsupported(f"{name} in {self.method}")


Handler = Callable[[Request], object]
HANDLERS: dict[str, Handler] = {}


def method(*names: str) -> Callable[[Handler], Handler]:
    """Register the function as the answer to these methods."""

    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name.lower()] = handler
        return handler

    return register
