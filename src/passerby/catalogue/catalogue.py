"""All wordings of all languages, in memory: read once at the start, looked up for every notice."""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from functools import cache, reduce
from gettext import c2py
from pathlib import Path
from typing import Final, NamedTuple, Self

from passerby.catalogue import po_files
from passerby.catalogue.notices import Notices
from passerby.catalogue.places import Places, day
from passerby.catalogue.template import Template, Wording, escape
from passerby.catalogue.wordings import compiled, problems
from passerby.kernel.ids import BotId
from passerby.kernel.text import Arg, Text

FALLBACK = "en"
JOINED = "lists.joined"
"""The text that joins two items of a list. Arabic and Persian have a different comma."""

NAME: Final = "intro.name"
"""A bot's name. No catalogue has it: without an override, a bot keeps the name that BotFather knows."""

LABELS = "labels.toml"
"""All labels that reply keys ever had, by language and key. A phone shows a keyboard until it gets a new one, so an old
label must still do what its key does. Otherwise it would go to the partner as a message."""

# Pressing a reply key sends its label, so the labels must be different in all languages at once.
_KEYS = "keys."


class Written(NamedTuple):
    """A wording that staff wrote. `bot` 0: for every bot. `sources`: one for each plural form."""

    key: str
    language: str
    bot: BotId
    sources: tuple[str, ...]


def wording_files(root: Path) -> list[Path]:
    """The catalogues below the package directory `root`. A file's stem is its language."""
    return sorted([*root.glob("texts/*.po"), *root.glob("features/*/texts/*.po"), *root.glob("staff/*/texts/*.po")])


