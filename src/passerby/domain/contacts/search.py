"""Searches a text for traces: in which forms of the text, for what, and in which order.

A text is normalised first (`normal_form`). If it contains none of the signs, digits and words that all traces need, the
search ends there. Otherwise several forms of it are searched: as normalised, with Latin look-alikes replaced, with
spaced-out letters joined, with digits replaced by the letters they stand for, and with spelt-out signs replaced.
"""

import re
from collections.abc import Iterable

from passerby.domain.contacts.addresses import (
    ENDINGS,
    holds_email,
    holds_link,
    holds_name,
    holds_spelt_email,
    holds_spelt_link,
    signs_for_brackets,
    signs_for_words,
)
from passerby.domain.contacts.handles import holds_handle
from passerby.domain.contacts.normal_form import latin, letters_for_digits, plain, together
from passerby.domain.contacts.numbers import digits_for_letters, holds_machine, holds_phone, spells_phone
from passerby.domain.contacts.trace import Trace
from passerby.domain.contacts.words import ACCOUNTS, DIGITS, NAMES, PLACES, SIGNS

LOOKED_AT = 16_384
"""How many characters of one text are searched: four times the longest plain text (source: Bot API 10.3). Some rich
messages are longer. Their senders are asked instead, because a worker that searches for long answers nobody else
meanwhile."""

_BACKWARDS = "\u202e"
"""The text after this character is shown from right to left."""

_FEWEST_DIGITS = 6
"""The fewest digits in a number: phone numbers have seven, and one of them may be written as a letter."""
_FEWEST_SPELT = 3


def _encoded(words: Iterable[str]) -> frozenset[bytes]:
    return frozenset(word.encode() for word in words)


_PLACES = _encoded(PLACES | ACCOUNTS)
_DOTS = _encoded(word for word, sign in SIGNS.items() if sign == ".")
_ATS = _encoded(word.split()[0] for word, sign in SIGNS.items() if sign == "@")
_MAIL = _encoded(("gmail", "yandex", "outlook", "hotmail", "yahoo", "icloud", "protonmail", "mailto", "www"))
_ENDS = _encoded((*ENDINGS, *NAMES, "me", "c"))
"""A spelt-out dot always has one of these next to it (`c`: `c o m`)."""
_SPELT_DIGITS = _encoded(DIGITS)
_ADDRESSES = _PLACES | _DOTS | _MAIL
_CLUES = _ADDRESSES | _SPELT_DIGITS
_SIGN = re.compile(
    r"@|[^\W\d_]\s?[/\\]|[/\\]\s?[^\W\d_]|[.,:=\x7f][^\W\d_]|"
    r"[\[({<] ?(?:[.:,/\x7f]|[^\W\d_]{2,10} ?[\])}>])| \. ?\w"
)
_WORD = re.compile(r"[^\W_]+")
_TWO_SCRIPTS = re.compile(r"[a-z][^\W\d_a-z]|[^\W\d_a-z][a-z]")
"""Two alphabets inside one word. This is nearly always a disguise."""
_MIXED = re.compile(r"[a-z][0-9]|[0-9][a-z]")

_BREAKING = bytes(code if chr(code).isalnum() or code > 127 else 32 for code in range(256))
"""Replaces ASCII characters that belong to no word by spaces."""


def _outline(code: int) -> int:
    """Return the kind of a byte of a normalised text: a Latin letter, a part of another letter, a digit, a sign, or a
    gap."""
    if code > 127:
        return ord("h")
    sign = chr(code)
    if sign.isalpha():
        return ord("l")
    if sign.isdecimal():
        return ord("0")
    return next((ord(kind[0]) for kind in ("@", "/\\", ".", ",:=\x7f", "([{<") if sign in kind), ord(" "))


_OUTLINES = bytes(map(_outline, range(256)))
"""Shows at a glance that a text has no signs, and no two alphabets in one word. Most texts have neither."""

_MARKED = re.compile(r"[0@/(]|[.,][lh]| \.")
"""The outline of a text matches this if the text has a digit, or may have a sign."""


