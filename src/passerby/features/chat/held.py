"""Messages that wait for their sender's word, because they tell where to find somebody.

Which ones wait is part of a person's state: ids and times, no content. So an edit of one is told from an edit of
anything else, and what goes is what its sender sees when they press the button, not what they saw when they were asked:

    edited, and nothing to ask about is left      it goes at once
    edited otherwise                              it waits on; the press finds out what it says by then
    pressed, and it says no more than was asked   it goes
    pressed, and it says more                     its sender is asked again, about that
    pressed, and Telegram brings an older text    its sender is asked again, below the message as it is
"""

from collections import Counter

import msgspec

from passerby.domain.contacts import find, traces
from passerby.kernel.content import Content
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import MessageRef
from passerby.kernel.participant import Chatting, Held, Participant

MOST = 10
"""So many wait at once. Of an older one the button still works; only edits before the press are not known."""

ANYTHING = "*"
"""Of a question that is about a message whatever it tells."""

_WORDS = 500
_LETTERS = 16
"""A button holds 64 bytes: a chat, a message, and so many."""


def held_in(state: Chatting, at: MessageRef) -> Held | None:
    """How a message waits, if it does."""
    return next((each for each in state.held if each.at == at), None)


def hold(me: Participant, state: Chatting, held: Held) -> Participant:
    """The person with one more message that waits, or with what is known of one by now."""
    others = [each for each in state.held if each.at != held.at]
    return _with(me, state, (*others, held)[-MOST:])


def release(me: Participant, state: Chatting, at: MessageRef) -> tuple[Participant, ...]:
    """The person without a message that waited; nobody, if nothing changes."""
    others = tuple(each for each in state.held if each.at != at)
    return (_with(me, state, others),) if len(others) < len(state.held) else ()


def _with(me: Participant, state: Chatting, held: tuple[Held, ...]) -> Participant:
    return msgspec.structs.replace(me, state=msgspec.structs.replace(state, held=held))


def place_of(event: MessageReceived) -> MessageRef:
    return MessageRef(event.bot, event.messages[0])


def said(content: Content) -> str:
    """What a message tells, as letters for a button: one for each word that is a trace, for the rest, for links."""
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
