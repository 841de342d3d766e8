"""A broadcast: one message to many people, and what became of each copy.

The people are *frozen* when it starts: each one is a *target*, a row of its own. A target is claimed, and that is
stored, before its copy is sent. So a copy is sent at most once, and after a kill it is known which copies are unknown.
"""

from enum import StrEnum

import msgspec

from passerby.kernel.content import Content
from passerby.kernel.ids import BotId, MessageId, PersonId
from passerby.kernel.participant import Gender, Participant


class BroadcastState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    """It waits for the approval of a second staff member."""
    SCHEDULED = "scheduled"
    STARTING = "starting"
    """The fleet must freeze its people."""
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    STOPPED = "stopped"


class Category(StrEnum):
    """The purpose of a broadcast. People opt out of each category on its own."""

    NEWS = "news"
    PROMO = "promo"
    COMEBACK = "comeback"
    """To people who were not here for a while."""
    SYSTEM = "system"
    """News that everybody must know: changed rules, for example. Nobody can opt out, and only owners start it."""


class TargetState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    """Claimed. If the claimer dies now, it becomes unknown."""
    SENT = "sent"
    UNKNOWN = "unknown"
    """It may have arrived or not. It is never sent again."""
    UNREACHABLE = "unreachable"
    """No bot can write to the person: blocked, deleted, or never started."""
    REFUSED = "refused"
    """Telegram refused this message."""
    MUTED = "muted"
    """The person opted out of the category."""
    CAPPED = "capped"
    """The person got enough broadcasts lately."""
    HELD_OUT = "held_out"
    """The person is in the group that gets nothing, for comparison."""
    UNFIT = "unfit"
    """Barred, erased, or gone since the people were frozen."""
    EXPIRED = "expired"
    """The broadcast ended before its turn came."""
    RECALLED = "recalled"
    """It was sent, and deleted again."""


class Audience(msgspec.Struct, frozen=True, omit_defaults=True):
    """The conditions for its readers: all of them must be true. Empty or None: everybody.

    `active_days`: seen within so many days. `idle_days`: not seen for so many days. `sources`: they came first by a
    link with one of these tags (see `Journey`). `people` names them one by one, for
    previews and tests; then nothing else counts.
    """

    bots: tuple[BotId, ...] = ()
    languages: tuple[str, ...] = ()
    genders: tuple[Gender, ...] = ()
    age_min: int | None = None
    age_max: int | None = None
    active_days: float | None = None
    idle_days: float | None = None
    vip: bool | None = None
    sources: tuple[str, ...] = ()
    people: tuple[PersonId, ...] = ()


class Reach(msgspec.Struct, frozen=True):
    """The people that a broadcast would be frozen for at a moment: how many in all, and how many through each bot, most
    people first. With a `spread`, the numbers are those of a sample: `people` is true within the spread."""

    people: int = 0
    by_bot: tuple[tuple[BotId, int], ...] = ()
    spread: int = 0

    @property
    def at_most(self) -> int:
        return self.people + self.spread


class LinkButton(msgspec.Struct, frozen=True, array_like=True):
    label: str
    url: str


class Variant(msgspec.Struct, frozen=True, omit_defaults=True):
    """The message in one language. `language` "": for everybody whose language has none. `arm`: A or B, to compare two
    versions. `writer` sent it to the staff bot; None: it was written elsewhere, so it has no file."""

    content: Content
    language: str = ""
    arm: str = "A"
    buttons: tuple[LinkButton, ...] = ()
    writer: PersonId | None = None


class Composing(msgspec.Struct, frozen=True, omit_defaults=True):
    """The next message of this staff member (`by`) becomes a part of the broadcast: the message, or its buttons."""

    by: int
    language: str = ""
    arm: str = "A"
    buttons: bool = False


