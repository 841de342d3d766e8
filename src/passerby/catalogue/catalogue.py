"""All wordings of all languages, in memory: each language is read once, and looked up for every notice."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from functools import reduce
from pathlib import Path
from typing import Final, NamedTuple, Self

from passerby.catalogue.notices import Notices
from passerby.catalogue.on_demand import OnDemand
from passerby.catalogue.places import Places, day, number
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


class Catalogue:
    """Wordings by language and key. A key that English lacks is a bug, and fails an assertion."""

    def __init__(
        self,
        wordings: Mapping[str, Mapping[str, Wording]],
        labels: Mapping[str, Mapping[str, Iterable[str]]] | None = None,
        with_keys: Iterable[Mapping[str, Wording]] | None = None,
    ) -> None:
        """`labels` are the former labels of reply keys, by language and key. `with_keys`: the tables that have labels
        of reply keys, if not all of them must be looked at.

        Raises: ValueError, if two keys have the same label, in any languages.
        """
        self._own = wordings
        self._overridden: Mapping[str, Mapping[str, Wording]] = {}
        self._merged: dict[str, dict[str, Wording]] = {}
        self._bots: dict[BotId, Catalogue] = {}
        self.revision = 0
        """Rises whenever `override` changes something."""
        self._labels: dict[str, str] = {}
        for label, key in _labels(wordings.values() if with_keys is None else with_keys, labels or {}):
            if self._labels.setdefault(label, key) != key:
                raise ValueError(f"{label} stands for {key} and for {self._labels[label]}")
        self._known = frozenset(wordings) | {FALLBACK}
        self.languages = (FALLBACK, *sorted(self._known - {FALLBACK}))
        """English first."""
        self.places = Places(self.languages)

    @classmethod
    def load(cls, root: Path, languages: Iterable[str] | None = None) -> Self:
        """The catalogues below the package directory `root`: all, or those of some languages.

        Only the labels of reply keys are read now. Raises: ValueError, as does the first use of a language, if a file
        cannot be read, or has a key that another file of its language has.
        """
        wordings = OnDemand(root, languages)
        labels = root / "texts" / LABELS
        former = tomllib.loads(labels.read_text("utf-8")) if labels.exists() else None
        return cls(wordings, former, wordings.common())

    def read_all(self) -> Iterator[None]:
        """Read all languages that nobody has used yet, one file for each step. So nobody waits for it later."""
        for language in self.languages:
            if isinstance(self._own, OnDemand):
                yield from self._own.read(language)
            self.table(language)
            yield

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
        self._overridden, self._merged = everywhere, {}
        self._bots = {bot: self._view(_over(everywhere, tables)) for bot, tables in by_bot.items()}
        self.revision += 1
        return refused

    def _view(self, overridden: Mapping[str, Mapping[str, Wording]]) -> Self:
        """The same catalogue with other wordings. Labels of keys are common to both."""
        view = copy(self)
        view.__dict__.update(_overridden=overridden, _merged={})
        return view

    def table(self, language: str) -> Mapping[str, Wording]:
        """The wordings that count in a language of ours. One without its own wording of a text uses the English one,
        but never the English name of a bot."""
        found = self._merged.get(language)
        if found is None:
            own, over = self._own.get(language, {}), self._overridden.get(language, {})
            english = {**self._own.get(FALLBACK, {}), **self._overridden.get(FALLBACK, {})}
            english.pop(NAME, None)
            found = self._merged[language] = {**english, **own, **over}
        return found

    def of(self, bot: BotId) -> "Catalogue":
        """The wordings that this bot uses."""
        return self._bots.get(bot, self)

    def original(self, key: str, language: str) -> Wording | None:
        """The wording that came with the release. None if there is no such text or language."""
        if key == NAME:
            return Wording((Template("", "", ()),)) if language in self._known else None
        own = self._own.get(language)
        return None if own is None else own.get(key) or self._own[FALLBACK].get(key)

    def current(self, key: str, language: str) -> Wording | None:
        """The wording that counts now. None if there is none."""
        return self.table(language).get(key) if language in self._known else None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all texts, sorted."""
        return tuple(sorted(self._own[FALLBACK]))

    def name(self, language: str) -> str:
        """The name that staff gave to the bot; empty: it has the one that BotFather knows."""
        found = self.table(language).get(NAME)
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
            for language, table in ((language, self.table(language)) for language in self.languages)
            if key in self._own.get(language, {})
        }

    def key_with_label(self, label: str) -> str | None:
        """The reply-keyboard key with exactly this label in some language, now or in the past."""
        return self._labels.get(label)

    def notices(self, language: str) -> Notices:
        """The texts of a language, to recognise what phones show."""
        return Notices(self.table(self.choose(language)))

    def choose(self, language_code: str) -> str:
        """The language for somebody whose Telegram says `language_code`: `pt-BR` gives `pt`, an unknown one gives
        `en`."""
        if language_code in self._known:
            return language_code
        code = language_code.lower().replace("_", "-")
        return next((one for one in (code, code.partition("-")[0]) if one in self._known), FALLBACK)

    def _find(self, key: str, language: str) -> Wording:
        table = self._merged.get(language) or self.table(self.choose(language))
        wording = table.get(key) or self._by_locale(key, language)
        assert wording is not None, f"no text is named {key}"
        return wording

    def _by_locale(self, key: str, language: str) -> Wording | None:
        """Texts that come from locale data instead of a catalogue: a country (`countries.DE`), a day (`days.20000`), a
        number (`numbers.2288`)."""
        kind, _, what = key.partition(".")
        if kind == "countries":
            said = self.places.name(what, self.choose(language))
        elif kind == "days":
            said = day(int(what), self.choose(language))
        elif kind == "numbers":
            said = number(int(what), self.choose(language))
        else:
            return None
        plain = said.replace("%", "%%")
        return Wording((Template(str(escape(plain)), plain, ()),))


def _over(
    below: Mapping[str, Mapping[str, Wording]], above: Mapping[str, Mapping[str, Wording]]
) -> dict[str, dict[str, Wording]]:
    return {language: {**below.get(language, {}), **above.get(language, {})} for language in {**below, **above}}


def _labels(
    tables: Iterable[Mapping[str, Wording]], former: Mapping[str, Mapping[str, Iterable[str]]]
) -> Iterator[tuple[str, str]]:
    """Every label of a reply key, in every language, and its key."""
    for table in tables:
        for key, wording in table.items():
            if key.startswith(_KEYS):
                yield wording.templates[0].plain % (), key
    for labels in former.values():
        for key, all_of_them in labels.items():
            for label in all_of_them:
                yield label, key
