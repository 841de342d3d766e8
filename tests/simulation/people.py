"""The people of a run. Chance, and what their phones show, decide what they do.

They behave badly, as real people do: they press twice, write in bursts, write while they wait, press buttons of former
chats, switch to another bot in the middle of a chat, block the bot and come back.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from botapi_sandbox import World
from botapi_sandbox.world.people import CannotDo
from tests.simulation.witness import MARKER, Witness
from tests.wording import catalogue

FILES = ("photo", "voice", "document", "video", "animation", "audio")
NAMED = ("document", "video", "audio")


@dataclass
class Town:
    """The state that all people share."""

    world: World
    witness: Witness
    bots: list[int]
    awake: asyncio.Event
    """People act only while this is set."""
    people: list["Person"] = field(default_factory=list)
    markers: int = 0
    shown: set[str] = field(default_factory=set)
    """Markers of contacts that their senders agreed to show."""

    def marker(self) -> str:
        self.markers += 1
        return f"m{self.markers}z"

    def person(self, id_: int) -> "Person":
        return next(each for each in self.people if each.id == id_)


@dataclass
class Person:
    """`pace_s` is the mean time between two actions. `roams` says whether they use more than one bot."""

    town: Town
    id: int
    home: int
    rng: Random
    pace_s: float
    roams: bool
    russian: bool = False
    bot: int = 0

    def __post_init__(self) -> None:
        self.bot = self.home
        self.town.witness.state[self.id] = "new"

    @property
    def state(self) -> str:
        return self.town.witness.state[self.id]

    @property
    def blocked(self) -> bool:
        return self.town.world.chat(self.town.world.state.bots[self.bot], self.id).blocked

    async def live(self) -> None:
        await asyncio.sleep(self.rng.uniform(0.0, 3.0))
        while True:
            await self.town.awake.wait()
            await self.act()
            await asyncio.sleep(self.rng.expovariate(1 / self.pace_s))

    async def act(self) -> None:
        if self.blocked:
            if self.rng.random() < 0.5:
                self.start()
            return
        choices: dict[str, list[tuple[int, Callable[[], Any]]]] = {
            "new": [(1, self.onboard)],
            "idle": [
                (60, self.find), (10, self.find_twice), (9, self.text), (3, self.next), (3, self.stop),
                (4, self.old_button), (8, self.waver), (4, self.roam), (2, self.block), (3, self.start),
                (2, self.edit),
            ],
            "searching": [
                (45, self.wait), (12, self.text), (8, self.cancel), (4, self.stop), (4, self.next), (6, self.find),
                (4, self.old_button), (3, self.roam), (2, self.block), (2, self.edit), (8, self.waver),
            ],
            "chatting": [
                (30, self.text), (14, self.burst), (10, self.reply), (8, self.file), (3, self.album), (4, self.mention),
                (2, self.contact), (6, self.next), (2, self.next_twice), (4, self.stop), (2, self.stop_then_find),
                (2, self.block), (3, self.roam), (3, self.old_button), (2, self.find), (3, self.edit), (2, self.react),
                (2, self.last_words),
            ],
        }  # fmt: skip
        weights, acts = zip(*choices[self.state], strict=True)
        act = self.rng.choices(acts, weights)[0]
        try:
            done = act()
            if done is not None:
                await done
        except CannotDo:
            pass

    def wait(self) -> None:
        pass

    def say(self, words: str, **more: Any) -> dict[str, Any]:
        message: dict[str, Any] = self.town.world.phones.write(self.id, self.bot, words, **more)
        return message

    def ask(self, command: str, key: str) -> None:
        label = catalogue().words(key)["ru" if self.russian else "en"]
        self.say(label if self.rng.random() < 0.6 else command)

    def find(self) -> None:
        self.ask(self.rng.choice(("/search", "/find", "/chat")), "keys.find")

    def cancel(self) -> None:
        self.ask("/stop", "keys.cancel")

    def next(self) -> None:
        self.ask(self.rng.choice(("/next", "/skip")), "keys.next")

    def stop(self) -> None:
        self.ask(self.rng.choice(("/stop", "/end")), "keys.stop")

    async def find_twice(self) -> None:
        self.find()
        await asyncio.sleep(self.rng.uniform(0.0, 0.2))
        self.find()

    async def next_twice(self) -> None:
        self.next()
        await asyncio.sleep(self.rng.choice((0.0, 0.1, 0.5)))
        self.next()

    async def stop_then_find(self) -> None:
        self.stop()
        await asyncio.sleep(self.rng.choice((0.0, 0.05, 0.3)))
        self.find()

    async def waver(self) -> None:
        """Start and cancel a search a few times, about as fast as people are paired."""
        for _ in range(self.rng.randint(1, 3)):
            self.find()
            await asyncio.sleep(self.rng.uniform(0.0, 0.2))
            (self.stop if self.rng.random() < 0.5 else self.cancel)()
            await asyncio.sleep(self.rng.uniform(0.0, 0.1))
        self.find()

    async def last_words(self) -> None:
        """Write messages that may come later than the next step."""
        for _ in range(self.rng.randint(1, 4)):
            self.text()
        self.next()
        if self.rng.random() < 0.5:
            self.text()

    def start(self) -> None:
        if self.blocked:
            self.town.witness.note(self.id, self.bot, "unblock")
        self.town.world.phones.start(self.id, self.bot)

    def block(self) -> None:
        witness = self.town.witness
        witness.note(self.id, self.bot, "block")
        if witness.state[self.id] != "new":
            witness.state[self.id] = "idle"
        self.town.world.phones.block(self.id, self.bot)

    def roam(self) -> None:
        """Continue with another bot, without telling the bot before."""
        if self.roams:
            self.bot = self.rng.choice(self.town.bots)
            if not self.blocked and self.rng.random() < 0.5 and self._knows(self.bot):
                self.text()
            else:
                self.start()

    def _knows(self, bot: int) -> bool:
        return bool(self.town.world.chat(self.town.world.state.bots[bot], self.id).started)

    async def onboard(self) -> None:
        """Answer the open question, whatever it is."""
        _, messages = self.town.world.phones.view(self.id, self.bot)
        for held in reversed(messages):
            rows = held.message.get("reply_markup", {}).get("inline_keyboard")
            if rows and not held.outgoing:
                row = self.rng.randrange(len(rows))
                column = self.rng.randrange(len(rows[row]))
                for _ in range(self.rng.choice((1, 1, 1, 2))):
                    self.town.world.phones.press(self.id, self.bot, held.message["message_id"], row, column)
                return
        if not messages or self.rng.random() < 0.1:
            self.start()

    def old_button(self) -> None:
        """Press any inline button that was ever shown, or one of a former release."""
        phones = self.town.world.phones
        _, messages = phones.view(self.id, self.bot)
        with_buttons = [held.message for held in messages if "inline_keyboard" in held.message.get("reply_markup", {})]
        if not with_buttons or self.rng.random() < 0.3:
            number = messages[-1].message["message_id"] if messages else 1
            phones.press_data(
                self.id, self.bot, number, self.rng.choice(("show:0123456789abcdef0123", "gone:x", "agree:"))
            )
            return
        message = self.rng.choice(with_buttons)
        rows = message["reply_markup"]["inline_keyboard"]
        row = self.rng.randrange(len(rows))
        column = self.rng.randrange(len(rows[row]))
        self._press(message, row, column)

    def _press(self, message: dict[str, Any], row: int, column: int) -> None:
        button = message["reply_markup"]["inline_keyboard"][row][column]
        if button.get("callback_data", "").startswith("show:"):
            shown = message.get("reply_to_message", {}).get("contact", {}).get("first_name")
            if shown:
                self.town.shown.add(shown)
        self.town.witness.note(self.id, self.bot, "press")
        self.town.world.phones.press(self.id, self.bot, message["message_id"], row, column)

    def text(self) -> None:
        self.say(f"{self.rng.choice(('hi', 'well', 'and then', 'no /next yet', 'ok'))} {self.town.marker()}")

    async def burst(self) -> None:
        for _ in range(self.rng.choices((3, 4, 6, 9, 25), (30, 30, 20, 10, 3))[0]):
            self.text()
            await asyncio.sleep(self.rng.choice((0.0, 0.0, 0.05, 0.2)))

    def reply(self) -> None:
        _, messages = self.town.world.phones.view(self.id, self.bot)
        if messages:
            to = self.rng.choice(messages[-12:]).message["message_id"]
            self.say(f"re {self.town.marker()}", reply_to=to)

    async def mention(self) -> None:
        """Write a name that is a link to somebody's profile."""
        third = self.rng.choice(self.town.people)
        user = {"id": third.id, "is_bot": False, "first_name": f"Canary{third.id}"}
        entities: list[dict[str, Any]] = [
            {"type": "bold", "offset": 0, "length": 3},
            {"type": "text_mention", "offset": 4, "length": 6, "user": user},
        ]
        await self._answer_about(self.say(f"ask friend {self.town.marker()}", entities=entities))

    def _file(self, kind: str) -> dict[str, Any]:
        described: dict[str, Any] = {"duration": 3} if kind not in ("photo", "document") else {}
        if kind in NAMED:
            described["file_name"] = f"canary-{self.id}-{kind}.{'pdf' if kind == 'document' else 'bin'}"
        if kind == "audio":
            described |= {"performer": f"Canary{self.id}", "title": "canary song"}
        return described

    async def file(self) -> None:
        kind = self.rng.choice(FILES)
        content: dict[str, Any] = {kind: self._file(kind), "caption": f"look {self.town.marker()}"}
        if self.rng.random() < 0.2:
            third = self.rng.choice(self.town.people)
            user = {"id": third.id, "is_bot": False, "first_name": f"Canary{third.id}"}
            content["caption_entities"] = [{"type": "text_mention", "offset": 0, "length": 4, "user": user}]
        await self._answer_about(self.town.world.phones.send(self.id, self.bot, content))

    def album(self) -> None:
        kinds = self.rng.choice((("photo", "video"), ("document",)))
        items = [
            {kind: self._file(kind), "caption": f"album {self.town.marker()}"}
            for kind in self.rng.choices(kinds, k=self.rng.randint(2, 4))
        ]
        self.town.world.phones.album(self.id, self.bot, items)

    async def contact(self) -> None:
        """Send their own contact. Answer the question about it at once, or when the chat may be another one."""
        marker = self.town.marker()
        card = {"phone_number": f"+canary{self.id}", "first_name": marker, "user_id": self.id}
        message = self.town.world.phones.send(self.id, self.bot, {"contact": card})
        await self._answer_about(message)

    async def _answer_about(self, sent: dict[str, Any]) -> None:
        """If asked whether a message may be sent, answer at once, or when the chat may be another one."""
        await asyncio.sleep(self.rng.choice((1.0, 2.0, 6.0)))
        if self.blocked:
            return
        _, messages = self.town.world.phones.view(self.id, self.bot)
        for held in reversed(messages):
            message = held.message
            if message.get("reply_to_message", {}).get("message_id") == sent["message_id"]:
                if "inline_keyboard" in message.get("reply_markup", {}):
                    self._press(message, 0, self.rng.choice((0, 0, 1)))
                return

    def edit(self) -> None:
        """Edit one of their last messages. The marker stays, so the checker still knows whose message it is."""
        _, messages = self.town.world.phones.view(self.id, self.bot)
        mine = [
            held.message for held in messages[-15:] if held.outgoing and MARKER.search(held.message.get("text", ""))
        ]
        if mine:
            message = self.rng.choice(mine)
            self.town.world.phones.edit(self.id, self.bot, message["message_id"], text=f"{message['text']} (edited)")

    def react(self) -> None:
        _, messages = self.town.world.phones.view(self.id, self.bot)
        if messages:
            message = self.rng.choice(messages[-10:]).message["message_id"]
            self.town.world.phones.react(self.id, self.bot, message, self.rng.choice(("👍", "🔥", None)))

    def greet(self) -> None:
        """Write a first message as soon as they have a partner."""
        if not self.blocked and self.state == "chatting":
            self.text()
