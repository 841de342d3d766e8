"""Numbers from buttons and forms. The sender may have forged them."""

from typing import Final

MOST_NUMBER: Final = 2**31 - 1
"""Columns with numbers of our own hold as much."""
MOST_ID: Final = 2**52
"""Source: Bot API, User: an id has at most 52 significant bits."""


def whole(words: str, most: int = MOST_NUMBER) -> int | None:
    """The number from 0 to `most` in ASCII digits; None if it is anything else."""
    if not (words.isascii() and words.isdecimal() and len(words) <= 16):
        return None
    number = int(words)
    return number if number <= most else None
