"""Makes deliveries of notices and relay effects, and sets how long each may wait."""

from typing import Final

from passerby.domain.delivery.line import NEVER
from passerby.domain.delivery.phases import IN_TELEGRAM, Custody
from passerby.kernel.effect import Priority, RelayEffect
from passerby.kernel.ids import BotId, UpdateRef
from passerby.ports.clock import Clock
from passerby.ports.leases import Fence
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
        is_aside = notice.is_aside
        return Delivery(
            notice.id,
            notice.bot,
            notice.to,
            notice.priority,
            now,
            deadline,
            anchors=notice.anchors,
            is_aside=is_aside,
            made_at=notice.made_at,
            is_cleared=is_aside or not self._shared,
            checked_at=now,
            not_before=now + PASSING_WAIT_S - min(age_s, PASSING_WAIT_S) if notice.is_held else -NEVER,
            notice=notice,
            generation=generation,
            taken_at=now,
            through=notice.bot,
        )

    def of_relay_effect(
        self,
        relay_effect: RelayEffect,
        bot: BotId,
        refs: tuple[UpdateRef, ...],
        id_: str,
        generation: str,
        fences: tuple[Fence, ...] = (),
        taken_at: float | None = None,
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
            custody=IN_TELEGRAM,
            made_at=self._clock.now(),
            checked_at=now,
            generation=generation,
            taken_at=now if taken_at is None else taken_at,
            refs=refs,
            fences=fences,
            through=bot,
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
        delivery = self.of_relay_effect(relay_effect, bot, refs, id_, generation, left_s=left_s)
        delivery.put_at -= max(0.0, waited_s)
        delivery.checked_at = float("-inf")
        delivery.made_at -= waited_s
        delivery.found_again = True
        delivery.custody = Custody.OUTBOX
        delivery.reader_told = delivery.is_cleared = not self._shared
        return delivery
