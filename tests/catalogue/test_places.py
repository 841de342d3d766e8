"""Countries and days, as people write them in each language."""

import math

import pytest

from passerby.kernel.text import Text, amount, country, day, text
from passerby.panel.look import moment
from tests.wording import catalogue

WORDS = catalogue()
PLACES = WORDS.places
NOVEMBER = 1_793_577_600.0


@pytest.mark.parametrize(
    ("language", "name"),
    [("en", "Germany"), ("ru", "Германия"), ("es-MX", "Alemania"), ("fa", "آلمان"), ("xx", "Germany")],
)
def test_a_country_has_a_name_in_every_language(language: str, name: str) -> None:
    assert WORDS.word(country("DE"), language) == WORDS.plain(country("DE"), language) == name


def test_country_names_are_escaped_in_html() -> None:
    assert WORDS.word(country("<%>"), "en") == "&lt;%&gt;"
    assert WORDS.plain(country("<%>"), "en") == "<%>", "a code without a name is shown as it is"


@pytest.mark.parametrize(("language", "said"), [("en", "Nov 2, 2026"), ("de", "02.11.2026"), ("ru", "2 нояб. 2026")])
def test_a_day_is_written_as_in_the_readers_language(language: str, said: str) -> None:
    assert WORDS.word(day(NOVEMBER), language) == said


@pytest.mark.parametrize("at", [math.inf, -math.inf, math.nan, 9e22, 253_402_351_140.0, -9e22])
@pytest.mark.parametrize("language", WORDS.languages)
def test_a_moment_too_far_away_for_a_date_is_the_farthest_day(language: str, at: float) -> None:
    assert WORDS.word(day(at), language)
    assert moment(at)


@pytest.mark.parametrize("language", WORDS.languages)
def test_every_language_has_days_and_all_countries(language: str) -> None:
    assert "2026" in WORDS.plain(day(NOVEMBER), language) or "۲۰۲۶" in WORDS.plain(day(NOVEMBER), language)
    for code in ("AF", "BR", "NP", "ZW"):
        assert WORDS.plain(country(code), language) not in ("", code)


def test_a_text_missing_in_every_language_is_a_bug() -> None:
    with pytest.raises(AssertionError, match=r"no text is named lands\.DE"):
        WORDS.word(Text("lands.DE"), "en")


@pytest.mark.parametrize(
    "words",
    [
        "Germany",
        "germany ",
        "Alemania",
        "ALEMANHA",
        "Германия",
        "Deutschland",
        "Jerman",
        "जर्मनी",
        "آلمان",
        "de",
        "🇩🇪",
        "the Germany",
    ],
)
def test_a_country_is_found_by_its_name_in_any_language(words: str) -> None:
    assert PLACES.exactly(words) == "DE"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("deutschl", "DE"),
        ("Tur", "TR"),
        ("turkiye", "TR"),
        ("cote d ivoire", "CI"),
        ("Grmany", "DE"),
        ("Бразл", "BR"),
        ("arabia", "SA"),
        ("USA", "US"),
        ("the Netherlands", "NL"),
        ("The Neth", "NL"),
        ("🇳🇱", "NL"),
        ("🇽🇽", None),
        ("сша", "US"),
        ("", None),
        ("?!", None),
        ("Atlantis", None),
        ("e" * 900, None),
    ],
)
def test_a_country_is_found_by_the_beginning_of_its_name_or_with_a_mistake(words: str, code: str | None) -> None:
    exact = PLACES.exactly(words)
    found = (exact,) if exact is not None else PLACES.like(words)
    assert code in found if code is not None else found == ()
    assert len(found) <= 8


@pytest.mark.parametrize("words", ["EU", "ZZ", "XA", "UN", "zz"])
def test_two_letters_that_are_not_a_country_code_find_nothing(words: str) -> None:
    assert PLACES.exactly(words) is None


def test_countries_are_sorted_in_the_readers_language() -> None:
    assert PLACES.in_order(("DE", "EG", "AT"), "en") == ("AT", "EG", "DE")
    assert PLACES.in_order(("DE", "EG", "AT"), "de") == ("EG", "DE", "AT")


@pytest.mark.parametrize(
    ("number", "language", "shown"),
    [
        (999, "en", "999"),
        (2288, "en", "2,288"),
        (1234567, "en", "1,234,567"),
        (2288, "de", "2.288"),
        (22880, "pt", "22.880"),
        (22880, "ru", "22\N{NO-BREAK SPACE}880"),
    ],
)
def test_a_large_number_has_its_thousands_set_apart_as_the_language_does(
    number: int, language: str, shown: str
) -> None:
    said = WORDS.plain(text("broadcasts.audience", people=amount(number)), language)
    assert said.endswith(f" {shown}")
