"""Which texts tell their readers what they are doing."""

from passerby.dialogue.standing import NOW, UNSENT, tells_standing
from passerby.kernel.participant import Chatting, Idle, Searching


def test_the_texts_about_what_a_person_is_doing_are_known() -> None:
    assert all(map(tells_standing, NOW.values()))
    assert set(NOW) == set(UNSENT) == {Idle, Searching, Chatting}
    assert not tells_standing("after_chat.thanks")
