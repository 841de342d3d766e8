"""Simulated people. They act only on what their phone shows, and mark every message that they send."""

import asyncio
from collections import deque
from contextlib import suppress
from enum import StrEnum
from random import Random
from typing import Any, Final

from passerby.ports.clock import Clock
from simulated_people.book import Book
from simulated_people.control import Sandbox
from simulated_people.farms import Style
from simulated_people.habits import Draft, Habits, Leaving
from simulated_people.phrases import AGE, CONSENT, GENDER, READY, Said, mark, notice
from simulated_people.seen import Event, Phone, Shown, shown

ANSWER_S: Final = 60.0
"""After waiting this long for the next of the first questions, a person tries again."""


class State(StrEnum):
    """The state of a person, as their phone shows it."""

    NEW = "new"
    IDLE = "idle"
    SEARCHING = "searching"
    CHATTING = "chatting"
    GONE = "gone"
    """They have blocked the bot."""


STATE_AFTER: Final = {
    Said.FOUND: State.CHATTING,
    Said.STILL_CHATTING: State.CHATTING,
    Said.LEFT: State.IDLE,
    Said.ENDED: State.IDLE,
    Said.CUT_OFF: State.IDLE,
    Said.MOVED_ON: State.SEARCHING,
    Said.SEARCHING: State.SEARCHING,
    Said.STILL_SEARCHING: State.SEARCHING,
}
FILES: Final[dict[str, dict[str, Any]]] = {
    "photo": {"width": 800, "height": 600},
    "sticker": {"emoji": "🙂"},
    "voice": {"duration": 4},
    "video": {"duration": 9, "width": 640, "height": 360},
    "document": {"file_name": "notes.txt", "mime_type": "text/plain"},
}


