"""Makes deliveries of notices and relay effects, and sets how long each may wait."""

from typing import Final

from passerby.domain.delivery.phases import Custody
from passerby.kernel.effect import Priority, RelayEffect
from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.outbox import Notice
from passerby.runtime.delivery.deliveries import Delivery

_CHAT: Final = Priority.CHAT

PASSING_WAIT_S = 1.0
"""How long a passing notice waits. A search that ends within this time costs its person one message, not two."""

RELAY_TTL_S = 3600.0
"""How long a relay may wait before its sender is told that it was dropped."""

NOTICE_TTL_S = 24 * 3600.0
NOTICE_LEAST_S = 60.0
"""An inherited notice is tried for at least this long. It may only look old because the machine's clock was set, and it
may be the notice that tells a person that their message did not arrive."""


class NewDeliveries:
    """`shared`: other processes send through the same bots."""

    def __init__(self, clock: Clock, *, shared: bool) -> None:
        self._clock = clock
        self._shared = shared

    def of_notice(self, notice: Notice, generation: str) -> Delivery:
        now = self._clock.monotonic()
        age_s = max(0.0, self._clock.now() - notice.made_at)
        deadline = now + max(NOTICE_LEAST_S, NOTICE_TTL_S - age_s)
        delivery = Delivery(
            notice.id, notice.bot, notice.to, notice.priority, now, deadline, notice=notice, generation=generation
        )
        delivery.made_at = notice.made_at
        delivery.is_cleared = delivery.is_aside or not self._shared
        if notice.is_held:
            delivery.not_before = now + PASSING_WAIT_S - min(age_s, PASSING_WAIT_S)
        return delivery

    def of_relay_effect(
        self,
        relay_effect: RelayEffect,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        id_: str,
        generation: str,
        left_s: float = RELAY_TTL_S,
    ) -> Delivery:
        now = self._clock.monotonic()
        return Delivery(
            id_,
            bot,
            relay_effect.to,
            _CHAT,
            now,
            now + left_s,
            relay_effect,
            made_at=self._clock.now(),
            generation=generation,
            refs=refs,
        )

    def of_parked(
        self,
        relay_effect: RelayEffect,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        id_: str,
        generation: str,
        left_s: float,
    ) -> Delivery:
        """A relay effect that an earlier process parked. It may wait for `left_s` more."""
        left_s = min(left_s, RELAY_TTL_S)  # it is more if the machine's clock has been set back
        waited_s = RELAY_TTL_S - left_s
        delivery = self.of_relay_effect(relay_effect, bot, refs, id_, generation, left_s)
        delivery.put_at -= max(0.0, waited_s)
        delivery.checked_at = float("-inf")
        delivery.made_at -= waited_s
        delivery.found_again = True
        delivery.custody = Custody.OUTBOX
        delivery.reader_told = delivery.is_cleared = not self._shared
        return delivery
