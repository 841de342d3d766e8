"""The worst inputs: long runs of one thing, between two others.

A slow pattern is slow on a long run that it can read in several ways, before something that does not match. So the runs
are made of every class of characters, of their alternations, and of the words of the pattern itself, whole and cut
short. Before and after them comes something that may begin a match or spoil it.
"""

from collections.abc import Iterator
from random import Random

try:
    from re import _constants as constants
    from re import _parser as parser
except ImportError:  # pragma: no cover
    raise

ALONE = (
    " ", "\n", "\t", "\u00a0", "\u3000", "a", "z", "t", "A", "0", "1", "7", "_", "-", "+", ".", ",", ":", ";", "/",
    "\\", "@",
    "#", "=", ">", "<", "(", ")", "[", "]", "{", "}", "|", "*", "~", "'", '"', "%", "&", "я", "д", "é", "ß", "İ",
    "ı", "म",
    "ا", "٣", "३", "，", "。", "•", "🙂", "👍🏽", "🇩", "\u0301", "\u0323\u0301", "\u200b", "\u202e", "\ufe0f", "\u00ad",
    "ﷺ",
    "ﬃ", "\uff9e", "\u1160", "Ⓐ", "①", "\U0001f170", "\U000e0061",
)  # fmt: skip
PAIRS = (
    "a ", "a.", "a-", "a_", "a@", "a/", "a,", "a\n", "a:", "0 ", "0.", "0-", "0,", "0:", "0/", "0(", "1 2", ". ",
    ".-", "@.", "@a.", "@ ",
    "a .", ".a@", "- ", " _", "/ ", "//", "(a", "(a)", "[at]", "<b>", "</", "ab ", "ab.", "a.b ", "0a", "a0", "a0 ",
    "{[", "\\\"", '","', "%25",
    "%2574", "я ", "я.", "аa", "🙂a", "🙂 ", "a🙂", "0🙂", "e\u0301", "a\u200b", " \n", "\n\n", "a\r\n", ":)", "...",
    "1 ", "12 34 ", "://",
)  # fmt: skip
EDGES = (
    "", " ", "\n", "a", "0", ".", "@", "/", ":", "(", "я", "!", "\u0301", "a.a", "@a", "http://", "t.me/", "www.",
    "ann@",
    "insta: ", "+4", " dot", " at ", ".com", ".c", "x", "\x00",
)  # fmt: skip


THOROUGH = 100
"""With this many inputs, a search is thorough."""


def repeated(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length] if unit else ""


def words_of(pattern: str, flags: int = 0) -> list[str]:
    """The strings that a pattern spells out, and each without its last character."""
    found: dict[str, None] = {}

    def walk(tree: object) -> None:
        run = ""
        for op, value in tree:  # type: ignore[attr-defined]
            if op is constants.LITERAL:
                run += chr(value)
                continue
            if run:
                found[run] = None
            run = ""
            for part in value if isinstance(value, (tuple, list)) else (value,):
                for inner in part if isinstance(part, list) else (part,):
                    if isinstance(inner, parser.SubPattern):
                        walk(inner)
            if op is constants.IN:
                for kind, sign in value:
                    if kind is constants.LITERAL:
                        found[chr(sign)] = None
        if run:
            found[run] = None

    walk(parser.parse(pattern, flags))
    return list(dict.fromkeys(word for long in found for word in (long, long[:-1]) if word))


def runs(rng: Random, words: list[str], most: int) -> Iterator[tuple[str, str, str]]:
    """Prefix, unit and suffix: every run once, and a selection of `most` more. A thorough search also tries every run
    alone."""
    units = [*ALONE, *PAIRS]
    own = words if len(words) <= 40 else rng.sample(words, 40)
    units += [f"{word}{sign}" for word in own for sign in ("", rng.choice(" .-@/,"))]
    units += [first + second for first in rng.sample(ALONE, 12) for second in rng.sample(ALONE, 4)]
    edges = [*EDGES, *own[:12]]
    for unit in units:
        if most >= THOROUGH:
            yield "", unit, ""
        yield "", unit, rng.choice(edges)
    for _ in range(most):
        yield rng.choice(edges), rng.choice(units), rng.choice(edges)


def text(prefix: str, unit: str, suffix: str, length: int) -> str:
    return prefix + repeated(unit, length) + suffix
