"""Normalises a text to what a person reads in it: one form for the many ways to write the same letters, digits and
signs.

One table maps each character by itself, so the time is linear in the length of the text. (Unicode's own normal forms
are not linear: they sort runs of combining marks, which is quadratic.) The Unicode database shows what a character
looks like, by its name, category and decomposition. Only look-alikes from other alphabets are listed here.
"""

import re
import unicodedata

_LOOKALIKES = {
    like: letter
    for letter, likes in {
        "a": "аαɑաᎪꓮ", "b": "вβᏴꓐ", "c": "сϲᏟꓚ", "d": "ԁᎠꓓ", "e": "еєεеեᎬꓰ", "f": "ϝꓝ", "g": "ցᏀꓖ", "h": "нһհᎻꓧ",
        "i": "іιӏᎥꓲ", "j": "јϳյᎫꓙ", "k": "кκᏦꓗ", "l": "ӏլᏞꓡ", "m": "мᎷꓟ", "n": "ηոꓠ", "o": "оοօꓳ", "p": "рρᏢꓑ",
        "q": "ԛգ", "r": "гᎡꓣ", "s": "ѕտᏚꓢ", "t": "тτᎢꓔ", "u": "υսꓴ", "v": "νѵᏙꓦ", "w": "ԝωաᎳꓪ", "x": "хχꓫ",
        "y": "уγყᎽꓬ", "z": "ᏃꓜΖ",
    }.items()
    for like in likes
}  # fmt: skip
"""Letters of other alphabets that look like Latin ones."""

_LATIN_NAME = re.compile(
    r"(?:LATIN |REGIONAL INDICATOR SYMBOL |NEGATIVE (?:CIRCLED|SQUARED) LATIN )(?:(?:SMALL|CAPITAL) )?LETTER "
    r"(?:(?:SMALL CAPITAL|DOTLESS|SCRIPT|TURNED|REVERSED|OPEN|LONG|CLOSED|INSULAR|SIDEWAYS|VOLAPUK|SMALL) ){0,2}"
    r"([A-Z])(?: WITH .*)?"
)
_SIGN_NAMES = (
    (re.compile(r"REVERSE SOLIDUS|BACKSLASH"), "\\"),
    (re.compile(r"SOLIDUS|SLASH|\bDIAGONAL\b"), "/"),
    (re.compile(r"FULL STOP|\bBULLET\b|\bDOT\b|DANDA|DECIMAL SEPARATOR|(?:BLACK|BLUE|RED|LARGE.{0,20}) CIRCLE$"), "."),
    (re.compile(r"SEMICOLON"), ";"),
    (re.compile(r"COLON"), ":"),
    (re.compile(r"COMMA|THOUSANDS SEPARATOR"), ","),
    (re.compile(r"LOW LINE"), "_"),
    (re.compile(r"ARROW"), ">"),
    (re.compile(r"COMMERCIAL AT"), "@"),
    (re.compile(r"EQUALS"), "="),
    (re.compile(r"QUESTION MARK"), "?"),
    (re.compile(r"EXCLAMATION MARK"), "!"),
    (re.compile(r"QUOTATION MARK"), '"'),
)
SYMBOL = "\x7f"
"""Stands for a symbol or an emoji that looks like no letter, digit or sign."""
_SIGN_CATEGORIES = {"Pd": "-", "Ps": "(", "Pe": ")", "So": SYMBOL, "Sm": SYMBOL, "Sk": SYMBOL, "No": SYMBOL}
_UNSEEN = frozenset({"Cf", "Mn", "Mc", "Me", "Cc", "Cs"})
_CHINESE_DIGITS = {sign: str(number) for signs in ("零一二三四五六七八九", "〇") for number, sign in enumerate(signs)}
_LONGEST = 4
"""A character that expands to more than this is not part of an address. Some Arabic ones stand for a whole sentence."""
_REMEMBERED = 20_000
"""How many characters are cached. There are a million of them, and a sender who uses all must not fill the memory."""


class _Table(dict[int, str]):
    """A table for `str.translate`, filled as characters turn up."""

    def __init__(self, *, latin: bool) -> None:
        super().__init__()
        self._latin = latin

    def __missing__(self, code: int) -> str:
        seen = _seen(chr(code), latin=self._latin)
        if len(self) < _REMEMBERED:
            self[code] = seen
        return seen


def _seen(sign: str, *, latin: bool) -> str:
    if sign.isspace():
        return "\n" if sign in "\n\r\v\f\x85\u2028\u2029" else " "
    parts = unicodedata.normalize("NFKD", sign)
    seen = "".join(_part(part, latin=latin) for part in parts)
    return seen if len(seen) <= _LONGEST else " "


def _part(sign: str, *, latin: bool) -> str:
    if sign.isspace():
        return " "
    category = unicodedata.category(sign)
    name = unicodedata.name(sign, "")
    if category in _UNSEEN or "FILLER" in name or name.endswith("BLANK"):
        return ""
    if sign in _CHINESE_DIGITS:
        return _CHINESE_DIGITS[sign]
    if (digit := unicodedata.digit(sign, None)) is not None:
        return str(digit)
    if sign.isascii():
        return sign.lower()
    if found := _LATIN_NAME.fullmatch(name):
        return found[1].lower()
    if latin:
        for form in (sign, sign.lower()):
            if form in _LOOKALIKES:
                return _LOOKALIKES[form]
    if category[0] in "PSN":
        drawn = next((like for pattern, like in _SIGN_NAMES if pattern.search(name)), None)
        return drawn or _SIGN_CATEGORIES.get(category, sign)
    return sign.lower()


_READ, _LATIN = _Table(latin=False), _Table(latin=True)
_SPACES = re.compile(r"  +")
_LINES = re.compile(r" ?\n[\n ]*")


def plain(text: str) -> str:
    """The normalised text, in its own alphabet: no invisible characters, no marks on letters, all digits as 0-9.

    Several spaces become one. A symbol or an emoji becomes `SYMBOL`, or the sign that it looks like.
    """
    if text.isascii() and text.isprintable():
        read = text.lower()
    else:
        read = text.translate(_READ)
        if "\n" in read:
            read = _LINES.sub("\n", read)
    return _SPACES.sub(" ", read) if "  " in read else read


def latin(read: str) -> str:
    """A normalised text with letters that look Latin replaced by Latin ones."""
    return read if read.isascii() else read.translate(_LATIN)


_APART = re.compile(r"(?<!\S)\S(?:[ \n]\S(?!\S)){2,}+")
_DOTTED = re.compile(r"(?<![^\W_])[^\W\d_](?:[._*~-][^\W\d_](?![^\W_])){3,}+")
_GAPS = re.compile(r"[ \n]")
_JOINTS = re.compile(r"[._*~-]")
_LETTERS_AND_DIGITS = re.compile(r"[a-z0-9]++")
_LEET = str.maketrans("013457", "oieast")


def together(read: str) -> str:
    """A normalised text with spaced-out letters (`t . m e`, `i.n.s.t.a`) joined."""
    moved = _APART.sub(lambda run: _GAPS.sub("", run[0]), read)
    return _DOTTED.sub(lambda run: _JOINTS.sub("", run[0]), moved)


def letters_for_digits(read: str) -> str:
    """A normalised text with digits inside words replaced by the letters they stand for: `t.m3`, `1nsta`."""
    return _LETTERS_AND_DIGITS.sub(lambda run: run[0] if run[0].isdecimal() else run[0].translate(_LEET), read)
