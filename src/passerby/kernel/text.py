"""Texts by key. Features name the key, and catalogues have the words. The language is chosen when the message is
sent."""

from typing import Union

import msgspec

Arg = Union[str, int, "Text", tuple["Text", ...]]
"""The value for a placeholder. A text inside a text is worded in the same language. Several texts become a list."""


class Text(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A catalogue key and the values for its placeholders. Values are escaped when the text is worded, never before."""

    key: str
    args: tuple[tuple[str, Arg], ...] = ()


def text(key: str, **args: Arg) -> Text:
    """Make a text: `text("start.too_young", minimum=18)`."""
    return Text(key, tuple(sorted(args.items())))


DAY_S = 86_400
_FAR_S = 1e12
"""Farther than any calendar date."""


def country(code: str) -> Text:
    """A text that names a country in the reader's language. `code` is an ISO 3166-1 code."""
    return Text(f"countries.{code}")


_GROUPED_FROM = 1_000


def amount(number: int) -> Text | int:
    """A number with its thousands set apart, as people write it in the reader's language: 2,288 or 2.288."""
    return Text(f"numbers.{number}") if number >= _GROUPED_FROM else number


def day(at: float) -> Text:
    """A text with the date (UTC) of a moment, as people write it in the reader's language. `at` is in Unix seconds.
    Never raises: a moment that is too far away for a date becomes the farthest day.
    """
    return Text(f"days.{int(max(-_FAR_S, min(at, _FAR_S)) // DAY_S)}")
