"""Texts by name. Features name them; catalogues word them; the recipient's language is chosen at outgoing call."""

from typing import Union

import msgspec

Arg = Union[str, int, "Text", tuple["Text", ...]]
"""What goes into a placeholder. A text in a text is worded in the same language; several are listed."""


class Text(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A catalogue key and what goes into its placeholders. Arguments are escaped when it is worded, never before."""

    key: str
    args: tuple[tuple[str, Arg], ...] = ()


def text(key: str, **args: Arg) -> Text:
    """Name a text: `text("start.too_young", minimum=18)`."""
    return Text(key, tuple(sorted(args.items())))


DAY_S = 86_400


def country(code: str) -> Text:
    """A text that names a country, by its ISO 3166-1 code, in the reader's language."""
    return Text(f"countries.{code}")


def day(at: float) -> Text:
    """A text that gives the date (UTC) of a moment in Unix seconds, as the reader's language writes it."""
    return Text(f"days.{int(at // DAY_S)}")
