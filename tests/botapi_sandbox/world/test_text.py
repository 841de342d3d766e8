"""Text and entities: what is kept, what Telegram finds, what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botapi_sandbox.world.answers import Json, Refusal
from botapi_sandbox.world.text import formatted, slice_utf16
from botapi_sandbox.world.values import utf16_len
from tests.botapi_sandbox.small_world import small_world

ANN = {"id": 1, "is_bot": False, "first_name": "Ann"}


def known(user_id: int) -> Json | None:
    return ANN if user_id == 1 else None


def parsed(text: str, mode: str | None = None, entities: list[Json] | None = None) -> tuple[str, list[tuple[Any, ...]]]:
    done, found = formatted(text, mode, entities, known, 4096, "message")
    return done, [(each["type"], slice_utf16(done, each["offset"], each["length"])) for each in found]


def refusal_text(text: str, mode: str) -> str:
    with pytest.raises(Refusal) as refusal:
        parsed(text, mode)
    return refusal.value.description


def entity(kind: str, offset: int, length: int, **more: Any) -> Json:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>a<i>b</i></b>c", "abc", [("bold", "ab"), ("italic", "b")]),
        ("&lt;&amp;&gt;&quot;&#128512;", '<&>"😀', []),
        ("a & b &nbsp;", "a & b &nbsp;", []),
        ('<a href="https://x.org/?a=1&amp;b=2">l</a>', "l", [("text_link", "l")]),
        ('<a href="tg://user?id=1">Ann</a>', "Ann", [("text_mention", "Ann")]),
        ('<a href="tg://user?id=2">Eve</a>', "Eve", []),
        ("<pre><code class='language-py'>x = 1</code></pre>", "x = 1", [("pre", "x = 1")]),
        ('😀<tg-spoiler>s</tg-spoiler><span class="tg-spoiler">t</span>', "😀st", [("spoiler", "s"), ("spoiler", "t")]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", "q")]),
        ('<tg-emoji emoji-id="53">👍</tg-emoji>', "👍", [("custom_emoji", "👍")]),
        (
            "<u>u</u><s>s</s><del>d</del><code>c</code>",
            "usdc",
            [("underline", "u"), ("strikethrough", "s"), ("strikethrough", "d"), ("code", "c")],
        ),
    ],
)
def test_html_becomes_entities(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    assert parsed(source, "HTML") == (text, entities)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("ä<foo>x</foo>", 'Unsupported start tag "foo" at byte offset 2'),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("1 < 2 <b>", 'Unsupported start tag "" at byte offset 2'),
        ("<b", "Unclosed start tag at byte offset 0"),
    ],
)
def test_broken_html_is_refused_in_telegrams_words(source: str, why: str) -> None:
    assert refusal_text(source, "HTML") == f"Bad Request: can't parse entities: {why}"


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("*b _i_* __u__", "b i u", [("bold", "b i"), ("italic", "i"), ("underline", "u")]),
        ("~s~ ||p|| `c`", "s p c", [("strikethrough", "s"), ("spoiler", "p"), ("code", "c")]),
        ("```py\nx = *1*\n```", "x = *1*", [("pre", "x = *1*")]),
        (r"1\.5 \!", "1.5 !", []),
        ("[l](https://x.org/a)", "l", [("text_link", "l")]),
        ("[a](tg://user?id=1)", "a", [("text_mention", "a")]),
        ("![👍](tg://emoji?id=53)", "👍", [("custom_emoji", "👍")]),
        (">one\n>two\nthree", "one\ntwo\nthree", [("blockquote", "one\ntwo\n")]),
    ],
)  # fmt: skip
def test_markdown_v2_becomes_entities(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    assert parsed(source, "MarkdownV2") == (text, entities)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("a.", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("ä *b", "Can't find end of Bold entity at byte offset 3"),
        ("`c", "Can't find end of Code entity at byte offset 0"),
    ],
)
def test_broken_markdown_v2_is_refused_in_telegrams_words(source: str, why: str) -> None:
    assert refusal_text(source, "MarkdownV2") == f"Bad Request: can't parse entities: {why}"


def test_legacy_markdown_supports_the_common_styles() -> None:
    assert parsed("*b* _i_ `c` [l](x.org)", "Markdown") == (
        "b i c l",
        [("bold", "b"), ("italic", "i"), ("code", "c"), ("text_link", "l")],
    )
    assert "Can't find end of the entity starting at byte offset 2" in refusal_text("a *b", "Markdown")


def test_an_unknown_parse_mode_is_refused() -> None:
    assert refusal_text("x", "BBCode") == "Bad Request: unsupported parse_mode"


def test_text_and_its_entities_are_trimmed() -> None:
    assert parsed("  hi  ", None, [entity("bold", 2, 4)]) == ("hi", [("bold", "hi")])
    assert parsed("\n a \n") == ("a", [])


def test_bad_entities_are_dropped_and_long_ones_cut() -> None:
    given_entities = [entity("bold", -1, 2), entity("italic", 0, 0), entity("underline", 9, 2), entity("code", 1, 99)]
    assert parsed("abc", None, given_entities) == ("abc", [("code", "bc")])


def test_an_unknown_kind_of_entity_is_refused() -> None:
    with pytest.raises(Refusal, match="Unsupported type specified"):
        parsed("abc", None, [entity("loud", 0, 1)])


def test_a_mention_is_kept_only_if_the_bot_knows_the_person() -> None:
    both = [entity("text_mention", 0, 1, user={"id": 1}), entity("text_mention", 1, 1, user={"id": 2})]
    _, found = formatted("ab", None, both, known, 4096, "message")
    assert found == [{"type": "text_mention", "offset": 0, "length": 1, "user": ANN}]


def test_crossing_entities_are_split() -> None:
    assert parsed("abcd", None, [entity("bold", 0, 3), entity("italic", 2, 2)]) == (
        "abcd",
        [("bold", "abc"), ("italic", "c"), ("italic", "d")],
    )


def test_no_entities_stay_inside_code() -> None:
    assert parsed("abcd", None, [entity("code", 0, 4), entity("bold", 1, 2)]) == ("abcd", [("code", "abcd")])


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("go /start now", "bot_command", "/start"),
        ("/find@my_bot", "bot_command", "/find@my_bot"),
        ("hi @some_one!", "mention", "@some_one"),
        ("see https://x.org/a?b=1.", "url", "https://x.org/a?b=1"),
        ("see example.com/p", "url", "example.com/p"),
        ("t.me/someone", "url", "t.me/someone"),
        ("a@b.org", "email", "a@b.org"),
        ("😀 #tag", "hashtag", "#tag"),
        ("$USD", "cashtag", "$USD"),
        ("call +49 30 1234567", "phone_number", "+49 30 1234567"),
    ],
)
def test_telegram_finds_entities_by_itself(text: str, kind: str, what: str) -> None:
    assert parsed(text)[1] == [(kind, what)]


@pytest.mark.parametrize("text", ["1/2", "a/b c", "x@y", "5 > 3", "no.thing", "#1", "C# or $5"])
def test_telegram_finds_no_entities_in_plain_words(text: str) -> None:
    assert parsed(text)[1] == []


def test_no_entities_are_found_inside_code() -> None:
    assert parsed("<code>/start @some_one</code>", "HTML")[1] == [("code", "/start @some_one")]


def test_lengths_are_checked_after_parsing() -> None:
    made = small_world()
    made.ask("sendMessage", chat_id=made.ann, text="<b>" + "x" * 4096 + "</b>", parse_mode="HTML")
    assert made.refusal("sendMessage", chat_id=made.ann, text="😀" * 2049) == (400, "Bad Request: message is too long")
    too_long = {"chat_id": made.ann, "photo": "x", "caption": "x" * 1025}
    sent = made.world.phones.send(made.ann, made.bot.id, {"photo": {}})
    too_long["photo"] = sent["photo"][-1]["file_id"]
    assert made.refusal("sendPhoto", **too_long) == (400, "Bad Request: message caption is too long")


_WHERE = st.integers(-2, 40)


@given(
    st.text(st.sampled_from("ab 😀\n.@/#x"), max_size=30),
    st.lists(
        st.builds(entity, st.sampled_from(["bold", "italic", "code", "spoiler", "pre"]), _WHERE, _WHERE), max_size=6
    ),
)
def test_entities_are_always_sorted_nested_and_inside_the_text(text: str, entities: list[Json]) -> None:
    done, found = formatted(text, None, entities, known, 4096, "message")
    assert done == done.strip()
    spans = [(each["offset"], each["offset"] + each["length"]) for each in found]
    assert spans == sorted(spans, key=lambda span: (span[0], -span[1]))
    for begin, end in spans:
        assert 0 <= begin < end <= utf16_len(done)
    for index, (_, end) in enumerate(spans):
        for other_begin, other_end in spans[index + 1 :]:
            assert other_begin >= end or other_end <= end, "crossing"
    assert formatted(done, None, found, known, 4096, "message")[0] == done
