"""Every pattern of the product takes time in proportion to the text, whatever the text."""

import os
import re
from random import Random
from typing import Any

import pytest

from tests.linear.found import patterns
from tests.linear.inputs import runs, text, words_of
from tests.linear.measure import grows
from tests.size import size

MORE = int(os.environ.get("LINEAR_INPUTS", size(10, 100)))
"""The number of inputs for each pattern, besides one for every run. A thorough search takes 5,000."""


def everything(pattern: "re.Pattern[Any]", words: Any) -> object:
    pattern.match(words)
    pattern.fullmatch(words)
    return pattern.sub(words[:0], words)


@pytest.mark.sized
@pytest.mark.parametrize("place", sorted(patterns()))
def test_a_pattern_takes_time_in_proportion_to_the_text(place: str) -> None:
    pattern = patterns()[place]
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    rng = Random(place)
    words = words_of(source, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else 0)
    for prefix, unit, suffix in list(runs(rng, words, MORE))[:: size(4, 1)]:

        def work(length: int, prefix: str = prefix, unit: str = unit, suffix: str = suffix) -> Any:
            words: Any = text(prefix, unit, suffix, length)
            if isinstance(pattern.pattern, bytes):
                words = words.encode()
            return lambda: everything(pattern, words)

        wrong = grows(work)
        assert wrong is None, f"{place}: {wrong}: {prefix!r} + {unit!r} * n + {suffix!r}"


def test_patterns_are_found_wherever_they_are() -> None:
    found = patterns()
    assert len(found) > 40
    assert any(place.startswith("passerby.domain.contacts") for place in found)
    assert any(":" in place for place in found), "what a call compiles on the way"