class Person:
    """One person with one bot."""

    def __init__(
        self,
        sandbox: Sandbox,
        book: Book,
        clock: Clock,
        habits: Habits,
        *,
        number: int,
        id_: int,
        bot: int,
        rng: Random,
        style: Style | None = None,
    ) -> None:
        """`style`: this is an account of a farm."""
        self.id = id_
        self.bot = bot
        self.state = State.NEW
        self.phone = Phone(bot)
        self.unread: deque[tuple[Shown, float]] = deque()
        """Stickers whose marks, in their bytes, are not read yet, and when we heard of them."""
        self._sandbox = sandbox
        self._book = book
        self._clock = clock
        self._habits = habits
        self._number = number
        self._rng = rng
        self._style = style
        self._is_met = False
        """Whether the partner of this chat has been heard from."""
        self._written = 0
        self._changed = asyncio.Event()
        self._drawn: deque[str] = deque()
        """Marks of own stickers that the phone has not shown yet."""
        self._to_edit: set[str] = set()
        self._last_got: int | None = None
        self._blocked_at = 0.0

    def hear(self, event: Event, heard: float) -> None:
        """Handle an event of the stream."""
        message = event.message
        if message is None or event.type not in ("message", "edited"):
            return
        if self.state is State.NEW and not message.outgoing:
            self._answer(message.words, message.message_id)
            return
        if event.type == "edited" or self.state is State.NEW:
            return
        line = shown(event, message)
        self.phone.add(line)
        if line.file_id is not None:
            if line.mine and self._drawn:
                line.mark = self._drawn.popleft()
            self.unread.append((line, heard))
        elif line.mark is not None:
            self.read(line, heard)
        if line.notice is not None:
            self.state = STATE_AFTER.get(line.notice, self.state)
            self._is_met = self._is_met and line.notice is not Said.FOUND
            if self._style is not None and (notice(message.words) or "").startswith("chat.confirm_"):
                self._do("press", message_id=line.id, row=0, column=0)
        self._changed.set()

    def read(self, line: Shown, heard: float) -> None:
        """Handle a message with a mark: an own one, or a partner's."""
        assert line.mark is not None
        if not line.mine:
            self._last_got = line.id
            if not self._is_met and self._style is None:
                self._book.met(line.mark, heard)
            self._is_met = True
            self._book.arrived(line.mark, line.at, heard)
            return
        self._book.taken(line.mark, line.at, heard)
        if line.mark in self._to_edit:
            self._to_edit.remove(line.mark)
            self._do("edit", message_id=line.id, text=f"{mark_text(line.mark)} or so")
            self._book.counts["edits"] += 1

    def _answer(self, words: str, message_id: int) -> None:
        """Answer the first questions: the consent, the age, the gender."""
        key = notice(words)
        if key == CONSENT:
            self._do("press", message_id=message_id, row=0, column=0)
        elif key == AGE:
            self._do("send", text=str(min(80, 18 + int(self._rng.expovariate(1 / 8)))))
        elif key == GENDER:
            column = 0 if self._rng.random() < 0.75 else 1
            self._do("press", message_id=message_id, row=0, column=column)
        elif key == READY:
            self.state = State.IDLE
            self._changed.set()

    def _do(self, act: str, **fields: Any) -> None:
        self._sandbox.act(self.id, self.bot, act, **fields)

    def say(self, words: str) -> None:
        self._do("send", text=words)

    async def join(self) -> None:
        """Press Start and answer the first questions. Returns when the person is ready."""
        while self.state is State.NEW:
            self._do("start")
            with suppress(TimeoutError):
                await self._changes({State.NEW}, self._clock.now() + ANSWER_S)

    async def _changes(self, from_: set[State], until: float) -> None:
        """Wait until the state changes to one that is not in `from_`. Raises: TimeoutError, at `until`."""
        while self.state in from_:
            left_s = until - self._clock.now()
            if left_s <= 0:
                raise TimeoutError
            self._changed.clear()
            async with asyncio.timeout(left_s):
                await self._changed.wait()

    async def live(self, arrives_at: float, *, stays: bool) -> None:
        """Search and chat from `arrives_at` on: for one visit or, if `stays`, again and again."""
        due = arrives_at
        while True:
            await self._clock.sleep(max(0.0, due - self._clock.now()))
            for _ in range(self._habits.visit(self._rng)):
                if not await self._find(due) or not await self._talk():
                    break
                due = self._clock.now()
                if self.state is State.IDLE:
                    due += self._habits.between_chats(self._rng)
                    await self._clock.sleep(due - self._clock.now())
            if not stays:
                return
            due = self._clock.now() + self._habits.away(self._rng)
            await self._come_back(due)

    async def _find(self, due: float) -> bool:
        """Search until a partner is found or the person gives up."""
        until = due + self._habits.patience(self._rng)
        while self.state is not State.CHATTING:
            if self.state is State.IDLE:
                self.say("/search")
                self._book.counts["searches"] += 1
                self.state = State.SEARCHING
            try:
                await self._changes({State.SEARCHING}, until)
            except TimeoutError:
                self.say("/stop")
                self._book.searched(due, self._clock.now(), found=False)
                return False
        self._book.searched(due, self._clock.now(), found=True)
        return True

    async def _talk(self) -> bool:
        """Chat until one of the two leaves. Returns whether this person wants another partner."""
        if self._style is not None:
            return await self._advertise(self._style)
        began = self._clock.now()
        ends_at = began + self._habits.willing(self._rng)
        due = began + self._rng.uniform(0.5, 2.5)
        while True:
            with suppress(TimeoutError):
                await self._changes({State.CHATTING}, min(due, ends_at))
            if self.state is not State.CHATTING:
                return self.state is State.SEARCHING or self._rng.random() < self._habits.searches_on
            if due >= ends_at:
                return self._leave()
            self._write(due)
            due += self._habits.pause(self._rng)

    async def _advertise(self, style: Style) -> bool:
        """Write what the farm writes, wait a moment, and go on to the next."""
        rng = self._rng
        due = self._clock.now() + style.reaction(rng)
        for words in (*style.opening(rng, self._number), None):
            with suppress(TimeoutError):
                await self._changes({State.CHATTING}, due)
            if self.state is not State.CHATTING:
                return True
            if words is not None:
                self._send(Draft("text", words), due)
                due += style.gap(rng)
        with suppress(TimeoutError):
            await self._changes({State.CHATTING}, due + style.stays(rng))
        if self.state is State.CHATTING:
            self.say("/next")
            self.state = State.SEARCHING
        return True

    def _leave(self) -> bool:
        how = self._habits.leaving(self._rng)
        self._book.counts[f"leaves: {how}"] += 1
        match how:
            case Leaving.NEXT:
                self.say("/next")
                self._book.counts["searches"] += 1
                self.state = State.SEARCHING
                return True
            case Leaving.STOP:
                self.say("/stop")
                self.state = State.IDLE
            case Leaving.BLOCK:
                self._do("block")
                self._blocked_at = self._clock.now()
                self.state = State.GONE
        return False

    async def _come_back(self, due: float) -> None:
        """Begin a search. A person who has blocked the bot starts it again first."""
        if self.state is not State.GONE:
            return
        await self._clock.sleep(max(0.0, due - self._clock.now()))
        self.close()
        self._do("start")
        self.state = State.IDLE

    def close(self) -> None:
        """Record a block, when messages that were on their way at that moment can no longer arrive."""
        if self._blocked_at:
            self.phone.leave_for_good(self._blocked_at)
            self._blocked_at = 0.0

    def _write(self, due: float) -> None:
        if self._last_got is not None and self._rng.random() < self._habits.reacts:
            self._do("react", message_id=self._last_got, emoji=self._rng.choice("👍❤🔥😁"))
            self._book.counts["reactions"] += 1
            return
        for _ in range(self._habits.lines(self._rng)):
            self._send(self._habits.draft(self._rng), due)

    def _send(self, draft: Draft, due: float) -> None:
        self._written += 1
        words = mark(self._number, self._written)
        marked = words[1:-1]
        reply = {"reply_to_message_id": self._last_got} if draft.replies and self._last_got is not None else {}
        if draft.kind == "text":
            self._do("send", text=f"{words} {draft.words}", **reply)
        else:
            caption = {} if draft.kind == "sticker" else {"caption": f"{words} {draft.words}"}
            self._do("send", message={draft.kind: FILES[draft.kind], **caption}, **reply)
        if draft.kind == "sticker":
            self._drawn.append(marked)
        if draft.edited:
            self._to_edit.add(marked)
        self._book.wrote(marked, due)
        self._book.counts[draft.kind] += 1


def mark_text(marked: str) -> str:
    """The mark in the form that it has in a text."""
    return f"[{marked}]"
