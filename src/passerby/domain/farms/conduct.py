"""A person's conduct within a day, in numbers and keyed hashes. It holds no words, and nothing about partners.

`Note`s say what happened in a chat, as it happens. A `Conduct` sums them up. Conducts are kept for two days at most,
and the hashes in them are made with a key of the day.
"""

from collections.abc import Mapping
from math import log, sqrt
from typing import Final

import msgspec

from passerby.domain.farms.wordings import WORDINGS, wording_of
from passerby.kernel.ids import ChatId, PersonId

DAY_S: Final = 86_400.0

LISTENED_TO: Final = 8
"""How many messages of one side of a chat are looked at. An advert comes early."""

CUT_S: Final = 25.0
"""A chat that the other side ends within this time of the first message counts as cut."""

DROPPED_S: Final = 15.0
"""See `Ended.dropped`."""

FASTEST_S: Final = 0.05
"""A faster reaction counts as this one, because zero has no logarithm."""

MOST_TOKENS: Final = 64
"""The most hashes of one person. The newest one replaces the oldest of those that were seen in only one chat."""
MOST_LINES: Final = 16
"""The most hashes of later lines that were seen in only one chat."""


class Wrote(msgspec.Struct, frozen=True, gc=False):
    """A person wrote the `nth` message of their side of a chat, 0 for the first.

    `gap_s`: how long after the notice of the chat (for the first), or after the partner's last message. None: not
    known.
    `text` is dropped as soon as it has been hashed. `lively`: it is of a kind that scripts do not send (`LIVELY`).
    `opens`: the partner had not written yet, so nothing but the notice made the person write.
    """

    person: PersonId
    chat: ChatId
    at: float
    nth: int
    gap_s: float | None
    text: str
    lively: int = 0
    opens: bool = False


class Ended(msgspec.Struct, frozen=True, gc=False):
    """A chat in which the person wrote is over. `cut`: the other side ended it soon after the first message.
    `dropped`: the other side ended it within DROPPED_S of the person's last message."""

    person: PersonId
    at: float
    cut: bool
    dropped: bool = False


class Disliked(msgspec.Struct, frozen=True, gc=False):
    """Somebody blocked, reported or disliked the person after a chat."""

    person: PersonId
    at: float


class Pressed(msgspec.Struct, frozen=True, gc=False):
    """The person did something that a script does not do (`LIVELY`)."""

    person: PersonId
    at: float
    lively: int


Note = Wrote | Ended | Disliked | Pressed

LIVELY: Final = {
    "sticker": 1,
    "voice": 2,
    "video_note": 4,
    "photo": 8,
    "reaction": 16,
    "edit": 32,
    "reply": 64,
    "wave": 128,
    "taken_back": 256,
}
"""Signs of life, as bits."""


