"""Whether words tell how to find somebody outside: a user name, a link, an e-mail address, a phone number.

People who have just met are asked before such a thing is passed on, because most of it is advertising or is regretted.
It is a courtesy, not a wall: whoever wants to be found will be. So what counts is that the usual forms are seen through
the usual disguises (other alphabets' look-alikes, invisible characters, "name at mail dot com"), and that ordinary talk
is left alone.
"""

import re
import unicodedata
from enum import StrEnum

from passerby.kernel.content import Content


class Trace(StrEnum):
    """What was found. The value ends the text keys that speak of it."""

    NAME = "name"
    LINK = "link"
    EMAIL = "email"
    PHONE = "phone"


_LOOKALIKES = {
    ord(like): sign
    for sign, likes in {
        "a": "аα", "b": "вβ", "c": "сϲ", "d": "ԁ", "e": "еёε", "g": "ɡ", "h": "нһ", "i": "іιı", "j": "јϳ", "k": "кκ",
        "l": "ӏ", "m": "м", "n": "η", "o": "оο", "p": "рρ", "q": "ԛ", "r": "г", "s": "ѕ", "t": "тτ", "u": "υ", "v": "ν",
        "w": "ԝω", "x": "хχ", "y": "у", ".": "。∙•·", "/": "⁄∕",
    }.items()
    for like in likes
}  # fmt: skip
"""Letters drawn like Latin ones, in lower case, and signs drawn like those of addresses; NFKC has undone the rest."""

_SPELT = (
    (re.compile(r"\s*[\[({<]\s*(?:at|собака|ат)\s*[\])}>]\s*"), "@"),
    (re.compile(r"\s*[\[({<]\s*(?:dot|точка)\s*[\])}>]\s*"), "."),
    (re.compile(r"(?<=\w)\s+at\s+(?=[\w-]+(?:\.[^\W\d_]{2}|\s+dot\s))"), "@"),
    (re.compile(r"(?<=\w)\s+dot\s+(?=\w)"), "."),
)
_SPELT_SIGN = re.compile(r"[\[({<.]|dot")
_SPELT_WORD = re.compile(r"\b(?:at|dot|собака|ат|точка)\b")
"""Both are in all that `_SPELT` finds; most messages lack one of them, and are done with a look or two."""

_ENDINGS = (
    "com|net|org|info|biz|io|ru|su|ua|by|kz|de|fr|es|uk|eu|tv|cc|gg|xyz|site|online|club|live|link|app|dev|shop|store|"
    "top|pro|page|chat|social|ir|br|tr|pt|pl|nl|se|fi|cz|gr|jp|cn|kr|ly|ws|fun|vip"
)
_WORDS_TOO = "me|to|it|in|id|us|no|co|ai|name|space"
"""Endings that are words: a missing space after a full stop makes them, so they count with a path alone."""

_EMAIL = re.compile(r"[\w.+-]{1,64}\s?@\s?[\w-]+(?:\s?\.\s?[\w-]+)+")
_NAME = re.compile(r"(?<![\w.])@\s?_?[a-z][a-z0-9_]{3,31}")
_LINK = re.compile(
    rf"(?:https?|ftp|tg|ton)\s?:\s?//\S|\bwww\s?\.\s?\w|"
    rf"(?<![\w@])(?:t|telegram|vk|wa|fb|instagram|snapchat|discord|onlyfans)\s?\.\s?(?:me|com|gg|dog)\b|"
    rf"(?<![\w@.-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:(?:{_ENDINGS})(?![\w-])|(?:{_WORDS_TOO})/)",
)
_PHONE = re.compile(r"(?<![\w.,])(?:\+\s?)?\(?\d(?:[\s().\-/_]{0,3}\d){8,14}(?![\w])")
_INNOCENT_NUMBER = re.compile(r"\d{1,3}(?:[ ,.]\d{3}){2,}|\d{4}[-./]\d{2}[-./]\d{2}.*|\d+[.,]\d+")
"""Thousands with separators, dates, and decimals."""


def plain(text: str) -> str:
    """The text as it is read: look-alikes in one alphabet, invisible characters gone, any script's digits as 0-9."""
    if text.isascii() and text.isprintable():
        return text.lower()
    text = unicodedata.normalize("NFKC", text)
    kept = []
    for sign in text:
        category = unicodedata.category(sign)
        if category in ("Cf", "Mn", "Me", "Cc") and not sign.isspace():
            continue
        kept.append(str(unicodedata.decimal(sign)) if category == "Nd" else sign)
    return "".join(kept).lower()


def _latin(text: str) -> str:
    return _spell(_spell(text).translate(_LOOKALIKES))


def _spell(text: str) -> str:
    if not (_SPELT_SIGN.search(text) and _SPELT_WORD.search(text)):
        return text
    for pattern, sign in _SPELT:
        text = pattern.sub(sign, text)
    return text


def find(text: str) -> Trace | None:
    """The first trace in a text, or None."""
    read = plain(text)
    latin = _latin(read)
    for form in (read, latin) if latin != read else (read,):
        if "@" in form:
            if _EMAIL.search(form):
                return Trace.EMAIL
            if _NAME.search(form):
                return Trace.NAME
        if ("." in form or ":" in form) and _LINK.search(form):
            return Trace.LINK
    numbers = (found.group() for found in _PHONE.finditer(read))
    return Trace.PHONE if any(not _INNOCENT_NUMBER.fullmatch(number.strip()) for number in numbers) else None


def traces(content: Content) -> Trace | None:
    """The first trace in a message's words or behind them. Look at it before sanitising: afterwards links are gone."""
    found = find(content.text) if content.text else None
    if found is not None:
        return found
    for entity in content.entities:
        if entity.type in ("text_link", "url"):
            return Trace.LINK
        if entity.type in ("mention", "text_mention"):
            return Trace.NAME
        if entity.type == "email":
            return Trace.EMAIL
        if entity.type == "phone_number":
            return Trace.PHONE
    return None
