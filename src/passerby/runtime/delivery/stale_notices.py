"""Corrects notices that were decided on in an earlier generation of the store.

The new generation may not have a decision that was made just before, but its notices may still be on their way. A
person who is told "you are in a chat" but is in none would write to nobody. A person who is told "your partner left"
after a new one was found would leave the new partner. So we compare the state that a notice's keyboard shows with the
reader's state. If they differ, the reader gets a notice about their real state instead.

There is one exception: an earlier state that is over, if the notice of the present state is still to come. Then both
come in the right order, and without the first one nobody would tell the person that their last chat is over.
"""

from typing import Final

import msgspec

from passerby.dialogue.keyboards import KEYS, keys_for
from passerby.kernel.decision import Facts
from passerby.kernel.participant import Chatting, Idle, Searching, State
from passerby.kernel.text import text
from passerby.ports.outbox import Notice

_NOW: Final = {Idle: "chat.connection_lost", Searching: "search.already", Chatting: "search.in_chat"}


def as_things_stand(notice: Notice, facts: Facts) -> Notice:
    """Return the notice if it fits its reader's state or says nothing about it; otherwise one that tells the state."""
    says, state = notice.keyboard, facts.me.state
    if says not in KEYS.values() or (says == keys_for(state) and not _of_another_chat(notice, state)):
        return notice
    is_told = facts.anchor is not None or isinstance(state, Idle)
    if not is_told and says != KEYS[Chatting]:
        return notice
    return msgspec.structs.replace(notice, text=text(_NOW[type(state)]), keyboard=keys_for(state), anchors=None)


def _of_another_chat(notice: Notice, state: State) -> bool:
    return notice.anchors is not None and isinstance(state, Chatting) and notice.anchors != state.chat
