"""Three states, three keyboards. The keys are text keys; what they word is also what pressing them sends."""

from passerby.kernel.effect import Keys
from passerby.kernel.participant import Chatting, Idle, Searching, State

FIND = "keys.find"
CANCEL = "keys.cancel"
NEXT = "keys.next"
STOP = "keys.stop"

KEYS: dict[type[State], Keys] = {
    Idle: Keys(((FIND,),)),
    Searching: Keys(((CANCEL,),)),
    Chatting: Keys(((NEXT, STOP),)),
}


def keys_for(state: State) -> Keys:
    return KEYS[type(state)]
