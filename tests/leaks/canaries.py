"""The data that must never leak, and how to recognise it.

Every person has an id, names, a user name and a phone number, and their files are named after them. All of these
consist of unique tokens that identify their owner. A stranger (`X`) stands for everybody else that a message may name:
the author of a forwarded message, a channel, a friend.

Text that people type has its own mark (`TYPED`). It may reach the partner, and nobody else.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

TYPED = "Zwitscher"


@dataclass(frozen=True)
class Who:
    """`letter` marks everything of this person, `number` their ids and phone numbers."""

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
    """The canaries that were found: letters of names, and numbers of ids and phones. `typed`: whether typed text was
    found."""

    letters: frozenset[str]
    numbers: frozenset[int]
    typed: bool

    def of_others(self, than: Who | None = None) -> set[str | int]:
        own: set[str | int] = {than.letter, than.number} if than is not None else set()
        found: set[str | int] = {*self.letters, *self.numbers}
        return found - own


def look(text: str) -> Found:
    """Find canaries in a text, even if they are written in other letters, quoted, or contain invisible characters."""
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
    """Return a template with its gaps filled: placeholders such as `<id>` in strings, and `{"<": "user"}` for whole
    objects.

    Placeholders with an `x` in front stand for the stranger's data: `<xname>`, `{"<": "xuser"}`.
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
