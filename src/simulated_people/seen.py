"""Keeps what phones show, message by message, and makes lines of it for the judge. It keeps only what is needed."""

import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from simulated_people.phrases import Asks, Said, answers, asks, mark_in, said
from simulated_people.verdict import Line

WORDS = 60


class _Ref(msgspec.Struct, frozen=True):
    message_id: int


class _File(msgspec.Struct, frozen=True):
    file_id: str


class Message(msgspec.Struct, frozen=True):
    """The parts of a message on a phone that are needed here."""

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
    """An event in the sandbox's stream. `at`: Unix seconds, by the sandbox's clock."""

    type: str
    person: int
    bot: int
    at: float = 0.0
    message: Message | None = None


@dataclass(slots=True)
class Shown:
    """One message on a phone. `file_id`: of a sticker whose mark, in its bytes, is not known yet."""

    id: int
    at: float
    mine: bool
    mark: str | None
    notice: Said | None
    answers: int
    reply_to: int | None
    asks: Asks | None
    file_id: str | None = None
    gone: bool = False
    words: str = ""
    """The beginning of a message without a mark."""


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
        asks=asks(words) if mine and mark is None else None,
        file_id=file_id,
        # The same few hundred texts occur again and again.
        words=sys.intern(words[:WORDS]) if mark is None else "",
    )


@dataclass(slots=True)
class Phone:
    """All messages on a phone since its person was ready, in the order of their ids."""

    bot: int
    lines: list[Shown] = field(default_factory=list)

    def add(self, line: Shown) -> None:
        self.lines.append(line)

    def leave_for_good(self, at: float) -> None:
        """The person has blocked the bot. Call it when all earlier messages are there."""
        last = self.lines[-1].id if self.lines else 0
        left = Shown(last, at, mine=False, mark=None, notice=None, answers=0, reply_to=None, asks=None, gone=True)
        self.lines.append(left)


@dataclass(slots=True)
class Confirmations:
    """Which updates were confirmed, so that Telegram has forgotten them. The sandbox's journal says so."""

    pending: dict[tuple[int, int], float] = field(default_factory=dict)
    """Updates that are not confirmed yet: (bot, update) -> since when."""
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
        """Whether the bot has confirmed the update of this message."""
        update = self._updates.get((bot, message))
        return update is not None and (bot, update) not in self.pending


def lines_of(
    phones: Mapping[int, Phone], confirmations: Confirmations, outside: Collection[str] = ()
) -> dict[int, list[Line]]:
    """The judge's input: the lines of each phone.

    `outside`: the marks of messages that reached a phone that is not among these. They cannot be judged.
    """
    lines: dict[int, list[Line]] = {}
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
                asks=each.asks,
                gone=each.gone,
                confirmed=not each.mine
                or (each.mark not in outside and confirmations.is_confirmed(phone.bot, each.id)),
            )
            for each in phone.lines
        ]
    return lines
