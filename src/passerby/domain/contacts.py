"""Whether words tell how to find somebody outside: a user name, a link, an e-mail address, a phone number.

People who have just met are asked before such a thing is passed on, because most of it is advertising or is regretted.
It is a courtesy, not a wall: whoever wants to be found will be. So what counts is that the usual forms are seen through
the usual disguises (other alphabets' look-alikes, invisible characters, "name at mail dot com"), and that ordinary talk
is left alone.
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from passerby.kernel.content import Content, Kind


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

_ENDINGS = "com|net|org|biz|io|ru|ua|kz|uk|gg|xyz|dev|vip|cc|tv|fr|pl|nl|cz|gr|jp|cn|kr|ly|ws|br|bio|рф"
_WORDS_TOO = (
    "me|to|it|in|id|us|no|co|ai|name|space|info|site|online|club|live|link|app|shop|store|top|pro|page|chat|social|fun|"
    "de|es|se|eu|su|by|fi|pt|ir|tr"
)
"""Endings that are words somewhere: a missing space after a full stop makes them, so they count with a path alone.
Telegram marks most such addresses itself, and what it marks counts too."""

_MAIL = "gmail|googlemail|g?mail|yandex|ya|outlook|hotmail|yahoo|icloud|proton|protonmail|gmx|web|rambler|inbox|bk|list"
_AT = "at|ät|ат|эт|собака|собачка|arroba|chiocciola"
_DOT = "dot|дот|точка|punkt|punto|ponto|nokta"

_SPELT = (
    # name (at) mail
    (re.compile(rf"\s*[\[({{<]\s*(?:{_AT})\s*[\])}}>]\s*"), "@"),
    (re.compile(rf"\s*[\[({{<]\s*(?:{_DOT})\s*[\])}}>]\s*"), "."),
    # name at gmail.com, name at mail dot com
    (
        re.compile(rf"(?<=\w)\s+(?:{_AT})\s+(?=(?:{_MAIL})\s*\.\s*\w|[\w-]+(?:\.(?:{_ENDINGS})\b|\s+(?:{_DOT})\s+\w))"),
        "@",
    ),
    (re.compile(rf"(?<=\w)(?<!\bthe)\s+(?:{_DOT})\s+(?=(?:{_ENDINGS}|me|ру|ком)\b)"), "."),
    (re.compile(r"(?<=\w)\.ру\b"), ".ru"),
    (re.compile(r"(?<=\w)\.ком\b"), ".com"),
)
_SPELT_SIGN = re.compile(rf"[\[({{<.]|{_DOT}")
_SPELT_WORD = re.compile(rf"\b(?:{_AT}|{_DOT})\b|\.(?:ру|ком)\b")
"""Both are in all that `_SPELT` finds; most messages lack one of them, and are done with a look or two."""

_EMAIL = re.compile(
    rf"[\w.+-]{{1,64}}@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{{2,}}|[\w.+-]{{1,64}}@(?:{_MAIL})\b|"
    rf"[\w.+-]{{1,64}}\s?@\s?[\w-]+\s?\.\s?(?:{_ENDINGS})\b"
)
_NAME_SPELT = re.compile(rf"[\[({{<]\s*(?:{_AT})\s*[\])}}>]\s*[a-z]\w{{3,31}}")
_NAME = re.compile(
    r"(?<![\w.])@(?!(?:all|everyone|here|home|work|school|uni|gym|night|noon|midnight)\b)_?[^\W\d_][\w.]{2,31}|"
    r"(?<![\w.])@\s(?=[a-z_]*[0-9_])[a-z][a-z0-9_]{3,31}"
)
_LINK = re.compile(
    rf"(?:https?|hxxps?|ftp|tg|ton)\s?:\s?[/\\]{{2}}\s?\S|\bwww\s?\.\s?\w|\btg:\w+\?|"
    rf"(?<![\w@'’.])(?:(?:t|telegram|wa|fb)(?:\.me\b|\s?[.,]?\s?me\s?/\s?\w)|telegram\.dog\b|discord\s?\.\s?gg\b)|"
    rf"(?<![\w@])(?:vk|instagram|snapchat|facebook|onlyfans|tiktok|discord)\s?\.\s?com\b|"
    rf"(?<![\w@.-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:(?:{_ENDINGS})(?![\w-])|(?:{_WORDS_TOO})/)|"
    rf"(?<![\w@.-])[a-z0-9-]{{3,}}(?:\s\.\s?|,)(?:com|net|org|ru)\b|[\w-]\.рф\b"
)
_LINK_SIGN = re.compile(r"\.(?:\w|\s(?:com|net|org|ru|gg))|www|[:/]|,[a-z]")
_HANDLE_SIGN = re.compile(r"[0-9_:=]")
"""One of these is in whatever the pattern of that name finds; looking for them first costs a tenth."""

_PLACES = (
    "insta(?:gram)?|ig|инст(?:а(?:грам\\w*)?|е|у|ы)|tg|tele(?:gram)?|тг|телег(?:а|е|у|рам\\w*)|vk|вк|"
    "snap(?:chat)?|снап(?:чат)?|discord|дискорд|дис|kik|skype|скайп|viber|вайбер|whats\\s?app|wa|ватсап|вотсап|"
    "fb|facebook|tik\\s?tok|тикток|only\\s?fans|wechat|twitter"
)
_FILLING = r"(?:\s+(?:is|id|name|nick(?:name)?|user(?:name)?|handle|under|as|ник|айди|это|ist|es|est))*\s*"
_HANDLE = re.compile(
    # what has a digit or an underscore in it, or stands alone after a colon
    rf"\b(?:{_PLACES})\b{_FILLING}(?:"
    r"(?:[:=–—-]+>?\s*)?(?=[a-z.]*[0-9_])[a-z][a-z0-9_.]{3,31}(?!\w)|"
    r"[:=]\s*[a-z][a-z.]{4,31}\s*(?=$|[\n,;:!()]))"
)
"""The name of a place, then a name there: "insta: ann.smith", "my tg is ann_99"."""

_PHONE = re.compile(
    r"(?<![\w.,])\+\s?\(?\d(?:[\s().\-/_]{0,3}\d){6,14}(?!\w)|(?<![\w.,])\(?\d(?:[\s().\-/_]{0,3}\d){8,14}(?!\w)"
)
_PHONE_SIGN = re.compile(r"\d(?:[\s().\-/_]{0,3}\d){6}")
"""Seven digits together are in both; a look for them costs a fraction."""
_INNOCENT_NUMBER = re.compile(
    r"\d{1,3}(?:[ ,.]\d{3}){2,}|(?:\d{4}[-./]\d{2}[-./]\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})(?:[\s,].*)?|"
    r"(?:(?:19|20)\d\d[\s./-]*)+|\d+[.,]\d+|(\d)\1+|[1-9]0{8,}"
)
"""Thousands with separators, dates, years, decimals, one digit over and over, round numbers."""

_COUNTING = "1234567891011121314151617181920", "1234567890", "9876543210", "10987654321", "0123456789"


_ANY_SIGN = re.compile(rf"[@.:/\\,_=\d\[({{<]|{_DOT}")
"""One of these is in whatever any of the patterns finds in ASCII, and in few messages of ordinary talk."""


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
    spelt = _spell(text)
    if spelt == text and text.isascii():
        return text
    return _spell(spelt.translate(_LOOKALIKES))


def _spell(text: str) -> str:
    if not (_SPELT_SIGN.search(text) and _SPELT_WORD.search(text)):
        return text
    for pattern, sign in _SPELT:
        text = pattern.sub(sign, text)
    return text


def find(text: str) -> Trace | None:
    """The first trace in a text, or None."""
    read = plain(text)
    if read.isascii() and not _ANY_SIGN.search(read):
        return None
    latin = _latin(read)
    forms = (read, latin) if latin != read else (read,)
    if any("@" in form and _EMAIL.search(form) for form in forms):
        return Trace.EMAIL
    if any("@" in form and _NAME.search(form) for form in forms):
        return Trace.NAME
    if any(_LINK_SIGN.search(form) and _LINK.search(form) for form in forms):
        return Trace.LINK
    if any(_HANDLE_SIGN.search(form) and _HANDLE.search(form) for form in forms) or (
        latin != read and _NAME_SPELT.search(read)
    ):
        return Trace.NAME
    if _PHONE_SIGN.search(read) and any(not _innocent(number.group().strip()) for number in _PHONE.finditer(read)):
        return Trace.PHONE
    return None


def _innocent(number: str) -> bool:
    """Whether so many digits are something else than a telephone number: a date, a sum, somebody who counts."""
    if _INNOCENT_NUMBER.fullmatch(number) or any(re.sub(r"\D", "", number) in run for run in _COUNTING):
        return not number.startswith("+")
    parts = re.findall(r"\d+", number)
    counted = list(map(int, parts))
    rising = counted in (sorted(set(counted)), sorted(set(counted), reverse=True))
    return (
        len(parts) > 3 and rising and not any(part.startswith("0") for part in parts if part != "0")
    )  # 10 20 30 40 50


def traces(content: Content) -> Trace | None:
    """The first trace in a message's words or behind them. Look at it before sanitising: afterwards links are gone."""
    for words in _words(content):
        found = find(words)
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


def _words(content: Content) -> Iterator[str]:
    """All that can be read of it: text or caption, a poll's question and answers.

    The words of what its sender is asked about anyway, a contact or a place, are left alone.
    """
    if content.text:
        yield content.text
    if content.kind is Kind.POLL and content.detail:
        pending: list[Any] = [content.detail]
        while pending:
            node = pending.pop()
            match node:
                case str():
                    yield node
                case dict():
                    pending.extend(node.values())
                case list() | tuple():
                    pending.extend(node)
