"""The first questions: consent, age and gender, in this order and nothing else."""

import msgspec
import pytest

from passerby.features.start import CONSENT_MENU, GENDER_MENU, MEND_MENU, MEND_S, age_menu, ask
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Menu, Revise
from passerby.kernel.ids import MessageId
from passerby.kernel.participant import Gender, Idle, Participant, Profile
from passerby.kernel.rules import Rules
from passerby.kernel.text import text
from tests.features.playbook import BOT, NOW, OTHER_BOT, Playbook, becomes, grown_up, revises, says

AGREED = Profile(consented_at=NOW, language="en")
AGED = Profile(consented_at=NOW, age=30, age_given_at=NOW, language="en")


def told(was: Participant, **changes: object) -> Participant:
    return msgspec.structs.replace(was, profile=msgspec.structs.replace(was.profile, **changes))


def ages(menu: Menu) -> list[str]:
    return [button.token for row in menu.rows for button in row]


def test_a_stranger_can_search_after_two_answers() -> None:
    talk = Playbook()
    ann = talk.stranger()
    known = Participant(ann.person, 0, BOT, (BOT,), Profile(language="en"), seen_at=NOW)

    assert ann.writes("/start") == Decision((known,), (says(ann, "start.consent", CONSENT_MENU, minimum=18),))

    agreed = msgspec.structs.replace(known, version=1, profile=AGREED)
    asked = revises(ann, "start.ask_age", age_menu(talk.env))
    assert ann.presses("agree") == Decision((agreed,), (Answer("query"), asked))

    aged = msgspec.structs.replace(agreed, version=2, profile=AGED)
    asked = revises(ann, "start.ask_gender", GENDER_MENU)
    assert ann.presses("age", "30") == Decision((aged,), (Answer("query"), asked))

    whole = msgspec.structs.replace(aged, version=3, profile=grown_up(30, Gender.FEMALE))
    thanks, ready = revises(ann, "start.thanks"), says(ann, "start.ready", of=Idle())
    assert ann.presses("gender", "female") == Decision((whole,), (Answer("query"), thanks, ready))
    assert ann.value.profile.complete


def test_a_question_that_is_gone_is_asked_again() -> None:
    talk = Playbook()
    ann = talk.person(Profile(language="en"))
    asked = says(ann, "start.ask_age", age_menu(talk.env))
    assert ann.presses("agree", message=None).effects == (Answer("query"), asked)
    asked = says(ann, "start.ask_gender", GENDER_MENU)
    assert ann.presses("age", "30", message=None).effects == (Answer("query"), asked)
    assert ann.presses("gender", "male", message=None).effects == (Answer("query"), says(ann, "start.ready"))


@pytest.mark.parametrize(
    ("typed", "age"), [("18", 18), (" 99 ", 99), ("٢٥", 25), ("۴۲", 42), ("०३०", 30), ("７５", 75)]
)
def test_an_age_may_be_typed_in_any_digits(typed: str, age: int) -> None:
    ann = (talk := Playbook()).person(AGREED)
    was = ann.value
    told = msgspec.structs.replace(AGREED, age=age, age_given_at=NOW)
    assert ann.writes(typed) == Decision(
        (becomes(was, Idle(), profile=told),), (says(ann, "start.ask_gender", GENDER_MENU),)
    )
    assert talk.people[ann.person].profile.age == age


@pytest.mark.parametrize(
    "typed",
    ["0", "000", "-5", "+20", "100", "120", "0x20", "²⁵", "9" * 400, "18.5", "eighteen", "I am 20", "/20", "1 8", "🙂"],
)
def test_an_unbelievable_age_is_asked_again(typed: str) -> None:
    ann = (talk := Playbook()).person(AGREED)
    wrong = says(ann, "start.not_an_age", age_menu(talk.env), minimum=18, maximum=99)
    assert ann.writes(typed) == Decision(effects=(wrong,))


@pytest.mark.parametrize("typed", ["1", "17", "١٧", None])
def test_a_person_who_is_too_young_cannot_try_other_ages_for_a_day(typed: str | None) -> None:
    ann = (talk := Playbook()).person(AGREED)
    sorry = says(ann, "start.too_young", MEND_MENU, minimum=18, n=24)
    first = ann.presses("age", "17") if typed is None else ann.writes(typed)
    assert first.effects[-1] == sorry
    assert ann.value.profile == msgspec.structs.replace(AGREED, too_young_at=NOW)
    for again in ("18", "/search", "/start"):
        assert ann.writes(again) == Decision(effects=(sorry,))
    assert ann.presses("age", "18") == Decision(effects=(Answer("query"), sorry))
    talk.later(24 * 3600)
    ann.writes("18")
    assert ann.value.profile.age == 18


