"""A person as the chat sees them now: profile, where to reach them, and what they are doing.

The record is a value. Deciders return a new one; the live store accepts it only if nobody changed it meanwhile
(`version`). It holds no name and no content.
"""

from enum import StrEnum

import msgspec

from passerby.kernel.ids import BotId, ChatId, PersonId, PoolId


class Gender(StrEnum):
    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNSAID = "unsaid"


class Profile(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a person said of themselves. Ages in full years as of `age_given_at`; times are Unix seconds.

    `too_young_at` is when they last gave an age that is not let in.
    """

    consented_at: float | None = None
    age: int | None = None
    age_given_at: float = 0.0
    gender: Gender | None = None
    language: str = ""
    too_young_at: float | None = None

    @property
    def complete(self) -> bool:
        return self.consented_at is not None and self.age is not None and self.gender is not None


class Ticket(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A wish to be paired: the facts of a waiting person that pairing may look at. `since` is Unix seconds."""

    person: PersonId
    pool: PoolId
    since: float
    gender: Gender
    age: int
    recent: tuple[PersonId, ...] = ()


class Idle(msgspec.Struct, frozen=True, gc=False, tag="idle"):
    pass


class Searching(msgspec.Struct, frozen=True, gc=False, tag="searching"):
    ticket: Ticket


class Chatting(msgspec.Struct, frozen=True, gc=False, tag="chatting"):
    chat: ChatId
    partner: PersonId
    opened_at: float


State = Idle | Searching | Chatting


class LastChat(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The chat that a person was in last. `left` says that they were the one who ended it."""

    chat: ChatId
    partner: PersonId
    closed_at: float
    reason: str
    left: bool


class Participant(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person. `bot` is the bot that they used last and are reached through; None: nobody can reach them now.

    `bots` are those that they have started and not blocked, most recent first.
    """

    person: PersonId
    version: int = 0
    bot: BotId | None = None
    bots: tuple[BotId, ...] = ()
    profile: Profile = Profile()
    state: State = Idle()
    last: LastChat | None = None
    seen_at: float = 0.0
