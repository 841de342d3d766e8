"""How texts are worded: placeholders, plurals, languages, escaping."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from passerby.catalogue import Catalogue, on_demand
from passerby.catalogue.template import Wording
from passerby.kernel.text import text

ENGLISH = """\
msgid "keys.find"
msgstr "🔎 Find"

msgid "hello.name"
msgstr "Hello, <b>{name}</b> &amp; co: 100%, {{so}}"

msgid "hello.link"
msgstr "<a href=\\"{url}\\">here</a>"

msgid "hello.only_english"
msgstr "Hello"

msgid "wait.minutes"
msgid_plural "wait.minutes"
msgstr[0] "{n} minute"
msgstr[1] "{n} minutes, {name}"
"""

RUSSIAN_KEYS = """\
msgid "keys.find"
msgstr "🔎 Найти"
"""

RUSSIAN = """\
msgid "hello.name"
msgstr "{name}, привет"

msgid "hello.link"
msgstr ""

msgid "wait.minutes"
msgid_plural "wait.minutes"
msgstr[0] "{n} минута"
msgstr[1] "{n} минуты"
msgstr[2] "{n} минут"
"""


def write(root: Path, place: str, language: str, body: str) -> None:
    folder = root / place
    folder.mkdir(parents=True, exist_ok=True)
    head = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (folder / f"{language}.po").write_text(head + body, "utf-8")


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    write(tmp_path, "texts", "en", ENGLISH)
    write(tmp_path, "texts", "ru", RUSSIAN_KEYS)
    write(tmp_path, "features/hello/texts", "ru", RUSSIAN)
    return Catalogue.load(tmp_path)


def test_english_comes_first(catalogue: Catalogue) -> None:
    assert catalogue.languages == ("en", "ru")


def test_arguments_are_inserted_and_escaped(catalogue: Catalogue) -> None:
    said = catalogue.word(text("hello.name", name='<i>&"'), "en")
    assert said == "Hello, <b>&lt;i&gt;&amp;&quot;</b> &amp; co: 100%, {so}"


def test_an_argument_cannot_leave_its_attribute(catalogue: Catalogue) -> None:
    said = catalogue.word(text("hello.link", url='"><b>'), "en")
    assert said == '<a href="&quot;&gt;&lt;b&gt;">here</a>'


def test_an_argument_that_looks_like_a_placeholder_is_not_replaced(catalogue: Catalogue) -> None:
    assert catalogue.word(text("hello.name", name="{name}%s"), "ru") == "{name}%s, привет"


def test_plain_texts_have_no_tags_and_no_escapes(catalogue: Catalogue) -> None:
    assert catalogue.plain(text("hello.name", name="<i>&"), "en") == "Hello, <i>& & co: 100%, {so}"


@pytest.mark.parametrize(("n", "russian"), [(1, "1 минута"), (3, "3 минуты"), (11, "11 минут"), (21, "21 минута")])
def test_a_number_chooses_its_plural_form(catalogue: Catalogue, n: int, russian: str) -> None:
    assert catalogue.word(text("wait.minutes", n=n), "ru") == russian
    assert catalogue.plain(text("wait.minutes", n=n), "ru") == russian


def test_english_has_its_own_plural_forms(catalogue: Catalogue) -> None:
    assert catalogue.word(text("wait.minutes", n=1), "en") == "1 minute"
    assert catalogue.word(text("wait.minutes", n=2, name="A & B"), "en") == "2 minutes, A &amp; B"


@pytest.mark.parametrize("key", ["hello.only_english", "hello.link"])
def test_a_text_missing_in_a_language_appears_in_english(catalogue: Catalogue, key: str) -> None:
    assert catalogue.word(text(key, url="x"), "ru") == catalogue.word(text(key, url="x"), "en")


def test_a_text_missing_in_english_is_a_bug(catalogue: Catalogue) -> None:
    with pytest.raises(AssertionError, match=r"no text is named hello\.nothing"):
        catalogue.word(text("hello.nothing"), "ru")


@pytest.mark.parametrize(
    ("code", "language"),
    [("ru", "ru"), ("ru-RU", "ru"), ("RU_ru", "ru"), ("en-GB", "en"), ("de", "en"), ("", "en"), ("-", "en")],
)
def test_people_read_their_language_or_english(catalogue: Catalogue, code: str, language: str) -> None:
    assert catalogue.choose(code) == language
    assert catalogue.word(text("keys.find"), code) == catalogue.words("keys.find")[language]


def test_a_reply_key_is_recognised_by_its_exact_label_in_every_language(catalogue: Catalogue) -> None:
    assert catalogue.words("keys.find") == {"en": "🔎 Find", "ru": "🔎 Найти"}
    assert catalogue.key_with_label("🔎 Find") == catalogue.key_with_label("🔎 Найти") == "keys.find"
    assert catalogue.key_with_label("🔎 find") is None
    assert catalogue.key_with_label("Hello") is None, "only keys of the keyboard are pressed"


def test_a_key_worded_in_two_places_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "texts", "en", ENGLISH)
    write(tmp_path, "features/hello/texts", "en", 'msgid "keys.find"\nmsgstr "Find"\n')
    words = Catalogue.load(tmp_path)
    with pytest.raises(ValueError, match=r"keys\.find is worded twice in en"):
        words.word(text("keys.find"), "en")


def test_a_language_is_read_when_it_is_needed_first(tmp_path: Path) -> None:
    write(tmp_path, "texts", "en", ENGLISH)
    write(tmp_path, "features/hello/texts", "ru", "this cannot be read")
    words = Catalogue.load(tmp_path)
    assert words.word(text("hello.name", name="Ann"), "en").startswith("Hello")
    assert words.choose("ru") == "ru"
    for _ in range(2):
        with pytest.raises(ValueError, match="of a catalogue cannot be read"):
            words.word(text("hello.name", name="Ann"), "ru")


def test_all_languages_are_read_one_file_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("texts", "features/hello/texts", "features/more/texts"):
        for language in ("en", "ru"):
            write(tmp_path, place, language, f'msgid "{place}"\nmsgstr "{language}"\n')
    words, read, wordings = Catalogue.load(tmp_path), list[Path](), on_demand._wordings

    def counted(path: Path) -> Iterator[tuple[str, Wording]]:
        read.append(path)
        return wordings(path)

    monkeypatch.setattr(on_demand, "_wordings", counted)
    for _ in words.read_all():
        assert len(read) <= 1, "between two files, others have their turn"
        read.clear()
    assert words.word(text("features/more/texts"), "ru") == "ru"
    assert not read, "they are in memory"


@pytest.mark.parametrize("source", ["{}", "{name!r}", "{name:>3}", "{0}", "{a.b}", "{open"])
def test_a_placeholder_is_a_bare_name(tmp_path: Path, source: str) -> None:
    write(tmp_path, "texts", "en", f'msgid "hello.name"\nmsgstr "{source}"\n')
    hello = Catalogue.load(tmp_path).original("hello.name", "en")
    assert hello
    with pytest.raises(ValueError, match=r"placeholder|expected '}'"):
        assert hello.templates
