"""Finds where a message leads, as keyed hashes: a site, an address on it, a user name, an e-mail address, a number.

Farms reword their adverts, but all of them lead to the same few places. So a place counts in one form, however it is
written: `@ann_99`, `t.me/ann_99` and `insta: ann_99` are one name.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from passerby.domain.contacts import find
from passerby.domain.contacts.addresses import signs_for_brackets, signs_for_words
from passerby.domain.contacts.normal_form import latin, plain, together
from passerby.domain.contacts.numbers import spelt_phones
from passerby.domain.contacts.words import ACCOUNTS, COMMON, COPULAS, PLACES
from passerby.domain.farms.openers import hashed

LOOKED_AT: Final = 2_000
"""Characters after these are not looked at. An advert is short."""
MOST: Final = 8
"""At most this many destinations of one message count."""

_SECOND_LEVEL: Final = frozenset({"co", "com", "net", "org", "gov", "edu", "ac"})
_TELEGRAM: Final = frozenset({"t.me", "telegram.me", "telegram.dog", "tx.me", "wa.me"})
_HOST: Final = re.compile(
    r"(?<![\w@.-])(?:[a-z]{2,6}://)?((?:[\w-]{1,63}\.){1,5}[^\W\d_]{2,20})(?::\d{2,5})?(?: ?/ ?(\S{1,200}))?"
)
_NAME: Final = re.compile(r"(?<![\w.])@ ?([a-z_][\w.]{3,31})")
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_NUMBER: Final = re.compile(r"\+?\d(?:[ ()./-]{0,2}\d){6,24}")
_WORD: Final = re.compile(r"[^\W_]+")
_NO_DIGIT: Final = re.compile(r"\D+")
_FIRST: Final = re.compile(r"[/?#&]")
_PART: Final = re.compile(r"[a-z0-9_][a-z0-9_.]{2,62}[a-z0-9_]")
_MIXED: Final = re.compile(
    r"(?<![a-z0-9_.])(?=[a-z0-9]*(?:[0-9_]|\.[a-z0-9_]))(?=(?:[0-9_.]*[a-z]){3})[a-z0-9_](?:[a-z0-9_]|\.(?=[a-z0-9_])){5,63}"
)
_SIGN: Final = re.compile(r"[\d_.]|[^\x00-\x7f]")
"""Odd words have one of these, or a disguise of one."""
_NEAR: Final = 4
_SOMEBODYS: Final = ("name ", "email ", "number ")


class Destinations(NamedTuple):
    """`plain` lead somewhere for certain. `odd` are words that look like a name: they count only beside other signs.
    `contacts` are those of `plain` that are somebody's: a user name, an e-mail address, a telephone number."""

    plain: tuple[int, ...] = ()
    odd: tuple[int, ...] = ()
    contacts: tuple[int, ...] = ()


NOWHERE: Final = Destinations()


def destinations(key: bytes, text: str) -> Destinations:
    """The keyed hashes of where a message leads."""
    text = text[:LOOKED_AT]
    leads = find(text) is not None
    if not leads and _SIGN.search(text) is None:
        return NOWHERE
    read = latin(plain(text))
    found = led_to(text) if leads else ()
    odd = dict.fromkeys(f"name {each[0]}" for each in _MIXED.finditer(read))
    plain_ones = {each: hashed(key, each.encode()) for each in found[:MOST]}
    return Destinations(
        tuple(plain_ones.values()),
        tuple(hashed(key, each.encode()) for each in list(odd)[:MOST] if each not in found),
        tuple(token for each, token in plain_ones.items() if each.startswith(_SOMEBODYS)),
    )


def led_to(text: str) -> tuple[str, ...]:
    """Where a message with a trace leads, each place in one form."""
    read = latin(plain(text))
    found: dict[str, None] = {}
    for form in dict.fromkeys((read, together(read), _spelt(read), _spelt(together(read)))):
        found.update(dict.fromkeys(_led_to(form)))
    spelt = spelt_phones(_WORD.findall(plain(text)))
    found.update(dict.fromkeys(f"number {each.lstrip('0')}" for each in spelt))
    return tuple(found)


def _spelt(read: str) -> str:
    return signs_for_words(signs_for_brackets(read)).replace("\1", ".")


def _led_to(form: str) -> Iterator[str]:
    for email in _EMAIL.finditer(form):
        yield f"email {email[0]}"
    for name in _NAME.finditer(form):
        yield f"name {name[1].rstrip('.')}"
    for host in _HOST.finditer(form):
        labels = host[1].removeprefix("www.").split(".")
        site, path = _site(labels), (host[2] or "").lstrip("@").rstrip(".,!?)")
        if site in _TELEGRAM:
            if path:
                yield f"name {path if path.startswith(('joinchat/', '+')) else _FIRST.split(path, maxsplit=1)[0]}"
            continue
        yield f"site {site}"
        if path:
            yield f"path {site}/{path}"
            yield f"path {site}/{_FIRST.split(path, maxsplit=1)[0]}"
    for number in _NUMBER.finditer(form):
        yield f"number {_NO_DIGIT.sub('', number[0]).lstrip('0')}"
    yield from _named(form)


def _site(labels: list[str]) -> str:
    """The part of a host name that somebody has registered."""
    deep = len(labels) > 2 and labels[-2] in _SECOND_LEVEL and len(labels[-1]) == 2  # co.uk
    return ".".join(labels[-3 if deep else -2 :])


def _named(form: str) -> Iterator[str]:
    """The names beside the word for a place: `insta: ann_99`."""
    parts = re.findall(r"[^\W_][\w.]*\w|\w", form)
    for at, part in enumerate(parts):
        if part not in PLACES and part not in ACCOUNTS:
            continue
        for near in (*parts[at + 1 : at + 1 + _NEAR], *parts[max(0, at - 3) : at]):
            if near in COPULAS or near in PLACES or near in COMMON or near in ACCOUNTS:
                continue
            if _PART.fullmatch(near) and len(near) > 4:  # the shortest user name
                yield f"name {near}"