class Catalogue:
    """Wordings by language and key. A key that English lacks is a bug, and fails an assertion."""

    def __init__(
        self, wordings: dict[str, dict[str, Wording]], labels: Mapping[str, Mapping[str, Iterable[str]]] | None = None
    ) -> None:
        """`labels` are the former labels of reply keys, by language and key.

        Raises: ValueError, if two keys have the same label, in any languages.
        """
        self._own = wordings
        self._wordings = _merged(wordings)
        self._bots: dict[BotId, Catalogue] = {}
        self.revision = 0
        """Rises whenever `override` changes something."""
        self._labels: dict[str, str] = {}
        for label, key in _labels(wordings, labels or {}):
            if self._labels.setdefault(label, key) != key:
                raise ValueError(f"{label} stands for {key} and for {self._labels[label]}")
        self.languages = (FALLBACK, *sorted(self._wordings.keys() - {FALLBACK}))
        """English first."""
        self.places = Places(self.languages)

    @classmethod
    def load(cls, root: Path, languages: Iterable[str] | None = None) -> Self:
        """Read the catalogues below the package directory `root`: all, or those of some languages.

        Raises: ValueError, if a file cannot be read, or has a key that another file of its language has.
        """
        wordings: dict[str, dict[str, Wording]] = {}
        wanted = None if languages is None else frozenset(languages)
        for path in wording_files(root):
            if wanted is not None and path.stem not in wanted:
                continue
            table = wordings.setdefault(path.stem, {})
            for key, wording in _read(path):
                if key in table:
                    raise ValueError(f"{key} is worded twice in {path.stem}")
                table[key] = wording
        labels = root / "texts" / LABELS
        return cls(wordings, tomllib.loads(labels.read_text("utf-8")) if labels.exists() else None)

    def override(self, overrides: Iterable[Written], labels: Iterable[tuple[str, str]] = ()) -> list[Written]:
        """Use these wordings from now on, instead of those that were overridden before.

        `labels`: (key, label) that reply keys have, or had once: they keep doing what the key does. Returns the
        overrides that cannot be used, because this release has no such text or another one with other placeholders.
        """
        everywhere: dict[str, dict[str, Wording]] = {}
        by_bot: dict[BotId, dict[str, dict[str, Wording]]] = {}
        refused = []
        for each in overrides:
            replaced = self.original(each.key, each.language)
            if replaced is None or problems(each.key, each.sources, replaced):
                refused.append(each)
                continue
            tables = by_bot.setdefault(each.bot, {}) if each.bot else everywhere
            tables.setdefault(each.language, {})[each.key] = compiled(each.sources, replaced)
        for key, label in labels:
            self._labels.setdefault(label, key)
        views = {}
        for bot, tables in by_bot.items():
            views[bot] = self._view(_over(_over(self._own, everywhere), tables))
        self._wordings, self._bots = _merged(_over(self._own, everywhere)), views
        self.revision += 1
        return refused

    def _view(self, wordings: Mapping[str, Mapping[str, Wording]]) -> Self:
        """The same catalogue with other wordings. Labels of keys are common to both."""
        view = copy(self)
        view.__dict__["_wordings"] = _merged(wordings)
        return view

    def of(self, bot: BotId) -> "Catalogue":
        """The wordings that this bot uses."""
        return self._bots.get(bot, self)

    def original(self, key: str, language: str) -> Wording | None:
        """The wording that came with the release. None if there is no such text or language."""
        if key == NAME:
            return Wording((Template("", "", ()),)) if language in self._wordings else None
        own = self._own.get(language)
        return None if own is None else own.get(key) or self._own[FALLBACK].get(key)

    def current(self, key: str, language: str) -> Wording | None:
        """The wording that counts now. None if there is none."""
        return self._wordings.get(language, {}).get(key)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all texts, sorted."""
        return tuple(sorted(self._own[FALLBACK]))

    def name(self, language: str) -> str:
        """The name that staff gave to the bot; empty: it has the one that BotFather knows."""
        found = self._wordings[language].get(NAME)
        return found.templates[0].plain % () if found is not None else ""

    def word(self, text: Text, language: str) -> str:
        """The text as Telegram HTML, with its arguments escaped. `language` is a code from Telegram, or empty."""
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
        return self._list([self.word(each, language) for each in texts], language)

    def plain(self, text: Text, language: str) -> str:
        """The text without markup, for places where Telegram shows none: button labels, callback answers, menus."""
        args = dict(text.args)
        template = self._find(text.key, language).template(args)
        return template.plain % tuple([self._plain_arg(args[name], language) for name in template.names])

    def _plain_arg(self, arg: Arg, language: str) -> str | int:
        if isinstance(arg, str | int):
            return arg
        texts = arg if isinstance(arg, tuple) else (arg,)
        return self._list([self.plain(each, language) for each in texts], language)

    def _list(self, said: list[str], language: str) -> str:
        """Join several items. They are already worded, so nothing is escaped here."""
        if len(said) < 2:
            return "".join(said)
        joined = self._find(JOINED, language).templates[0]
        return reduce(lambda before, after: joined.plain % (before, after), said)

    def words(self, key: str) -> dict[str, str]:
        """The plain wording of a key in each language that has its own. The key must have no placeholders."""
        return {
            language: table[key].templates[0].plain % ()
            for language, table in ((language, self._wordings[language]) for language in self.languages)
            if key in self._own.get(language, {})
        }

    def key_with_label(self, label: str) -> str | None:
        """The reply-keyboard key with exactly this label in some language, now or in the past."""
        return self._labels.get(label)

    def notices(self, language: str) -> Notices:
        """The texts of a language, to recognise what phones show."""
        return Notices(self._wordings[self.choose(language)])

    def choose(self, language_code: str) -> str:
        """The language for somebody whose Telegram says `language_code`: `pt-BR` gives `pt`, an unknown one gives
        `en`."""
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


def _over(
    below: Mapping[str, Mapping[str, Wording]], above: Mapping[str, Mapping[str, Wording]]
) -> dict[str, dict[str, Wording]]:
    return {language: {**own, **above.get(language, {})} for language, own in below.items()}


def _merged(wordings: Mapping[str, Mapping[str, Wording]]) -> dict[str, dict[str, Wording]]:
    """A language without its own wording of a text uses the English one, but never the English name of a bot."""
    english = {key: wording for key, wording in wordings.get(FALLBACK, {}).items() if key != NAME}
    merged = {language: {**english, **own} for language, own in wordings.items()}
    merged.setdefault(FALLBACK, english)
    return merged


def _labels(
    wordings: Mapping[str, Mapping[str, Wording]], former: Mapping[str, Mapping[str, Iterable[str]]]
) -> Iterator[tuple[str, str]]:
    """Every label of a reply key, in every language, and its key."""
    for table in wordings.values():
        for key, wording in table.items():
            if key.startswith(_KEYS):
                yield wording.templates[0].plain % (), key
    for labels in former.values():
        for key, all_of_them in labels.items():
            for label in all_of_them:
                yield label, key


@cache
def _form(plural: str) -> Callable[[int], int]:
    return cache(c2py(plural))


def _read(path: Path) -> Iterator[tuple[str, Wording]]:
    file = po_files.read(path.read_text("utf-8"), path.stem)
    for message in file.messages:
        if all(message.forms):  # untranslated texts use English
            form = _form(file.plural) if message.is_plural else None
            yield message.key, Wording(form=form, sources=message.forms)
