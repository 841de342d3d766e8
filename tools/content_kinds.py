"""The page of all content kinds, made from the tables that the relay uses."""

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

This page says what happens to everything that a message can contain (Bot API 10.3). "Sent" means that Passerby builds
a new message from the fields it has read, so that nothing else goes along. A file is sent by the id that the reader's
bot knows. If the reader's bot has not seen the file, Passerby downloads it from the sender's bot and uploads it once,
under a neutral name. If something is refused, its sender gets a sentence.

A sender cannot tell whether their partner uses the same bot. If a message is refused across bots, it is refused on
one bot too,
for example a file of more than 20 MB. Only a fleet of one bot sends everything it can, because there is nothing to
tell.

| kind | on one bot | across bots | in an album | edits follow | remarks |
|---|---|---|---|---|---|
"""

REMARKS = {
    Kind.TEXT: "Link previews are off.",
    Kind.RICH: "Formatting stays. Of links, mentions, addresses and custom emoji only the words stay.",
    Kind.AUDIO: "Sent without title and performer, so it is always uploaded.",
    Kind.DOCUMENT: "Sent under a neutral name. A known file extension is kept.",
    Kind.STICKER: (
        "If many people use its set, it is sent with the set; the other bot finds it there, so nothing is uploaded. "
        "Otherwise it is uploaded without the set, because a set may show who made it."
    ),
    Kind.DICE: "Sent as text with the value that its sender saw. A new dice would show another value.",
    Kind.POLL: "Anonymous and without votes. If the answer of a quiz is not known, it becomes a plain poll.",
    Kind.CHECKLIST: "Sent as text, with ☐ and ☑. It does not show who ticked what.",
    Kind.CONTACT: "Sent with telephone number and name, without the account and the vCard.",
    Kind.LOCATION: "A live one stays live.",
    Kind.UNKNOWN: "Everything that Telegram adds after this version.",
}

TAIL = """\

## Asked first

| what | sentence |
|---|---|
{asked}

In the first minutes of a chat, the bot also asks about words that show how to find somebody: user names, links, e-mail
addresses and telephone numbers, in texts, captions, polls, checklists and edits. The setting `CONTACT_POLICY` decides.

## Sent with a note

The message is passed on, and its sender is told:

| what | sentence |
|---|---|
{said}

## Formatting

Passed on: {kept}. A `text_link` to an account on Telegram is not passed on, in any spelling.

Readable in the text, so Telegram finds them there again: {found}.

Everything else is removed, for example a `text_mention`.

A custom emoji is passed on if many people use it. Otherwise the plain emoji in the text is sent.

Spoilers, captions above the picture, protection and effects are kept.

## The other fields of a message

Read, but never passed on as they are: {beside}.

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
    across = home + (", uploaded if needed" if of.uploads else "")
    if of.copied:
        remark += (
            f" Refused with files inside: “{_plain('chat.failed_cannot_copy')}” A fleet of one bot uses `{of.copied}`."
        )
    if kind is Kind.POLL:
        remark += f" Refused with media inside: “{_plain('chat.refused_poll_media')}”"
    if kind in REVEALS_SENDER:
        remark = f"Sent only after its sender has confirmed. {remark}".strip()
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
