"""A fingerprint tells an edit from an update that changed nothing. It tells nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.fingerprint import Prints
from passerby.kernel.content import Content, Entity, File, Kind
from passerby.kernel.ids import ChatId

FILES = st.builds(File, st.text(max_size=3), st.sampled_from(["u1", "u2"]), st.integers(0, 9))
CONTENTS = st.builds(
    Content,
    st.sampled_from(Kind),
    st.sampled_from(["", "hello", "bye"]),
    st.sampled_from([(), (Entity("bold", 0, 2),)]),
    st.none() | FILES,
    detail=st.sampled_from([None, {"value": 1}, {"value": 2}]),
)


CHAT, OTHER_CHAT = ChatId("a chat"), ChatId("another")
PRINTS = Prints(b"k" * 32)
OTHERS = Prints(b"o" * 32)


@given(CONTENTS)
def test_a_fingerprint_is_a_number_that_every_store_can_hold(content: Content) -> None:
    assert 0 <= PRINTS.of(content, CHAT) < 2**62


@given(CONTENTS, CONTENTS)
def test_fingerprints_are_equal_if_words_formatting_and_body_are(one: Content, other: Content) -> None:
    def shown(content: Content) -> tuple[object, object]:
        body = content.file.unique if content.file is not None else (None, content.detail)
        return (content.text, content.entities), body

    known = PRINTS.of(one, CHAT)
    assert (known == PRINTS.of(other, CHAT)) == PRINTS.fits(known, other, CHAT) == (shown(one) == shown(other))
    assert PRINTS.fits_body(known, other, CHAT) == (shown(one)[1] == shown(other)[1])


@given(CONTENTS)
def test_without_the_key_nobody_can_guess_a_message_from_its_fingerprint(content: Content) -> None:
    assert PRINTS.of(content, CHAT) != OTHERS.of(content, CHAT)
    assert not OTHERS.fits(PRINTS.of(content, CHAT), content, CHAT)


@given(CONTENTS)
def test_the_same_message_has_different_fingerprints_in_two_chats(content: Content) -> None:
    one, other = PRINTS.of(content, CHAT), PRINTS.of(content, OTHER_CHAT)
    assert one >> 31 != other >> 31
    assert one & 2**31 - 1 != other & 2**31 - 1 or (content.file is None and content.detail is None)


@given(CONTENTS, CONTENTS)
def test_a_fingerprint_made_with_a_former_key_is_recognised(one: Content, other: Content) -> None:
    changed = Prints(b"n" * 32, b"o" * 32, b"k" * 32)
    known = PRINTS.of(one, CHAT)
    assert changed.fits(known, other, CHAT) == PRINTS.fits(known, other, CHAT)
    assert changed.fits_body(known, other, CHAT) == PRINTS.fits_body(known, other, CHAT)


@given(CONTENTS)
def test_a_copy_in_the_middle_of_an_edit_matches_only_by_its_body(content: Content) -> None:
    known = PRINTS.half_done(PRINTS.of(content, CHAT))
    assert not PRINTS.fits(known, content, CHAT)
    assert PRINTS.fits_body(known, content, CHAT)
