"""Finds the decider of an event, and loads the facts that it decides on."""

from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any, Final

import msgspec

from passerby.domain.evidence import may_concern, original_of
from passerby.domain.money.spent import has_bought, has_used_before
from passerby.domain.money.wallets import new_code
from passerby.kernel.content import Content
from passerby.kernel.decision import Chosen, Decider, Facts
from passerby.kernel.event import (
    ButtonPressed,
    Event,
    MessageEdited,
    MessageReceived,
    Original,
    ReactionChanged,
    Unusable,
)
from passerby.kernel.ids import MessageRef, PersonId
from passerby.kernel.participant import Chatting, Participant
from passerby.kernel.promo import Redemption, RedemptionOutcome
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStore
from passerby.ports.records import Records, RecordsLost
from passerby.ports.soon import Soon, own_task
from passerby.runtime.decide.readings import Reading, Readings, is_plain
from passerby.runtime.decide.router import Router
from passerby.runtime.decide.sponsors import Sponsors
from passerby.runtime.decide.usernames import Usernames
from passerby.runtime.inbound.person_queues import PersonQueues
from passerby.telemetry import metrics

_LIVE: Final = metrics.LOOKUPS.of("live")


class FactsLoader:
    """`content_of` reads a message that somebody chose as evidence (see `ports.telegram`).

    `sponsors` finds out whether a person should see the sponsor's channel; None: nobody does.
    """

    def __init__(
        self,
        store: LiveStore,
        records: Records,
        router: Router,
        person_queues: PersonQueues,
        clock: Clock,
        content_of: Callable[[Original], Content | None],
        rng: Random,
        bot_names: Usernames,
        sponsors: Sponsors | None = None,
    ) -> None:
        self._store = store
        self._records = records
        self._router = router
        self._asking = router.asking
        self._person_queues = person_queues
        self._clock = clock
        self._content_of = content_of
        self._rng = rng
        self._bot_names = bot_names
        self._sponsors = sponsors
        self._readings = Readings(clock)

    def read(self, event: Event, number: int, upto: int) -> Reading | Coroutine[Any, Any, Reading]:
        """The facts for an event; a coroutine if they are not at hand. `number` is the number of its work in the
        person's queue, and `upto` that of the newest work there.

        The facts that were read for the work before are used again where that is safe. Raises: LiveStoreLost,
        RecordsLost.
        """
        if type(event) is Unusable:
            facts = Facts(Participant(event.person))
            return Reading(facts, self._router.route(event, facts), 0, 0.0)
        if self._readings.kept:
            kept = self._readings.take(event, number)
            if kept is not None:
                decider = self._router.route(event, kept.facts)
                if decider not in self._asking or self._is_enough(decider, event, kept.facts):
                    return msgspec.structs.replace(kept, decider=decider)
        generation = self._store.generation
        if type(event) is MessageReceived and event.reply_to is None:
            loading, original = self._store.load(event.person), None
        else:
            loading, original = self._store.load(event.person, message_of(event)), original_of(event)
        if isinstance(loading, Soon) and loading.is_done and original is None:
            at_hand: Facts | None = loading.result()
            if at_hand is not None:
                decider = self._router.route(event, at_hand)
                if decider not in self._asking or self._is_enough(decider, event, at_hand):
                    _LIVE.n += 1
                    return Reading(at_hand, decider, upto, self._clock.monotonic(), generation)
        return self._read(event, loading, upto, generation)

    def _is_enough(self, decider: Decider | None, event: Event, facts: Facts) -> bool:
        """Whether a decider that sometimes asks for more needs nothing besides the facts of the person and their
        partner."""
        is_enough = self._router.is_enough(decider, event, facts, self._clock.now)
        return is_enough and not self._is_sponsored(decider, facts)

    def _is_sponsored(self, decider: Decider | None, facts: Facts) -> bool:
        is_asked = self._router.is_sponsored(decider, facts, self._clock.now)
        return is_asked and self._sponsors is not None and self._sponsors.are_on

    async def _read(self, event: Event, loading: Awaitable[Facts | None], upto: int, generation: str) -> Reading:
        facts = await self._found(event.person, message_of(event), loading) or Facts(Participant(event.person))
        if original_of(event) is not None:
            facts = await self._with_chosen(event, facts)
        decider = self._router.route(event, facts)
        facts = await self._with_others(facts, self._router.also_load(decider, event, facts))
        code = self._router.promo_code_in(decider, event, facts, self._clock.now())
        if code is not None:
            facts = msgspec.structs.replace(facts, redemption=await self._redeemed(code, facts.me))
        if self._router.names_bot(decider):
            facts = msgspec.structs.replace(facts, bot_name=await self._bot_names.of(event.bot))
        if self._sponsors is not None and self._is_sponsored(decider, facts):
            facts = msgspec.structs.replace(facts, sponsored=await self._sponsors.is_shown(facts.me))
        return Reading(facts, decider, upto, self._clock.monotonic(), generation)

    async def person(self, person: PersonId) -> Participant | None:
        """A person's value, for a decision that changes nothing. None if nobody knows them. Raises: LiveStoreLost,
        RecordsLost."""
        facts = await self._load(person)
        return facts.me if facts is not None else None

    def keep(self, event: Event, number: int, reading: Reading) -> None:
        """Keep the facts for the next work in the queue. The decision on this event must have changed nothing."""
        if number < reading.upto and is_plain(event) and not reading.facts.others:
            self._readings.keep(event.person, reading)

    async def _with_chosen(self, event: Event, facts: Facts) -> Facts:
        """The facts with the message that the person chose as evidence, if it is one of their partner's."""
        at, me = original_of(event), facts.me
        chats = may_concern(event, me, self._clock.now())
        if at is None or not chats or not isinstance(event, MessageReceived | ButtonPressed):
            return facts
        chat = await self._store.received_in(chats, at)
        if isinstance(me.state, Chatting) and me.state.chat in chats:
            copy = await self._store.counterpart(me.state.chat, at)
            chat = me.state.chat if copy is not None and not copy.mine else chat
        content = self._content_of(event.original) if chat is not None and event.original is not None else None
        if chat is None or content is None:
            return facts
        return msgspec.structs.replace(facts, chosen=Chosen(chat, at, content))

    async def _with_others(self, facts: Facts, also_load: tuple[PersonId, ...]) -> Facts:
        """The facts with the people whom the decider needs besides the person and their partner."""
        if not also_load:
            return facts
        at_hand = {facts.me.person, facts.partner.person if facts.partner is not None else facts.me.person}
        others = [await self._load(each) for each in dict.fromkeys(also_load) if each not in at_hand]
        return msgspec.structs.replace(facts, others=tuple(each.me for each in others if each is not None))

    async def _redeemed(self, code: str, me: Participant) -> Redemption:
        """Use a promo code. While the records are away, the person is asked to try later: their chat must not wait."""
        if has_used_before(me, code):
            return Redemption(RedemptionOutcome.MINE)
        await own_task()  # the records' drivers use time-outs
        try:
            return await self._records.redeem(
                code, me.person, self._clock.now(), has_bought=has_bought(me), grant=new_code(self._rng)
            )
        except RecordsLost:
            return Redemption(RedemptionOutcome.AWAY)

    async def _load(self, person: PersonId, about: MessageRef | None = None) -> Facts | None:
        """Load a person from the live store, or else from the records."""
        return await self._found(person, about, self._store.load(person, about))

    async def _found(
        self, person: PersonId, about: MessageRef | None, loading: Awaitable[Facts | None]
    ) -> Facts | None:
        facts = await loading
        if facts is not None:
            _LIVE.n += 1
            return facts
        await own_task()  # the records' drivers use time-outs
        known = await self._records.people((person,))
        metrics.LOOKUPS.add("records" if known else "new")
        if not known:
            return None
        await self._store.adopt(tuple(known.values()))
        return await self._store.load(person, about)


def message_of(event: Event) -> MessageRef | None:
    """The message that an event refers to. The decision may need its counterpart."""
    if type(event) is MessageReceived:
        return MessageRef(event.bot, event.reply_to) if event.reply_to is not None else None
    match event:
        case MessageEdited(bot=bot, message=message) | ReactionChanged(bot=bot, message=message):
            return MessageRef(bot, message)
        case ButtonPressed(subject=MessageReceived(bot=bot, messages=(message, *_))):
            return MessageRef(bot, message)
        case _:
            return None
