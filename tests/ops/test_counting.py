"""Sentences to operators agree with their numbers: 1 person is, 2 people are."""

import re
from pathlib import Path

import pytest

import passerby
from passerby.ops.counting import counted

SOURCE = Path(passerby.__file__).parent
PLURALS = (
    "are have were wait people chats rows bots processes updates messages crashes payments charges checkouts accounts "
    "minutes hours days times cases members codes sessions files events entries connections keys searches polls"
)
NUMBER = re.compile(r"\{(?P<of>[^{}]*)\} (?:more )?(?:" + PLURALS.replace(" ", "|") + r")\b")
CONSTANT = re.compile(r"[A-Z_]+|len\([A-Z]+\)")
NO_COUNT = {
    "check": "the name of a check",
    "' and '.join(map(shown, twice[:2]))": "two columns",
    "' and '.join(traces)": "traces",
    "number - 1": "a number above 1",
    "subject": "the name of a bot",
    "value:.1f": "with a decimal",
    "value / 86_400:.0f": "2 or more",
    "pool.most * processes": "more than the server allows",
    "period": "one of the periods of the panel",
    "len(found)": "none, or several",
    "len(self._tokens)": "a repr",
    "len(self._bots)": "a repr",
    "count": "one is a sentence of its own",
    "gone[1].name": "two files",
}
"""Values before such a word that are never 1."""


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 people"), (1, "1 person"), (2, "2 people"), (0.6, "1 person"), (2288, "2,288 people")]
)
def test_a_number_has_the_noun_that_fits(number: float, shown: str) -> None:
    assert counted(number, "person", "people") == shown


def test_no_sentence_has_a_plural_behind_a_number_that_may_be_one() -> None:
    lines = (
        (path.relative_to(SOURCE), line)
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).parts[0] != "loadtest"  # Its crowds are large.
        for line in path.read_text("utf-8").splitlines()
    )
    found = [
        f"{name}: {line.strip()}"
        for name, line in lines
        for match in NUMBER.finditer(line)
        if not CONSTANT.fullmatch(match["of"]) and match["of"] not in NO_COUNT
    ]
    assert found == []
