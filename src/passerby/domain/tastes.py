"""The tastes in a person's profile: languages, interests and a country."""

import re
import unicodedata

from passerby.domain.contacts import find
from passerby.kernel.text import Text, text

LANGUAGES = {
    "en": "English", "es": "Español", "pt": "Português", "hi": "हिन्दी", "id": "Bahasa Indonesia", "ru": "Русский",
    "fa": "فارسی", "ar": "العربية", "tr": "Türkçe", "de": "Deutsch", "fr": "Français", "it": "Italiano",
    "uk": "Українська", "uz": "Oʻzbekcha", "kk": "Қазақша", "pl": "Polski", "nl": "Nederlands", "ro": "Română",
    "zh": "中文", "ja": "日本語", "ko": "한국어", "vi": "Tiếng Việt", "th": "ไทย", "ms": "Bahasa Melayu",
    "bn": "বাংলা", "ur": "اردو", "ta": "தமிழ்", "te": "తెలుగు", "am": "አማርኛ", "sw": "Kiswahili",
    "he": "עברית", "el": "Ελληνικά", "cs": "Čeština", "sr": "Srpski", "az": "Azərbaycanca", "hy": "Հայերեն",
}  # fmt: skip
"""Languages to chat in, by IETF tag. Each is in its own name, so it reads the same for everybody."""

WRITTEN_IN = ("en", "ru", "es", "pt", "hi", "id", "fa", "ar", "tr", "de")
"""The languages of the product. A test compares them with the catalogues."""

_IN_ENGLISH = {
    "russian": "ru", "spanish": "es", "castellano": "es", "portuguese": "pt", "hindi": "hi", "indonesian": "id",
    "indonesia": "id", "persian": "fa", "farsi": "fa", "arabic": "ar", "turkish": "tr", "german": "de",
}  # fmt: skip

INTERESTS = (
    "music", "films", "series", "books", "games", "anime", "art", "photography", "travel", "food", "sport",
    "football", "fitness", "nature", "animals", "science", "technology", "programming", "cars", "fashion",
    "psychology", "philosophy", "history", "languages", "writing", "memes", "news", "business", "astrology",
    "study",
)  # fmt: skip
"""The curated list. The catalogues word it as `interests.NAME`."""

COUNTRIES = (
    "AE", "AM", "AR", "AT", "AZ", "BD", "BR", "BY", "CA", "CH", "CL", "CN", "CO", "CZ", "DE", "EG", "ES", "ET",
    "FR", "GB", "GE", "GR", "ID", "IL", "IN", "IQ", "IR", "IT", "JP", "KE", "KG", "KR", "KZ", "LK", "MA", "MD",
    "MX", "MY", "NG", "NL", "NP", "PE", "PH", "PK", "PL", "PT", "RO", "RS", "RU", "SA", "SE", "SG", "SY", "TH",
    "TJ", "TR", "TZ", "UA", "US", "UZ", "VE", "VN", "ZA",
)  # fmt: skip
"""ISO 3166-1 codes that have a button. Any other country may be typed."""

ICEBREAKERS = 24
"""How many opening questions the catalogues have: `icebreakers.1` and so on."""

MOST_LANGUAGES = 6
MOST_INTERESTS = 12
WORD_LENGTH = 24
_LONGEST_PART = 4 * WORD_LENGTH
"""How many characters are read between two commas, including invisible ones and spaces."""
_BETWEEN = re.compile(r"[,;،؛\n]")
_WORD = re.compile(r"[^\W_][\w'’ -]*")


def worded(interest: str) -> Text:
    """An interest of the curated list in the reader's language, or somebody's own word as it is."""
    return text(f"interests.{interest}") if interest in INTERESTS else text("interests.own", word=interest)


def language_in(words: str) -> str | None:
    """The language of the product that somebody named, by its tag or its name. None if there is none."""
    named = _plain(words[:_LONGEST_PART])
    tag = named.replace("_", "-").partition("-")[0]
    return tag if tag in WRITTEN_IN else _WRITTEN_NAMES.get(named)


def _plain(name: str) -> str:
    """A name in lower case, without accents."""
    # Sign by sign: to put many accents on one letter in order takes time that grows with their square.
    parts = "".join(unicodedata.normalize("NFKD", sign) for sign in name.strip().casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


_WRITTEN_NAMES = {_plain(LANGUAGES[each]): each for each in WRITTEN_IN} | _IN_ENGLISH


def flag(country: str) -> str:
    """The flag of a country code."""
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in country)


def interests_in(words: str) -> tuple[str, ...]:
    """The interests that somebody typed, separated by commas: in lower case, each once, each a few words at most.

    Parts that are not words (a user name, a number, a link) are left out.
    """
    found: dict[str, None] = {}
    for part in _BETWEEN.split(words):
        if len(part) > _LONGEST_PART:
            continue
        word = " ".join(unicodedata.normalize("NFKC", part).casefold().split())
        letters = "".join(sign for sign in word if not _belongs_to_letter(sign))
        fits = 2 <= len(word) <= WORD_LENGTH and _WORD.fullmatch(letters) and not any(sign.isdigit() for sign in word)
        if fits and find(word) is None:
            found[word] = None
    return tuple(found)


def _belongs_to_letter(sign: str) -> bool:
    """Whether it is a vowel sign (Hindi) or a joiner between letters (Persian): they are part of a word but do not
    match `\\w`."""
    return unicodedata.category(sign).startswith("M") or sign in "\u200c\u200d"
