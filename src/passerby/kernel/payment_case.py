"""A payment case: what a person asks staff about their payments. Their words are sealed until staff read them."""

from struct import Struct
from typing import Final, NamedTuple

import msgspec

from passerby.kernel.ids import PersonId
from passerby.kernel.money import Charge

_HEAD: Final = Struct(">dI")
"""The time of a part, and the length of its words."""


class SealedWords(NamedTuple):
    """One message of a person about their case, at this time (Unix seconds)."""

    at: float
    sealed: bytes


def packed(words: SealedWords) -> bytes:
    """As it is stored. Further words of the same case are simply appended."""
    return _HEAD.pack(words.at, len(words.sealed)) + words.sealed


def unpacked(stored: bytes) -> tuple[SealedWords, ...]:
    """Damaged bytes give words that cannot be opened, or none."""
    found: list[SealedWords] = []
    while len(stored) >= _HEAD.size:
        at, length = _HEAD.unpack_from(stored)
        end = _HEAD.size + length
        found.append(SealedWords(at, stored[_HEAD.size : end]))
        stored = stored[end:]
    return tuple(found)


class PaymentCase(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` is what the person and staff call it. `answered_by` is the number of a staff member.

    Times are in Unix seconds. `answered_at` 0: it is open.
    """

    code: str
    person: PersonId
    opened_at: float
    answered_at: float = 0.0
    answered_by: int = 0


class PaymentDesk(msgspec.Struct, frozen=True):
    """The payment cases that staff look at: the open cases, the oldest first; and one of them, with the purchases of
    its person (the newest first) and their language."""

    waiting: tuple[PaymentCase, ...] = ()
    case: PaymentCase | None = None
    purchases: tuple[Charge, ...] = ()
    language: str = ""


class AnswerOrder(msgspec.Struct, frozen=True, tag="answer"):
    """A person gets the answer to their payment case."""

    person: PersonId
    case: str
    words: str
