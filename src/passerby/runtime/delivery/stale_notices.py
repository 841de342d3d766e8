"""Notices that were decided on before the store was wiped.

What a decision changed just before a wipe is forgotten where the records had not heard of it yet, and its notices may
still be on their way. Whoever is told "you are in a chat" by one of them, and is in none, writes to nobody; whoever is
told "your partner left" while somebody new has been found goes away from them. So what a notice says of where its
reader stands, by its keyboard, is compared with where they do; and they are told that instead.
"""

from typing import Final

import msgspec

from passerby.dialogue.keyboards import KEYS, keys_for
from passerby.kernel.participant import Chatting, Idle, Searching, State
from passerby.kernel.text import text
from passerby.ports.outbox import Notice

_NOW: Final = {Idle: "search.idle", Searching: "search.already", Chatting: "search.in_chat"}


def as_things_stand(notice: Notice, state: State) -> Notice:
    """The notice itself, where its reader stands as it says or it does not say; else one that tells how it is."""
    says = notice.keyboard
    if says not in KEYS.values() or (says == keys_for(state) and not _of_another_chat(notice, state)):
        return notice
    return msgspec.structs.replace(notice, text=text(_NOW[type(state)]), keyboard=keys_for(state), anchors=None)


def _of_another_chat(notice: Notice, state: State) -> bool:
    return notice.anchors is not None and isinstance(state, Chatting) and notice.anchors != state.chat
