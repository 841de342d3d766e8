"""Options as words, and moments as people type them."""

import pytest

from passerby.domain import moments
from passerby.domain.broadcasts.options import WrongOption, shown, with_options
from passerby.kernel.broadcast import Audience, Broadcast, BroadcastState, Category
from passerby.kernel.drain import FleetBot, KnownBots
from passerby.kernel.ids import BotId
from passerby.kernel.participant import Gender

DRAFT = Broadcast(1, BroadcastState.DRAFT, 1, 0.0)
ALL = (
    "category=promo bot=12,13 language=de,en gender=female,other source=spring_1,invite age=18-30 "
    "active=30 idle=7.5 vip=on silent=off hour=on canary=off paid=on weekly=on holdout=10 at=2026-12-01T18:00"
)


def test_every_option_is_read_and_shown_alike() -> None:
    made = with_options(DRAFT, ALL, 0.0)
    assert shown(made) == ALL
    assert made.audience == Audience(
        (12, 13),  # type: ignore[arg-type]
        ("de", "en"),
        (Gender.FEMALE, Gender.OTHER),
        18,
        30,
        30.0,
        7.5,
        vip=True,
        sources=("spring_1", "invite"),
    )
    assert (made.category, made.starts_at) == (Category.PROMO, 1_796_148_000.0)
    assert shown(DRAFT) == "category=news silent=on hour=off canary=on paid=off weekly=off"


def test_any_takes_a_condition_back() -> None:
    back = "bot=any language=any gender=any age=any active=any idle=any vip=any source=any at=any weekly=off holdout=0"
    changed = with_options(with_options(DRAFT, ALL, 0.0), back, 0.0)
    assert (changed.audience, changed.starts_at) == (Audience(), None)
    assert shown(with_options(DRAFT, "age=-17", 0.0)).split()[1] == "age=-17"
    assert shown(with_options(DRAFT, "age=18- vip=no", 0.0)).split()[1:3] == ["age=18-", "vip=off"]


@pytest.mark.parametrize(
    "word",
    [
        *("nonsense", "language=", "language=12", "language=German", "gender=cat", "age=18", "age=-", "age=x-9"),
        *("active=0", "active=-3", "active=99999", "idle=x", "vip=perhaps", "bot=x", "silent=maybe", "holdout=51"),
        *(
            "at=tomorrow",
            "at=2026-02-29T00:00",
            "at=2026-13-01T00:00",
            "at=2026-01-01T24:00",
            "category=spam",
            "source=",
            "source=a,,b",
            "source=%",
            "source=other",
        ),
        *("holdout=-1", "=", "active=nan", "source=", "source=a,,b", "source=%", "source=other"),
    ],
)
def test_an_option_that_is_not_understood_is_named(word: str) -> None:
    with pytest.raises(WrongOption) as wrong:
        with_options(DRAFT, f"silent=off {word}", 0.0)
    assert wrong.value.word == word


@pytest.mark.parametrize(
    ("typed", "at"),
    [("1970-01-01T00:00", 0), ("2000-02-29T12:30", 951_827_400), ("2026-12-31T23:59", 1_798_761_540)],
)
def test_a_moment_is_read_and_shown_alike(typed: str, at: int) -> None:
    assert moments.moment(typed) == at
    assert moments.shown(at + 59.9) == typed


@pytest.mark.parametrize("code", ["german", "xx", "en-us", "eng", "d", "de,zz"])
def test_a_language_that_does_not_exist_is_refused_by_its_name(code: str) -> None:
    with pytest.raises(WrongOption) as wrong:
        with_options(DRAFT, f"language={code}", 0.0)
    assert (wrong.value.why, wrong.value.value) == ("broadcasts.unknown_language", code.rpartition(",")[2])


def test_a_moment_that_is_over_is_refused_and_one_that_is_to_come_is_not() -> None:
    at = "2026-12-01T18:00"
    assert with_options(DRAFT, f"at={at}", moments.moment(at) - 1).starts_at == moments.moment(at)
    for now in (moments.moment(at), moments.moment(at) + 86_400):
        with pytest.raises(WrongOption) as wrong:
            with_options(DRAFT, f"at={at}", now)
        assert (wrong.value.why, wrong.value.value) == ("broadcasts.at_is_over", at)


FLEET = KnownBots((FleetBot(BotId(12), "Lantern_bot"), FleetBot(BotId(13))))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("age=30-18", "age_backwards"),
        ("age=12-15", "too_young"),
        ("age=-17", "too_young"),
        ("active=5 idle=30", "active_against_idle"),
        ("active=30 idle=30", "active_against_idle"),
        ("category=comeback", "idle_needed"),
        ("category=comeback idle=3", "idle_needed"),
        ("weekly=on", "moment_needed"),
        ("at=any weekly=on", "moment_needed"),
        ("holdout=90", "out_of_range"),
        ("holdout=0.5", "out_of_range"),
        ("holdout=x", "out_of_range"),
        ("active=0", "out_of_range"),
        ("idle=99999999999999", "out_of_range"),
        ("active=nan", "out_of_range"),
        ("bot=999", "unknown_bot"),
        ("bot=@somebody_else", "unknown_bot"),
        ("bot=12,999", "unknown_bot"),
    ],
)
def test_options_that_nobody_fits_are_refused_with_a_sentence_of_their_own(words: str, why: str) -> None:
    with pytest.raises(WrongOption) as wrong:
        with_options(DRAFT, words, 0.0, FLEET, 18)
    assert wrong.value.why == f"broadcasts.{why}"


def test_options_that_fit_somebody_are_taken() -> None:
    made = with_options(DRAFT, "age=16-18 active=30 idle=7 category=comeback bot=@lantern_bot,13,12", 0.0, FLEET, 18)
    assert made.audience.bots == (12, 13)
    assert shown(made, FLEET.name).split()[1] == "bot=@Lantern_bot,13"
    weekly = with_options(DRAFT, "weekly=on at=2026-12-01T18:00", 0.0)
    with pytest.raises(WrongOption):
        with_options(weekly, "at=any", 0.0)
    assert with_options(with_options(weekly, "weekly=off", 0.0), "at=any", 0.0).starts_at is None


def test_a_line_is_one_option_and_is_quoted_as_it_was_typed() -> None:
    assert with_options(DRAFT, "language=de, en\nage=18 - 30\n", 0.0).audience.languages == ("de", "en")
    for line in ("holdout=9 silent=off", "source=no such tag!", "age=1 8-30"):
        with pytest.raises(WrongOption) as wrong:
            with_options(DRAFT, f"{line}\n", 0.0)
        assert wrong.value.word == line
