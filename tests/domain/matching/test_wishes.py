"""The wishes of two people: hard ones last, soft ones give way after a while."""

from itertools import combinations

import msgspec
import pytest
from hypothesis import given

from passerby.domain.matching import wishes
from passerby.domain.matching.match import match
from passerby.domain.matching.wishes import asks_s, common, compatible, opens_at, score
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Preferences, Ticket
from tests.domain.matching.crowds import crowds, met, ticket

MEN = Preferences(genders=(Gender.MALE,))


@given(crowds())
def test_all_judgements_about_two_people_are_mutual(tickets: list[Ticket]) -> None:
    for one, other in combinations(tickets, 2):
        assert compatible(one, other) == compatible(other, one)
        assert opens_at(one, other) == opens_at(other, one)
        assert score(one, other) == score(other, one)
        assert 0.0 <= asks_s(one, other) <= wishes.WIDEST_S
        assert opens_at(one, other) <= max(one.since, other.since) + wishes.WIDEST_S
        assert opens_at(one, other, 0.0) == float("-inf")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"pool": "minors"}),
        ({"wants": MEN}, {"gender": Gender.FEMALE}),
        ({"wants": MEN}, {"gender": Gender.UNSAID}),
        ({"wants": Preferences(age_min=21)}, {"age": 20}),
        ({"wants": Preferences(age_max=19)}, {"age": 20}),
        ({"blocked": (PersonId(2),)}, {}),
        ({"wants": Preferences(other_languages=False), "languages": ("en",)}, {"languages": ("ru",)}),
        ({"wants": Preferences(other_languages=False), "languages": ("en",)}, {"languages": ()}),
    ],
    ids=str,
)
def test_a_hard_wish_of_either_side_keeps_two_people_apart(one: dict[str, object], other: dict[str, object]) -> None:
    ann, ben = ticket(1), ticket(2)
    assert compatible(ann, ben)
    ann, ben = msgspec.structs.replace(ann, **one), msgspec.structs.replace(ben, **other)
    assert not compatible(ann, ben)
    for vip in (True, False):
        assert not compatible(ben, msgspec.structs.replace(ann, vip=vip))


def test_fulfilled_hard_wishes_keep_nobody_apart() -> None:
    wants = Preferences(genders=(Gender.FEMALE, Gender.UNSAID), age_min=20, age_max=20, other_languages=False)
    ann = ticket(1, wants=wants, languages=("en", "ru"))
    assert compatible(ann, ticket(2, languages=("ru",)))
    assert not compatible(ann, msgspec.structs.replace(ann, wants=Preferences())), "nobody meets themselves"
    assert compatible(ticket(1, wants=wants), ticket(2, languages=("ru",))), "without a language of one's own"


@pytest.mark.parametrize(
    ("one", "other", "asked_s", "back_s"),
    [
        ({}, {}, 0, 0),
        ({"interests": ("cats",)}, {}, wishes.INTERESTS_S, 0),
        ({"interests": ("cats", "chess")}, {"interests": ("chess",)}, 0, 0),
        ({"languages": ("en",)}, {"languages": ("ru",)}, wishes.LANGUAGE_S, wishes.LANGUAGE_S),
        ({"languages": ("en",)}, {"languages": ("ru", "en")}, 0, 0),
        ({"languages": ("en",)}, {}, 0, 0),
        ({"recent": met(2)}, {}, wishes.MET_S, 0),
        ({"recent": met(2, skipped=True)}, {"recent": met(1)}, wishes.SKIPPED_S, wishes.MET_S),
        ({"recent": met(3)}, {}, 0, 0),
        ({"karma": -3.0}, {}, wishes.KARMA_S, 0),
        ({"karma": -6.0}, {"karma": 9.0}, 2 * wishes.KARMA_S, 0),
        ({"karma": -6.0}, {"karma": -7.0}, 0, 0),
    ],
    ids=str,
)
def test_each_side_waits_as_long_as_its_own_wishes_need(
    one: dict[str, object], other: dict[str, object], asked_s: float, back_s: float
) -> None:
    ann, ben = msgspec.structs.replace(ticket(1), **one), msgspec.structs.replace(ticket(2), **other)
    assert (asks_s(ann, ben), asks_s(ben, ann)) == (asked_s, back_s)


