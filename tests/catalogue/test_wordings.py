"""The shipped catalogues: every language has the same texts, and Telegram can show them."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import passerby
from passerby.catalogue import Catalogue, wording_files
from passerby.catalogue.template import compile_template, tags
from passerby.features import ALL

ROOT = Path(passerby.__file__).parent
PLACES = sorted({path.parent for path in wording_files(ROOT)})
LANGUAGES = sorted({path.stem for path in wording_files(ROOT)})
FILES = [place / f"{language}.po" for place in PLACES for language in LANGUAGES]

# Source: Bot API, "HTML style".
TELEGRAM_TAGS = {"b", "i", "u", "s", "code", "pre", "a", "blockquote", "tg-spoiler"}
TEXT_LIMIT = 4096
COMMAND_LIMIT = 256
"""Source: Bot API, BotCommand."""
BUTTON_LIMIT = 40
"""Our own limit: what a narrow phone shows of a button that has a row to itself."""


def shipped(test: Callable[[Path], None]) -> Callable[[str], None]:
    """One test for all files of a language."""

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_every_file(language: str) -> None:
        for place in PLACES:
            test(place / f"{language}.po")

    return test_every_file


@cache
def forms(path: Path) -> dict[str, tuple[str, ...]]:
    with path.open("rb") as file:
        messages = [message for message in read_po(file, locale=path.stem, abort_invalid=True) if message.id]
    return {
        message.id[0] if isinstance(message.id, tuple) else str(message.id): (
            tuple(message.string) if isinstance(message.string, tuple) else (str(message.string),)
        )
        for message in messages
    }


@shipped
def test_only_the_common_catalogues_have_labels_of_reply_keys(path: Path) -> None:
    """A start reads no other catalogues (see `catalogue.on_demand`)."""
    assert path.parent == ROOT / "texts" or not [key for key in forms(path) if key.startswith("keys.")]


@shipped
def test_every_language_has_every_text(path: Path) -> None:
    assert forms(path).keys() == forms(path.with_name("en.po")).keys()
    assert all(all(wordings) for wordings in forms(path).values())


@shipped
def test_no_key_appears_twice_in_one_file(path: Path) -> None:
    keys = Counter(re.findall(r'^msgid "(.+)"$', path.read_text("utf-8"), re.MULTILINE))
    assert [key for key, count in keys.items() if count > 1] == []


@shipped
def test_placeholders_and_tags_survive_translation(path: Path) -> None:
    english = forms(path.with_name("en.po"))
    for key, wordings in forms(path).items():
        for wording in wordings:
            assert set(compile_template(wording).names) == set(compile_template(english[key][-1]).names), key
            assert Counter(tags(wording)) == Counter(tags(english[key][-1])), key


@shipped
def test_telegram_can_show_every_text(path: Path) -> None:
    for key, wordings in forms(path).items():
        for wording in wordings:
            Balanced.check(wording, key)
            assert len(wording) <= TEXT_LIMIT, key
            assert wording == wording.strip(), key


@shipped
def test_command_descriptions_and_keys_are_short_and_plain(path: Path) -> None:
    for key, wordings in forms(path).items():
        if key.startswith(("commands.", "keys.")):
            limit = COMMAND_LIMIT if key.startswith("commands.") else BUTTON_LIMIT
            assert len(wordings[0]) <= limit, key
            assert not set("<>{}&\n") & set(wordings[0]), key


def test_each_feature_describes_its_own_commands_in_the_menu_and_no_others() -> None:
    described = {
        (place.parent.name, key) for place in PLACES for key in forms(place / "en.po") if key.startswith("commands.")
    }
    assert described == {(feature.name, command.description) for feature in ALL for command in feature.menu}


def test_no_two_reply_keys_have_the_same_label_in_any_languages() -> None:
    catalogue = Catalogue.load(ROOT)
    keys = [key for place in PLACES for key in forms(place / "en.po") if key.startswith("keys.")]
    looks = Counter((label, key) for key in keys for label in set(catalogue.words(key).values()))
    assert keys
    assert [label for label, count in Counter(label for label, _ in looks).items() if count > 1] == []


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_notices_that_differ_in_english_differ_in_every_language(language: str) -> None:
    """Programs that read phones recognise a notice by its words. Labels of buttons and single words may be the same."""
    said: dict[str, dict[str, set[str]]] = {"en": {}, language: {}}
    for place in PLACES:
        for each, table in said.items():
            for key, wordings in forms(place / f"{each}.po").items():
                for wording in wordings:
                    table.setdefault(wording, set()).add(key)
    same = {each: {frozenset(keys) for keys in table.values() if len(keys) > 1} for each, table in said.items()}
    alike = [keys for wording, keys in said[language].items() if len(keys) > 1 and "\n" in wording]
    assert [keys for keys in alike if frozenset(keys) not in same["en"]] == []


def test_english_notices_keep_the_phrases_that_other_programs_read() -> None:
    catalogue = Catalogue.load(ROOT)
    said = [wording for path in FILES if path.stem == "en" for words in forms(path).values() for wording in words]
    assert catalogue.languages[0] == "en"
    for phrase in ("Partner found", "partner left"):
        assert any(phrase in wording for wording in said), phrase


def test_every_text_that_the_code_names_exists() -> None:
    known = {key: wordings for path in FILES if path.stem == "en" for key, wordings in forms(path).items()}
    sections = {key.partition(".")[0] for key in known}
    named = [
        (path, *found)
        for part in ("domain", "features", "staff", "dialogue", "runtime")
        for path in sorted((ROOT / part).rglob("*.py"))
        for found in named_texts(ast.parse(path.read_text("utf-8")), sections)
    ]
    assert named
    for path, key, given in named:
        where = f"{key} in {path.relative_to(ROOT)}"
        # A key that is built at run time is known by its beginning.
        assert key in known or (key.endswith("_") and any(one.startswith(key) for one in known)), where
        if given is not None:
            needed = {name for wording in known[key] for name in compile_template(wording).names}
            assert needed <= given, where


def named_texts(tree: ast.AST, sections: set[str]) -> Iterator[tuple[str, set[str] | None]]:
    """The keys that a module writes out, with their argument names if they are in a `text(...)` call."""
    in_calls = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="text"), args=[ast.Constant(value=str(key)) as literal], keywords=given):
                in_calls.add(literal)
                yield key, {argument.arg for argument in given if argument.arg}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in in_calls:
            match = re.fullmatch(r"([a-z]+)\.[a-z_]+", node.value)
            if match and match[1] in sections:
                yield node.value, None


class Balanced(HTMLParser):
    """Telegram answers 400 to a tag that it does not know, or that is not closed in order."""

    @classmethod
    def check(cls, wording: str, key: str) -> None:
        parser = cls(key)
        parser.feed(wording)
        parser.close()
        assert parser.open == [], key
        assert "<" not in "".join(parser.texts), key

    def __init__(self, key: str) -> None:
        super().__init__(convert_charrefs=False)
        self.key = key
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TELEGRAM_TAGS, self.key
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, self.key
        assert self.open.pop() == tag, self.key

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
