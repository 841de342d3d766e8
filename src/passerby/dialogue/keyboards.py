"""The reply keyboard of each state. The keys are text keys; pressing one sends its label."""

from passerby.kernel.effect import Keyboard, Keys
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

WITH_HELLO = Keys(((NEXT, STOP), (HELLO,)))
"""The keyboard with which some chats begin (see `domain.farms.hello`)."""

_SHOWS: dict[Keys, type[State]] = {keys: state for state, keys in KEYS.items()} | {WITH_HELLO: Chatting}


def state_of(keyboard: Keyboard | None) -> type[State] | None:
    """The state whose keyboard it is. None: it is no state's, or there is none."""
    return _SHOWS.get(keyboard) if isinstance(keyboard, Keys) else None


def keys_for(state: State) -> Keys:
    return KEYS[type(state)]
