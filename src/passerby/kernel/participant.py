"""A person as Passerby sees them now: profile, how to reach them, and what they are doing.

The record is a value. Deciders return a new one, and the live store accepts it only if nobody changed it since it was
read (`version`). It holds no name and no content.
"""

from enum import StrEnum

import msgspec

from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, PoolId
from passerby.kernel.journey import Journey
from passerby.kernel.money import Wallet
from passerby.kernel.sanction import Sanction, SupportCode
from passerby.kernel.spent import Spent


class Gender(StrEnum):
    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNSAID = "unsaid"


class Profile(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A person's description of themselves. Ages are in full years as of `age_given_at`. Times are in Unix seconds.

    - `too_young_at` is when they last gave an age below the minimum. `age_mended_at` is when they said that this was a
      typing mistake; they can say so only once.
    - `language` is the language that we write to them in. `languages` are the ones they chat in, the preferred one
      first (IETF tags without a region). `talks_anyhow`: we know nothing about the languages they chat in, and
      `language` does not tell.
    - `interests` are tags: names from the curated list, or their own words in lower case.
    - `country` is an ISO 3166-1 code.
    """

    consented_at: float | None = None
    age: int | None = None
    age_given_at: float = 0.0
    gender: Gender | None = None
    language: str = ""
    too_young_at: float | None = None
    languages: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    country: str = ""
    talks_anyhow: bool = False
    age_mended_at: float | None = None

    @property
    def complete(self) -> bool:
        return self.consented_at is not None and self.age is not None and self.gender is not None


class Blur(StrEnum):
    """When pictures from a partner arrive blurred, so that they show only after a tap."""

    FIRST = "first"
    """While the two have only just met."""
    ALWAYS = "always"
    NEVER = "never"


class Preferences(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The people that a person wants to meet. Without genders: anybody. Ages are in full years, and both ends are
    included."""

    genders: tuple[Gender, ...] = ()
    age_min: int | None = None
    age_max: int | None = None
    other_languages: bool = True
    """Whether they accept somebody without a common language, if nobody else is found."""
    icebreakers: bool = True
    blur: Blur = Blur.FIRST


class Complaint(StrEnum):
    """The reason for reporting a partner."""

    SPAM = "spam"
    RUDE = "rude"
    SEXUAL = "sexual"
    UNDERAGE = "underage"
    THREAT = "threat"
    SCAM = "scam"
    OTHER = "other"


class Met(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A former partner. `at` is when they parted. `skipped`: the person left at once.

    `chat` is the chat they had, and `complaint` is the person's report about it. Tickets carry neither.
    """

    person: PersonId
    at: float
    skipped: bool = False
    chat: ChatId = ChatId("")
    complaint: Complaint | None = None


class Saved(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Somebody whom a person wants to chat with again. `token` stands for them in buttons.

    Only `mutual` entries can be seen and asked. Until both have saved each other, neither learns about it.
    """

    token: str
    person: PersonId
    nickname: str = ""
    mutual: bool = False
    asked_at: float | None = None


class Commenting(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A person was asked at `at` to add a comment to their report about `chat`.

    `prompt` is the message with the question. `over`: they have answered it. A later reply still goes to no partner.
    `any_message`: the question asked for their next message, not for a reply. `attached` are the messages that they
    chose as evidence.
    """

    chat: ChatId
    at: float
    prompt: MessageRef
    over: bool = False
    any_message: bool = False
    attached: tuple[MessageRef, ...] = ()


class Karma(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How others rated a person, as of `at`. 0 is neutral, and over time every score returns to it."""

    score: float = 0.0
    at: float = 0.0


class Ticket(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A person's request for a partner: the facts that pairing may look at. `since` is in Unix seconds.

    `wants` are the wishes that they are entitled to. `karma` is the score as of `since`. Nobody is paired before
    `not_before`.
    """

    person: PersonId
    pool: PoolId
    since: float
    gender: Gender
    age: int
    recent: tuple[Met, ...] = ()
    blocked: tuple[PersonId, ...] = ()
    languages: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    wants: Preferences = Preferences()
    vip: bool = False
    karma: float = 0.0
    not_before: float = 0.0


class Idle(msgspec.Struct, frozen=True, gc=False, tag="idle"):
    pass


class Searching(msgspec.Struct, frozen=True, gc=False, tag="searching"):
    ticket: Ticket


class Held(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A message that is not passed on until its sender confirms it. `edited_at` is when they last edited it; 0 means
    never.

    `reply_to` is the message it replies to, as they see it. `goes`: an edit removed everything that needed
    confirmation, so the message was passed on.
    """

    at: MessageRef
    edited_at: float = 0.0
    reply_to: MessageId | None = None
    goes: bool = False


class Chatting(msgspec.Struct, frozen=True, gc=False, tag="chatting"):
    chat: ChatId
    partner: PersonId
    opened_at: float
    nudged_at: float | None = None
    """When this person was last reminded that their partner is waiting for an answer."""
    held: tuple[Held, ...] = ()
    """Their held messages, the newest last."""


State = Idle | Searching | Chatting


class Rating(StrEnum):
    GOOD = "good"
    BAD = "bad"


class LastChat(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A person's last chat. `left`: they were the one who ended it.

    `rating` is how they rated the partner, and `complaint` is what they reported. `wants_back_at` is when they asked to
    return to the chat.
    """

    chat: ChatId
    partner: PersonId
    closed_at: float
    reason: str
    left: bool
    rating: Rating | None = None
    wants_back_at: float | None = None
    complaint: Complaint | None = None


class DataRequests(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A person's requests about their data. Times are in Unix seconds; 0 means never.

    - `copy_at`: when they asked for a copy that they have not got yet. `copied_at`: when they got the last one.
    - `erase_at`: when their data will be erased. `erasing`: that has begun; other people still refer to them.
    """

    copy_at: float = 0.0
    copied_at: float = 0.0
    erase_at: float = 0.0
    erasing: bool = False


class Watched(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The consequences for a person who behaves like a farm's account (see `domain.farms`). Times are in Unix seconds;
    0 means never.

    - `apart_until`: until then they meet only others who are apart. `farm` names it.
    - `asked_at`: since then they have to pick a picture before somebody is found for them. `picture` is the right one.
    - `wrong`: how many times in a row they picked another one. `again_at`: not before then may they try again.
    - `passed_at`: when they last picked the right one.
    - `cleared_until`: staff said that they are no farm's account. Until then nothing of this happens to them.
    """

    apart_until: float = 0.0
    farm: str = ""
    asked_at: float = 0.0
    picture: int = 0
    wrong: int = 0
    again_at: float = 0.0
    passed_at: float = 0.0
    cleared_until: float = 0.0


class Participant(msgspec.Struct, frozen=True, omit_defaults=True):
    """One person. `bot` is the bot that they used last and that reaches them. None: nobody can reach them now.

    - `bots` are the bots that they have started and not blocked, the most recent first.
    - `vip_until` is in Unix seconds. It follows from the grants in `wallet`, if there is one (see `domain.money`).
    - `recent` are the latest partners, the newest first.
    - `blocked` are the people they never meet again. `blocked_at` runs parallel: the time of each block, 0 if it is not
      known. `block_names` are the names that they had given some of these people as friends.
    - `kept_wishes` are wishes that they put aside, to take up again later. Only the whom of them counts.
    - `sanctions` include some that are over (see `domain.sanctions`). `support` is their code for the staff.
    - `muted` are the categories of broadcasts that they do not want.
    - `spent` is what is left of an earlier erasure.
    - `thread` is the topic that they wrote in last, in the chat with `bot`. None is the general topic. The records do
      not keep it.
    """

    person: PersonId
    version: int = 0
    bot: BotId | None = None
    bots: tuple[BotId, ...] = ()
    profile: Profile = Profile()
    state: State = Idle()
    last: LastChat | None = None
    seen_at: float = 0.0
    preferences: Preferences = Preferences()
    vip_until: float = 0.0
    karma: Karma = Karma()
    recent: tuple[Met, ...] = ()
    blocked: tuple[PersonId, ...] = ()
    saved: tuple[Saved, ...] = ()
    thread: MessageId | None = None
    blocked_at: tuple[float, ...] = ()
    commenting: Commenting | None = None
    requests: DataRequests | None = None
    sanctions: tuple[Sanction, ...] = ()
    support: SupportCode | None = None
    wallet: Wallet | None = None
    muted: tuple[str, ...] = ()
    watched: Watched | None = None
    journey: Journey | None = None
    block_names: tuple[tuple[PersonId, str], ...] = ()
    kept_wishes: tuple[Preferences, ...] = ()
    spent: Spent | None = None

    @property
    def is_blank(self) -> bool:
        """Whether nothing is known about this person but what an erasure leaves."""
        return self == Participant(self.person, self.version, spent=self.spent)
