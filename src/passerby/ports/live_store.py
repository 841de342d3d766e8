"""The truth of *now*: who is idle, searching or chatting with whom, what is still to be said, which updates are done.

May be lost and rebuilt from the records; until it is, intake confirms nothing to Telegram.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple, Protocol

import msgspec

from passerby.kernel.decision import Counterpart, Facts
from passerby.kernel.effect import Keyboard, Priority
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId, PoolId, UpdateRef
from passerby.kernel.ids import search_of as search_of
from passerby.kernel.participant import Participant, Ticket
from passerby.kernel.text import Text
from passerby.ports.facts import Fact
from passerby.ports.leases import NOBODY, Fence, Leases, WorkerId
from passerby.ports.shared_budgets import SharedBudgets


class Notice(msgspec.Struct, frozen=True, gc=False, tag="notice", omit_defaults=True):
    """Something of ours that is still to be said. `revises` names a notice to change in place instead."""

    id: str
    to: PersonId
    bot: BotId
    text: Text
    priority: Priority
    made_at: float
    keyboard: Keyboard | None = None
    reply_to: MessageId | None = None
    revises: MessageId | None = None
    anchors: ChatId | None = None
    thread: MessageId | None = None

    @property
    def is_aside(self) -> bool:
        """Whether it only says why something did not work: it offers, anchors, changes nothing, and may be late."""
        nothing_to_press = self.keyboard is None and self.revises is None
        return nothing_to_press and self.anchors is None and self.priority > Priority.MATCH


class Parked(msgspec.Struct, frozen=True, gc=False, tag="parked", omit_defaults=True):
    """A relay that could not finish in time and no longer holds its update up.

    `sealed` is the relay, encrypted: the store never holds content in the clear. It is dropped, with a word to its
    sender, after `expires_at` (Unix seconds) or when its chat ends.
    """

    id: str
    chat: ChatId
    to: PersonId
    bot: BotId
    sealed: bytes
    expires_at: float


class Trail(msgspec.Struct, frozen=True, gc=False, tag="trail", omit_defaults=True):
    """What a person has sent and what is not delivered, for whichever process is brought their next update.

    Either an item of an album that may not be whole, with its message in `sealed`, encrypted; or, with nothing sealed,
    the trace of a relay that is parked. `to` is `trail_of` its person. A trace is void after `expires_at`, in Unix
    seconds.
    """

    id: str
    to: PersonId
    bot: BotId
    expires_at: float
    group: str = ""
    sealed: bytes = b""

    @property
    def person(self) -> PersonId:
        return PersonId(self.to & ~_NOBODYS)


_NOBODYS: Final = 1 << 62


def trail_of(person: PersonId) -> PersonId:
    """Where a person's own trail stands in the outbox: under an id that is nobody's, so that what is to be said to them
    does not wait for it."""
    return PersonId(person | _NOBODYS)


Outgoing = Notice | Parked | Trail


class Commit(msgspec.Struct, frozen=True, gc=False, tag="commit", omit_defaults=True):
    """All that one decision changes. `puts` carry the version after the one that they were read at (the first is 1).

    `ended` are chats whose message map and anchors go; `updates` become done; `sent` outbox entries are settled.
    `owner` is the worker who sends the `outbox`; an entry replaces one of the same id, and is then the newest. `fences`
    are the leases that the decision stands on. `seen` are people whom it does not change, and the versions that it was
    made on: who has another one makes it stale as well.

    `repairs`: the puts bring together what the two stores hold, so their versions may be ahead by more than one. The
    versions that they replace stand in `seen` (0 for a person who is not held).
    """

    puts: tuple[Participant, ...] = ()
    ended: tuple[ChatId, ...] = ()
    outbox: tuple[Outgoing, ...] = ()
    facts: tuple[Fact, ...] = ()
    updates: tuple[UpdateRef, ...] = ()
    sent: tuple[str, ...] = ()
    owner: WorkerId = NOBODY
    fences: tuple[Fence, ...] = ()
    seen: tuple[tuple[PersonId, int], ...] = ()
    repairs: bool = False


class Anchor(msgspec.Struct, frozen=True, gc=False):
    """The notice that told a person of a chat has arrived; or, with `search_of` in place of a chat, of their search."""

    chat: ChatId
    person: PersonId
    at: MessageRef


class Copied(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A message and what became of it on the other side, with the fingerprint of what that shows.

    `rest`: the messages after `copy`, on the same bot, where it took several.
    """

    source: MessageRef
    copy: MessageRef
    print: int
    rest: tuple[MessageId, ...] = ()


