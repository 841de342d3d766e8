"""The page of all content kinds: what the relay's own tables say, in words."""

from functools import cache
from pathlib import Path

import passerby
from passerby.adapters.botapi.kinds import UNREAD, Way, beside, way
from passerby.catalogue import Catalogue
from passerby.domain.sanitise import FOUND_ANEW, INSIDE, KEPT, REFUSED, REVEALS_SENDER
from passerby.kernel.content import Kind
from passerby.kernel.text import text

HEAD = """\
# Content kinds

What becomes of everything that a message can hold (Bot API 10.3). "Sent" means that it is written anew from what was
read of it, so that nothing else goes along; a file goes by the id that the reader's bot knows it by. Across bots a
file that the reader's bot has not seen is fetched from the sender's bot and uploaded once, under a neutral name. What
is refused is answered with a sentence to its sender.

Whoever sends cannot tell whether their partner uses the same bot: what is refused across bots is refused on one bot as
well, files of more than 20 MB among it. Only a fleet of one bot, where there is nothing to tell, sends what it can.

| kind | on one bot | across bots | in an album | edits follow | remarks |
|---|---|---|---|---|---|
"""

REMARKS = {
    Kind.TEXT: "Link previews are off.",
    Kind.RICH: "Formatting stays; of links, mentions, addresses and custom emoji only the words do.",
    Kind.AUDIO: "Without title and performer, and therefore always uploaded.",
    Kind.DOCUMENT: "Under a neutral name, with its ending where that is a known one.",
    Kind.STICKER: (
        "With its set if many people use that; found through it on the other bot, so that no bytes move. Without it "
        "otherwise, and uploaded: a set may tell who made it."
    ),
    Kind.DICE: "As text, with the value that its sender saw: a dice sent anew would show another.",
    Kind.POLL: "Anonymous and without votes; a quiz whose answer is not told becomes a plain poll.",
    Kind.CHECKLIST: "As text, with ☐ and ☑; who ticked what is left out.",
    Kind.CONTACT: "Telephone and name; not the account, not the vCard.",
    Kind.LOCATION: "A live one stays live.",
    Kind.UNKNOWN: "Whatever Telegram adds after this version.",
}

TAIL = """\

## Asked about first

| what | sentence |
|---|---|
{asked}

In a chat's first minutes also words that tell how to find somebody (the setting decides): user names, links, e-mail
addresses, telephone numbers, in texts, captions, polls, checklists and edits.

## Said beside

The message is passed on, and its sender is told:

| what | sentence |
|---|---|
{said}

## Formatting

Passed on: {kept}. A `text_link` to an account on Telegram is not, however it is spelt. Standing in the text for all to
read, and found there again by Telegram: {found}. Anything else, such as a `text_mention`, is taken out.

A custom emoji is passed on if many people use it, and else goes as the plain emoji that stands in the text.

Spoilers, captions above, protection and effects are kept.

## The other fields of a message

Looked at, and never passed on as they are: {beside}.

Never read: {unread}.
"""


@cache
def _catalogue() -> Catalogue:
    return Catalogue.load(Path(passerby.__file__).parent)


def _plain(key: str) -> str:
    return " ".join(_catalogue().plain(text(key), "en").split())


def _row(of: Way) -> str:
    kind = of.kind
    fields = ", ".join(f"`{field}`" for field in of.fields if field != kind.value)
    name = f"`{kind}`" + (f" ({len(of.fields)} fields)" if len(of.fields) > 4 else f" ({fields})" if fields else "")
    remark = REMARKS.get(kind, "")
    if kind in REFUSED:
        refused = f"refused: “{_plain(REFUSED[kind])}”"
        return f"| {name} | {refused} | the same | – | – | {remark} |"
    home = f"`{of.sent}`"
    across = home + (", uploaded if need be" if of.uploads else "")
    if of.copied:
        remark += (
            f" With files inside refused: “{_plain('chat.failed_cannot_copy')}” A bot that is alone uses `{of.copied}`."
        )
    if kind is Kind.POLL:
        remark += f" With media inside refused: “{_plain('chat.refused_poll_media')}”"
    if kind in REVEALS_SENDER:
        remark = f"Only after its sender has said yes. {remark}".strip()
    edits = ", ".join(f"`{method}`" for method in of.edits) or "–"
    return f"| {name} | {home} | {across} | {f'`{of.grouped}`' if of.grouped else '–'} | {edits} | {remark} |"


def _names(names: object) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))  # type: ignore[call-overload]


def content_kinds_page() -> str:
    rows = "\n".join(_row(way(kind)) for kind in Kind)
    asked = {"contact": "chat.confirm_contact", "location, venue": "chat.confirm_place"}
    said = {", ".join(f"`{type_}`" for type_ in types): key for key, types in INSIDE}
    tail = TAIL.format(
        asked="\n".join(f"| {what} | {_plain(key)} |" for what, key in asked.items()),
        said="\n".join(
            f"| a document of {what}{', and all `audio`' if 'audio/' in what else ''} | {_plain(key)} |"
            for what, key in said.items()
        ),
        kept=_names(KEPT),
        found=_names(FOUND_ANEW),
        beside=_names(beside()),
        unread=_names(UNREAD),
    )
    return HEAD + rows + "\n" + tail
