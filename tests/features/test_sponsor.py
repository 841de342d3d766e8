"""The sponsor's channel: it may stand before a search, and before nothing else."""

import pytest

from passerby.kernel.decision import Decision
from passerby.kernel.effect import Answer, Button, Menu, Say
from passerby.kernel.participant import Chatting, Idle, Searching
from passerby.kernel.rules import Rules, Sponsor
from passerby.kernel.text import text
from tests.features.playbook import Person, Playbook, says

LINK = "https://t.me/harbour_news"
ASKED = Menu(((Button(text("sponsor.joined"), "joined"),),))


def stage(*, required: bool) -> tuple[Playbook, Person]:
    talk = Playbook(Rules(sponsor=Sponsor("@harbour_news", LINK, required)))
    talk.sponsored = True
    return talk, talk.person()


def request(person: Person) -> Say:
    return Say(person.person, text("sponsor.required", link=LINK), ASKED)


@pytest.mark.parametrize("words", ["/search", "/next", "🔎 Find a partner"])
def test_a_required_channel_is_named_instead_of_a_search(words: str) -> None:
    _, ann = stage(required=True)
    assert ann.writes(words) == Decision(effects=(request(ann),))
    assert isinstance(ann.value.state, Idle)


def test_the_button_searches_once_the_person_has_joined() -> None:
    talk, ann = stage(required=True)
    not_yet = ann.presses("joined", "")
    assert not_yet.effects == (Answer("query", text("sponsor.not_yet"), alert=True),)
    assert isinstance(ann.value.state, Idle)
    talk.sponsored = False
    ann.presses("joined", "")
    assert isinstance(ann.value.state, Searching)


@pytest.mark.parametrize("words", ["/search", "/next"])
def test_a_suggested_channel_comes_beside_the_search(words: str) -> None:
    _, ann = stage(required=False)
    told = ann.writes(words).effects
    assert told[1:] == (Say(ann.person, text("sponsor.suggested", link=LINK)),)
    assert isinstance(ann.value.state, Searching)


def test_moving_on_ends_the_chat_whether_or_not_the_person_has_joined() -> None:
    talk, ann = stage(required=True)
    talk.sponsored = False
    ann, ben = talk.pair(ann, talk.person())
    talk.sponsored = True
    told = ann.writes("/next").effects
    assert request(ann) in told
    assert says(ann, "chat.you_left") in told
    assert isinstance(ann.value.state, Idle)
    assert isinstance(ben.value.state, Idle)


@pytest.mark.parametrize(
    "words",
    ["/stop", "/report", "/paysupport", "/deleteme", "/block", "/settings", "/help", "/privacy", "/mydata", "hi"],
)
def test_nothing_but_a_search_waits_for_the_channel(words: str) -> None:
    for where in (Idle, Chatting):
        said = []
        for sponsored in (False, True):
            talk, ann = stage(required=True)
            talk.sponsored = False
            if where is Chatting:
                talk.pair(ann, talk.person())
            talk.sponsored = sponsored
            said.append(ann.writes(words))
        assert said[0] == said[1]


def test_a_person_who_searches_already_goes_on_searching() -> None:
    talk, ann = stage(required=True)
    talk.sponsored = False
    ann.writes("/search")
    talk.sponsored = True
    assert request(ann) not in ann.writes("/search").effects
    ann.presses("joined", "")
    assert isinstance(ann.value.state, Searching)


def test_a_channel_that_was_taken_out_of_the_settings_meanwhile_is_not_named() -> None:
    talk = Playbook()
    talk.sponsored = True
    ann = talk.person()
    assert len(ann.writes("/search").effects) == 1
