"""An override: a setting or a text that staff changed while the fleet runs. It counts until the next one."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from passerby.kernel.ids import BotId

EVERY_BOT = BotId(0)


class Overridden(StrEnum):
    SETTING = "setting"
    TEXT = "text"


class OverrideKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """The thing that is overridden: a setting by its name in capitals, or a text by its key, for one bot or for every
    bot, in one language."""

    what: Overridden
    name: str
    bot: BotId = EVERY_BOT
    language: str = ""


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """`value`: a setting as the operator may write it, or a text's wordings (one for each plural form) as a JSON list.
    None: the default counts again. `number` counts the overrides of the installation; `version`, which people see,
    counts those of settings and those of texts apart (0: not counted). `by` is a staff member's number, `at` is in Unix
    seconds."""

    number: int
    key: OverrideKey
    value: str | None
    by: int
    at: float
    version: int = 0


def wordings_in(value: str) -> tuple[str, ...]:
    """The wordings of an overridden text, one for each plural form."""
    return msgspec.json.decode(value, type=tuple[str, ...])


def value_of(wordings: Sequence[str]) -> str:
    """The form that `wordings_in` reads."""
    return msgspec.json.encode(tuple(wordings)).decode()
