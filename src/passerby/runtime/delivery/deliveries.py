"""A delivery as the courier has it: what is sent, and what its end makes done."""

import msgspec

from passerby.domain.delivery.line import Queued
from passerby.domain.delivery.phases import IN_OUTBOX, IN_TELEGRAM
from passerby.kernel.effect import Priority, Relay, RelayEffect
from passerby.kernel.ids import BotId, MessageId, MessageRef, PersonId, UpdateRef
from passerby.ports.leases import Fence
from passerby.ports.outbox import Notice
from passerby.runtime.delivery.steps import Steps


class Delivery(Queued, eq=False):
    """Something in a queue: a notice of the outbox, or a relay effect."""

    notice: Notice | None = None
    generation: str = ""
    """The store's generation when it was decided on, or found to be in order."""
    stored_in: str = ""
    """The last generation that had its entry in the outbox before anything was repaired."""
    taken_at: float = 0.0
    """When its update was taken from Telegram, in monotonic seconds. At first, when it was put in."""
    steps: Steps | None = None
    """The steps of a relay effect that takes more than one send."""
    call: object = None
    """The answer to the last call to Telegram."""
    refs: tuple[UpdateRef, ...] = ()
    fences: tuple[Fence, ...] = ()
    """The leases under which the updates were taken, for the mark that makes them done."""
    reader_told: bool = True
    """Whether its reader has been told of the chat. If not, it waits for that."""
    waits_until: float | None = None
    """Until when it waits for other processes, once it has begun to."""
    in_turn: bool = False
    """No delivery of another process comes first, or it has waited long enough for that."""
    elsewhere: BotId | None = None
    """A second bot that it needs, because the file or the message is there."""
    through: BotId = BotId(0)
    """The bot that it left through; at first its own. An effect about a message goes to the bot that has it."""
    has_moved: bool = False
    """Its bot is lost, and another delivery with the same id goes on in its place, through another bot."""
    is_front: bool = False
    """It has been the first of its queue."""

    @property
    def owner(self) -> PersonId | None:
        """The person who caused it, if known: the message's sender, or the person who gets the answer."""
        if self.relay_effect is not None:
            return self.relay_effect.sender
        return self.person if self.priority is Priority.COMMAND else None

    @property
    def search(self) -> float | None:
        """For a passing notice: the search that it is about."""
        return self.notice.search if self.notice is not None else None

    @property
    def parked(self) -> bool:
        """Whether the outbox holds this relay effect."""
        return self.relay_effect is not None and self.custody is IN_OUTBOX

    @property
    def may_be_parked(self) -> bool:
        """Parking has been tried. The outbox may hold it, even without an answer."""
        return self.relay_effect is not None and self.custody is not IN_TELEGRAM


def through_another_bot(delivery: Delivery, bot: BotId, now: float) -> Delivery:
    """The same delivery again, with the same name, for another bot. Nothing of it has arrived."""
    notice, relay_effect = delivery.notice, delivery.relay_effect
    if notice is not None:
        notice = msgspec.structs.replace(notice, bot=bot, reply_to=None, thread=None)
    if isinstance(relay_effect, Relay):
        relay_effect = msgspec.structs.replace(relay_effect, thread=None)
    return Delivery(
        delivery.id,
        bot,
        delivery.person,
        delivery.priority,
        now,
        delivery.deadline,
        relay_effect=relay_effect,
        anchors=delivery.anchors,
        is_aside=delivery.is_aside,
        custody=delivery.custody,
        made_at=delivery.made_at,
        is_cleared=notice is not None,
        checked_at=now,
        notice=notice,
        generation=delivery.generation,
        taken_at=delivery.taken_at,
        refs=delivery.refs,
        fences=delivery.fences,
        reader_told=delivery.reader_told,
        through=bot,
    )


def relay_effect_id(relay_effect: RelayEffect, refs: tuple[UpdateRef, ...]) -> str:
    """Return a name. A relay is named by its messages, so two confirmations make one relay; others by their update."""
    if isinstance(relay_effect, Relay):
        return f"relay:{relay_effect.source_bot}:{relay_effect.sources[0]}"
    return f"effect:{refs[0].bot}:{refs[0].update}"


def relayed(id_: str) -> MessageRef | None:
    """Return the sender's message of the relay with this name; None if it is not a relay's name."""
    kind, _, rest = id_.partition(":")
    bot, _, message = rest.partition(":")
    return MessageRef(BotId(int(bot)), MessageId(int(message))) if kind == "relay" else None
