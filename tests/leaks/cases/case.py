"""One attempt to get something through that must not pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.leaks.canaries import TYPED

Json = dict[str, Any]


class Fate(Enum):
    """The outcome of a message between people who know each other."""

    ARRIVES = "arrives"
    ASKED = "its sender is asked, and says yes"
    REFUSED = "its sender is told"
    IGNORED = "nobody is told anything"


@dataclass(frozen=True)
class Case:
    """Templates of messages (see `canaries.filled`): several are an album, `edits` come to the first of them.

    `after` is what the sender wrote before, to reply to: its own words, or (`theirs`) the partner's.
    """

    name: str
    send: Sequence[Json]
    fate: Fate = Fate.ARRIVES
    edits: Sequence[Json] = ()
    replies_to: str = ""
    shows: str = TYPED
    edits_seen: bool = True


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def caption(of: Json, kind: str, file: Json | None = None) -> Json:
    """A text message turned into a caption."""
    words = {"caption" if key == "text" else "caption_entities": value for key, value in of.items()}
    return {kind: file if file is not None else {}, **words}


def carried(name: str, text: Json, fate: Fate = Fate.ARRIVES) -> list[Case]:
    """The same words as a text, under a picture, under a document, and as an edit of both."""
    plain, picture = {"text": f"{TYPED} before"}, {"photo": {}, "caption": f"{TYPED} before"}
    document = {"file_name": "<name>.pdf", "mime_type": "application/pdf"}
    return [
        Case(f"{name}, text", [text], fate),
        Case(f"{name}, caption", [caption(text, "photo")], fate),
        Case(f"{name}, caption of a document", [caption(text, "document", document)], fate),
        Case(f"{name}, edited text", [plain], edits=[{"entities": [], **text}]),
        Case(f"{name}, edited caption", [picture], edits=[{"caption_entities": [], **_words(text)}]),
    ]


def _words(text: Json) -> Json:
    return {"caption" if key == "text" else "caption_entities": value for key, value in text.items()}
