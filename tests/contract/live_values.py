"""Values to put into a live store: people in each state, and everything else that a commit carries."""

import msgspec

from passerby.kernel.effect import Keys, Priority
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, PoolId, UpdateRef
from passerby.kernel.participant import Chatting, Gender, Idle, Participant, Profile, Searching, State, Ticket
from passerby.kernel.text import text
from passerby.ports.facts import Fact, PersonChanged
from passerby.ports.message_map import Copied
from passerby.ports.outbox import Notice, Parked
from passerby.ports.trails import Trail, trail_of

NOW = 1_800_000_000.0
BOT, OTHER_BOT = BotId(1000001), BotId(1000002)
ADULTS, MINORS = PoolId("adults"), PoolId("minors")
ANN, BEN, EVE = PersonId(1), PersonId(2), PersonId(3)
CHAT, NEXT_CHAT = ChatId("first"), ChatId("second")


def somebody(person: PersonId, version: int = 1, state: State | None = None) -> Participant:
    profile = Profile(consented_at=NOW, age=30, age_given_at=NOW, gender=Gender.OTHER, language="en")
    return Participant(person, version, BOT, (BOT,), profile, state or Idle(), seen_at=NOW)


def becomes(was: Participant, state: State) -> Participant:
    """The person's next version, in another state."""
    return msgspec.structs.replace(was, state=state, version=was.version + 1)


def waiting(person: PersonId, since: float = NOW, pool: PoolId = ADULTS) -> Searching:
    return Searching(Ticket(person, pool, since, Gender.OTHER, 30))


def couple(chat: ChatId = CHAT, version: int = 1) -> tuple[Participant, Participant]:
    return (
        somebody(ANN, version, Chatting(chat, BEN, NOW)),
        somebody(BEN, version, Chatting(chat, ANN, NOW)),
    )


def update(number: int, bot: BotId = BOT) -> UpdateRef:
    return UpdateRef(bot, number)


def at(message: int, bot: BotId = BOT) -> MessageRef:
    return MessageRef(bot, MessageId(message))


def copied(source: int, copy: int, print_: int = 0) -> Copied:
    return Copied(at(source), at(copy, OTHER_BOT), print_)


def notice(id_: str, to: PersonId = ANN) -> Notice:
    keys = Keys((("keys.find",),))
    return Notice(id_, to, BOT, text("search.idle", n=1), Priority.COMMAND, NOW, keys, MessageId(5), anchors=CHAT)


def telling(id_: str, to: PersonId, chat: ChatId = CHAT) -> Notice:
    """The notice that tells somebody about a chat."""
    return msgspec.structs.replace(notice(id_, to), anchors=chat)


def parked(id_: str) -> Parked:
    return Parked(id_, CHAT, BEN, OTHER_BOT, b"\x00sealed", NOW + 3600)


def trail(id_: str, person: PersonId = ANN, bot: BotId = BOT) -> Trail:
    """An item of an album that a person sends."""
    return Trail(id_, trail_of(person), bot, NOW + 3600, "album", b"\x00sealed")


def fact(number: int) -> Fact:
    return PersonChanged(somebody(PersonId(1000 + number)), NOW + number)
