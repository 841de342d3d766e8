"""A small world for tests: a bot, two people, and a clock that a test moves."""

import random
from dataclasses import dataclass, field
from typing import Any

from botapi_sandbox import Answer, Switches, Upload, Waiting, World
from botapi_sandbox.world.answers import Json
from botapi_sandbox.world.state import Bot

START = 1_750_000_000.0


@dataclass
class Clock:
    """Unix seconds."""

    now: float = START

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class SmallWorld:
    """Ann and Bob have started the bot, and the bot has read its updates."""

    clock: Clock
    world: World
    bot: Bot
    ann: int
    bob: int
    offset: int = field(default=0)

    def answer(
        self, method: str, files: dict[str, Upload] | None = None, bot: Bot | None = None, **params: Any
    ) -> Answer:
        return self.world.call((bot or self.bot).token, method, params, files)

    def ask(self, method: str, files: dict[str, Upload] | None = None, bot: Bot | None = None, **params: Any) -> Any:
        """The result of a successful call."""
        body = self.answer(method, files, bot, **params).json()
        assert body["ok"], body
        return body["result"]

    def refusal(
        self, method: str, files: dict[str, Upload] | None = None, bot: Bot | None = None, **params: Any
    ) -> tuple[int, str]:
        """The code and description of a refused call. Checks that the world did not change."""
        before = self.world.changes
        body = self.answer(method, files, bot, **params).json()
        assert not body["ok"], body
        assert self.world.changes == before
        return body["error_code"], body["description"]

    def poll(self, **params: Any) -> Answer | Waiting:
        return self.world.poll(self.bot.token, params)

    def updates(self, **params: Any) -> list[Json]:
        """The updates in the queue. The next call confirms them."""
        outcome = self.world.poll(self.bot.token, {"offset": self.offset, "timeout": 9, **params})
        if isinstance(outcome, Waiting):
            self.world.abandon(outcome)
            self.clock.pass_by(4)
            return []
        body = outcome.json()
        assert body["ok"], body
        found: list[Json] = body["result"]
        if found:
            self.offset = found[-1]["update_id"] + 1
        self.clock.pass_by(4)  # so that the next call is not too early
        return found

    def write(self, text: str = "hello", **more: Any) -> Json:
        """Ann writes. Returns the message as the bot sees it."""
        return self.world.phones.write(self.ann, self.bot.id, text, **more)

    def held(self, message_id: int, person: int | None = None) -> Json:
        """A message in the chat with Ann, or with `person`."""
        message: Json = self.bot.chats[person or self.ann].messages[message_id].message
        return message


def small_world(**switches: Any) -> SmallWorld:
    """A new world. It checks its own answers and updates against the schema."""
    clock = Clock()
    world = World(
        clock=clock, rng=random.Random(7), switches=Switches(**{"check_own": True, "limits": False, **switches})
    )
    bot = world.add_bot()
    people = [world.add_person(name).id for name in ("Ann", "Bob")]
    made = SmallWorld(clock, world, bot, *people)
    for person in people:
        world.phones.start(person, bot.id)
    made.updates(allowed_updates=["message", "edited_message", "callback_query", "message_reaction", "my_chat_member",
                                  "pre_checkout_query", "poll", "poll_answer", "subscription"])  # fmt: skip
    made.updates()
    return made
