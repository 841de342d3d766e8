"""Held messages: they wait for their sender's confirmation, because they tell how to find somebody.

A person's state says which messages are held: ids and times, no content. So an edit of a held message is recognised.
The message that is passed on is the one its sender sees when they press the button, not the one they were asked about:

    edited, and nothing needs confirmation any more   it is passed on at once
    any other edit                                    it stays held; the press looks at its newest text
    pressed, and it tells no more than was asked      it is passed on
    pressed, and it tells more                        its sender is asked again
    pressed, and Telegram brings an older text        its sender is asked again, below the current message
"""

from collections import Counter

import msgspec

from passerby.domain.contacts import find, traces
from passerby.kernel.content import Content
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import MessageRef
from passerby.kernel.participant import Chatting, Held, Participant

MOST = 10
"""How many held messages are remembered. The buttons of older ones still work, but their edits before the press are not
known."""

ANYTHING = "*"
"""Marks a question that covers everything the message tells."""

_WORDS = 500
_LETTERS = 16
"""How many letters for traces a button has room for. Its data has 64 bytes, for a chat, a message and these letters."""


def held_in(state: Chatting, at: MessageRef) -> Held | None:
    """The held message with this id, if it is held."""
    return next((each for each in state.held if each.at == at), None)


def hold(me: Participant, state: Chatting, held: Held) -> Participant:
    """The person with one more held message, or with an updated one."""
    others = [each for each in state.held if each.at != held.at]
    return _with(me, state, (*others, held)[-MOST:])


def release(me: Participant, state: Chatting, at: MessageRef) -> tuple[Participant, ...]:
    """The changed person, without this held message; empty if nothing changes."""
    others = tuple(each for each in state.held if each.at != at)
    return (_with(me, state, others),) if len(others) < len(state.held) else ()


def _with(me: Participant, state: Chatting, held: tuple[Held, ...]) -> Participant:
    return msgspec.structs.replace(me, state=msgspec.structs.replace(state, held=held))


def place_of(event: MessageReceived) -> MessageRef:
    return MessageRef(event.bot, event.messages[0])


def said(content: Content) -> str:
    """A message's traces as letters for a button: one for each word that is a trace, one for the rest, and one for
    links."""
    words = content.text.split(maxsplit=_WORDS)
    found = [find(word) for word in words]
    rest = " ".join(word for word, trace in zip(words, found, strict=True) if trace is None)
    kinds = [each for each in (*found, find(rest)) if each is not None]
    behind = msgspec.structs.replace(content, text="")
    kinds += {each for each in (traces(content), traces(behind)) if each is not None}.difference(kinds)
    return "".join(sorted(kind.value[0] for kind in kinds))[:_LETTERS]


def tells_more(now: str, asked: str) -> bool:
    """Whether a message tells more than its sender was asked about."""
    return asked != ANYTHING and not Counter(now) <= Counter(asked)
