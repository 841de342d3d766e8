"""The operator's settings: their values, the places that they are read from, and the messages if one is wrong.

Settings come from the environment and from a file `.env` in the working directory. If both set a value, the environment
wins. An empty value means that the setting is not set, so a copied `.env.example` changes nothing.

Nothing here connects to anything. Only `open_key`, `open_backup_key` and `keep_key` create something.
"""

from passerby.settings.described import Described
from passerby.settings.forms import KEY_BYTES
from passerby.settings.key import (
    former_keys,
    is_key_lost,
    keep_key,
    key_marks,
    open_backup_key,
    open_key,
    other_key,
)
from passerby.settings.model import Settings
from passerby.settings.reading import doubts, read
from passerby.settings.wrong import WrongSetting, log_of_another, no_bot

__all__ = [
    "KEY_BYTES",
    "Described",
    "Settings",
    "WrongSetting",
    "doubts",
    "former_keys",
    "is_key_lost",
    "keep_key",
    "key_marks",
    "log_of_another",
    "no_bot",
    "open_backup_key",
    "open_key",
    "other_key",
    "read",
]
