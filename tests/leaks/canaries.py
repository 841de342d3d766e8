"""What must never get out, and how it is recognised.

Every person has an id, names, a user name, a telephone number, and calls their files after themselves; all of it is
made of tokens that stand nowhere else and tell whose they are. A stranger (`X`) is everybody else whom a message may
name: the author of what was forwarded, a channel, a friend.

What people type has a mark of its own (`TYPED`): it may arrive with the partner, and be nowhere else.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

TYPED = "Zwitscher"


@dataclass(frozen=True)
class Who:
    """`letter` marks whatever is theirs, `number` the ids and telephone numbers."""

    letter: str
    number: int

    @property
    def id(self) -> int:
        return 7351946000 + self.number

    @property
    def name(self) -> str:
        return f"Kanarek{self.letter}"

    @property
    def username(self) -> str:
        return f"kanarek{self.letter.lower()}_here"

    @property
    def phone(self) -> str:
        return f"+49155019{self.number:03}"

    def user(self) -> dict[str, Any]:
        names = {"first_name": self.name, "last_name": f"{self.name}son", "username": self.username}
        return {"id": self.id, "is_bot": False, **names, "language_code": "en"}

    def channel(self) -> dict[str, Any]:
        return {"id": -1000000000000 - self.id, "type": "channel", "title": self.name, "username": self.username}


STRANGER = Who("X", 999)

_NAME = re.compile(r"kanarek([a-z])")
_NUMBER = re.compile(r"(?:7351946|55019)(\d\d\d)")


@dataclass(frozen=True)
class Found:
    """Whose canaries were found: letters of names, numbers of ids and telephones. `typed`: and somebody's own words."""

    letters: frozenset[str]
    numbers: frozenset[int]
    typed: bool

    def of_others(self, than: Who | None = None) -> set[str | int]:
        own: set[str | int] = {than.letter, than.number} if than is not None else set()
        found: set[str | int] = {*self.letters, *self.numbers}
        return found - own


def look(text: str) -> Found:
    """Whatever of a canary is in a text, also written with other letters, quoted, or with invisible signs in it."""
    forms = {text, unquote(text)}
    forms |= {
        "".join(s for s in unicodedata.normalize("NFKC", form) if unicodedata.category(s) != "Cf") for form in forms
    }
    read = "\n".join(forms).lower()
    return Found(
        frozenset(letter.upper() for letter in _NAME.findall(read)),
        frozenset(int(number) for number in _NUMBER.findall(read)),
        TYPED.lower() in read,
    )


def filled(value: Any, who: Who) -> Any:
    """A template with its gaps filled: `<id>` and the like in strings, `{"<": "user"}` for whole objects.

    With an `x` before it, it is the stranger's: `<xname>`, `{"<": "xuser"}`.
    """
    match value:
        case str():
            for prefix, whose in (("", who), ("x", STRANGER)):
                for part in ("id", "name", "username", "phone"):
                    value = value.replace(f"<{prefix}{part}>", str(getattr(whose, part)))
            return value
        case {"<": str(what)}:
            whose = STRANGER if what.startswith("x") else who
            made = getattr(whose, what.removeprefix("x"))
            return made() if callable(made) else made
        case dict():
            return {key: filled(item, who) for key, item in value.items()}
        case list() | tuple():
            return [filled(item, who) for item in value]
        case _:
            return value
