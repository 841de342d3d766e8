"""Answers the checkouts of a bot that we give back, until the updates in hand are done.

Nobody else may poll the bot before that, and Telegram waits ten seconds for the answer to a checkout. So we go on
asking for updates from the low-water mark, answer the checkouts among them, and drop everything else. Nothing of it
counts as taken: a poll confirms only what is below the mark. The next holder of the bot gets all these updates, the
checkouts too. Their second answer is refused by Telegram, and the rest of the work for them is done there.

Telegram returns a hundred updates at most. A checkout behind more than that waits for the next holder.
"""

from collections.abc import Callable
from typing import Final

from passerby.kernel.ids import BotId
from passerby.kernel.money_event import CheckoutAsked
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.telegram import Telegram, TelegramError
from passerby.runtime.inbound.continuity import Continuity

AGAIN_S: Final = 0.2
"""The time between two looks. An answer repeats everything still in hand, so it costs more than it seems."""

SAME_OFFSET_S: Final = 0.55
"""An earlier look from the same offset would see a single update (see `polling`)."""

MOST: Final = 100


class LookAhead:
    """`mark`: the low-water mark. `is_in_hand`: whether an update was taken, so that its checkout is being answered.
    `answer` gets each checkout once."""

    def __init__(
        self,
        bot: BotId,
        telegram: Telegram,
        mark: Callable[[], int | None],
        is_in_hand: Callable[[int], bool],
        answer: Callable[[CheckoutAsked], None],
        watch: Continuity | None,
        clock: Clock,
    ) -> None:
        self._bot = bot
        self._telegram = telegram
        self._mark = mark
        self._is_in_hand = is_in_hand
        self._answer = answer
        self._watch = watch
        self._clock = clock
        self._answered: set[int] = set()

    async def run(self, last_offset: int, last_at: float) -> None:
        """Run until cancelled. `last_offset`, `last_at`: of the poll before this. -1: it had none."""
        while True:
            offset = self._mark()
            is_same = (-1 if offset is None else offset) == last_offset
            due_at = last_at + (SAME_OFFSET_S if is_same else AGAIN_S)
            if (early_s := due_at - self._clock.monotonic()) > 0:
                await self._clock.sleep(min(early_s, AGAIN_S))
                continue
            last_offset, last_at = -1 if offset is None else offset, self._clock.monotonic()
            try:
                await self._look(offset)
            except (TelegramError, LiveStoreLost):
                continue  # the next holder polls soon, and says what is wrong

    async def _look(self, offset: int | None) -> None:
        watch = self._watch
        if watch is not None and offset is not None and offset > watch.ceiling:
            await watch.raise_ceiling(offset)
        for arrival in await self._telegram.updates(self._bot, offset, MOST, 0):
            update, event = arrival.ref.update, arrival.event
            if type(event) is CheckoutAsked and update not in self._answered and not self._is_in_hand(update):
                self._answered.add(update)
                self._answer(event)