def test_a_person_who_is_too_young_reads_when_to_return() -> None:
    ann = (talk := Playbook()).person(AGREED)
    ann.writes("17")
    for later_s, hours in ((MEND_S, 24), (3600, 23), (22 * 3600, 1), (1200, 1)):
        talk.later(later_s)
        assert ann.writes("18").effects == (says(ann, "start.too_young", None, minimum=18, n=hours),)


def test_a_mistyped_age_can_be_corrected_with_a_second_answer() -> None:
    ann = (talk := Playbook()).person(AGREED)
    ann.writes("3")
    talk.later(20)
    was = ann.value
    mended = told(was, age_mended_at=NOW + 20)
    assert ann.presses("mend") == Decision((mended,), (Answer("query"), revises(ann, "start.ask_age_again")))
    assert ann.writes("hello").effects[0] == says(ann, "start.not_an_age", age_menu(talk.env), minimum=18, maximum=99)
    ann.writes("33")
    assert (ann.value.profile.age, ann.value.profile.too_young_at, ann.value.profile.age_mended_at) == (
        33,
        NOW,
        NOW + 20,
    ), "that it was mended is kept"
    talk.later(MEND_S + 1)
    ann.presses("gender", "male")
    assert ann.value.profile.complete
    assert ann.writes("/start").effects == (says(ann, "start.ready"),)
    late = ann.presses("mend")
    assert late == Decision(effects=(Answer("query"), revises(ann, "start.thanks")))


@pytest.mark.parametrize("later_s", [0, 30])
def test_a_second_answer_that_is_too_young_is_final(later_s: float) -> None:
    ann = (talk := Playbook()).person(AGREED)
    ann.writes("13")
    ann.presses("mend")
    talk.later(later_s)
    sorry = says(ann, "start.too_young", None, minimum=18, n=24)
    assert ann.writes("15").effects[-1] == sorry
    for again in ("33", "/start"):
        assert ann.writes(again) == Decision(effects=(sorry,))
    pressed = ann.presses("mend")
    assert (pressed.changes, pressed.effects[1]) == ((), revises(ann, "start.too_young", minimum=18, n=24))
    talk.later(25 * 3600)
    assert ann.writes("15").effects[-1] == sorry, "not even the next day"
    assert ann.presses("mend").changes == ()


def test_a_mistyped_age_can_be_corrected_only_for_a_few_minutes() -> None:
    late = (talk := Playbook()).person(AGREED)
    late.writes("13")
    talk.later(MEND_S)
    assert late.presses("mend", message=None) == Decision(
        effects=(Answer("query"), says(late, "start.too_young", None, minimum=18, n=24))
    )
    slow = talk.person(AGREED)
    slow.writes("13")
    slow.presses("mend")
    talk.later(MEND_S)
    slow.writes("33")
    assert slow.value.profile.age is None


def test_minors_can_join_if_the_operator_allows_them() -> None:
    ann = Playbook(Rules(minimum_age=16)).person(AGREED)
    ann.writes("17")
    assert ann.value.profile.age == 17
    ben = Playbook(Rules(minimum_age=16)).person(AGREED)
    assert ben.writes("15").effects == (says(ben, "start.too_young", MEND_MENU, minimum=16, n=24),)
    assert ben.value.profile.age is None


@pytest.mark.parametrize(
    ("minimum", "offered"),
    [
        (13, ["13", "18", "20", "22", "25", "28", "30", "35", "40", "45", "50"]),
        (18, ["18", "20", "22", "25", "28", "30", "35", "40", "45", "50"]),
        (21, ["21", "22", "25", "28", "30", "35", "40", "45", "50"]),
        (60, ["60"]),
    ],
)
def test_age_buttons_begin_with_the_minimum_age(minimum: int, offered: list[str]) -> None:
    menu = age_menu(Playbook(Rules(minimum_age=minimum)).env)
    assert ages(menu) == offered
    assert max(len(row) for row in menu.rows) <= 5


EVERYTHING = ["/search", "/next", "/stop", "/settings", "/profile", "/start", "/unknown", "hello", "🔎 Find a partner"]


@pytest.mark.parametrize("words", EVERYTHING)
def test_any_message_before_consent_brings_the_consent_question(words: str) -> None:
    ann = Playbook().person(Profile(language="en"))
    assert ann.writes(words) == Decision(effects=(says(ann, "start.consent", CONSENT_MENU, minimum=18),))


