"""What phones show, message by message, and how it becomes lines that the judge reads. No more is kept than needed."""

import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from simulated_people.judge import Line
from simulated_people.phrases import Said, answers, mark_in, said

LEAVING = ("/next", "/stop")
WORDS = 60


class _Ref(msgspec.Struct, frozen=True):
    message_id: int


class _File(msgspec.Struct, frozen=True):
    file_id: str


class Message(msgspec.Struct, frozen=True):
    """A message as a phone shows it, as far as it matters here."""

    message_id: int
    outgoing: bool = False
    text: str = ""
    caption: str = ""
    reply_to_message: _Ref | None = None
    sticker: _File | None = None
    reply_markup: dict[str, Any] | None = None

    @property
    def words(self) -> str:
        return self.text or self.caption


class Event(msgspec.Struct, frozen=True):
    """An event of the sandbox's stream. `at`: Unix seconds, by the sandbox's clock."""

    type: str
    person: int
    bot: int
    at: float = 0.0
    message: Message | None = None


@dataclass(slots=True)
class Shown:
    """One message on a phone. `file_id`: a sticker's, whose mark is in its bytes and not known yet."""

    id: int
    at: float
    mine: bool
    mark: str | None
    notice: Said | None
    answers: int
    reply_to: int | None
    leaves: bool
    file_id: str | None = None
    gone: bool = False
    words: str = ""
    """The beginning of what is nobody's marked message."""


def shown(event: Event, message: Message) -> Shown:
    words = message.words
    mine = message.outgoing
    mark = mark_in(words)
    file_id = message.sticker.file_id if message.sticker is not None else None
    notice = None if mine or mark is not None or file_id is not None else said(words)
    return Shown(
        id=message.message_id,
        at=event.at,
        mine=mine,
        mark=mark,
        notice=notice,
        answers=answers(words) if notice is not None else 0,
        reply_to=message.reply_to_message.message_id if message.reply_to_message is not None else None,
        leaves=mine and words.startswith(LEAVING),
        file_id=file_id,
        # The same few hundred, over and over.
        words=sys.intern(words[:WORDS]) if mark is None else "",
    )


@dataclass(slots=True)
class Phone:
    """All that a phone has shown since its person was ready, in the order of the ids."""

    bot: int
    lines: list[Shown] = field(default_factory=list)

    def add(self, line: Shown) -> None:
        self.lines.append(line)

    def leave_for_good(self, at: float) -> None:
        """From here on its person has the bot blocked; to be called when all that came before is there."""
        last = self.lines[-1].id if self.lines else 0
        self.lines.append(Shown(last, at, False, None, None, False, None, False, gone=True))


@dataclass(slots=True)
class Confirmations:
    """Which updates Telegram has forgotten, from the journal."""

    pending: dict[tuple[int, int], float] = field(default_factory=dict)
    """Not confirmed yet: (bot, update) -> since when."""
    dropped: int = 0
    floods: int = 0
    last: int = 0
    missed: int = 0
    """Entries that the journal had forgotten before they were read."""
    _updates: dict[tuple[int, int], int] = field(default_factory=dict)

    def queued(self, bot: int, update: int, message: int, at: float) -> None:
        self.pending[bot, update] = at
        if message:
            self._updates[bot, message] = update

    def confirmed(self, bot: int, updates: Iterable[int]) -> None:
        for update in updates:
            self.pending.pop((bot, update), None)

    def is_confirmed(self, bot: int, message: int) -> bool:
        """Whether the bot took this message's update for good."""
        update = self._updates.get((bot, message))
        return update is not None and (bot, update) not in self.pending


def lines_of(
    phones: Mapping[int, Phone], confirmations: Confirmations, outside: Collection[str] = ()
) -> tuple[dict[int, list[Line]], dict[int, set[int]]]:
    """What the judge reads: the lines of each phone, and which of them ask to end a chat.

    `outside`: the marks of what reached somebody whose phone is not among these. Nothing can be decided of it.
    """
    lines: dict[int, list[Line]] = {}
    leaves: dict[int, set[int]] = {}
    for person, phone in phones.items():
        lines[person] = [
            Line(
                each.id,
                each.at,
                each.mine,
                each.mark,
                each.notice,
                each.answers,
                each.reply_to,
                gone=each.gone,
                confirmed=not each.mine
                or (each.mark not in outside and confirmations.is_confirmed(phone.bot, each.id)),
            )
            for each in phone.lines
        ]
        leaves[person] = {each.id for each in phone.lines if each.leaves}
    return lines, leaves
