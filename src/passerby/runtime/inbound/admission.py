"""Limits how many updates of one person we have in hand. Further updates are refused before they cost anything.

The rule is in `domain.quota`. A refused update is not read: it becomes an `Overrun` in its person's own queue. The
queue handles it after everything that came before it, in one commit with all other refusals since.

A person gets two notices: one at once when a spell begins, as a reply to the first refused message; and one when the
spell is over, with the number of refused messages. The second notice is in the outbox from the beginning, with the
current count, so that another process can send it if this one dies.

The count covers work that waits in this process. With polling that is everything, because only one process polls a bot.
With webhooks each update may reach a different process, so parked relays, which all processes see, count as well.
"""

from collections.abc import Callable
from typing import get_args

from passerby.domain.quota import QuotaUsage
from passerby.kernel.event import ButtonPressed, Event, MessageEdited, MessageReceived, Overrun, ReactionChanged
from passerby.kernel.ids import MessageId, PersonId
from passerby.kernel.money_event import CheckoutAsked
from passerby.kernel.rules import Quota
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore
from passerby.ports.outbox import Notice
from passerby.runtime.delivery.courier import Courier
from passerby.runtime.inbound.person_queues import PersonQueues, Work
from passerby.telemetry import metrics

_Subject = MessageReceived | MessageEdited | ReactionChanged | ButtonPressed
"""Events that people can send as fast as they like. All others come from Telegram or from us, and are always
admitted."""

_SUBJECTS = frozenset(get_args(_Subject))


class _Spell:
    """A time during which everything that one person sends is refused."""

    __slots__ = ("count", "name", "owed")

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.owed: Notice | None = None
        """The notice to send at the end of the spell, as stored."""


class Admission:
    """`is_for_us` is true for commands and buttons, and false for messages to a partner. `checkout` gets checkouts,
    which wait in no queue."""

    def __init__(
        self,
        person_queues: PersonQueues,
        courier: Courier,
        store: LiveStore,
        clock: Clock,
        quota: Quota,
        is_for_us: Callable[[Event], bool],
        checkout: Callable[[Work], None],
    ) -> None:
        self._person_queues = person_queues
        self._courier = courier
        self._store = store
        self._clock = clock
        self._quota = quota
        self._is_for_us = is_for_us
        self._checkout = checkout
        self._usage: dict[PersonId, QuotaUsage] = {}
        self._spells: dict[PersonId, _Spell] = {}

    @property
    def spells(self) -> int:
        """How many people are in a spell now."""
        return len(self._spells)

    def put(self, work: Work) -> None:
        """Put it into its queue, or refuse it."""
        event = work.event
        if self.admits(event):
            if type(event) is CheckoutAsked:
                self._checkout(work)
            else:
                self._person_queues.put(work)
        else:
            self.refuse(work)

    def enqueue(self, work: Work) -> None:
        if type(work.event) is CheckoutAsked:
            self._checkout(work)
        else:
            self._person_queues.put(work)

    def admits(self, event: Event, parked: int = 0) -> bool:
        """Count an event against its person's quota. Returns whether it is admitted.

        `parked`: how many messages of this person are known to wait, in any process.
        """
        kind = type(event)
        if kind not in _SUBJECTS:
            return True
        follows: object = None
        if kind is not MessageReceived and isinstance(event, MessageEdited | ReactionChanged):
            if self._person_queues.repeats(event):
                return True
            follows = (kind, event.bot, event.message)
        person = event.person
        usage = self._usage.get(person)
        if usage is None:
            usage = self._usage[person] = QuotaUsage(self._quota)
        now = self._clock.monotonic()
        waiting = self._person_queues.waiting(person) + self._courier.waiting(person)
        if usage.admits(max(waiting, parked) if parked else waiting, now, follows):
            return True
        return self._is_for_us(event) and usage.admits_command(now)

    def refuse(self, work: Work) -> None:
        """Queue it as an `Overrun`: it is not read, and its sender gets a notice."""
        event, ref = work.event, work.refs[0]
        assert isinstance(event, _Subject), "nothing else is refused"
        spell = self._spells.get(event.person)
        begins = spell is None
        if spell is None:
            spell = self._spells[event.person] = _Spell(f"owed:{ref.bot}:{ref.update}")
        spell.count += 1
        metrics.REFUSED.add(type(event).__name__)
        overrun = Overrun(
            event.person,
            event.bot,
            spell.name,
            spell.count,
            begins,
            _message(event),
            event.query if isinstance(event, ButtonPressed) else "",
            event.language if isinstance(event, MessageReceived | ButtonPressed) else "",
        )
        self._person_queues.put(Work(overrun, work.refs, fences=work.fences, taken_at=work.taken_at))

    def owe(self, notice: Notice) -> None:
        """Note that the notice for the end of a spell has been stored."""
        spell = self._spells.get(notice.to)
        if spell is not None and spell.name == notice.id:
            spell.owed = notice

    def is_known(self, entry: str) -> bool:
        """Whether this process will send an entry of the outbox at the end of a spell."""
        return any(spell.name == entry for spell in self._spells.values())

    async def end_spells(self) -> None:
        """End the spells that are over. Meant to be called every second. Raises: LiveStoreLost."""
        now = self._clock.monotonic()
        for person, usage in list(self._usage.items()):
            if usage.is_shut:
                parked = len(await self._store.trail(person))
                waiting = max(self._courier.waiting(person), parked)
                if self._person_queues.has(person) or not usage.reopens(waiting, now):
                    continue
                spell = self._spells.pop(person, None)
                if spell is not None and spell.owed is not None:
                    self._courier.say(spell.owed)
            if usage.is_idle(now):
                del self._usage[person]


def _message(event: _Subject) -> MessageId | None:
    """Return the message to show the sender as the first refused one."""
    match event:
        case MessageReceived(messages=messages):
            return messages[0]
        case MessageEdited(message=message):
            return message
        case _:
            return None