def test_a_better_fit_scores_higher_and_long_lists_do_not_always_win() -> None:
    tags = ("cats", "chess", "films", "books", "music")
    ann = ticket(1, languages=("en",), interests=tags)
    options = [
        ticket(2, languages=("en",), interests=tags, recent=met(1)),
        ticket(3, languages=("ru",), interests=tags),
        ticket(4, languages=("en",)),
        ticket(5, languages=("en",), interests=tags[1:3]),
        ticket(6, languages=("en",), interests=tags[:3]),
        ticket(7, languages=("en",), interests=tags),
    ]
    scores = [score(ann, each) for each in options]
    assert scores == sorted(scores)
    assert len(set(scores)) == 5
    assert scores[-1] == scores[-2]


def test_shared_things_are_listed_in_the_first_persons_order() -> None:
    ann, ben = ticket(1, languages=("ru", "en"), interests=("a", "b")), ticket(2, languages=("en", "ru"))
    assert common(ann, ben) == (("ru", "en"), ())


def test_people_wait_less_in_a_quieter_pool() -> None:
    counts = (0, wishes.QUIET - 1, wishes.QUIET, wishes.LIVELY - 1, wishes.LIVELY, 10_000)
    assert [wishes.patience_in(came) for came in counts] == [0.1, 0.1, 0.3, 0.3, 1.0, 1.0]


WOMEN = Preferences(genders=(Gender.FEMALE,))


@pytest.mark.parametrize(
    ("wanted", "hers", "his", "opens"),
    [
        (WOMEN, {"languages": ("en",)}, {"languages": ("ru",)}, 0.0 + wishes.LANGUAGE_S),
        (Preferences(), {"languages": ("en",)}, {"languages": ("ru",)}, 100.0 + wishes.LANGUAGE_S),
        (WOMEN, {"interests": ("cats",)}, {}, 0.0 + wishes.INTERESTS_S),
        (WOMEN, {"interests": ("cats",)}, {"interests": ("chess",)}, 0.0 + wishes.INTERESTS_S),
        (Preferences(), {"interests": ("cats",)}, {}, 100.0 + wishes.INTERESTS_S),
        (WOMEN, {"karma": -3.0}, {}, 100.0 + wishes.KARMA_S),
        (WOMEN, {"recent": met(2)}, {}, 100.0 + wishes.MET_S),
        (WOMEN, {"interests": ("cats",), "recent": met(2)}, {}, 100.0 + wishes.MET_S),
    ],
    ids=str,
)
def test_the_wait_of_a_person_with_a_gender_filter_counts_for_both(
    wanted: Preferences, hers: dict[str, object], his: dict[str, object], opens: float
) -> None:
    ben = msgspec.structs.replace(ticket(2), wants=wanted, gender=Gender.MALE, **his)
    ann = msgspec.structs.replace(ticket(1, since=100.0), gender=Gender.FEMALE, **hers)
    assert opens_at(ann, ben) == opens_at(ben, ann) == opens


def test_a_newcomer_with_a_gender_filter_gains_nothing_from_others_waits() -> None:
    ben = msgspec.structs.replace(ticket(2, since=100.0), wants=WOMEN, languages=("ru",))
    ann = msgspec.structs.replace(ticket(1), gender=Gender.FEMALE, languages=("en",))
    assert opens_at(ann, ben) == 100.0 + wishes.LANGUAGE_S


def test_a_strict_language_wish_does_not_give_way_to_any_wait() -> None:
    ben = msgspec.structs.replace(ticket(2), wants=WOMEN, languages=("ru",))
    strict = msgspec.structs.replace(
        ticket(1, since=100.0), gender=Gender.FEMALE, languages=("en",), wants=Preferences(other_languages=False)
    )
    assert not compatible(strict, ben)
    assert match([strict, ben], 10_000.0) == []