@pytest.mark.parametrize("words", EVERYTHING)
def test_any_message_before_the_gender_brings_the_gender_question(words: str) -> None:
    ann = Playbook().person(AGED)
    assert ann.writes(words) == Decision(effects=(says(ann, "start.ask_gender", GENDER_MENU),))


def test_a_newcomers_photo_brings_the_open_question() -> None:
    ann = Playbook().person(Profile(language="en"))
    photo = Content(Kind.PHOTO, "30")
    assert ann.sends(photo) == Decision(effects=(says(ann, "start.consent", CONSENT_MENU, minimum=18),))
    ben = (talk := Playbook()).person(AGREED)
    wrong = says(ben, "start.not_an_age", age_menu(talk.env), minimum=18, maximum=99)
    assert ben.sends(photo) == Decision(effects=(wrong,)), "a caption is no answer"


@pytest.mark.parametrize(("action", "token"), [("set", "gender"), ("set_age", "40"), ("show", "c"), ("hide", "c")])
def test_a_newcomers_press_of_another_button_brings_the_open_question(action: str, token: str) -> None:
    ann = Playbook().person(AGED)
    assert ann.presses(action, token) == Decision(effects=(Answer("query"), says(ann, "start.ask_gender", GENDER_MENU)))


@pytest.mark.parametrize(
    ("profile", "action", "token"),
    [
        (AGREED, "agree", ""),
        (Profile(language="en"), "age", "30"),
        (AGED, "age", "40"),
        (AGREED, "age", "old"),
        (AGREED, "age", "0"),
        (AGREED, "gender", "male"),
        (AGED, "gender", "whatever"),
        (grown_up(), "agree", ""),
        (grown_up(), "age", "40"),
        (grown_up(), "gender", "male"),
    ],
)
def test_a_question_that_is_not_open_is_replaced_by_the_open_one(profile: Profile, action: str, token: str) -> None:
    talk = Playbook()
    ann = talk.person(profile)
    following = ask(ann.value, talk.env)
    shown = (following.text, following.keyboard) if isinstance(following.keyboard, Menu) else (text("start.thanks"),)
    revised = Revise(ann.person, MessageId(50), *shown)
    assert ann.presses(action, token) == Decision(effects=(Answer("query"), revised))
    assert ann.presses(action, token, message=None) == Decision(effects=(Answer("query"),))


def test_a_second_press_leaves_the_next_question_open() -> None:
    ann = Playbook().person(AGREED)
    first, second = ann.presses("age", "30"), ann.presses("age", "35")
    assert first.effects[1:] == second.effects[1:] == (revises(ann, "start.ask_gender", GENDER_MENU),)
    assert ann.value.profile.age == 30


@pytest.mark.parametrize("gender", Gender)
def test_each_gender_can_be_said(gender: Gender) -> None:
    ann = Playbook().person(AGED)
    was = ann.value
    changed = becomes(was, Idle(), profile=grown_up(30, gender))
    thanks = revises(ann, "start.thanks")
    assert ann.presses("gender", gender) == Decision((changed,), (Answer("query"), thanks, says(ann, "start.ready")))


def test_start_shows_everybody_the_keyboard_of_their_state() -> None:
    talk = Playbook()
    idle, searching = talk.person(), talk.searching()
    chatting, _ = talk.pair(talk.person(), talk.person())
    for each, key in (
        (idle, "start.ready"),
        (searching, "start.welcome_searching"),
        (chatting, "start.welcome_chatting"),
    ):
        assert each.writes("/start") == Decision(effects=(says(each, key),))


def test_start_with_a_payload_is_start() -> None:
    ann = Playbook().person()
    assert ann.writes("/start from_a_friend") == Decision(effects=(says(ann, "start.ready"),))


def test_a_person_is_reached_through_the_bot_they_used_last() -> None:
    ann = Playbook().person()
    was = ann.value
    moved = becomes(was, Idle(), bot=OTHER_BOT, bots=(OTHER_BOT, BOT))
    assert ann.writes("/start", bot=OTHER_BOT) == Decision((moved,), (says(ann, "start.ready"),))


def test_telegrams_language_counts_only_the_first_time() -> None:
    talk = Playbook()
    ann = talk.person(Profile(consented_at=NOW))
    ann.writes("/start")
    assert ann.value.profile.language == "en"
    ben = talk.person(msgspec.structs.replace(grown_up(), language="ru"))
    assert ben.writes("/start") == Decision(effects=(says(ben, "start.ready"),))
