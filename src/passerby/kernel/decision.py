"""The facts that a feature gets, and the decision that it returns."""

from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, Protocol

import msgspec

from passerby.kernel.content import Content
from passerby.kernel.drain import Drain
from passerby.kernel.effect import Effect
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId
from passerby.kernel.money import RefundSeen, StarCallDone
from passerby.kernel.opinion import Opinion
from passerby.kernel.participant import Participant
from passerby.kernel.promo import Redemption
from passerby.kernel.rules import Rules


class Places(Protocol):
    """Country names in the languages of the catalogues. The same question always gets the same answer. Codes are ISO
    3166-1."""

    def in_order(self, codes: Iterable[str], language: str) -> tuple[str, ...]:
        """The codes, sorted by the names in that language."""
        ...

    def exactly(self, words: str) -> str | None:
        """The country with this name (in any language) or this code. None if there is none, or more than one."""
        ...

    def like(self, words: str) -> tuple[str, ...]:
        """A few countries whose names begin like this or have a similar spelling, the likeliest first."""
        ...


class Unmapped:
    """Knows no country names. For decisions that need none."""

    def in_order(self, codes: Iterable[str], language: str) -> tuple[str, ...]:
        return tuple(codes)

    def exactly(self, words: str) -> str | None:
        return None

    def like(self, words: str) -> tuple[str, ...]:
        return ()


UNMAPPED = Unmapped()


class Env(msgspec.Struct, frozen=True, gc=False):
    """The world outside a decision. `now` is in Unix seconds, UTC. `rng` is the only source of chance.

    `draining` are the bots that close, with where their people go. `watched_sources` are the tags of links by which the
    accounts of a barred farm came.
    """

    now: float
    rng: Random
    rules: Rules = Rules()
    places: Places = UNMAPPED
    draining: Mapping[BotId, Drain] = {}
    watched_sources: frozenset[str] = frozenset()


class Counterpart(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The partner's side of a message: the copy of a message that this person wrote (`mine`), or the original of one
    that they received.

    `print` is the fingerprint of what the copy shows (see `domain.fingerprint`). `rest` are the further messages of a
    copy that needed several, in order. Each of them leads back to the original.
    """

    at: MessageRef
    mine: bool
    print: int = 0
    rest: tuple[MessageId, ...] = ()


class Chosen(msgspec.Struct, frozen=True, gc=False):
    """A message that a person chose as evidence. It is proved to be the copy of one of their partner's in `chat`."""

    chat: ChatId
    at: MessageRef
    content: Content


class Facts(msgspec.Struct, frozen=True, gc=False):
    """Everything that a decision may look at. It is read at one moment.

    - `partner` is set while `me` is chatting.
    - `counterpart` is the partner's side of the message that the event is about (the one replied to or edited), if the
      message map knows it.
    - `anchor` is the notice that told `me` about the chat (or the search, while searching), once it has arrived.
      Messages written before it were not meant for this partner. It is `NOWHERE` if the notice will never arrive, or is
      no longer known. `partner_anchor` is the partner's.
    - `chosen` is the message that the person chose as evidence with this event, if it may be one.
    - `redemption` is what became of the promo code in this event (see `Feature.redeems`). None: there is none in it.
    - `bot_name` is the username of the bot, for deciders that ask for it (see `Feature.names_bot`). Empty: not known.
    - `sponsored`: the person should see the sponsor's channel now (see `Feature.sponsored`).
    - `others` are further people that the feature asked for (see `Feature.also_load`), if they are known.
    """

    me: Participant
    partner: Participant | None = None
    counterpart: Counterpart | None = None
    anchor: MessageRef | None = None
    partner_anchor: MessageRef | None = None
    others: tuple[Participant, ...] = ()
    chosen: Chosen | None = None
    redemption: Redemption | None = None
    bot_name: str = ""
    sponsored: bool = False


class Decision(msgspec.Struct, frozen=True, gc=False):
    """`changes` are new values of participants whose versions were read. Either all of them are stored or none.
    `opinions` are recorded with them.

    `erases`: remove the history of this person from the records. If their new value is blank, all of it goes.
    `ledger`: what the records must know about money although no wallet shows it.
    """

    changes: tuple[Participant, ...] = ()
    effects: tuple[Effect, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    erases: PersonId | None = None
    ledger: tuple[StarCallDone | RefundSeen, ...] = ()


NOTHING = Decision()

Decider = Callable[[Any, Facts, Env], Decision]
"""Pure and synchronous: (event, facts, env) -> Decision. It awaits nothing, logs nothing and reads no clock."""