class Broadcast(msgspec.Struct, frozen=True, omit_defaults=True):
    """Staff are named by their numbers. Times are in Unix seconds.

    - `of`: it is a preview or a test of that broadcast, or that broadcast's edition of this week.
    - `people` is how many were frozen. `canary_below`: those whose place is below this get it first; 0: no canary.
      `wave` 0: they are having their turn. `watched_until`: nothing is sent until then, while we watch them.
    - `sent` is how many copies had been sent when it ended by itself.
    - `why` is why it was paused or stopped, as a text key; `ends_at` is when those who still wait get nothing any more.
    - `revision` counts the corrections, and `corrected` is the one that everybody has. `recalls`: staff asked for
      the deletion of all copies. `recalled`: that is done.
    """

    number: int
    state: BroadcastState
    made_by: int
    made_at: float
    category: Category = Category.NEWS
    audience: Audience = Audience()
    variants: tuple[Variant, ...] = ()
    composing: Composing | None = None
    silent: bool = True
    usual_hour: bool = False
    paid: bool = False
    canary: bool = True
    holdout_percent: int = 0
    starts_at: float | None = None
    weekly: bool = False
    submitted_by: int | None = None
    approved_by: int | None = None
    of: int | None = None
    is_test: bool = False
    people: int = 0
    canary_below: int = 0
    wave: int = 0
    watched_until: float | None = None
    started_at: float | None = None
    ends_at: float | None = None
    ended_at: float | None = None
    sent: int | None = None
    why: str = ""
    revision: int = 0
    corrected: int = 0
    recalls: bool = False
    recalled: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the fleet has something to do for it, now or at its time."""
        waits = self.state in (BroadcastState.SCHEDULED, BroadcastState.STARTING, BroadcastState.RUNNING)
        return waits or (self.recalls and not self.recalled) or self.revision > self.corrected

    @property
    def is_over(self) -> bool:
        return self.state in (BroadcastState.ENDED, BroadcastState.STOPPED)


class Got(msgspec.Struct, frozen=True):
    """A broadcast that a person got earlier."""

    category: Category
    at: float


class Target(msgspec.Struct, frozen=True):
    """A claimed target. `person` is as the records know them; None: they do not. `got` are earlier broadcasts.

    `is_planned`: the person's usual hour has been chosen. `hours` are the hours (UTC) at which their chats began.
    """

    whom: PersonId
    bot: BotId
    person: Participant | None
    got: tuple[Got, ...] = ()
    is_planned: bool = False
    hours: tuple[int, ...] = ()


class Settled(msgspec.Struct, frozen=True):
    """The outcome of a claimed target. WAITING gives it back, not before `due_at`: surely nothing was sent."""

    whom: PersonId
    state: TargetState
    bot: BotId
    at: float
    message: MessageId | None = None
    due_at: float = 0.0
    is_planned: bool = False
    arm: str = ""
    language: str = ""


class Copy(msgspec.Struct, frozen=True):
    """A copy that was sent."""

    whom: PersonId
    bot: BotId
    message: MessageId
    arm: str
    language: str


class Progress(msgspec.Struct, frozen=True):
    """How many targets are in each state. States without targets are left out."""

    counts: dict[TargetState, int] = {}

    def __getitem__(self, state: TargetState) -> int:
        return self.counts.get(state, 0)

    @property
    def left(self) -> int:
        return self[TargetState.WAITING] + self[TargetState.SENDING]


class CanaryFigures(msgspec.Struct, frozen=True):
    """The canary compared with those who wait: how many of each group, and how many of them left the bot since the
    start. `refused` of the canary were refused by Telegram."""

    got: int = 0
    got_left: int = 0
    refused: int = 0
    waiting: int = 0
    waiting_left: int = 0


class ArmFigures(msgspec.Struct, frozen=True):
    """Of the people of one arm ("-": those who were held out): how many got it (or were held out), how many were here
    within a day afterwards, and how many left the bot."""

    arm: str
    people: int
    back: int
    left: int
    share: float = 1.0
    """The share of the people that was counted: of a large broadcast, a random sample."""
