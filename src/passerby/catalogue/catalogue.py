"""All wordings of all languages, in memory: read once at the start, looked up for every notice."""

from collections.abc import Iterator
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Self

from babel.messages.pofile import read_po

from passerby.catalogue.places import Places, day
from passerby.catalogue.template import Template, Wording, compile_template, escape
from passerby.kernel.text import Arg, Text

FALLBACK = "en"
LISTED = ", "

# What is pressed on a reply keyboard comes back as its wording, so these must be told apart in every language at once.
_LABELS = "keys."


def wording_files(root: Path) -> list[Path]:
    """The catalogues beneath the package directory `root`. A file's stem is its language."""
    return sorted([*root.glob("texts/*.po"), *root.glob("features/*/texts/*.po")])


class Catalogue:
    """Wordings by language and key. A key that English lacks is a bug, and an assertion."""

    def __init__(self, wordings: dict[str, dict[str, Wording]]) -> None:
        english = wordings.get(FALLBACK, {})
        self._own = wordings
        self._wordings = {language: {**english, **own} for language, own in wordings.items()}
        self._wordings.setdefault(FALLBACK, english)
        self._labels = {
            wording.templates[0].plain: key
            for table in wordings.values()
            for key, wording in table.items()
            if key.startswith(_LABELS)
        }
        self.languages = (FALLBACK, *sorted(self._wordings.keys() - {FALLBACK}))
        """English first."""
        self.places = Places(self.languages)

    @classmethod
    def load(cls, root: Path) -> Self:
        """Read every catalogue beneath the package directory `root`.

        Raises: ValueError, if a file cannot be understood or says a key that another file of its language says.
        """
        wordings: dict[str, dict[str, Wording]] = {}
        for path in wording_files(root):
            table = wordings.setdefault(path.stem, {})
            for key, wording in _read(path):
                if key in table:
                    raise ValueError(f"{key} is worded twice in {path.stem}")
                table[key] = wording
        return cls(wordings)

    def word(self, text: Text, language: str) -> str:
        """The text as Telegram HTML, its arguments escaped. `language` is a code as Telegram gives it, or empty."""
        wording = self._find(text.key, language)
        if not text.args and wording.form is None:
            return wording.templates[0].html % ()
        args = dict(text.args)
        template = wording.template(args)
        return template.html % tuple([self._arg(args[name], language) for name in template.names])

    def _arg(self, arg: Arg, language: str) -> str | int:
        if isinstance(arg, str | int):
            return escape(arg)
        texts = arg if isinstance(arg, tuple) else (arg,)
        return LISTED.join(self.word(each, language) for each in texts)

    def plain(self, text: Text, language: str) -> str:
        """The text without markup, for where Telegram shows none: button labels, callback answers, menus."""
        args = dict(text.args)
        template = self._find(text.key, language).template(args)
        return template.plain % tuple([self._plain_arg(args[name], language) for name in template.names])

    def _plain_arg(self, arg: Arg, language: str) -> str | int:
        if isinstance(arg, str | int):
            return arg
        texts = arg if isinstance(arg, tuple) else (arg,)
        return LISTED.join(self.plain(each, language) for each in texts)

    def words(self, key: str) -> dict[str, str]:
        """Every language's own plain wording of a key without placeholders."""
        return {
            language: table[key].templates[0].plain % ()
            for language, table in ((language, self._wordings[language]) for language in self.languages)
            if key in self._own.get(language, {})
        }

    def find_word(self, label: str) -> str | None:
        """The reply-keyboard key that is worded exactly so in some language."""
        return self._labels.get(label)

    def choose(self, language_code: str) -> str:
        """The language to speak to somebody whose Telegram says `language_code`: `pt-BR` gives `pt`, unknown `en`."""
        if language_code in self._wordings:
            return language_code
        code = language_code.lower().replace("_", "-")
        return next((one for one in (code, code.partition("-")[0]) if one in self._wordings), FALLBACK)

    def _find(self, key: str, language: str) -> Wording:
        table = self._wordings.get(language) or self._wordings[self.choose(language)]
        wording = table.get(key) or self._by_locale(key, language)
        assert wording is not None, f"no text is named {key}"
        return wording

    def _by_locale(self, key: str, language: str) -> Wording | None:
        """Texts that come from locale data instead of a catalogue: a country (`countries.DE`), a day (`days.20000`)."""
        kind, _, what = key.partition(".")
        if kind == "countries":
            said = self.places.name(what, self.choose(language))
        elif kind == "days":
            said = day(int(what), self.choose(language))
        else:
            return None
        plain = said.replace("%", "%%")
        return Wording((Template(str(escape(plain)), plain, ()),))


def _read(path: Path) -> Iterator[tuple[str, Wording]]:
    with path.open("rb") as file:
        messages = read_po(file, locale=path.stem, abort_invalid=True)
    form = cache(c2py(messages.plural_expr))
    for message in messages:
        if not message.id or message.fuzzy:
            continue
        forms = tuple(message.string) if isinstance(message.string, tuple) else (str(message.string or ""),)
        if all(forms):  # what is not yet translated is left to English
            key = message.id[0] if isinstance(message.id, tuple) else str(message.id)
            yield key, Wording(tuple(map(compile_template, forms)), form if isinstance(message.id, tuple) else None)
