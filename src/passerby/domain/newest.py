"""Decides which edits and reactions can be left out because a newer one of the same message is on its way.

An edit holds the whole message as it is now, and a reaction works the same way. So nobody misses anything without the
older one. The newest keeps its own place among the messages, and the older ones are left out.
"""

import msgspec

from passerby.kernel.effect import Relay, RelayDelete, RelayEdit, RelayEffect
from passerby.kernel.event import (
    Attempt,
    DeliveryFailed,
    Event,
    MessageEdited,
    Overrun,
    ReactionChanged,
    Refusal,
    Unusable,
)

_ENDED = frozenset({Refusal.LEFT, Refusal.UNREACHABLE})
_FOLLOWING = MessageEdited | ReactionChanged


def together(older: Event, newer: Event) -> Event | None:
    """Merge two consecutive events of one person into one. None if both count."""
    if type(older) is not type(newer):
        return None
    if isinstance(older, Overrun) and isinstance(newer, Overrun) and older.spell == newer.spell:
        return msgspec.structs.replace(older, count=newer.count, query=newer.query or older.query)
    if isinstance(older, Unusable):
        return newer
    if isinstance(older, _FOLLOWING) and isinstance(newer, _FOLLOWING):
        return newer if (older.bot, older.message) == (newer.bot, newer.message) else None
    return None


def is_more_of(first: Event, following: Event) -> bool:
    """Whether two messages were not delivered because the same chat had ended, so that one notice can cover both.

    A partner who blocked the bot looks the same as one who left.
    """
    if not isinstance(first, DeliveryFailed) or not isinstance(following, DeliveryFailed):
        return False
    of_one_chat = (first.chat, first.bot) == (following.chat, following.bot)
    return of_one_chat and all(each.refusal in _ENDED and each.attempt is Attempt.RELAY for each in (first, following))


def supersedes(newer: RelayEffect, older: RelayEffect) -> bool:
    """Whether `older`, which nobody has seen yet, need not be sent because `newer` follows it."""
    if isinstance(newer, Relay) or isinstance(older, Relay | RelayDelete):
        return False
    if type(newer) is not type(older) and not isinstance(newer, RelayDelete):
        return False
    return newer.source == older.source and newer.chat == older.chat


def with_edit(relay: Relay, edit: RelayEdit) -> Relay | None:
    """An unsent message with an edit applied. None if the edit belongs to another message or changes the kind: an edit
    that turns a text into a picture is sent as an edit."""
    if relay.chat != edit.chat or relay.source_bot != edit.source.bot or edit.source.message not in relay.sources:
        return None
    at = relay.sources.index(edit.source.message)
    before = relay.contents[at]
    if before.kind != edit.content.kind:
        return None
    after = msgspec.structs.replace(edit.content, group=before.group)
    # It is not copied: by then Telegram may have a newer version than the one we checked.
    contents = (*relay.contents[:at], after, *relay.contents[at + 1 :])
    return msgspec.structs.replace(relay, contents=contents, copyable=False)
