"""The texts that tell people where they stand."""

from passerby.dialogue.states import tells_end, tells_state

ENDS = ("chat.partner_left", "chat.you_left", "chat.connection_lost", "idle.ended")


def test_a_text_about_the_end_of_a_chat_also_tells_the_state() -> None:
    assert all(tells_end(key) and tells_state(key) for key in ENDS)


def test_a_text_about_a_beginning_tells_no_end() -> None:
    assert not tells_end("search.found")
