"""Which feature handles an event."""

from pathlib import Path

import pytest

from passerby import features
from passerby.domain.lifecycle import SEEN_EVERY_S
from passerby.features import ALL
from passerby.kernel.decision import NOTHING, Decision, Env, Facts
from passerby.kernel.effect import Answer
from passerby.kernel.event import MessageReceived, Unusable
from passerby.kernel.feature import Feature, MenuCommand
from passerby.kernel.participant import Idle
from passerby.runtime.decide.router import Router
from tests.features.playbook import BOT, NOW, WORDS, Playbook, becomes, says


def decide(event: MessageReceived, facts: Facts, env: Env) -> Decision:
    return NOTHING


def test_the_commands_that_people_rely_on_are_there() -> None:
    assert Router(ALL, WORDS.key_with_label).commands >= {
        *("start", "search", "find", "chat", "next", "skip", "stop", "end", "profile", "settings"),
        *("help", "rules", "privacy", "terms", "paysupport", "delete", "report", "block", "blocked", "vip"),
        *("friends", "saved", "name", "language", "interests", "country"),
    }


@pytest.mark.parametrize(
    "twice",
    [
        {"commands": {"search": decide}},
        {"words": {"keys.find": decide}},
        {"presses": {"agree": decide}},
        {"messages": {Idle: decide}},
        {"newcomer": decide},
    ],
)
def test_two_features_cannot_have_the_same_key(twice: dict[str, object]) -> None:
    second = Feature("second", **twice)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="second"):
        Router((*ALL, second), WORDS.key_with_label)
    Router((second,), WORDS.key_with_label)


def test_the_menu_begins_with_the_commands_that_people_need_most() -> None:
    usual = [
        *("search", "next", "stop", "report", "block", "delete", "settings", "profile", "language"),
        *("vip", "friends", "blocked", "help", "rules", "privacy", "terms", "paysupport"),
    ]
    assert [command.name for command in Router(ALL, WORDS.key_with_label).menu][: len(usual)] == usual


def test_a_command_without_a_place_comes_last_in_the_menu() -> None:
    first, last = MenuCommand("zoo", "commands.zoo", 1), MenuCommand("zz", "commands.zz")
    second = Feature("second", commands={"zoo": decide, "zz": decide}, menu=(last, first))
    menu = Router((second, *ALL), WORDS.key_with_label).menu
    assert (menu[0], menu[-1]) == (first, last)


def test_a_command_in_the_menu_has_an_answer() -> None:
    second = Feature("second", menu=(MenuCommand("zoo", "commands.zoo"),))
    with pytest.raises(ValueError, match="/zoo"):
        Router((second,), WORDS.key_with_label)


def test_a_button_from_an_old_release_only_stops_spinning() -> None:
    ann = Playbook().person()
    assert ann.presses("long gone", "x") == Decision(effects=(Answer("query"),))


def test_an_unusable_update_changes_nothing() -> None:
    talk = Playbook()
    ann, _ = talk.pair(talk.person(), talk.person())
    assert talk.happens(Unusable(ann.person, BOT)) == NOTHING


def test_the_time_of_the_last_visit_is_stored_once_an_hour() -> None:
    talk = Playbook()
    ann = talk.person()
    talk.later(SEEN_EVERY_S - 1)
    assert ann.writes("/rules").changes == ()
    talk.later(1)
    was = ann.value
    assert ann.writes("/rules") == Decision(
        (becomes(was, Idle(), seen_at=NOW + SEEN_EVERY_S),), (says(ann, "pages.rules", minimum=18),)
    )


def test_a_label_that_no_feature_claims_is_a_message() -> None:
    talk = Playbook()
    talk.router = Router(ALL, lambda label: "keys.of_nobody")
    ann = talk.person()
    told = ann.writes("hello")
    assert told == Decision(effects=(says(ann, "search.idle", reply_to=ann.last_message),))


def test_every_feature_folder_is_found() -> None:
    folders = {path.parent.name for path in Path(features.__file__).parent.glob("*/__init__.py")}
    assert len(folders) > 5
    assert len(ALL) == len(folders)
