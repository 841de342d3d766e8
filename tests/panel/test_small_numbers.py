"""Small numbers stay unknown, also to somebody who subtracts; and details of the audit are words."""

import pytest

from passerby.panel.look import parts
from passerby.panel.pages.audit import said_of
from passerby.panel.pages.health import _parts


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([50, 3, 200, 40], ["50", "< 10", "200", "not shown"]),
        ([50, 3, 200, 4], ["50", "< 10", "200", "< 10"]),
        ([50, 0, 200], ["50", "0", "200"]),
        ([3], ["< 10"]),
        ([3, 0], ["< 10", "0"]),
        ([10, 10, 9], ["not shown", "10", "< 10"]),
        ([], []),
    ],
)
def test_the_whole_without_the_others_tells_no_small_part(values: list[int], shown: list[str]) -> None:
    assert parts(values) == shown


def test_a_number_that_is_not_shown_has_no_share() -> None:
    total = {"chats": 293, "open": 0, "seconds": 50, "minutes": 3, "longer": 200, "long": 40}
    named = [(name, name) for name in ("seconds", "minutes", "longer", "long")]
    assert [each["percent"] == "–" for each in _parts(total, named)] == [False, True, False, True]


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ("{}", ""),
        ('{"people":12,"is_gift":true,"why":null}', "people: 12; is gift: yes; why: –"),
        ('{"before":{"a":[1,2]},"roles":[]}', "before: a: 1, 2; roles: none"),
        ("[1]", "[1]"),
        ("{broken", "{broken"),
    ],
)
def test_details_of_the_audit_are_words(details: str, said: str) -> None:
    assert said_of(details) == said
