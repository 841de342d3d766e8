"""Small numbers stay unknown, also to somebody who subtracts; and details of the audit are words."""

import pytest

from passerby.adapters.sql.funnel import FunnelRow
from passerby.adapters.sql.panel_counter import Growth
from passerby.domain.small_numbers import untold
from passerby.kernel.ids import BotId
from passerby.kernel.journey import Step
from passerby.panel.pages.audit import said_of
from passerby.panel.pages.broadcasts import _sent
from passerby.panel.pages.exports import WHOLES, _untold
from passerby.panel.pages.growth import _breakdown, _returns, _sources, _sum, bots_of
from passerby.panel.pages.health import _parts
from passerby.panel.pages.safety import _share


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


TODAY = 20_000


def started(people: int, source: str, bot: int, language: str = "en", ago: int = 0) -> FunnelRow:
    return FunnelRow(TODAY - ago, source, BotId(bot), language, {Step.START: people})


def starts(rows: list[FunnelRow], bot: str = "", language: str = "", days: int = 30) -> dict[str, str]:
    shown = _sources(rows, range(TODAY - days + 1, TODAY + 1), bot, language)
    return {row["name"]: row["steps"][0] for row in shown}


@pytest.mark.parametrize("few", range(1, 10))
@pytest.mark.parametrize("others", [10, 14, 18, 19, 20, 400])
def test_all_bots_without_the_others_tell_no_small_number_of_a_source(few: int, others: int) -> None:
    """Whatever the small number is, a reader sees the same for most of them: the whole in tens, and two not shown."""
    rows = [
        *(started(people, "party", bot) for bot, people in ((1, others), (2, few), (3, 500))),
        *(started(70, "other", bot) for bot in (1, 2, 3)),
        *(started(90, "", bot) for bot in (1, 2, 3)),
    ]
    whole = (others + few + 500) // 10 * 10
    assert starts(rows)["party"] == f"{whole}+"
    assert [starts(rows, str(bot))["party"] for bot in (1, 2, 3)] == ["not shown", "not shown", "500+"]
    assert starts(rows, "1", "en") == starts(rows, "1"), "a bot and a language together tell no more"
    spoken = [row._replace(language=str(row.bot)) for row in rows]
    assert [starts(spoken, "", each)["party"] for each in "123"] == ["not shown", "not shown", "500+"]


def test_one_period_without_another_tells_no_small_number_of_a_source() -> None:
    rows = [started(people, "party", 1, ago=ago) for people, ago in ((18, 0), (7, 20))]
    rows += [started(50, "", 1, ago=ago) for ago in (0, 20)]
    assert starts(rows)["party"] == "20+"
    assert starts(rows, days=7)["party"] == "10+"
    # A source with few people in the longest period: the one beside it is untold in a shorter one, too.
    rows = [started(30, "big", 1), started(3, "small", 1, ago=60), started(200, "", 1)]
    assert starts(rows)["big"] == "not shown"
    assert starts(rows, "1")["big"] == "not shown"
    assert starts(rows)["no tag"] == "200+"


@pytest.mark.parametrize(
    ("sent", "whole", "shown", "is_drawn"),
    [
        (0, 50, "0", True),
        (3, 50, "< 10", False),
        (47, 50, "41–49", False),
        (5, 8, "< 10", False),
        (8, 8, "< 10", False),
        (30, 50, "30", True),
        (50, 50, "50", True),
        (0, 0, "0", False),
    ],
)
def test_no_bar_of_a_broadcast_tells_a_number_that_is_hidden(sent: int, whole: int, shown: str, is_drawn: bool) -> None:
    row = _sent(sent, whole)
    assert (row["sent"], row["share"] is not None) == (shown, is_drawn)


def test_the_whole_of_a_file_without_the_other_columns_tells_no_small_one() -> None:
    chats = {"chats": 293, "open": 0, "seconds": 50, "minutes": 3, "longer": 200, "long": 40}
    ends = {"ended next": 200, "ended stop": 89, "ended block": 4, "left": 288, "nobody left": 5}
    assert untold(chats | ends, WHOLES) >= {"minutes", "long", "ended block", "ended stop", "nobody left", "left"}
    assert not untold(chats | ends, WHOLES) & {"chats", "seconds", "longer", "ended next"}
    # A chat that is open is missing in both: so both have a second one.
    still = {"open": 2, "seconds": 50, "longer": 20, "ended next": 40, "ended stop": 30}
    assert untold(still, WHOLES) == {"open", "longer", "ended stop"}
    assert untold({"open": 2}, WHOLES) == {"open"}
    assert not untold({}, WHOLES)


def test_a_file_does_not_tell_how_few_cannot_be_reached() -> None:
    assert _untold({"": steps(50, 20, 47)})[""] == {"alive": "not shown"}
    assert _untold({"": steps(50, 20, 50)})[""] == {}
    three = _untold({"1": steps(90, 60, 70), "2": steps(40, 11, 28), "3": steps(40, 40, 37)})
    assert [set(three[each]) for each in "123"] == [set(), {"alive"}, {"alive"}]
