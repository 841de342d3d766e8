"""Finds where words that everybody sees lead people: to a site, a user name, a number.

Staff may write other texts for the bots. A place that such a text did not lead to before needs a second member, because
one member alone could send everybody to a casino. A chat's own rule (`contacts`) sees the usual disguises, but leaves
out bare addresses that are mostly typing mistakes there. Staff have no such excuse, so any address counts here.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from passerby.domain.contacts import find
from passerby.domain.contacts.normal_form import plain
from passerby.domain.farms.destinations import led_to

_ADDRESS: Final = re.compile(r"[^\W_]\.(?:xn--[\w-]+|[^\W\d_]{2,})|\w://|@\w|\d(?:\.\d{1,3}){3}")
"""Telegram makes a link of a word that has one of these."""
_AROUND: Final = " \t.,:;!?…\"'“”„‚‘’«»‹›()[]{}<>*|–—،؛؟。、"


def new_places(before: Iterable[str], after: Iterable[str]) -> tuple[str, ...]:
    """The places that the words in `after` lead to, and those in `before` do not, as somebody wrote them."""
    known = {place for words in before for _, place in _places(words)}
    return tuple(dict.fromkeys(written for words in after for written, place in _places(words) if place not in known))


def _places(words: str) -> Iterator[tuple[str, str]]:
    """Each place as it is written, and in the form in which it is compared. If a line leads somewhere, but no place is
    found in it, the whole line counts."""
    lines = [line for line in words.splitlines() if _leads(line)]
    if not lines and find(words) is not None:
        lines = [words]
    for line in lines:
        parts = [each for each in (part.strip(_AROUND) for part in line.split()) if _leads(each)]
        # As it is written, because letters of a path may be small or large: they may be two places.
        yield from ((each, each) for each in parts)
        within = {place for part in parts for place in led_to(part)}
        others = [place for place in led_to(line) if place not in within]
        yield from ((place, place) for place in others)
        if not parts and not others:
            yield line.strip(), plain(line)


def _leads(words: str) -> bool:
    return find(words) is not None or _ADDRESS.search(plain(words)) is not None
