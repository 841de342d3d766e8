"""When an alert fires, changes, is repeated and is resolved."""

from collections.abc import Mapping

import msgspec
import pytest

from passerby.domain.alerts.engine import CALM_S, MOST_SILENT_S, QUIET, REPEAT_S, Alert, acknowledge, silence, step
from passerby.domain.alerts.notification import SHOWN, Due, Told, due, message
from passerby.domain.alerts.rules import DISK_SPACE, TELEGRAM_QUEUE

RULE, MOST = TELEGRAM_QUEUE, 50_000.0
BAD, FINE = {"1": 60_000.0}, {"1": 10.0}
T0 = 1_000_000.0


def after(*looks: tuple[float, Mapping[str, float] | None], alert: Alert = QUIET) -> Alert:
    """The alert after looks at these times, in seconds since T0."""
    for at, reading in looks:
        alert = step(RULE, alert, MOST, reading, T0 + at)
    return alert


FIRING = after((0, BAD), (RULE.for_s, BAD))


def test_a_value_that_is_exceeded_for_a_moment_is_no_alert() -> None:
    assert after((0, BAD), (RULE.for_s - 1, BAD)).version == 0
    assert after((0, BAD), (30, FINE), (RULE.for_s, BAD)).version == 0
    assert after((0, BAD), (30, FINE)).is_quiet


def test_a_value_that_stays_exceeded_fires_once() -> None:
    assert FIRING.is_firing
    assert (FIRING.version, FIRING.fresh) == (1, 1)
    assert after((100, BAD), (200, {"1": 70_000.0}), alert=FIRING).version == 1, "a new value alone is no news"


def test_all_bots_of_one_rule_are_one_alert_that_is_edited() -> None:
    more = after((70, {"1": 60_000.0, "2": 60_000.0}), (140, {"1": 60_000.0, "2": 60_000.0}), alert=FIRING)
    assert set(more.firing) == {"1", "2"}
    assert (more.version, more.fresh) == (2, 1)
    less = after((150, {"1": 1.0, "2": 60_000.0}), alert=more)
    assert set(less.firing) == {"2"}
    assert less.version == 3


def test_an_alert_is_over_when_nothing_was_exceeded_for_a_while() -> None:
    calming = after((100, FINE), (100 + CALM_S - 1, FINE), alert=FIRING)
    assert calming.is_firing
    assert calming.version == 1
    assert after((100 + CALM_S - 0.5, BAD), (100 + CALM_S, FINE), alert=calming).is_firing, "it came back"
    over = after((100 + CALM_S, FINE), alert=calming)
    assert not over.is_firing
    assert over.version == 2
    assert after((300, FINE), alert=over) == QUIET
    assert after((300, BAD), (300 + RULE.for_s, BAD), alert=over).since == T0 + 300 + RULE.for_s


def test_nothing_begins_or_ends_while_nothing_is_known() -> None:
    assert after((0, BAD), (RULE.for_s, None)).version == 0
    assert after((100, None), (1000, None), alert=FIRING) == FIRING
    assert after((100, None), alert=QUIET) == QUIET


@pytest.mark.parametrize("reading", [BAD, None])
def test_an_alert_is_repeated_every_four_hours_until_somebody_looks_after_it(
    reading: Mapping[str, float] | None,
) -> None:
    began = RULE.for_s
    assert after((began + REPEAT_S - 1, reading), alert=FIRING).fresh == 1
    repeated = after((began + REPEAT_S, reading), alert=FIRING)
    assert repeated.fresh == repeated.version == 2
    assert after((began + 2 * REPEAT_S - 1, reading), alert=repeated).fresh == 2
    kept = acknowledge(FIRING, "Ann")
    assert kept.version == 2
    assert acknowledge(kept, "Ben") == kept
    assert after((began + REPEAT_S, reading), alert=kept).fresh == 1
    assert acknowledge(QUIET, "Ann") == QUIET


