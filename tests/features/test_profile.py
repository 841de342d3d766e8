"""What a person has said of themselves, and second thoughts about it."""

import msgspec
import pytest

from passerby.domain.ages import YEAR_S
from passerby.features.profile import GENDERS, TOP
from passerby.kernel.decision import Decision, Rules
from passerby.kernel.effect import Answer, Button, Menu, Revise
from passerby.kernel.ids import MessageId
from passerby.kernel.participant import Gender, Idle, Profile, Searching
from passerby.kernel.text import text
from tests.features.playbook import NOW, Person, Playbook, becomes, grown_up, says, ticket


def card(ann: Person, menu: Menu, age: int = 30, gender: str = "unsaid") -> Revise:
    return Revise(ann.person, MessageId(50), text(f"profile.card_{gender}", age=age), menu)


def steps(*ages: int) -> Menu:
    buttons = tuple(Button(text("profile.age_button", age=age), "set_age", str(age)) for age in ages)
    return Menu((buttons, (Button(text("profile.back"), "set", "top"),)))


def aged(age: int, at: float = NOW) -> Profile:
    return msgspec.structs.replace(grown_up(age), age_given_at=at)


@pytest.mark.parametrize("gender", Gender)
def test_a_profile_shows_what_was_said(gender: Gender) -> None:
    talk = Playbook()
    ann = talk.person(grown_up(33, gender))
    assert ann.writes("/profile") == Decision(effects=(says(ann, f"profile.card_{gender}", age=33),))
    talk.later(2 * YEAR_S)
    talk.people[ann.person] = msgspec.structs.replace(ann.value, seen_at=talk.env.now)
    assert ann.writes("/profile") == Decision(effects=(says(ann, f"profile.card_{gender}", age=35),))


def test_settings_open_a_menu_that_edits_in_place() -> None:
    ann = Playbook().person()
    assert ann.writes("/settings") == Decision(effects=(says(ann, "profile.card_unsaid", TOP, age=30),))
    assert ann.presses("set", "gender") == Decision(effects=(Answer("query"), card(ann, GENDERS)))
    assert ann.presses("set", "age") == Decision(effects=(Answer("query"), card(ann, steps(20, 29, 31, 40))))
    assert ann.presses("set", "top") == Decision(effects=(Answer("query"), card(ann, TOP)))
    assert ann.presses("set", "of a former release") == Decision(effects=(Answer("query"), card(ann, TOP)))


def test_settings_work_in_a_chat_without_touching_it() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    was = ann.value
    assert ann.writes("/settings") == Decision(effects=(says(ann, "profile.card_unsaid", TOP, age=30),))
    changed = becomes(was, was.state, profile=grown_up(30, Gender.MALE))
    assert ann.presses("set_gender", "male") == Decision((changed,), (Answer("query"), card(ann, TOP, 30, "male")))


@pytest.mark.parametrize("gender", [Gender.MALE, Gender.FEMALE, Gender.OTHER])
def test_a_gender_can_be_changed(gender: Gender) -> None:
    ann = Playbook().person()
    was = ann.value
    changed = becomes(was, Idle(), profile=grown_up(30, gender))
    assert ann.presses("set_gender", gender) == Decision((changed,), (Answer("query"), card(ann, TOP, 30, gender)))
    assert ann.presses("set_gender", gender) == Decision(effects=(Answer("query"), card(ann, TOP, 30, gender)))


@pytest.mark.parametrize(
    ("action", "token"),
    [
        ("set_gender", "robot"),
        ("set_gender", ""),
        ("set_age", "17"),
        ("set_age", "100"),
        ("set_age", "-1"),
        ("set_age", "x"),
    ],
)
def test_what_no_button_offers_changes_nothing(action: str, token: str) -> None:
    ann = Playbook().person()
    assert ann.presses(action, token) == Decision(effects=(Answer("query"),))


def test_an_age_can_be_changed_and_counts_from_that_day() -> None:
    talk = Playbook()
    ann = talk.person()
    talk.later(100)
    was = ann.value
    changed = becomes(was, Idle(), profile=aged(31, NOW + 100))
    assert ann.presses("set_age", "31") == Decision((changed,), (Answer("query"), card(ann, steps(21, 30, 32, 41), 31)))
    assert ann.presses("set_age", "31") == Decision(effects=(Answer("query"), card(ann, steps(21, 30, 32, 41), 31)))


@pytest.mark.parametrize(("age", "offered"), [(18, (19, 28)), (19, (18, 20, 29)), (98, (88, 97, 99)), (99, (89, 98))])
def test_ages_are_offered_within_what_is_allowed(age: int, offered: tuple[int, ...]) -> None:
    ann = Playbook().person(grown_up(age))
    assert ann.presses("set", "age") == Decision(effects=(Answer("query"), card(ann, steps(*offered), age)))


@pytest.mark.parametrize(("age", "offered", "wrong"), [(17, (16,), 18), (16, (17,), 26), (18, (19, 28), 17)])
def test_nobody_climbs_over_the_wall_between_minors_and_adults(age: int, offered: tuple[int, ...], wrong: int) -> None:
    ann = Playbook(Rules(minimum_age=16)).person(grown_up(age))
    assert ann.presses("set", "age") == Decision(effects=(Answer("query"), card(ann, steps(*offered), age)))
    assert ann.presses("set_age", str(wrong)) == Decision(effects=(Answer("query"),))


def test_a_change_while_searching_is_on_the_ticket_and_keeps_the_place() -> None:
    talk = Playbook()
    ann = talk.searching()
    talk.later(50)
    was = ann.value
    told = grown_up(30, Gender.MALE)
    waits = Searching(ticket(msgspec.structs.replace(was, profile=told)))
    changed = becomes(was, waits, profile=told)
    assert ann.presses("set_gender", "male") == Decision((changed,), (Answer("query"), card(ann, TOP, 30, "male")))


def test_a_menu_that_telegram_no_longer_shows_is_not_revised() -> None:
    ann = Playbook().person()
    was = ann.value
    assert ann.presses("set", "age", message=None) == Decision(effects=(Answer("query"),))
    changed = becomes(was, Idle(), profile=grown_up(30, Gender.MALE))
    assert ann.presses("set_gender", "male", message=None) == Decision((changed,), (Answer("query"),))
