"""The catalogues follow their glossaries (`glossary/*.toml`): one name for one thing, and words that are never used.

`terms.toml` lists the texts that name each thing. The file of a language lists its words for these things, how it
addresses people, which words are never used and why, and under `may` the exceptions. The patterns are Python's;
patterns for names ignore case.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from passerby.catalogue.template import Wording, compile_template
from tests.wording import catalogue

HERE = Path(__file__).parent / "glossary"
LANGUAGES = catalogue().languages
TERMS: dict[str, list[str]] = tomllib.loads((HERE / "terms.toml").read_text("utf-8"))
GLOSSARIES: dict[str, Any] = {each: tomllib.loads((HERE / f"{each}.toml").read_text("utf-8")) for each in LANGUAGES}
RIGHT_TO_LEFT = ("fa", "ar")

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
ANSWER_LIMIT = 200
"""Source: Bot API, answerCallbackQuery."""

SAME_WORDS = frozenset({"VIP", "Telegram", "ID", "OK"})
"""Words in Latin letters that every language uses."""

ENGLISH = re.compile(
    r"\b(?:the|you|your|yours|and|with|this|that|they|not|partner|chat is|search|message)\b", re.IGNORECASE
)


def wordings(language: str) -> dict[str, Wording]:
    return catalogue().table(language)


def plain(wording: Wording) -> list[str]:
    """Every form as a phone shows it, its placeholders as `%s`."""
    return [template.plain.replace("%%", "%") for template in wording.templates]


def bare(said: str) -> str:
    """The text without commands and their examples, placeholders and isolates."""
    said = re.sub(r"/(?:name|interests|country) [^\n\u2069]+|/[a-z]+|%s", " ", said)
    return said.replace(FIRST_STRONG_ISOLATE, "").replace(POP_ISOLATE, "")


def test_each_language_has_a_glossary_that_names_everything() -> None:
    for language, glossary in GLOSSARIES.items():
        assert glossary["address"], language
        assert set(glossary["terms"]) == set(TERMS), language
        assert set(glossary.get("may", {})) <= set(wordings("en")), language
    assert {path.stem for path in HERE.glob("*.toml")} == {*LANGUAGES, "terms"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("term", TERMS)
def test_a_thing_has_the_same_name_in_every_text_that_names_it(language: str, term: str) -> None:
    words = re.compile("|".join(GLOSSARIES[language]["terms"][term]), re.IGNORECASE)
    unnamed = {key: said for key in TERMS[term] for said in plain(wordings(language)[key]) if not words.search(said)}
    assert unnamed == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_with_a_wrong_meaning_are_never_used(language: str) -> None:
    glossary = GLOSSARIES[language]
    said_after_all = []
    for key, wording in wordings(language).items():
        excused = re.compile(glossary["may"][key]) if key in glossary.get("may", {}) else None
        for said in plain(wording):
            said = excused.sub("", said) if excused is not None else said
            for pattern, why in glossary["never"].items():
                if found := re.search(pattern, said, re.MULTILINE):
                    said_after_all.append(f"{key}: {found[0]} ({why})")
    assert said_after_all == []


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_nothing_is_left_in_english(language: str) -> None:
    left = []
    for key, wording in wordings(language).items():
        for said, english in zip(plain(wording), plain(wordings("en")[key]) * 6, strict=False):
            words = bare(said)
            same = said == english and len(re.findall(r"[A-Za-z]{2,}", words)) > 2
            if same or ENGLISH.search(words):
                left.append(f"{key}: {said}")
    assert left == []


@pytest.mark.parametrize("language", ["ru", "hi", "fa", "ar"])
def test_only_names_are_in_latin_letters_where_people_write_others(language: str) -> None:
    for key, wording in wordings(language).items():
        for said in plain(wording):
            assert set(re.findall(r"[A-Za-z]{2,}", bare(said))) <= SAME_WORDS, f"{key}: {said}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_lists_use_the_joiner_of_the_language(language: str) -> None:
    joined = wordings(language)["lists.joined"].templates[0]
    assert joined.names == ("before", "after"), "in this order"
    comma = "، " if language in RIGHT_TO_LEFT else ", "
    assert joined.plain == joined.html == f"%s{comma}%s"


@pytest.mark.parametrize("language", RIGHT_TO_LEFT)
def test_right_to_left_texts_use_the_punctuation_of_their_script(language: str) -> None:
    for key, wording in wordings(language).items():
        for said in plain(wording):
            assert not set(",;?") & set(bare(said)), f"{key}: {said}"


@pytest.mark.parametrize("language", RIGHT_TO_LEFT)
def test_right_to_left_texts_isolate_commands_and_begin_no_line_left_to_right(language: str) -> None:
    strong = re.compile(r"[^\W\d_]")
    isolated = re.compile(f"{FIRST_STRONG_ISOLATE}[^{POP_ISOLATE}]*{POP_ISOLATE}")
    for key, wording in wordings(language).items():
        for said in plain(wording):
            outside = isolated.sub("", said)
            assert not re.search(r"(?<![<\w])/[a-z]", outside), f"{key}: a command that is not isolated"
            assert said.count(FIRST_STRONG_ISOLATE) == said.count(POP_ISOLATE), key
            for line in outside.splitlines():
                first = strong.search(line.replace("%s", "").replace("VIP", ""))
                assert first is None or not first[0].isascii(), f"{key}: {line}"
                assert isolated.search(said) is None or first is not None or "%s" in line or not line.strip(), (
                    f"{key}: a line of commands alone runs from left to right: {line}"
                )


@pytest.mark.parametrize("language", LANGUAGES)
def test_pop_up_answers_fit_their_limit(language: str) -> None:
    """Answers to presses are cut at 200 characters."""
    for key in POPPING_UP:
        for said in plain(wordings(language)[key]):
            assert len(said) <= ANSWER_LIMIT, key


POPPING_UP = (
    *(
        "after_chat.rated_already",
        "after_chat.too_old",
        "after_chat.in_a_chat",
        "after_chat.too_late",
        "friends.saved",
        "friends.full",
    ),
    *(
        "friends.gone",
        "friends.in_a_chat",
        "friends.asked",
        "friends.not_now",
        "safety.list_changed",
        "safety.unblocked",
    ),
    *("safety.comment_over", "chat.button_too_old", "chat.not_connected", "chat.failed_left", "pace.tapped"),
    *("profile.locked", "profile.last_language", "profile.full_languages", "profile.full_interests"),
)


def test_the_patterns_of_the_glossaries_find_known_faults() -> None:
    """The faulty words that the review of the texts found, each in one of our own templates."""
    for language, said in (
        ("en", "⭐ Keep in mind"),
        ("en", "By going on you say that somebody…"),
        ("ru", "Кого ты хочешь встретить?"),
        ("de", "Leute, die du wieder treffen kannst"),
        ("es", "Pulsa un botón"),
        ("pt", "Jogos não podem ser repassados"),
        ("tr", "😂 Mizah, meme"),
        ("tr", "Karşı taraf senden bir söz bekliyor"),
        ("tr", "Şu anda isteklerine çok kişi uyuyor."),
        ("id", "Jangan pernah bertemu orang ini lagi"),
        ("hi", "जिनसे फिर मुलाक़ात हो सकती है"),
        ("fa", "رد شو"),
        ("ar", "تم التمرير."),
    ):
        (form,) = plain(Wording((compile_template(said),)))
        assert any(re.search(pattern, form, re.MULTILINE) for pattern in GLOSSARIES[language]["never"]), said
