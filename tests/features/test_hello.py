"""Some chats begin with a key that says hello with one tap."""

from passerby.dialogue.keyboards import HELLO, WITH_HELLO, keys_for, state_of
from passerby.domain.farms.hello import EVERY, begins_with_hello
from passerby.features.search import introduce
from passerby.kernel.effect import Keys, Menu, Relay, Say
from passerby.kernel.ids import ChatId
from passerby.kernel.participant import Chatting, Idle
from tests.features.playbook import WORDS, Playbook

LABEL = WORDS.words(HELLO)["en"]


def test_the_partner_reads_a_greeting_and_not_the_label() -> None:
    talk = Playbook()
    ann, ben = talk.pair(talk.person(), talk.person())
    talk.later(60)
    (passed_on,) = ann.writes(LABEL).effects
    assert isinstance(passed_on, Relay)
    assert (passed_on.to, [each.text for each in passed_on.contents]) == (ben.person, ["👋"])


def test_without_a_chat_it_reaches_nobody_and_says_so() -> None:
    talk = Playbook()
    ann = talk.person()
    for key in ("search.idle", "search.nobody_yet"):
        (told,) = ann.writes(LABEL).effects
        assert isinstance(told, Say)
        assert told.text.key == key
        ann.writes("/search")


def test_about_one_chat_in_eight_begins_with_the_key_on_both_sides() -> None:
    chats = [ChatId(f"{number:020x}") for number in range(800)]
    assert 60 < sum(map(begins_with_hello, chats)) < 140
    talk = Playbook()
    ann, ben = talk.searching(), talk.searching()
    begun = set()
    for _ in range(5 * EVERY):
        decision = introduce(ann.value, ben.value, talk.env)
        now = decision.changes[0].state
        assert isinstance(now, Chatting)
        begun |= {(begins_with_hello(now.chat), each.keyboard) for each in decision.effects if isinstance(each, Say)}
    assert begun == {(True, WITH_HELLO), (False, keys_for(now))}


def test_the_keyboard_with_one_more_key_is_one_of_a_chat() -> None:
    shows = [state_of(each) for each in (WITH_HELLO, keys_for(Idle()), Keys(), Menu(()), None)]
    assert shows == [Chatting, Idle, None, None, None]
