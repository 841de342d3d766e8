"""Keyed hashes of an opening, so that nearly equal openings share some of them.

A text is cut into overlapping groups of four letters. Its *bands* are chosen so that two texts which share most groups
share most bands (MinHash with one permutation; Li, Owen and Zhang, 2012). The bands are hashed with a key that changes
every day, so nobody without the key can try out sentences, and nobody can follow a text from day to day.

Similar words accuse nobody: two honest people who look for "someone to talk about music" are as similar as two copies
of a script. See `judgement` for what does.
"""

import re
from hashlib import blake2s
from typing import Final
from zlib import crc32

from passerby.domain.contacts.normal_form import latin, plain

SHORTEST: Final = 30
"""Shorter openings ("hi", "m 24 u?") are the same for everybody. In characters, normalised."""
LONGEST: Final = 400
"""Characters after these are not looked at."""

_SHINGLE: Final = 4
_BINS: Final = 16
_IN_BAND: Final = 2
BANDS: Final = _BINS // _IN_BAND
_EMPTY: Final = 1 << 32
_DIGITS: Final = re.compile(r"\d+")
_NOT_WORDS: Final = re.compile(r"[^\w]+")


def words_of(text: str) -> str:
    """The text as it is compared: normalised, without signs, all numbers alike."""
    read = latin(plain(text[: 2 * LONGEST]))
    return _DIGITS.sub("0", _NOT_WORDS.sub(" ", read)).strip()[:LONGEST]


def bands(key: bytes, words: str) -> tuple[int, ...]:
    """The keyed hashes of an opening, 30 bits each, from `words_of`. None if it is too short."""
    if len(words) < SHORTEST:
        return ()
    encoded = words.encode()
    least = [_EMPTY] * _BINS
    for at in range(len(encoded) - _SHINGLE + 1):
        number = crc32(encoded[at : at + _SHINGLE])
        place = number % _BINS
        least[place] = min(least[place], number)
    # An empty bin takes the next one's value, so that short texts have as many bins as long ones.
    for at in range(2 * _BINS - 2, -1, -1):
        if least[at % _BINS] == _EMPTY:
            least[at % _BINS] = least[(at + 1) % _BINS]
    return tuple(
        hashed(key, b"%d %d %d" % (band, *least[band * _IN_BAND : band * _IN_BAND + _IN_BAND])) for band in range(BANDS)
    )


LINE_WORDS: Final = 6
"""Shorter lines are the same for many people."""


def line(key: bytes, text: str) -> tuple[int, ...]:
    """The keyed hash of a later line, the same for most of its variants; none if it is short. It is the hash of the
    three neighbouring words that come first by their checksum, so words before and after do not matter. (One look at
    an opening is as long as twenty of these.)"""
    words = text[:LONGEST].lower().split()
    if len(words) < LINE_WORDS:
        return ()
    least = min(crc32(" ".join(words[at : at + 3]).encode()) for at in range(len(words) - 2))
    return (hashed(key, b"line %d" % least),)


def hashed(key: bytes, what: bytes) -> int:
    """A keyed hash of 30 bits. `key` has at most 32 bytes."""
    return int.from_bytes(blake2s(what, digest_size=4, key=key, person=b"farms").digest()) >> 2
