"""The reply keyboard of each state. The keys are text keys; pressing one sends its label."""

from passerby.kernel.effect import Keys
from passerby.kernel.participant import Chatting, Idle, Searching, State

FIND = "keys.find"
CANCEL = "keys.cancel"
NEXT = "keys.next"
STOP = "keys.stop"
HELLO = "keys.hello"

KEYS: dict[type[State], Keys] = {
    Idle: Keys(((FIND,),)),
    Searching: Keys(((CANCEL,),)),
    Chatting: Keys(((NEXT, STOP),)),
}

WITH_HELLO = Keys(((HELLO,), (NEXT, STOP)))
"""The keyboard with which some chats begin (see `domain.farms.hello`)."""


def keys_for(state: State) -> Keys:
    return KEYS[type(state)]