class Mark(msgspec.Struct, frozen=True, gc=False, tag="mark", omit_defaults=True):
    """What a finished send leaves behind: updates done, outbox entries settled, pairs for the message map of a chat.

    `facts` go into the journal, if the anchor was new. `speaker` is whose word was delivered in the chat.
    """

    updates: tuple[UpdateRef, ...] = ()
    sent: tuple[str, ...] = ()
    chat: ChatId | None = None
    pairs: tuple[Copied, ...] = ()
    anchor: Anchor | None = None
    facts: tuple[Fact, ...] = ()
    speaker: PersonId | None = None
    fences: tuple[Fence, ...] = ()


class Committed(Enum):
    YES = auto()
    STALE = auto()
    """Somebody changed one of the participants first; nothing was stored. Read again, decide again."""
    ALREADY_DONE = auto()
    """Every update of the commit is done already; nothing was stored."""


class TicketChange(msgspec.Struct, frozen=True, gc=False):
    """`ticket` None: the person no longer waits. `version` is the participant's, for the pairing commit."""

    person: PersonId
    ticket: Ticket | None
    version: int


class TicketFeed(msgspec.Struct, frozen=True, gc=False):
    """`whole`: these are all the tickets there are; whatever the reader knew before is void."""

    changes: tuple[TicketChange, ...]
    cursor: int
    whole: bool


class IdleChat(msgspec.Struct, frozen=True, gc=False):
    """An open chat in which nothing has been delivered since `since` (Unix seconds), and whose word was the last."""

    chat: ChatId
    people: tuple[PersonId, PersonId]
    since: float
    speaker: PersonId | None


class Known(NamedTuple):
    """What is known of some updates. `crashes`: how many workers ended while they worked on one; none is left out."""

    done: set[int]
    crashes: Mapping[int, int]


class Figures(msgspec.Struct, frozen=True):
    """How much there is of what. `journal` counts facts that the records have not got yet."""

    waiting: int
    chats: int
    outbox: int
    journal: int


class Held(NamedTuple):
    """A person as the live store has them. `recorded`: the journal has carried this very value to the records."""

    participant: Participant
    recorded: bool


class Doubts(NamedTuple):
    """What may be wrong with what the store holds.

    `people`: damage was found, and it concerns these: what they were told last may be forgotten. `everybody`: damage
    was found, and nobody knows whom it concerns. `is_unsure`: the store may have come back as it was some time ago;
    `is_older`: it has, or nobody can tell, for what it holds was not always kept.
    """

    everybody: bool = False
    people: frozenset[PersonId] = frozenset()
    is_unsure: bool = False
    is_older: bool = False

    @property
    def is_damaged(self) -> bool:
        return self.everybody or bool(self.people)

    def __bool__(self) -> bool:
        return self.is_damaged or self.is_unsure


class LiveStoreLost(Exception):
    """The store cannot be read or written now. Whoever sees it keeps its hands off Telegram's queue and tries again."""


