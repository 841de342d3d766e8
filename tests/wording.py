"""What the product says, by the name of the text: tests that read phones need no words of their own."""

from functools import cache
from pathlib import Path

import passerby
from passerby.catalogue import Catalogue
from passerby.kernel.text import Arg, text


@cache
def catalogue() -> Catalogue:
    return Catalogue.load(Path(passerby.__file__).parent)


def html(key: str, language: str = "en", **args: Arg) -> str:
    """The text as it is sent."""
    return catalogue().word(text(key, **args), language)


def shown(key: str, language: str = "en", **args: Arg) -> str:
    """The text as a phone shows it."""
    return catalogue().plain(text(key, **args), language)


def opening(key: str, language: str = "en") -> str:
    """The first line of what a phone shows. It has no placeholders; what comes after it may have some."""
    line = catalogue()._wordings[language][key].templates[0].plain.partition("\n")[0]
    return line % ()
