"""Finds phone numbers, written or spelt out, and IP addresses.

Dates, sums, scores and counting can have as many digits. The grouping of the digits tells them apart.
"""

import re
from collections.abc import Iterable, Iterator

from passerby.domain.contacts.words import DIGITS

_PHONE = re.compile(
    r"(?<![\w.,])\+ ?\(?\d(?:[\W_]{0,3}\d){6,17}(?!\w)|(?<![\w.,])\(?\d(?:[\W_]{0,3}\d){8,17}(?!\w)|\btel:\+?\d"
)
_GROUP = re.compile(r"\d+")
_USUAL = re.compile(r"[\d\s().\-/_]*")
"""Phone numbers as people usually write them."""
_INNOCENT = re.compile(
    r"\d{1,3}(?:[ ,.]\d{3}){2,}|(?:\d{4}[-./]\d{2}[-./]\d{2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})(?:[\s,][^+]*+)?|"
    r"(?:(?:19|20)\d\d[\s./-]*+)++|\d+[.,]\d+|(\d)\1+|[1-9]0{8,}"
)
"""Not phone numbers: thousands with separators, dates, years, decimals, one repeated digit, round numbers."""
_COUNTING = "1234567891011121314151617181920", "1234567890", "9876543210", "10987654321", "0123456789"
_FEWEST, _MOST = 7, 17

_AS_DIGIT = re.compile(r"(?:(?<=\d)|(?<![^\W\d_])(?=[oil]{1,2}\d))[oil](?![^\W\d_oil])")
_ROUND, _STRAIGHT = "o", "il"

_IP = re.compile(
    r"(?<![\w.,])(\d{1,3}) ?[.,] ?(\d{1,3}) ?[.,] ?(\d{1,3}) ?[.,] ?(\d{1,3})(?![\w,]|\.\w)(:\d{2,5}\b|/\w)?"
)
_IP6 = re.compile(r"(?<![\w:])[0-9a-f]{1,4}(?::{1,2}[0-9a-f]{1,4}){2,7}(?![\w:])")


def digits_for_letters(read: str) -> str:
    """Replace letters that stand for 0 or 1 inside a number by the digits."""
    return _AS_DIGIT.sub(lambda found: "0" if found[0] == _ROUND else "1", read)


def holds_phone(read: str) -> bool:
    """Whether a text contains a phone number."""
    return any(not _innocent(found[0].strip()) for found in _PHONE.finditer(read))


def _innocent(number: str) -> bool:
    """Whether the digits are something other than a phone number: a date, a sum, counting."""
    if number.startswith("tel:"):
        return False
    together = "".join(_GROUP.findall(number))
    if number.startswith("+"):
        return len(together) > _MOST
    if _INNOCENT.fullmatch(number) or any(together in run for run in _COUNTING):
        return True
    parts = _GROUP.findall(number)
    counted = list(map(int, parts))
    single = len(parts) == len(together)
    if not single and not _USUAL.fullmatch(number) and not (parts[0].startswith("0") and ":" not in number):
        return True  # a list, a sum, hours
    rising = counted in (sorted(set(counted)), sorted(set(counted), reverse=True))
    return (
        len(parts) > 3 and rising and not any(part.startswith("0") for part in parts if part != "0")
    )  # 10 20 30 40 50


def spells_phone(words: Iterable[str]) -> bool:
    """Whether a row of spelt-out digits is a phone number. It may contain written digits, too."""
    return next(spelt_phones(words), None) is not None


def spelt_phones(words: Iterable[str]) -> Iterator[str]:
    """The phone numbers among rows of spelt-out digits, in digits."""
    run = ""
    spelt = 0
    for word in words:
        digit = DIGITS.get(word) or (word if word.isdecimal() and word.isascii() else None)
        if digit is None:
            if _counts(run, spelt):
                yield run
            run, spelt = "", 0
        else:
            run += digit if len(run) <= _MOST else ""
            spelt += word in DIGITS
    if _counts(run, spelt):
        yield run


def _counts(run: str, spelt: int) -> bool:
    return spelt >= 3 and len(run) >= _FEWEST and len(set(run)) > 1 and not any(run in each for each in _COUNTING)


def holds_machine(read: str) -> bool:
    """Whether a text contains an IP address. A version (1.2.3.4) looks the same, so small numbers do not count."""
    for found in _IP.finditer(read):
        octets = [int(found[place]) for place in range(1, 5)]
        large = max(octets) > 99 or min(octets) > 9
        if max(octets) < 256 and octets[0] and (found[5] or large) and ", " not in found[0]:
            return True
    return any(
        "::" in found[0] or found[0].count(":") == 7 for found in _IP6.finditer(read) if not found[0].isdecimal()
    )
