"""Mentions without a visible name, at every edge that an entity can have."""

from tests.leaks.canaries import TYPED
from tests.leaks.cases.case import Case, Json, carried, utf16

USER = {"<": "user"}
FRIEND = {"<": "xuser"}


def mention(offset: int, length: int, user: Json = USER) -> Json:
    return {"type": "text_mention", "offset": offset, "length": length, "user": user}


def styled(kind: str, offset: int, length: int, **more: object) -> Json:
    return {"type": kind, "offset": offset, "length": length, **more}


WORDS = f"{TYPED} hello there"
SIZE = utf16(WORDS)
FLAGS = f"👩‍👩‍👧‍👦🏳️‍🌈{TYPED}𝔘𝔫𝔦"

EDGES: dict[str, tuple[str, list[Json]]] = {
    "the whole": (WORDS, [mention(0, SIZE)]),
    "the first letter": (WORDS, [mention(0, 1)]),
    "the last letter": (WORDS, [mention(SIZE - 1, 1)]),
    "a friend": (WORDS, [mention(0, 4, FRIEND)]),
    "both": (WORDS, [mention(0, 4), mention(4, 4, FRIEND)]),
    "twice the same": (WORDS, [mention(0, 4), mention(0, 4)]),
    "overlapping": (WORDS, [mention(0, 8), mention(4, 8, FRIEND)]),
    "inside bold": (WORDS, [styled("bold", 0, SIZE), mention(2, 3)]),
    "around bold": (WORDS, [mention(0, SIZE), styled("bold", 2, 3)]),
    "crossing italic": (WORDS, [styled("italic", 0, 6), mention(4, 6)]),
    "inside a spoiler": (WORDS, [styled("spoiler", 0, SIZE), mention(0, SIZE)]),
    "inside a quote": (WORDS, [styled("blockquote", 0, SIZE), mention(0, 4)]),
    "inside code": (WORDS, [styled("code", 0, SIZE), mention(0, 4)]),
    "under a hidden link": (WORDS, [mention(0, 4), styled("text_link", 0, 4, url="https://example.org/")]),
    "with a link of its own": (WORDS, [mention(0, 4) | {"url": "tg://user?id=<id>"}]),
    "beside a custom emoji": (
        WORDS,
        [styled("custom_emoji", 0, 2, custom_emoji_id="5368324170671202286"), mention(2, 3)],
    ),
    "beside one's own custom emoji": (WORDS, [styled("custom_emoji", 0, 2, custom_emoji_id="<id>"), mention(2, 3)]),
    "too long": (WORDS, [mention(0, SIZE + 100)]),
    "beyond the end": (WORDS, [mention(SIZE + 5, 4)]),
    "before the beginning": (WORDS, [mention(-3, 6)]),
    "of no length": (WORDS, [mention(3, 0)]),
    "of negative length": (WORDS, [mention(6, -3)]),
    "huge": (WORDS, [mention(0, 2**31 - 1)]),
    "half a surrogate pair": (FLAGS, [mention(1, 1)]),
    "to within a surrogate pair": (FLAGS, [mention(0, 3), styled("bold", 3, 2)]),
    "a whole family": (FLAGS, [mention(0, 11)]),
    "letters of another plane": (FLAGS, [mention(utf16(FLAGS) - 6, 6)]),
    "a hundred": (WORDS, [mention(place % SIZE, 1) for place in range(100)]),
    "of a type to come": (WORDS, [styled("person_mention", 0, 4, user=USER, username="<username>")]),
    "a plain mention with a user": (WORDS, [styled("mention", 0, 4, user=USER)]),
    "a link with a user": (WORDS, [styled("text_link", 0, 4, url="https://example.org/", user=USER)]),
    "bold with a user": (WORDS, [styled("bold", 0, 4, user=USER, url="tg://user?id=<id>")]),
    "a custom emoji with a user": (WORDS, [styled("custom_emoji", 0, 2, custom_emoji_id="1", user=USER)]),
    "code in a language": (WORDS, [styled("pre", 0, 4, language="python"), mention(5, 4)]),
    "code in a language that is a link": (
        WORDS,
        [styled("pre", 0, 4, language="https://t.me/<username>"), mention(5, 4)],
    ),
    "code in a language that is a number": (WORDS, [styled("pre", 0, 4, language="tel:<phone>"), mention(5, 4)]),
    "a date in a format of one's own": (
        WORDS,
        [styled("date_time", 0, 4, unix_time=1760000000, date_time_format="<username>"), mention(5, 4)],
    ),
    "a date": (WORDS, [styled("date_time", 0, 4, unix_time=1760000000, date_time_format="r"), mention(5, 4)]),
}

CASES: list[Case] = [
    case
    for name, (text, entities) in EDGES.items()
    for case in carried(f"mention {name}", {"text": text, "entities": entities})
]
