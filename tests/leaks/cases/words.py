"""Strange letters: what is typed arrives, and nothing beside it. Their senders are named by an entity each time."""

from tests.leaks.canaries import TYPED
from tests.leaks.cases.case import Case, Json, caption, utf16

TRICKS = {
    "right to left": f"\u202e{TYPED}\u202c",
    "isolates": f"\u2066{TYPED}\u2069 \u2067abc\u2069",
    "marks": f"\u200e{TYPED}\u200f",
    "zero width": f"\u200b{TYPED}\u200c\u200d\ufeff",
    "soft hyphens": f"\u00ad{TYPED}\u00ad",
    "combining": f"{TYPED} " + "e" + "\u0301" * 60,
    "zalgo": f"{TYPED} " + "".join(letter + "\u0336\u034f\u0489" for letter in "zalgo"),
    "variation selectors": f"{TYPED} ❤\ufe0e❤\ufe0f",
    "tags": f"{TYPED} \U000e0061\U000e0062\U000e007f",
    "private use": f"{TYPED} \ue000\uf8ff\U000f0000",
    "not a character": f"{TYPED} \ufdd0\uffff",
    "other plane": f"{TYPED} 𝔬𝔱𝔥𝔢𝔯 𝟙𝟚𝟛",
    "families": f"{TYPED} 👩‍👩‍👧‍👦 🏴\U000e0067\U000e0062\U000e007f 👍🏿",
    "flags": f"{TYPED} 🇩🇪🇫🇷🇩",
    "arabic": f"{TYPED} مرحبا \u0640\u0640",
    "hebrew": f"{TYPED} שלום",
    "devanagari": f"{TYPED} नमस्ते",
    "thai": f"{TYPED} สวัสดี",
    "hangul filler": f"{TYPED} \u3164\u115f",
    "braille blank": f"{TYPED} \u2800",
    "line separators": f"{TYPED}\u2028\u2029\u0085x",
    "controls": f"{TYPED} \x01\x07\x1b[31m\x7f",
    "html": f"<b>{TYPED}</b> <a href='tg://user?id=1'>&lt;x&gt;</a> &amp;&#64;",
    "markdown": f"*{TYPED}* [x](tg://user?id=1) `_~|>#+-=.!",
    "json": f'{TYPED}", "from": {{"id": 1}} \\u0041 \\',
    "template": f"{TYPED} {{name}} {{0}} %s %(name)s ${{x}}",
    "paths": f"{TYPED} ../../etc/passwd C:\\x \x00y",
    "sql": f"{TYPED}'); DROP TABLE people; --",
    "newlines": f"\n\n{TYPED}\r\n\n\t x",
    "long": f"{TYPED} " + "я" * 1000,
}


def named(text: str) -> Json:
    entity = {"type": "text_mention", "offset": 0, "length": min(3, utf16(text)), "user": {"<": "user"}}
    return {"text": text, "entities": [entity]}


CASES: list[Case] = [
    case
    for name, text in TRICKS.items()
    for case in (
        Case(f"{name}, text", [named(text)]),
        Case(f"{name}, caption", [caption(named(text), "voice")]),
        Case(f"{name}, edit", [{"text": f"{TYPED} before"}], edits=[named(text)]),
    )
]
