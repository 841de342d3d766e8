"""Names of countries, and dates, in each language, from Babel's locale data (CLDR). They are read on first use.

This module also finds countries by name, in any of our languages: by the beginning of a name or of a word in it, or
with a typing mistake.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from functools import cache, cached_property

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

_NOT_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])
"""Two-letter codes in CLDR that are not countries: unions, pseudo-locales, codes that ISO 3166-1 only reserves."""

_ALSO = {
    "usa": "US", "america": "US", "uk": "GB", "england": "GB", "uae": "AE", "korea": "KR", "holland": "NL",
    "сша": "US", "америка": "US", "оаэ": "AE", "англия": "GB", "корея": "KR", "голландия": "NL",
    "eeuu": "US", "eua": "US", "abd": "US", "inggris": "GB", "ingiltere": "GB", "inglaterra": "GB",
    "امریکا": "US", "امريكا": "US", "انگلیس": "GB", "امارات": "AE", "الامارات": "AE", "अमेरिका": "US",
}  # fmt: skip
"""Names that people use but CLDR lacks."""

_SAME_LETTERS = str.maketrans({"ı": "i", "ي": "ی", "ى": "ی", "ك": "ک", "ة": "ه", "ـ": None})
_MOST = 8
_FLAG_A = 0x1F1E6
"""REGIONAL INDICATOR SYMBOL LETTER A."""
_NEARLY = 0.75
_SLIP = 3
_LONGEST = 128
"""How many characters of a name are read. No country's name has half as many, and normalising takes quadratic time."""


def fold(name: str) -> str:
    """A name without differences that people ignore: case, accents, hyphens, and the two ways to write some Arabic
    letters."""
    plain = unicodedata.normalize("NFKD", name[:_LONGEST].casefold()).translate(_SAME_LETTERS)
    letters = (sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign))
    return " ".join("".join(letters).split())


def _flag(words: str) -> str | None:
    """The country code of a flag, whose two characters are the letters of the code. None if it is not a flag."""
    signs = [ord(sign) - _FLAG_A for sign in words.strip()]
    if len(signs) != 2 or not all(0 <= sign < 26 for sign in signs):  # two of the alphabet's letters
        return None
    return "".join(chr(ord("A") + sign) for sign in signs)


@cache
def _names(language: str) -> dict[str, str]:
    known = Locale.parse(language).territories
    return {code: str(name) for code, name in known.items() if len(code) == 2 and code not in _NOT_COUNTRIES}


def day(number: int, language: str) -> str:
    """A date as people write it in the language. `number` counts days since 1970-01-01, UTC.

    Never raises: a day before the first or after the last one that Python knows is that one.
    """
    ordinal = min(max(date(1970, 1, 1).toordinal() + number, 1), date.max.toordinal())
    # Russian adds "г." for "year". At the end of a sentence there would be two full stops.
    return format_date(date.fromordinal(ordinal), "medium", language).removesuffix("г.").rstrip()


def number(value: int, language: str) -> str:
    """A number as people write it in the language."""
    return format_decimal(value, locale=language)


class Places:
    """The names of countries in some languages."""

    def __init__(self, languages: Iterable[str]) -> None:
        self._languages = tuple(languages)

    def name(self, code: str, language: str) -> str:
        """A country's name; its code if there is no name."""
        return _names(language).get(code, code)

    def in_order(self, codes: Iterable[str], language: str) -> tuple[str, ...]:
        """The codes, sorted by the names in that language."""
        return tuple(sorted(codes, key=lambda code: fold(self.name(code, language))))

    def exactly(self, words: str) -> str | None:
        """The country with this name (in any language) or this code. None if there is none, or more than one."""
        code = _flag(words) or words.strip().upper()
        if code in _names(self._languages[0]):
            return code
        found = self._by_name.get(fold(words).removeprefix("the "), set())
        return next(iter(found)) if len(found) == 1 else None

    def like(self, words: str) -> tuple[str, ...]:
        """Countries whose name, or a word of it, begins like this; otherwise those with a similar spelling. Only a few,
        the likeliest first."""
        wanted = fold(words).removeprefix("the ")
        if not wanted:
            return ()
        found = dict.fromkeys(self._beginning(wanted)) or dict.fromkeys(self._nearly(wanted))
        return tuple(found)[:_MOST]

    def _beginning(self, wanted: str) -> Iterator[str]:
        for name, codes in self._by_name.items():
            if name.startswith(wanted):
                yield from sorted(codes)
        for name, codes in self._by_name.items():
            if f" {wanted}" in name:
                yield from sorted(codes)

    def _nearly(self, wanted: str) -> Iterator[str]:
        # Comparing all names would take too long. A typing mistake is seldom in the first letter, and seldom changes
        # the length by more than this.
        near = [each for each in self._by_name if each[0] == wanted[0] and abs(len(each) - len(wanted)) <= _SLIP]
        for name in get_close_matches(wanted, near, _MOST, _NEARLY):
            yield from sorted(self._by_name[name])

    @cached_property
    def _by_name(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for language in self._languages:
            for code, name in _names(language).items():
                found.setdefault(fold(name), set()).add(code)
        for name, code in _ALSO.items():
            found.setdefault(fold(name), set()).add(code)
        return found
