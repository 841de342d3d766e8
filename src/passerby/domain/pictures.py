"""Blurring pictures from strangers: they show only after a tap.

The reader decides. Bots cannot blur the preview of a file, a sticker or a video message (source: Bot API 10.3, the
methods with `has_spoiler`).
"""

import msgspec

from passerby.domain.entitlement import blur_of
from passerby.domain.sanitise import Clean
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.effect import Relay
from passerby.kernel.participant import Blur, Chatting, Participant

SHOWS = frozenset({Kind.PHOTO, Kind.LIVE_PHOTO, Kind.VIDEO, Kind.ANIMATION, Kind.RICH})
"""The kinds that can show a picture without a tap. Rich text may contain some."""


def blurs(reader: Participant | None, state: Chatting, sent_at: float, env: Env) -> bool:
    """Whether a picture that was sent at `sent_at` arrives blurred at `reader`.

    For an edit, `sent_at` is when the edited message was sent. So a blurred picture stays blurred if another one
    replaces it.
    """
    if reader is None:
        return True
    match blur_of(reader, env):
        case Blur.ALWAYS:
            return True
        case Blur.NEVER:
            return False
        case _:
            return sent_at - state.opened_at < env.rules.just_met_s


def looks_at(reader: Participant | None, env: Env) -> bool:
    """Whether a model looks at pictures that would arrive without blur. Readers who want none of it are left alone."""
    return env.rules.pictures_looked_at and reader is not None and blur_of(reader, env) is not Blur.NEVER


def needs_look(clean: Clean) -> bool:
    """Whether this content is one that a model can look at. It sees photos only; other pictures are blurred unseen."""
    return clean.content.kind is Kind.PHOTO and not clean.content.spoiler


def covered(relay: Relay, seen: tuple[Content, ...] = ()) -> Relay:
    """Return a message after the look. `seen`: its contents as they may be shown, as far as somebody looked; the photos
    after these are blurred."""
    rest = [
        msgspec.structs.replace(each, spoiler=True) if each.kind is Kind.PHOTO else each
        for each in relay.contents[len(seen) :]
    ]
    contents = (*seen, *rest)
    copyable = relay.copyable and contents == relay.contents
    return msgspec.structs.replace(relay, contents=contents, copyable=copyable, look=False)


def blurred(clean: Clean) -> Clean:
    """Return the content as it arrives blurred. It is no longer intact, because a copy of the original is not blurred.

    Rich text with pictures can only be copied. If it is not intact, it is refused.
    """
    content = clean.content
    if content.kind is Kind.RICH:
        shows = (content.detail or {}).get("rebuilt") is None
        return Clean(content, clean.intact and not shows)
    if content.kind not in SHOWS or content.spoiler:
        return clean
    return Clean(msgspec.structs.replace(content, spoiler=True), intact=False)