def find(text: str) -> Trace | None:
    """The first trace in a text, or None. `UNREAD` if the text is longer than `LOOKED_AT`; then nothing is searched."""
    if len(text) > LOOKED_AT:
        return Trace.UNREAD
    read = plain(text)
    found = _look(read)
    if found is None and _BACKWARDS in text:
        found = _look(read[::-1])
    return found


def _look(read: str) -> Trace | None:
    """Return at once if there is no clue in the text; otherwise search for the traces that the clues point to."""
    body = read.encode()
    words = body.translate(_BREAKING).split()
    outline = body.translate(_OUTLINES).decode()
    if not read.isascii() and _has_two_scripts(read, outline):
        words += _words(latin(read))
    digits, signs, mixed = 0, False, None
    if _MARKED.search(outline) is not None:
        digits, signs = outline.count("0"), _has_signs(read, outline)
        mixed = _MIXED.search(read) if digits else None
    if mixed:
        words += _words(letters_for_digits(read))
    if _CLUES.isdisjoint(words) and not signs and digits < _FEWEST_DIGITS:
        return None
    # Many texts have a word that is a digit in some language, and nothing else.
    found = None
    if signs or not _ADDRESSES.isdisjoint(words):
        found = _look_for_addresses(read, words, signs=signs)
    if found is None and (digits > _FEWEST_DIGITS or (digits == _FEWEST_DIGITS and mixed)) and _holds_number(read):
        found = Trace.PHONE
    spells = not _SPELT_DIGITS.isdisjoint(words) and sum(map(_SPELT_DIGITS.__contains__, words)) >= _FEWEST_SPELT
    if found is None and spells:
        found = Trace.PHONE if spells_phone(_WORD.findall(read)) else None
    return found


def _has_signs(read: str, outline: str) -> bool:
    """Whether `_SIGN` matches. Most texts have a full stop or a comma, but nothing that it matches, and no outline of
    it."""
    return (
        ("." in outline and (".l" in outline or ".h" in outline or " ." in outline))
        or ("," in outline and (",l" in outline or ",h" in outline))
        or "(" in outline
        or "@" in outline
        or "/" in outline
    ) and _SIGN.search(read) is not None


def _has_two_scripts(read: str, outline: str) -> bool:
    return ("lh" in outline or "hl" in outline) and _TWO_SCRIPTS.search(read) is not None


def _holds_number(read: str) -> bool:
    lettered = digits_for_letters(read)
    return holds_phone(read) or (lettered != read and holds_phone(lettered)) or holds_machine(signs_for_brackets(read))


def _look_for_addresses(read: str, words: list[bytes], *, signs: bool) -> Trace | None:
    ats = not _ATS.isdisjoint(words)
    dots = not _DOTS.isdisjoint(words) and (ats or not _ENDS.isdisjoint(words))
    places = not _PLACES.isdisjoint(words)
    if not (signs or dots) and _MAIL.isdisjoint(words):
        return Trace.NAME if places and _holds_handle(read, [read, latin(read)]) else None
    opened = signs_for_brackets(read)
    seen = latin(opened)
    moved = together(opened)
    forms = list(dict.fromkeys((opened, seen, moved, latin(moved))))
    drawn = [] if (letters := letters_for_digits(seen)) == seen else [letters]
    spelt: list[str] = []
    if dots or (ats and ("." in read or not _MAIL.isdisjoint(words))):
        spelt = [signs_for_words(form) for form in dict.fromkeys((opened, seen))]
    if any(map(holds_email, forms)) or any(map(holds_spelt_email, spelt)):
        return Trace.EMAIL
    if any(map(holds_name, forms)):
        return Trace.NAME
    if any(map(holds_link, forms + drawn)) or any(map(holds_spelt_link, spelt)):
        return Trace.LINK
    return Trace.NAME if _holds_handle(read, forms) else None


def _holds_handle(read: str, forms: list[str]) -> bool:
    """If no place is named in plain letters, its name may have digits for letters: `1nsta`."""
    if any(map(holds_handle, dict.fromkeys(forms))):
        return True
    return _PLACES.isdisjoint(_words(read)) and holds_handle(letters_for_digits(latin(read)))


def _words(read: str) -> list[bytes]:
    return read.encode().translate(_BREAKING).split()
