"""The measurements of a farm, for staff. They hold numbers, and nobody's words."""

from enum import StrEnum

import msgspec

from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant


class FarmSign(StrEnum):
    """By what several accounts were found to belong together."""

    PLACE = "place"
    """They send their partners to the same few places."""
    KNOWN = "known"
    """They send their partners to a place that was a farm's before."""
    HABITS = "habits"
    """They open chats in bulk, and their habits are alike."""
    LINE = "line"
    """They come to the same long line, which their partners mind."""


class Measured(msgspec.Struct, frozen=True, omit_defaults=True):
    """Sums over the accounts of a farm, for one day. Times are in Unix seconds.

    - `name` is how sanctions and /mydata name the farm.
    - `chats`: how many they had. In `led` of them they named a place. `places`: how many places they share.
    - `ended`: how many chats are over. `cut`: in so many the partner left soon after the first message. `disliked`: so
      many were disliked, blocked or reported.
    - `delay_s`: how long after "Partner found" they write, usually. 0: not known.
    """

    sign: FarmSign
    name: str
    first_at: float
    chats: int
    led: int = 0
    places: int = 0
    ended: int = 0
    cut: int = 0
    disliked: int = 0
    delay_s: float = 0.0


class FarmSeen(msgspec.Struct, frozen=True):
    """A farm that the watch sees now. `accounts` are set apart; `recruits` only use its places."""

    measured: Measured
    accounts: tuple[PersonId, ...]
    recruits: tuple[PersonId, ...] = ()


class FarmAccount(msgspec.Struct, frozen=True):
    """An account in a case about a farm. `place` numbers it within the case, from 1. `person` None: it is erased."""

    place: int
    id: PersonId
    is_recruit: bool
    person: Participant | None = None


class FarmFile(msgspec.Struct, frozen=True):
    measured: Measured
    accounts: tuple[FarmAccount, ...]
