"""Facts for the records: what the journal carries from the live store to SQL, in order, applied once."""

import msgspec

from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Participant


class PersonChanged(msgspec.Struct, frozen=True, gc=False, tag="person"):
    """The person's newest value. `at` in Unix seconds, like every time here."""

    participant: Participant
    at: float


class ChatOpened(msgspec.Struct, frozen=True, gc=False, tag="opened"):
    chat: ChatId
    first: PersonId
    second: PersonId
    first_bot: BotId
    second_bot: BotId
    at: float


class ChatClosed(msgspec.Struct, frozen=True, gc=False, tag="closed"):
    chat: ChatId
    by: PersonId | None
    reason: str
    at: float


Fact = PersonChanged | ChatOpened | ChatClosed