class LiveStore(Leases, SharedBudgets, Protocol):
    """One store for every process of a fleet.

    Atomicity: each `commit` and each `mark` is stored whole or not at all, and survives `kill -9` of any process once
    it has returned. A commit with puts or outbox entries also survives a power cut once it has returned; a mark may be
    forgotten by one. Two commits that read the same version of a participant: exactly one is stored.
    Ordering: a read that starts after a commit has returned sees it.
    Raises: LiveStoreLost from every method; Fenced from `commit` and `mark`.
    """

    @property
    def generation(self) -> str:
        """Names this store's generation.

        A new generation begins wherever something that was stored may be gone: in a store that was wiped, in one that
        was not closed in good order, and on a server that started again or took over. Numbers of the journal belong to
        a generation, and are never given twice in it.
        """
        ...

    @property
    def doubts(self) -> Doubts:
        """What may be wrong with what the store holds; none after an `adopt` of a `whole` has returned.

        Damage is found when the store is opened. A store that has lost something under its users begins another
        generation, and has doubts in it: then only `claim_doubts`, `everybody`, `held`, commits that repair and an
        `adopt` of a `whole` are possible, and everything else is refused (LiveStoreLost).
        """
        ...

    async def claim_doubts(self, worker: WorkerId, ttl_s: float) -> bool:
        """Whether it is up to this worker to resolve the doubts; no other one is told so for this time."""
        ...

    @property
    def newborn(self) -> bool:
        """Whether this generation has only begun: who is searching or chatting is still to be adopted from the records.

        Until the first `adopt` of a `whole` in this generation, however often the store is opened before it. A store
        that was wiped under its users is newborn, too, and refuses everything else (LiveStoreLost) until that has
        happened.
        """
        ...

    async def load(self, person: PersonId, about: MessageRef | None = None) -> Facts | None:
        """The person, their partner, the counterpart of `about`, the anchor; None for a person not held here."""
        ...

    async def counterpart(self, chat: ChatId, about: MessageRef) -> Counterpart | None:
        """The other side's message for `about`; None past 48 h, in a chat that has ended, or without one."""
        ...

    async def adopt(
        self, participants: Sequence[Participant], *, anchors: Sequence[Anchor] = (), whole: bool = False
    ) -> None:
        """Take in people read from the records, except those already held. Their versions are kept.

        `anchors` are the notices that told them of their chats, as far as the records know; where they do not, the
        anchor is `NOWHERE`. `whole`: these are all who are searching or chatting, and the store is newborn no more,
        nor is anything in doubt. Several may adopt the whole at once; what was changed since the first of them stays.
        """
        ...

    async def everybody(self) -> list[Held]:
        """Everybody who is held. Of somebody who changes meanwhile, some value that they had."""
        ...

    async def held(self, persons: Sequence[PersonId]) -> dict[PersonId, Held]:
        """Those of these people who are held, as of one moment."""
        ...

    async def commit(self, commit: Commit) -> Committed: ...

    async def mark(self, mark: Mark) -> None:
        """Idempotent. A pair or an anchor for a chat that has ended is dropped."""
        ...

    async def done(self, bot: BotId, updates: Iterable[int]) -> set[int]:
        """Which of these updates are done. Remembered for at least 24 h, as a set: ids may restart."""
        ...

    async def known(self, bot: BotId, updates: Iterable[int]) -> Known:
        """Which of these updates are done, and which of them have taken workers down."""
        ...

    async def record_crash(self, updates: Iterable[UpdateRef], crash: str) -> None:
        """A worker ended while it worked on these. `crash` names that end: told twice, it counts once.

        Remembered for at least 24 h.
        """
        ...

    async def open_chats(self, chats: Iterable[ChatId]) -> set[ChatId]:
        """Which of these chats are still open."""
        ...

    async def tickets(self, pool: PoolId, cursor: int | None, wait_s: float) -> TicketFeed:
        """Changes of a pool's tickets since `cursor`, waiting up to `wait_s` for one; from None, all that wait now."""
        ...

    async def pools(self) -> set[PoolId]:
        """The pools in which somebody waits."""
        ...

    async def outbox(self, owner: WorkerId) -> list[Outgoing]:
        """What this worker has still to send, oldest first."""
        ...

    async def inherit(self, heir: WorkerId) -> list[Outgoing]:
        """Make everything that has no living owner the heir's; return that, oldest first.

        A worker is living from its first `attend` until it leaves or has sent no heartbeat for the time it named. One
        whose entries were inherited is evicted (see `attend`).
        """
        ...

    async def is_preceded(self, entry: str) -> bool:
        """Whether an older entry for the same person and bot, other than an aside, waits in another owner's hands.

        False for an entry that is settled. In one process, queues keep the order; over several, this does.
        """
        ...

    async def trail(self, person: PersonId) -> list[Trail]:
        """What this person has sent and what is not delivered yet, whoever's it is, oldest first."""
        ...

    async def told(self, chat: ChatId, person: PersonId) -> bool:
        """Whether the notice that tells a person of a chat has arrived, or will not, or the chat is over."""
        ...

    async def idle_chats(self, since: float, limit: int) -> list[IdleChat]:
        """Open chats in which nothing was delivered since then (Unix seconds), the quietest first.

        A chat that was just opened or adopted counts as if something had been delivered then. `since` of an answer may
        be late by the time that a store keeps it, at most a minute.
        """
        ...

    async def journal(self, after: int, limit: int) -> list[tuple[int, Fact]]:
        """Facts for the records with their numbers, in order. None that a power cut could still take back."""
        ...

    async def trimmed(self) -> int:
        """Up to which number this generation has trimmed its journal: the records must have got that far. 0: not at
        all."""
        ...

    async def trim_journal(self, upto: int, generation: str) -> None:
        """The records hold everything up to this number of this generation. Nothing, if the store is of another."""
        ...

    async def figures(self) -> Figures: ...

    async def file_id(self, unique: str, bot: BotId) -> str | None:
        """What this bot calls the file, if it has ever seen it."""
        ...

    async def remember_file(self, unique: str, bot: BotId, file_id: str | None) -> None:
        """Remember, or with None forget, a bot's id for a file. A cache: may vanish."""
        ...

    async def sight(self, marks: Sequence[int]) -> int:
        """Set these bits of the table of sightings (see `domain.popularity`); return how many people at least were
        seen, in this period or the one before. A cache: may vanish.
        """
        ...

    async def sweep(self) -> None:
        """Drop what has expired: done marks, maps, idle people that the records hold."""
        ...

    async def aclose(self) -> None: ...
