"""Texts that tell their readers what they are doing: chatting, searching or neither. All other texts stay true if that
changes."""

from typing import Final

from passerby.domain.farms.wordings import WORDINGS, named
from passerby.kernel.participant import Chatting, Idle, Searching, State

FOUND: Final = frozenset(
    named(key, wording)
    for key in ("search.found", "search.found_alike", "search.found_alike_asking", "search.found_asking")
    for wording in range(WORDINGS)
)
"""The notices that a partner was found."""

_TELL_STATE: Final = FOUND | frozenset(
    {
        "after_chat.search_rests",
        "after_chat.together_again",
        "chat.connection_lost",
        "chat.moved_here",
        "chat.next_while_searching",
        "chat.partner_left",
        "chat.search_stopped",
        "chat.stop_while_idle",
        "chat.you_left",
        "chat.you_moved_on",
        "friends.together",
        "idle.ended",
        "safety.chat_over",
        "safety.done_here",
        "search.already",
        "search.begun",
        "search.came_too_late",
        "search.cancelled",
        "search.found_meanwhile",
        "search.idle",
        "search.in_chat",
        "search.nobody_yet",
        "search.not_searching",
        "start.bot_was_lost",
        "start.ready",
        "start.welcome_chatting",
        "start.welcome_searching",
    }
)

_TELL_END: Final = frozenset(
    {
        "chat.connection_lost",
        "chat.partner_left",
        "chat.you_left",
        "chat.you_moved_on",
        "idle.ended",
        "safety.chat_over",
        "safety.done_here",
        "start.bot_was_lost",
    }
)
"""The texts that tell their readers that their chat is over."""

NOW: Final[dict[type[State], str]] = {
    Idle: "chat.connection_lost",
    Searching: "search.already",
    Chatting: "search.in_chat",
}
"""For somebody who was told something else before the stores lost it."""

UNSENT: Final[dict[type[State], str]] = {
    Idle: "search.idle",
    Searching: "search.nobody_yet",
    Chatting: "chat.before_this_chat",
}
"""The answer to a message that reached nobody."""


def tells_state(key: str) -> bool:
    return key in _TELL_STATE


def tells_end(key: str) -> bool:
    return key in _TELL_END
