"""Finds the key of a text from what a phone shows. The load test and tests read phones this way.

A text without placeholders is looked up. The others are tried as patterns, those with the most words of their own
first. A text that consists of almost nothing but placeholders is not recognised.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from passerby.catalogue.template import Wording

_LETTERS = 8
"""The fewest characters of its own that a text needs. With fewer, it could be anything."""
_PIECE = re.compile(r"%%|%s|[^%]+")
_MOST = 4096


class Notices:
    """The texts of one language, found by their wording. If two texts have the same wording, the first one is found."""

    def __init__(self, wordings: Mapping[str, Wording]) -> None:
        self._fixed: dict[str, str] = {}
        shaped: list[tuple[int, re.Pattern[str], str, tuple[str, ...]]] = []
        for key, wording in wordings.items():
            for template in wording.templates:
                if not template.names:
                    self._fixed.setdefault((template.plain % ()).strip(), key)
                    continue
                own = len(template.plain.replace("%s", ""))
                if own >= _LETTERS:
                    shaped.append((own, _pattern(template.plain), key, template.names))
        self._shaped = sorted(shaped, key=lambda each: -each[0])
        self.find = lru_cache(_MOST)(self._find)

    def key(self, shown: str) -> str | None:
        """The key of the text, or None."""
        found = self.find(shown)
        return found[0] if found is not None else None

    def _find(self, shown: str) -> tuple[str, Mapping[str, str]] | None:
        """The key of the text, and the values of its placeholders."""
        words = shown.strip()
        if (key := self._fixed.get(words)) is not None:
            return key, {}
        for _, pattern, key, names in self._shaped:
            if found := pattern.fullmatch(words):
                return key, dict(zip(names, found.groups(), strict=True))
        return None


def _pattern(plain: str) -> re.Pattern[str]:
    """A template's %-format as a pattern."""
    signs = {"%%": "%", "%s": "(.+?)"}
    parts = (signs.get(piece[0]) or re.escape(piece[0]) for piece in _PIECE.finditer(plain))
    return re.compile("".join(parts), re.DOTALL)
