"""Evidence: up to five messages that a reporter chooses among those that they received from the partner.

Chats are not stored. The reporter replies to a message, and Telegram brings the original with the reply. It counts only
if the live store knows that it was the copy of a message of the partner in that chat.
"""

from typing import Final

from passerby.domain.after_chat import EARLIER_S
from passerby.domain.commands import command_in
from passerby.kernel.event import ButtonPressed, Event, MessageReceived
from passerby.kernel.ids import ChatId, MessageRef
from passerby.kernel.participant import Chatting, Commenting, Participant

MOST = 5
REPORT = "report"
CHOICES = frozenset({"complain"})
"""Buttons under a question that replies to the message it is about."""

_CHOOSING: Final = (MessageReceived, ButtonPressed)


def original_of(event: Event) -> MessageRef | None:
    """The message of our bot's that a person replied to, or that a pressed question is about."""
    if isinstance(event, _CHOOSING) and event.original is not None:
        return MessageRef(event.bot, event.original.message)
    return None


def may_concern(event: Event, me: Participant, now: float) -> tuple[ChatId, ...]:
    """The chats that a person may mean if they choose a message as evidence with this event. Empty: they choose none.

    It is asked before anything is read, so it looks only at commands, buttons and the person.
    """
    if original_of(event) is None:
        return ()
    match event:
        case MessageReceived(text=words) if command_in(words) == REPORT:
            return reportable(me, now)
        case MessageReceived():
            asked = me.commenting
            return (asked.chat,) if asked is not None and is_open(asked, now) else ()
        case ButtonPressed(action=action, token=token) if action in CHOICES:
            chat = token.partition(".")[0]
            return tuple(each for each in reportable(me, now) if each == chat)
        case _:
            return ()


def is_open(asked: Commenting, now: float) -> bool:
    """Whether evidence can still be added to this report."""
    return now - asked.at <= EARLIER_S


def reportable(me: Participant, now: float) -> tuple[ChatId, ...]:
    """The chats that a person may report now, the present one first."""
    chats: list[ChatId] = []
    if isinstance(me.state, Chatting):
        chats.append(me.state.chat)
    if me.last is not None:
        chats.append(me.last.chat)
    chats += (met.chat for met in me.recent if met.chat and now - met.at <= EARLIER_S)
    return tuple(dict.fromkeys(chats))
