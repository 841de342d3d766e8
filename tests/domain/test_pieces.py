"""Long texts are cut where a reader would pause, with their formatting. Albums hold only kinds that Telegram allows
together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.pieces import CAPTION_MOST, ENTITIES_MOST, TEXT_MOST, Limits, cut_words, fits, groups, pieces
from passerby.kernel.content import Content, Entity, File, Kind

FILE = File("f", "f")


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_a_caption_that_fits_stays_with_its_file() -> None:
    content = Content(Kind.PHOTO, "c" * CAPTION_MOST, file=FILE)
    assert pieces(content) == (content,)


def test_a_longer_caption_follows_its_file_in_one_piece() -> None:
    bold = Entity("bold", 1000, 100)
    content = Content(Kind.PHOTO, "c" * 2000, (bold,), FILE, spoiler=True, protected=True, effect="1")
    head, words = pieces(content)
    assert head == Content(Kind.PHOTO, file=FILE, spoiler=True, protected=True, effect="1")
    assert words == Content(Kind.TEXT, "c" * 2000, (bold,), protected=True)


def test_lengths_are_counted_as_telegram_counts_them() -> None:
    assert fits(Content(Kind.PHOTO, "😀" * (CAPTION_MOST // 2), file=FILE))
    assert not fits(Content(Kind.PHOTO, "😀" * (CAPTION_MOST // 2) + "!", file=FILE))
    assert fits(Content(Kind.STICKER, file=FILE))
    assert fits(Content(Kind.RICH, "x" * 9000))


def test_a_long_text_becomes_a_message_and_the_ones_after_it() -> None:
    head, *rest = pieces(Content(Kind.CHECKLIST, "\n".join("milk" * 20 for _ in range(100)), effect="1"))
    assert (head.kind, head.effect) == (Kind.CHECKLIST, "1")
    assert {each.kind for each in rest} == {Kind.TEXT}
    assert "\n".join(each.text for each in (head, *rest)) == "\n".join("milk" * 20 for _ in range(100))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two. three\nfour\n\nsix seven eight", ["one two. three\nfour", "six seven eight"]),
        ("one two. three four\nfive sixseven eig", ["one two. three four", "five sixseven eig"]),
        ("one two three. four five sixseven eig", ["one two three.", "four five sixseven eig"]),
        ("one two three four five sixseven eig", ["one two three four five", "sixseven eig"]),
        ("x" * 40, ["x" * 24, "x" * 16]),
        ("x" * 23 + "👍🏽" + "y" * 10, ["x" * 23, "👍🏽" + "y" * 10]),
        ("x" * 22 + "e\u0301\u0302" + "y" * 10, ["x" * 22, "e\u0301\u0302" + "y" * 10]),
        ("x" * 18 + "👩\u200d👩\u200d👧" + "y" * 10, ["x" * 18, "👩\u200d👩\u200d👧" + "y" * 10]),
        ("x" * 18 + "🇵🇪🇫🇮" + "y" * 10, ["x" * 18 + "🇵🇪", "🇫🇮" + "y" * 10]),
        ("a" + "\u0301" * 60, ["a" + "\u0301" * 23, "\u0301" * 24, "\u0301" * 13]),
        ("  " + "x" * 20 + " " * 30 + "y", ["x" * 20, "y"]),
        (" " * 50, [" " * 50]),
        ("", [""]),
    ],
)
def test_long_text_is_cut_where_a_reader_would_pause(text: str, expected: list[str]) -> None:
    assert [words for words, _ in cut_words(text, (), 24)] == expected


ALPHABET = st.sampled_from(["a", "b", " ", "\n", ". ", "😀", "👩\u200d👧", "e\u0301", "🇵🇪"])


@given(st.lists(ALPHABET, max_size=60).map("".join), st.integers(0, 40), st.integers(1, 40), st.integers(16, 40))
def test_cutting_loses_no_word_and_keeps_bold_text_bold(text: str, offset: int, length: int, most: int) -> None:
    cut = cut_words(text, (Entity("bold", offset, length),), most)
    raw = text.encode("utf-16-le")
    bold = raw[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")
    assert "".join("".join(words.split()) for words, _ in cut) == "".join(text.split())
    if text.strip():
        assert all(units(words) <= most for words, _ in cut)
        shown = "".join(
            words.encode("utf-16-le")[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le", "replace")
            for words, inside in cut
            for e in inside
        )
        assert "".join(shown.split()) == "".join(bold.split())


def test_formatting_that_spans_several_pieces_keeps_its_order_in_each() -> None:
    entities = (Entity("bold", 8, 1), Entity("italic", 0, 40), Entity("underline", 20, 10), Entity("code", 5, 0))
    cut = cut_words("x" * 40, entities, 16)
    assert [inside for _, inside in cut] == [
        (Entity("italic", 0, 16), Entity("bold", 8, 1)),
        (Entity("italic", 0, 16), Entity("underline", 4, 10)),
        (Entity("italic", 0, 8),),
    ]


def test_a_piece_has_no_more_formatting_than_telegram_keeps() -> None:
    entities = [Entity("bold", 0, 40)] * (ENTITIES_MOST + 1) + [Entity("code", 30, 1)]
    cut = cut_words("x" * 40, entities, 16)
    assert [inside for _, inside in cut] == [
        (Entity("bold", 0, 16),) * ENTITIES_MOST,
        (Entity("bold", 0, 16),) * ENTITIES_MOST,
        (Entity("bold", 0, 8),) * ENTITIES_MOST,
    ]


def test_a_caption_refused_as_too_long_follows_its_file_as_text() -> None:
    content = Content(Kind.VOICE, "c" * 300, file=FILE)
    head, words = pieces(content, Limits(caption=0))
    assert (head.text, words.text) == ("", "c" * 300)
    assert len(pieces(Content(Kind.TEXT, "c" * 300), Limits(text=TEXT_MOST // 32))) == 3


P, L, V, A, D, G = (
    Content(kind, file=FILE)
    for kind in (Kind.PHOTO, Kind.LIVE_PHOTO, Kind.VIDEO, Kind.AUDIO, Kind.DOCUMENT, Kind.ANIMATION)
)


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ((P, V, L), ((0, 1, 2),)),
        ((G, P), ((0,), (1,))),
        ((P, D), ((0,), (1,))),
        ((A, P), ((0,), (1,))),
        ((P, P, G, P, V), ((0, 1), (2,), (3, 4))),
        ((D, D, A, A), ((0, 1), (2, 3))),
        ((G, G), ((0,), (1,))),
        ((P,) * 12, (tuple(range(10)), (10, 11))),
        ((), ()),
    ],
)
def test_an_album_is_split_into_groups_that_telegram_allows(
    contents: tuple[Content, ...], expected: tuple[tuple[int, ...], ...]
) -> None:
    assert groups(contents) == expected
