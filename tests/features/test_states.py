"""Which texts tell their readers what they are doing."""

from passerby.dialogue.states import NOW, UNSENT, tells_state
from passerby.kernel.participant import Chatting, Idle, Searching


def test_the_texts_about_what_a_person_is_doing_are_known() -> None:
    assert all(map(tells_state, NOW.values()))
    assert set(NOW) == set(UNSENT) == {Idle, Searching, Chatting}
    assert not tells_state("after_chat.thanks")
