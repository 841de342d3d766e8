"""The notice of a chat has several wordings. A script that knows one of them shows itself, and nobody else does."""

from random import Random

import pytest

from passerby.dialogue.states import FOUND, tells_state
from passerby.domain.farms.conduct import Conduct
from passerby.domain.farms.hello import begins_with_hello
from passerby.domain.farms.judgement import DOUBT, judge
from passerby.domain.farms.signals import knows_one_wording
from passerby.domain.farms.wordings import WORDINGS, named, wording_of
from passerby.kernel.ids import ChatId, PersonId
from simulated_people import phrases
from tests.domain.farms.days import says
from tests.wording import catalogue, opening

CHATS = [ChatId(f"{Random(number).getrandbits(80):020x}") for number in range(3_000)]


def test_each_wording_announces_as_many_chats_as_another_with_the_key_that_says_hello_or_without() -> None:
    for chats in (CHATS, [chat for chat in CHATS if begins_with_hello(chat)]):
        counts = [[wording_of(chat) for chat in chats].count(wording) for wording in range(WORDINGS)]
        assert min(counts) > 0.8 * len(chats) / WORDINGS


def test_a_chat_is_announced_in_the_same_wording_to_both_and_always() -> None:
    assert {wording_of(chat) for chat in CHATS} == set(range(WORDINGS))
    assert [wording_of(ChatId("a" * 20)) for _ in range(3)] == [wording_of(ChatId("a" * 20))] * 3


@pytest.mark.parametrize("language", catalogue().languages)
def test_every_wording_is_another_one_and_each_has_the_words_that_people_look_for(language: str) -> None:
    plain = opening("search.found", language).split(" ", 1)[1].partition("!")[0].strip("¡ ")
    first = [opening(named("search.found", wording), language) for wording in range(WORDINGS)]
    assert len(set(first)) == WORDINGS
    for said in first:
        assert plain.lower() in said.lower()
        assert "!" in said


def test_all_wordings_tell_people_that_they_are_in_a_chat() -> None:
    assert len(FOUND) == 4 * WORDINGS
    assert all(map(tells_state, FOUND))
    assert set(catalogue().table("en")) >= FOUND == set(phrases.FOUND)


def opened(chats: list[ChatId]) -> Conduct:
    conduct = Conduct()
    for place, chat in enumerate(chats):
        conduct = says(conduct, "hi", chat=chat, gap_s=2.0 + place % 7, opens=True)
    return conduct


def test_a_script_that_knows_one_wording_opens_only_those_chats() -> None:
    script = opened([chat for chat in CHATS[:60] if wording_of(chat) == 0])
    assert len(script.opened) == WORDINGS
    assert sum(script.opened) == script.opened[0] > 10
    assert 0 < knows_one_wording(script) < DOUBT
    assert judge({PersonId(1): script}).findings == {}, "that alone is no reason to ask anybody"


def test_people_open_chats_in_every_wording() -> None:
    seen = [knows_one_wording(opened(Random(number).sample(CHATS, 12))) for number in range(300)]
    assert seen.count(0.0) >= 298


def test_to_answer_says_nothing_about_the_wording() -> None:
    conduct = Conduct()
    for chat in CHATS[:60]:
        conduct = says(conduct, "hi", chat=chat, opens=wording_of(chat) == 0)
        conduct = says(conduct, "and you?", chat=chat, nth=1)
    assert sum(conduct.opened) < conduct.chats == 60
    answers = Conduct()
    for chat in CHATS[:60]:
        answers = says(answers, "hi", chat=chat)
    assert answers.opened == ()
    assert knows_one_wording(answers) == 0.0
