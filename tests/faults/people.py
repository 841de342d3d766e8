"""Simulated people. They know only what their phone shows. Each message that they send carries a mark."""

import asyncio
import json
from contextlib import suppress
from random import Random

from simulated_people.phrases import Said, mark, mark_in, said, words_of
from tests.faults.sandbox import Json, Sandbox
from tests.wording import opening

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x03 \x00\x00\x02X\x08\x06\x00\x00\x00"
ANSWER_S = 120.0
JOIN_S = 240.0
"""Timeout for the first answers. Several processes start meanwhile, perhaps on a busy machine."""

PAUSE_S = 1.8
"""The mean time between two actions of one person."""

STATE_AFTER = {
    Said.FOUND: "chatting",
    Said.STILL_CHATTING: "chatting",
    Said.LEFT: "idle",
    Said.ENDED: "idle",
    Said.CUT_OFF: "idle",
    Said.MOVED_ON: "searching",
    Said.SEARCHING: "searching",
    Said.STILL_SEARCHING: "searching",
}


SISTERS_IDS = 1 << 40
"""The offset of message ids in a sister bot: a person goes there later, so these messages come later."""


class Person:
    """One person on one bot. If that bot is lost, they go on in its sister, once a message there says so."""

    def __init__(self, sandbox: Sandbox, number: int, id_: int, bot: int, rng: Random) -> None:
        self.id = id_
        self._number = number
        self.bot = bot
        self.state = "new"
        self.sent = 0
        self.written = 0
        """Messages written while their phone said that they were in a chat."""
        self.received = 0
        """The partners' messages, without stickers."""
        self.pause_s = PAUSE_S
        self.leaves = True
        """Whether they end chats now and then."""
        self.albums = False
        """Whether they also send albums."""
        self.sister: int | None = None
        self.has_moved = False
        self.is_silent = False
        self._sandbox = sandbox
        self._rng = rng
        self._path = f"people/{id_}/chats/{bot}"
        self._heard: list[Json] = []
        self._changed = asyncio.Event()
        self._keys: list[list[str]] = []

    def hear(self, message: Json) -> None:
        if message["outgoing"]:
            return
        self._heard.append(message)
        words = words_of(message)
        if mark_in(words) is not None:
            self.received += 1
        else:
            self.state = STATE_AFTER.get(said(words), self.state)
            if opening("chat.moved_here") in words:
                self.move()
            keyboard = message.get("reply_markup", {}).get("keyboard")
            if keyboard:
                self._keys = [[key["text"] if isinstance(key, dict) else key for key in row] for row in keyboard]
        self._changed.set()

    async def _answer(self, since: int, *phrases: str, within_s: float = ANSWER_S) -> Json:
        """Wait for a message with one of these phrases. Raises: TimeoutError."""
        async with asyncio.timeout(within_s):
            while True:
                for message in self._heard[since:]:
                    if any(phrase in words_of(message) for phrase in phrases):
                        return message
                self._changed.clear()
                await self._changed.wait()

    async def hears(self, words: str) -> None:
        """Wait until these words have arrived. Raises: TimeoutError."""
        await self._answer(0, words)

    async def ask(self, words: str, *expected: str) -> str:
        """Send a question and return the answer. Without an expected answer, return all notices since then."""
        since = len(self._heard)
        await self.say(words)
        with suppress(TimeoutError):
            return words_of(await self._answer(since, *expected))
        said = map(words_of, self._heard[since:])
        return " / ".join(each for each in said if each and mark_in(each) is None) or "nothing"

    @property
    def notices(self) -> list[str]:
        """All notices from the product."""
        return [words for words in map(words_of, self._heard) if words and mark_in(words) is None]

    async def say(self, words: str, reply_to: int | None = None) -> None:
        body: Json = {"text": words}
        if reply_to is not None:
            body["reply_to_message_id"] = reply_to
        await self._sandbox.post(f"{self._path}/send", body)

    def _next_mark(self) -> str:
        self.sent += 1
        return mark(self._number, self.sent)

    async def chat(self, words: str = "so it goes", reply_to: int | None = None) -> None:
        self.written += self.state == "chatting"
        await self.say(f"{self._next_mark()} {words}", reply_to)

    async def show(self, kind: str) -> None:
        """Send a photo or a sticker. A photo has its mark in the caption, a sticker in its bytes."""
        marked = self._next_mark()
        fields = {"kind": kind, "caption": marked} if kind == "photo" else {"kind": kind, "emoji": "🙂"}
        await self._sandbox.upload(f"{self._path}/upload", fields, {"file": PNG + marked.encode()})

    async def show_album(self, number: int) -> None:
        """Send an album. Each picture has its own mark."""
        marks = [self._next_mark() for _ in range(number)]
        items = json.dumps([{"kind": "photo", "caption": marked} for marked in marks])
        files = {f"file{index}": PNG + marked.encode() for index, marked in enumerate(marks)}
        await self._sandbox.upload(f"{self._path}/album", {"items": items}, files)

    async def _press(self, message: Json) -> None:
        await self._sandbox.post(f"{self._path}/press", {"message_id": message["message_id"], "row": 0, "column": 0})

    async def join(self) -> None:
        """Send /start, give consent and answer two questions."""
        await self._sandbox.post(f"{self._path}/start", {})
        await self._press(await self._answer(0, opening("start.consent"), within_s=JOIN_S))
        await self._edited(opening("start.ask_age"))
        await self.say("25")
        await self._press(await self._answer(0, opening("start.ask_gender"), within_s=JOIN_S))
        await self._answer(0, opening("start.ready"), within_s=JOIN_S)
        self.state = "idle"

    async def _edited(self, phrase: str) -> None:
        """Wait until the question is edited. The event stream shows edits as another kind of event, so this looks at
        the phone."""
        async with asyncio.timeout(JOIN_S):
            while not any(phrase in words_of(each) for each in await self.phone()):
                # Thirty people look at once. Looking more often would slow down the answer itself.
                await asyncio.sleep(0.25)

    async def phone(self) -> list[Json]:
        """All messages, those of the sister last. `bot` and `own_id` say where a message is."""
        messages: list[Json] = []
        for more, bot in enumerate((self.bot, self.sister)):
            if bot is None:
                continue
            for message in (await self._sandbox.get(f"people/{self.id}/chats/{bot}"))["messages"]:
                moved = {"bot": bot, "own_id": message["message_id"]}
                moved["message_id"] = message["message_id"] + more * SISTERS_IDS
                if reply := message.get("reply_to_message"):
                    moved["reply_to_message"] = {"message_id": reply["message_id"] + more * SISTERS_IDS}
                messages.append(message | moved)
        return messages

    async def start(self, bot: int) -> None:
        """Press Start in a bot, and wait for its answer."""
        since = len(self._heard)
        await self._sandbox.post(f"people/{self.id}/chats/{bot}/start", {})
        await self._answer(since, "", within_s=JOIN_S)

    async def know(self, sister: int) -> None:
        """Start another bot, and come back."""
        self.sister = sister
        await self.start(sister)
        await self.start(self.bot)

    def move(self) -> None:
        """Go on in the sister."""
        self.has_moved = True
        self._path = f"people/{self.id}/chats/{self.sister}"

    async def live(self, until: asyncio.Event) -> None:
        """Act as people do, until told to stop."""
        greeted = False
        while not until.is_set():
            if self.state != "chatting":
                greeted = False
            elif not greeted and not self.is_silent:
                greeted = True
                await self.chat("hello")
            if not self.is_silent:
                await self._act()
            try:
                async with asyncio.timeout(self._rng.expovariate(1 / self.pause_s)):
                    await until.wait()
            except TimeoutError:
                continue

    async def _act(self) -> None:
        chance = self._rng.random()
        match self.state:
            case "idle":
                await (self.say(self._key(0, "/search")) if chance < 0.8 else self.chat("is anybody there?"))
            case "searching":
                if chance < 0.04:
                    await self.say(self._key(0, "/stop"))
                elif chance < 0.08:
                    await self.chat("anybody?")
            case "chatting":
                await self._in_chat(chance)

    async def _in_chat(self, chance: float) -> None:
        if not self.leaves:
            await self.chat()
        elif self.albums and chance > 0.9:
            await self.show_album(self._rng.randint(2, 5))
        elif chance < 0.05:
            await self.say(self._key(0, "/next"))
            if self._rng.random() < 0.5:
                await self.chat("and this comes too late")
        elif chance < 0.08:
            await self.say(self._key(1, "/stop"))
        elif chance < 0.12:
            for _ in range(5):
                await self.chat("and another thing")
        elif chance < 0.18:
            await self.show("photo")
        elif chance < 0.23:
            await self.show("sticker")
        elif chance < 0.30 and self._heard:
            await self.chat("as you said", reply_to=self._heard[-1]["message_id"])
        else:
            await self.chat()

    def _key(self, place: int, command: str) -> str:
        """Return the command, or the key that does the same."""
        keys = self._keys[0] if self._keys else []
        return keys[place] if place < len(keys) and self._rng.random() < 0.5 else command
