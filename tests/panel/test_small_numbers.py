"""Small numbers stay unknown, also to somebody who subtracts; and details of the audit are words."""

import pytest

from passerby.adapters.sql.panel_counter import Growth
from passerby.panel.look import parts
from passerby.panel.pages.audit import said_of
from passerby.panel.pages.growth import _breakdown, _returns, _sum, bots_of
from passerby.panel.pages.health import _parts
from passerby.panel.pages.safety import _share


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([50, 3, 200, 40], ["50", "< 10", "200", "34–42"]),
        ([50, 3, 200, 4], ["50", "< 10", "200", "< 10"]),
        ([50, 0, 200], ["50", "0", "200"]),
        ([3], ["< 10"]),
        ([3, 0], ["< 10", "0"]),
        ([10, 10, 9], ["10–18", "10", "< 10"]),
        ([10, 1], ["not shown", "< 10"]),
        ([2000, 1], ["1,992–2,000", "< 10"]),
        ([], []),
    ],
)
def test_the_whole_without_the_others_tells_no_small_part(values: list[int], shown: list[str]) -> None:
    assert parts(values) == shown


@pytest.mark.parametrize("whole", [11, 12, 19, 20, 43, 1000])
def test_a_range_is_the_same_for_every_small_number_beside_it(whole: int) -> None:
    rows = [parts([whole - few, 5000, few]) for few in range(1, 10) if whole - few >= 10]
    assert all(row == rows[0] for row in rows), "so it tells nothing of it"


def test_a_number_that_is_not_shown_has_no_share() -> None:
    total = {"chats": 293, "open": 0, "seconds": 50, "minutes": 3, "longer": 200, "long": 40}
    named = [(name, name) for name in ("seconds", "minutes", "longer", "long")]
    assert [each["percent"] == "–" for each in _parts(total, named)] == [False, True, False, True]


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(12, 17, "–"), (5, 17, "–"), (10, 20, "50 %"), (0, 20, "0 %"), (20, 20, "100 %"), (5, 5, "–"), (0, 0, "–")],
)
def test_a_share_of_the_cases_tells_no_small_number(part: int, whole: int, shown: str) -> None:
    assert _share(part, whole) == shown


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


def steps(people: int, chatted: int, alive: int) -> dict[str, int]:
    return {"people": people, "chatted": chatted, "alive": alive, "back1": 0, "deleted": 0, "profile": people}


DAYS = {7: Growth(steps(134, 75, 97), {"1": steps(90, 60, 70), "2": steps(40, 11, 24), "3": steps(4, 4, 3)}, {})}
SPAN = range(7, 8)


def test_the_other_bots_do_not_tell_the_small_number_of_one() -> None:
    rows = {row["name"]: row for row in _breakdown(DAYS, SPAN, "bots")}
    assert [rows[bot]["people"] for bot in "123"] == ["90", "35–43", "< 10"]
    assert [rows[bot]["chatted"] for bot in "123"] == ["66.7 %", "–", "–"], "nor does a share"
    assert [rows[bot]["blocked"] for bot in "123"] == ["22.2 %", "–", "–"]
    new, blocked = bots_of(DAYS, SPAN)
    assert [new[bot] for bot in "123"] == ["90", "35–43", "< 10"]
    assert [blocked[bot] for bot in "123"] == ["20", "10–16", "< 10"]


def test_the_other_sources_do_not_tell_how_few_of_one_came_back() -> None:
    sources = {"": (90, 60), "spring": (40, 11), "flyer": (12, 4)}
    counts = {
        name: {"people": people, "back1": back, "back7": 0, "back30": 0} for name, (people, back) in sources.items()
    }
    cells = {row["name"]: row["back"][0] for row in _returns({7: counts}, 9, 7)}
    assert cells == {"": ("66.7 %", "90"), "spring": ("–", "40"), "flyer": ("–", "12")}


def test_the_smallest_sources_are_one_row() -> None:
    tags = {f"tag{number:02}": {"people": 50 - number, "back1": 20, "back7": 0, "back30": 0} for number in range(33)}
    *rows, rest = _returns({7: tags}, 9, 7)
    assert [row["name"] for row in rows] == sorted(tags)[:30]
    assert (rest["name"], rest["back"][0]) == ("3 more", (f"{60 / 57 * 100:.1f} %", "57"))


def test_the_page_of_one_bot_tells_no_more_than_the_table_of_all() -> None:
    shown = {bot: _sum(DAYS, SPAN, "bots", bot) for bot in "123"}
    assert [each.shown("people") for each in shown.values()] == ["90", "35–43", "< 10"]
    assert [each.shown("chatted") for each in shown.values()] == ["60", "10–14", "< 10"]
    assert [each.share("chatted", "people") is None for each in shown.values()] == [False, True, True]
    assert shown["2"].shown("alive") == "not shown"
    whole = _sum(DAYS, SPAN, "", "")
    assert [whole.shown(step) for step in ("people", "chatted", "alive")] == ["134", "75", "97"]


def test_those_who_are_left_do_not_tell_how_few_are_gone() -> None:
    days = {7: Growth(steps(50, 20, 47), {}, {})}
    assert _sum(days, SPAN, "", "").shown("alive") == "not shown"
