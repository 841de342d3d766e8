"""Finds the name of another service ("a place") together with a user name there: "insta: ann.smith", "my tg is ann_99".

Names are searched for only if the text contains the word for a place. A name that could be a word counts only if the
rest of the line has no other meaning, because people talk about these places more often than they give their name
there.
"""

import re

from passerby.domain.contacts.normal_form import SYMBOL, latin
from passerby.domain.contacts.words import (
    ACCOUNTS,
    CALLS,
    COMMON,
    COPULAS,
    OWN,
    OWN_PLACES,
    PLACES,
)

_PART = re.compile(r"[a-z0-9_][a-z0-9_.]{0,62}[a-z0-9_]|[^\W]+|[^\w\s]+|\n")
_NAME = re.compile(r"[a-z_](?:[a-z0-9_]|\.(?=[a-z0-9_])){3,31}")
_MARKED = re.compile(r"[0-9_]")
_POINTING = frozenset(f":=>/-~|@{SYMBOL}")
_PREPOSITIONS = frozenset({"on", "in", "at", "auf", "en", "no", "di", "da"})
_BETWEEN = 5
"""At most this many words between a place and a name."""
_WORD_LENGTH = 5
"""The shortest name without a digit. A shorter one is more likely a word."""


def holds_handle(read: str) -> bool:
    """Whether a normalised text names a place and somebody's user name there."""
    parts = _PART.findall(read)
    for at, part in enumerate(parts):
        if part in PLACES or part in ACCOUNTS:
            if _follows(parts, at):
                return True
            if part in PLACES and _precedes(parts, at):
                return True
    return False


def _follows(parts: list[str], at: int) -> bool:
    """Whether a name comes after the place at `at`: `insta: annsmith`, `my insta is annsmith`."""
    pointed = said = False
    for after in range(at + 1, min(at + 2 + _BETWEEN, len(parts))):
        part = parts[after]
        if part in COPULAS:
            said = True
        elif not part[0].isalnum() and part[0] != "_":
            if not _POINTING.issuperset(part):
                return False
            pointed = True
        else:
            return _is_name(parts, at, after, pointed=pointed, said=said)
    return False


def _is_name(parts: list[str], at: int, after: int, *, pointed: bool, said: bool) -> bool:
    """Whether the part at `after` is a name at the place at `at`.

    `pointed`: a colon or an arrow is between them. `said`: an "is" is between them.
    """
    place, part = parts[at], latin(parts[after])
    if not _NAME.fullmatch(part) or part in PLACES:
        return False
    if _MARKED.search(part):
        return True
    if len(part) < _WORD_LENGTH or part in COMMON:
        return False
    if not place.isascii() and parts[after].isascii():
        return True  # Latin letters in the middle of another alphabet
    if not _ends(parts, after):
        return False
    if pointed:
        return True
    owned = place in OWN_PLACES or any(
        part in OWN or part in CALLS for part in (*parts[max(at - 3, 0) : at], *parts[at + 1 : after])
    )
    return owned if place in PLACES else said


def _precedes(parts: list[str], at: int) -> bool:
    """Whether the name comes before the place, at the end of a line: `follow annsmith on insta`, `annsmith is my
    insta`."""
    if at < 2 or not _ends(parts, at):
        return False
    before = parts[at - 1]
    name = at - 2
    if before in OWN and name > 0 and parts[name] in COPULAS:
        name -= 1
    elif before not in _PREPOSITIONS:
        return False
    word = latin(parts[name])
    if not _NAME.fullmatch(word) or word in PLACES or word in COMMON:
        return False
    if _MARKED.search(word):
        return True
    called = before in OWN or _begins(parts, name) or any(part in CALLS for part in parts[max(name - 4, 0) : name])
    return len(word) >= _WORD_LENGTH and called


def _ends(parts: list[str], at: int) -> bool:
    return at + 1 == len(parts) or not (parts[at + 1][0].isalnum() or parts[at + 1][0] in "_'-/@")


def _begins(parts: list[str], at: int) -> bool:
    return at == 0 or not parts[at - 1][0].isalnum()
