"""The outages of bots, as the samples of each minute tell."""

from passerby.panel.outages import NOBODY, Outage, Uptime, outages, uptime
from passerby.panel.samples import Sample

START = 1_800_000_000.0


def minutes(states: str, bot: str = "7") -> list[Sample]:
    """A letter for each minute: the bot's state; `.`: there is no sample, `?`: the sample does not know the bot."""
    return [
        Sample(START + place * 60, bots={} if state == "?" else {bot: state})
        for place, state in enumerate(states)
        if state != "."
    ]


def at(place: int) -> float:
    return START + place * 60


def test_a_bot_that_is_held_for_some_minutes_is_one_outage_and_another_reason_is_another_one() -> None:
    assert outages(minutes("oohhh-oo"), ["7"]) == [Outage("7", "-", at(5), 1), Outage("7", "h", at(2), 3)]
    assert uptime(minutes("oohhh-oo"), "7") == Uptime(4 / 8, 8)


def test_an_outage_that_is_not_over_says_so() -> None:
    assert outages(minutes("oll"), ["7"]) == [Outage("7", "l", at(1), 2, lasts=True)]
    assert outages(minutes("olo"), ["7"]) == [Outage("7", "l", at(1), 1)]


def test_minutes_without_a_sample_count_as_an_outage_of_everything() -> None:
    assert outages(minutes("oo...oo"), ["7"]) == [Outage("", NOBODY, at(2), 3)]
    assert uptime(minutes("oo...oo"), "7") == Uptime(4 / 7, 7)
    assert outages(minutes("o.o"), ["7"]) == [], "one late sample is none"
    assert len(outages(minutes("hh..hh"), ["7"])) == 3, "nobody knows that it was held in between"


def test_no_bot_that_failed_for_a_minute_was_well_all_the_time() -> None:
    assert uptime(minutes("o" * 1_439 + "h"), "7").said == "99.9 %"
    assert uptime(minutes("oooo"), "7").said == "100.0 %"
    assert uptime([], "7").said == "–"


def test_a_bot_that_is_new_counts_from_its_first_minute() -> None:
    assert uptime(minutes("??..oho"), "7") == Uptime(2 / 3, 3)
    assert outages(minutes("??oh?o"), ["7"]) == [Outage("7", "h", at(3), 1)]
    assert uptime(minutes("oo"), "8") == Uptime(None, 0)
    assert uptime([], "7") == Uptime(None, 0)
    assert outages([], ["7"]) == []
