"""Telling an edit from an update that changed nothing."""

from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.fingerprint import fingerprint, same_body
from passerby.kernel.content import Content, Entity, File, Kind

FILES = st.builds(File, st.text(max_size=3), st.sampled_from(["u1", "u2"]), st.integers(0, 9))
CONTENTS = st.builds(
    Content,
    st.sampled_from(Kind),
    st.sampled_from(["", "hello", "bye"]),
    st.sampled_from([(), (Entity("bold", 0, 2),)]),
    st.none() | FILES,
    detail=st.sampled_from([None, {"value": 1}, {"value": 2}]),
)


@given(CONTENTS)
def test_it_is_a_positive_number_that_every_store_can_hold(content: Content) -> None:
    assert 0 <= fingerprint(content) < 2**62


@given(CONTENTS, CONTENTS)
def test_it_is_equal_where_words_formatting_and_body_are(one: Content, other: Content) -> None:
    def shown(content: Content) -> tuple[object, object]:
        body = content.file.unique if content.file is not None else (None, content.detail)
        return (content.text, content.entities), body

    assert (fingerprint(one) == fingerprint(other)) == (shown(one) == shown(other))
    assert same_body(fingerprint(one), fingerprint(other)) == (shown(one)[1] == shown(other)[1])
