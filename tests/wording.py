"""The product's texts by key, so that tests that read phones need not repeat the wording."""

from functools import cache
from pathlib import Path

import passerby
from passerby.catalogue import Catalogue
from passerby.kernel.text import Arg, text


@cache
def catalogue() -> Catalogue:
    return Catalogue.load(Path(passerby.__file__).parent)


def html(key: str, language: str = "en", **args: Arg) -> str:
    """Return the text as it is sent."""
    return catalogue().word(text(key, **args), language)


def shown(key: str, language: str = "en", **args: Arg) -> str:
    """Return the text as a phone shows it."""
    return catalogue().plain(text(key, **args), language)


def opening(key: str, language: str = "en") -> str:
    """Return the first line of the text as a phone shows it. This line has no placeholders; later lines may have
    some."""
    line = catalogue().table(language)[key].templates[0].plain.partition("\n")[0]
    return line % ()
