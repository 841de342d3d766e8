"""The catalogues of all languages, each read when it is first asked for.

To read all of them takes a tenth of a start, and a run needs few of them in its first second.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Final

from passerby.catalogue import po_files
from passerby.catalogue.template import Wording

_COMMON: Final = "texts"
"""The directory of the texts that belong to no feature. All labels of reply keys are there."""


def wording_files(root: Path) -> list[Path]:
    """The catalogues below the package directory `root`. A file's stem is its language."""
    return sorted([*root.glob("texts/*.po"), *root.glob("features/*/texts/*.po"), *root.glob("staff/*/texts/*.po")])


class OnDemand(Mapping[str, Mapping[str, Wording]]):
    """Wordings by language and key. To look a language up raises ValueError, if a file of it cannot be read, or has a
    key that another file has."""

    def __init__(self, root: Path, languages: Iterable[str] | None = None) -> None:
        """The catalogues below the package directory `root`: all, or those of some languages."""
        self._root = root
        wanted = None if languages is None else frozenset(languages)
        self._unread: dict[str, list[Path]] = {}
        self._tables: dict[str, dict[str, Wording]] = {}
        for path in wording_files(root):
            if wanted is None or path.stem in wanted:
                self._unread.setdefault(path.stem, []).append(path)
                self._tables.setdefault(path.stem, {})

    def __getitem__(self, language: str) -> Mapping[str, Wording]:
        table = self._tables[language]
        for _ in self.read(language):
            pass
        return table

    def __contains__(self, language: object) -> bool:
        return language in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def read(self, language: str) -> Iterator[None]:
        """Read the rest of a language, one file for each step."""
        unread = self._unread[language]
        while unread:
            self._read(unread[0])
            del unread[0]
            yield

    def common(self) -> Iterator[Mapping[str, Wording]]:
        """The texts of each language that belong to no feature."""
        for language, unread in self._unread.items():
            for path in [path for path in unread if path.parent == self._root / _COMMON]:
                self._read(path)
                unread.remove(path)
            yield self._tables[language]

    def _read(self, path: Path) -> None:
        table = self._tables[path.stem]
        for key, wording in _wordings(path):
            if key in table:
                raise ValueError(f"{key} is worded twice in {path.stem}")
            table[key] = wording


def _wordings(path: Path) -> Iterator[tuple[str, Wording]]:
    file = po_files.read(path.read_text("utf-8"), path.stem)
    for message in file.messages:
        if all(message.forms):  # untranslated texts use English
            form = _form(file.plural) if message.is_plural else None
            yield message.key, Wording(form=form, sources=message.forms)


@cache
def _form(plural: str) -> Callable[[int], int]:
    return cache(c2py(plural))