class Spread(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How many durations there were, and the sums of their logarithms (of seconds) and of the squares of these."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def with_(self, seconds: float) -> "Spread":
        value = log(max(FASTEST_S, seconds))
        return Spread(self.n + 1, self.total + value, self.squares + value * value)

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else 0.0

    @property
    def deviation(self) -> float:
        """The standard deviation of the logarithms: 0.1 means that the times differ by about a tenth."""
        if self.n < 2:  # one time has no deviation
            return 1.0
        return sqrt(max(0.0, self.squares / self.n - self.mean**2))


class Conduct(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The sum of a day's notes.

    - `chats`: in how many the person wrote. `ended`: how many of those are over. `cut`, `disliked`: see the notes.
    - `long`: chats that began with an opening long enough to compare.
    - `led`, `odd`: chats with a destination, or with an odd word.
    - `contacts`: chats with somebody's contact: a user name, an e-mail address, a telephone number. `new_contacts`:
      those in which the first contact was one that the person had not named before.
    - `tokens`: keyed hash -> in how many chats it was used. `kinds` says what each is: "b" a band of an opening, "t" a
      destination, "o" an odd word, "l" a later line.
    - `reactions`: times from the notice of a chat to the first message. `answers`: seconds for each letter of a long
      answer.
    - `rushed`: long answers that nobody can type so fast.
    - `hours`: the hours of the day with activity, as bits. `lively`: signs of life, as bits.
    - `first_at`, `last_at`: in Unix seconds.
    - `fresh`: the tokens used in the newest chat, so that each counts once a chat.
    - `known`: chats with a destination of a farm that was found before.
    - `opened`: chats in which the person wrote first, by the wording of their notice (`wordings`).
    - `lines`: later lines long enough to compare. `dropped_lines`: those after which the chat was dropped, all together
      and (`dropped`) for each keyed hash that is among `tokens`. `dropped_contacts`: chats that were dropped after a
      contact. `last`: what the newest message had, so that it is known what a chat was dropped after.
    """

    chats: int = 0
    long: int = 0
    led: int = 0
    odd: int = 0
    contacts: int = 0
    new_contacts: int = 0
    ended: int = 0
    cut: int = 0
    disliked: int = 0
    tokens: dict[int, int] = {}
    kinds: dict[int, str] = {}
    fresh: tuple[int, ...] = ()
    reactions: Spread = Spread()
    answers: Spread = Spread()
    rushed: int = 0
    hours: int = 0
    lively: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    known: int = 0
    opened: tuple[int, ...] = ()
    lines: int = 0
    dropped_lines: int = 0
    dropped_contacts: int = 0
    dropped: dict[int, int] = {}
    last: tuple[int, ...] = ()

    def used(self, kind: str) -> dict[int, int]:
        """The tokens of a kind, and in how many chats each was used."""
        return {token: chats for token, chats in self.tokens.items() if self.kinds[token] == kind}


CONTACTS: Final = "c"
_KNOWN_FARM: Final = 0
_NAMED_SOMEBODY: Final = 1
"""These two stand among the tokens in `fresh`, for a known farm and for a contact, so that each chat counts once."""
NO_TOKENS: Final[Mapping[str, tuple[int, ...]]] = {}
LONG_ANSWER: Final = 40
"""In characters."""
FASTEST_TYPED_PER_S: Final = 25.0
"""The fastest typists on a phone write 15 characters a second; dictation and suggestions are faster."""


def noted(
    conduct: Conduct, note: Note, tokens: Mapping[str, tuple[int, ...]] = NO_TOKENS, known: bool = False
) -> Conduct:
    """The conduct after a note. `tokens` are the hashes of its words, by kind; those of CONTACTS are also among
    the destinations. `known`: the message leads to a known farm."""
    changes: dict[str, object] = {
        "first_at": conduct.first_at or note.at,
        "last_at": note.at,
        "hours": conduct.hours | 1 << int(note.at % DAY_S // 3600),
    }
    match note:
        case Wrote():
            changes |= _written(conduct, note, tokens, known)
        case Ended(cut=cut):
            changes |= {"ended": conduct.ended + 1, "cut": conduct.cut + cut, "last": ()}
            if note.dropped:
                changes |= _dropped(conduct)
        case Disliked():
            changes = {"disliked": conduct.disliked + 1}
        case _:
            changes["lively"] = conduct.lively | note.lively
    return msgspec.structs.replace(conduct, **changes)


def _dropped(conduct: Conduct) -> dict[str, object]:
    """The other side left right after the newest message."""
    lines = [each for each in conduct.last if each != _NAMED_SOMEBODY]
    dropped = conduct.dropped | {each: conduct.dropped.get(each, 0) + 1 for each in lines}
    return {
        "dropped": {each: times for each, times in dropped.items() if each in conduct.tokens},
        "dropped_lines": conduct.dropped_lines + bool(lines),
        "dropped_contacts": conduct.dropped_contacts + (_NAMED_SOMEBODY in conduct.last),
    }


def _written(conduct: Conduct, note: Wrote, tokens: Mapping[str, tuple[int, ...]], known: bool) -> dict[str, object]:
    first = note.nth == 0
    changes: dict[str, object] = {"lively": conduct.lively | note.lively}
    fresh = () if first else conduct.fresh
    if first:
        changes["chats"] = conduct.chats + 1
        changes["long"] = conduct.long + bool(tokens.get("b"))
        if note.gap_s is not None:
            changes["reactions"] = conduct.reactions.with_(note.gap_s)
        if note.opens:
            opened = [*conduct.opened, *[0] * (WORDINGS - len(conduct.opened))]
            opened[wording_of(note.chat)] += 1
            changes["opened"] = tuple(opened)
    elif note.gap_s is not None and len(note.text) >= LONG_ANSWER:
        per_letter_s = note.gap_s / len(note.text)
        changes["answers"] = conduct.answers.with_(per_letter_s)
        changes["rushed"] = conduct.rushed + (per_letter_s * FASTEST_TYPED_PER_S < 1)
    counts, kinds = dict(conduct.tokens), dict(conduct.kinds)
    heard = {kinds.get(token) for token in fresh}
    said = tokens.get("l", ())
    changes["lines"] = conduct.lines + bool(said)
    changes["last"] = (*said, *([_NAMED_SOMEBODY] if tokens.get(CONTACTS) else ()))
    changes["led"] = conduct.led + (bool(tokens.get("t")) and "t" not in heard)
    changes["odd"] = conduct.odd + (bool(tokens.get("o")) and "o" not in heard)
    contacts = tokens.get(CONTACTS, ())
    if contacts and _NAMED_SOMEBODY not in fresh:
        fresh = (*fresh, _NAMED_SOMEBODY)
        changes["contacts"] = conduct.contacts + 1
        changes["new_contacts"] = conduct.new_contacts + counts.keys().isdisjoint(contacts)
    for kind, found in tokens.items():
        for token in found if kind != CONTACTS else ():
            if token not in fresh:
                fresh = (*fresh, token)
                counts[token] = counts.pop(token, 0) + 1
                kinds.setdefault(token, kind)
    lines = [each for each in counts if kinds[each] == "l" and counts[each] == 1 and each not in fresh]
    for gone in lines[: max(0, len(lines) - MOST_LINES)]:
        del counts[gone], kinds[gone]
    while len(counts) > MOST_TOKENS:
        gone = min(counts, key=lambda each: (counts[each] > 1, each in fresh))
        del counts[gone], kinds[gone]
    if known and _KNOWN_FARM not in fresh:
        fresh = (*fresh, _KNOWN_FARM)
        changes["known"] = conduct.known + 1
    return changes | {"tokens": counts, "kinds": kinds, "fresh": fresh}