def test_a_silent_alert_says_nothing_new_until_the_silence_ends_but_its_end_is_shown() -> None:
    silent = silence(FIRING, T0 + 3600)
    assert silent.version == 2
    assert silence(silent, T0 + 60) == silent
    told = Told(1, ("m1",))
    assert due(silent, told, T0 + 100) is Due.EDIT
    unheard = Told()
    assert due(silent, unheard, T0 + 100) is Due.NOTHING
    assert due(silent, unheard, T0 + 3600) is Due.NEW
    assert after((RULE.for_s + REPEAT_S, BAD), alert=silence(FIRING, T0 + 2 * REPEAT_S)).fresh == 1
    over = after((100, FINE), (200, FINE), alert=silent)
    assert due(over, Told(2, ("m1",)), T0 + 200) is Due.EDIT
    assert due(over, unheard, T0 + 200) is Due.NOTHING, "nobody was told that it began"


def test_a_channel_gets_one_message_and_edits_of_it() -> None:
    assert due(QUIET, Told(), T0) is Due.NOTHING
    assert due(FIRING, Told(), T0 + 60) is Due.NEW
    assert due(FIRING, Told(1, ("m1",)), T0 + 60) is Due.NOTHING
    again = after((RULE.for_s + REPEAT_S, BAD), alert=FIRING)
    assert due(again, Told(1, ("m1",)), T0 + REPEAT_S + 60) is Due.NEW


def test_the_message_says_what_is_wrong_since_when_and_who_looks_after_it() -> None:
    assert message(RULE, FIRING, MOST, T0 + 400) == (
        "🔴 Updates pile up at Telegram\n\n"
        "Updates that wait at Telegram for bot 1: 60000 (more than 50000; it keeps 100,000).\n\n"
        "It began at 13:47 UTC."
    )
    kept = acknowledge(silence(FIRING, T0 + 400 + 3600), "Ann")
    assert message(RULE, kept, MOST, T0 + 400).endswith("Ann is looking after it.\nSilent until 14:53 UTC.")
    over = after((100, FINE), (160, FINE), alert=FIRING)
    assert message(RULE, over, MOST, T0 + 400) == (
        "✅ Updates pile up at Telegram\n\n"
        "Over after 2 min. It was:\n"
        "Updates that wait at Telegram for bot 1: 60000 (more than 50000; it keeps 100,000)."
    )


def test_a_message_about_many_bots_stays_short() -> None:
    many = {str(bot): 60_000.0 for bot in range(SHOWN + 3)}
    alert = after((0, many), (60, many))
    assert "And 3 more." in message(RULE, alert, MOST, T0 + 61)


def test_a_message_names_the_day_if_that_is_not_today() -> None:
    assert message(RULE, FIRING, MOST, T0 + 86_400).endswith("It began at 13:47 UTC, 12 January.")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "less than a minute"), (3600, "1 h"), (5400, "1 h 30 min"), (86_400, "1 d 0 h"), (90_000, "1 d 1 h")],
)
def test_durations_are_said_in_words(seconds: float, words: str) -> None:
    over = msgspec.structs.replace(FIRING, resolved_at=FIRING.since + seconds)
    assert message(RULE, over, MOST, T0 + RULE.for_s + seconds).splitlines()[2] == f"Over after {words}. It was:"


def test_some_values_must_not_be_too_small() -> None:
    assert DISK_SPACE.is_exceeded(5.0, 10.0)
    assert not DISK_SPACE.is_exceeded(50.0, 10.0)


@pytest.mark.parametrize("back_s", [600.0, 5 * 86_400.0])
def test_a_clock_that_is_set_back_neither_hides_the_end_nor_the_repetition(back_s: float) -> None:
    """All times that were noted are in the future then."""
    begun = msgspec.structs.replace(FIRING, silent_until=T0 + back_s)
    calming = after((100 - back_s, FINE), (100 - back_s + CALM_S, FINE), alert=after((90, FINE), alert=begun))
    assert not calming.is_firing
    again = after((100 - back_s, BAD), (100 - back_s + REPEAT_S, BAD), alert=FIRING)
    assert again.fresh == 2
    silent = step(RULE, silence(FIRING, T0 + 3600), MOST, BAD, T0 - back_s)
    assert silent.is_silent(T0 - back_s) == (back_s < MOST_SILENT_S - 3600)
