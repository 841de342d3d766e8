"""Answers checkouts: somebody has pressed Pay, and Telegram gives us ten seconds.

A checkout waits for nothing that others cause: no queue, no quota, no budget of the courier. The person is read, the
decision made, and the answer sent. The rest of the work goes into the person's queue afterwards, as `CheckoutAnswered`,
with the update: a refusal's notice, and the mark that it was approved.

If the process dies before that is stored, Telegram brings the update again. A second answer to the same checkout is
refused by Telegram and counts as done. The payment may have come by then, so that "paid already" is no refusal any
more. If no answer goes out at all, the payment fails, and no Stars move.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

import msgspec

from passerby.domain.money.checkout import refusal_at_checkout
from passerby.kernel.decision import Env
from passerby.kernel.ids import PersonId
from passerby.kernel.money import NotNow
from passerby.kernel.money_event import CheckoutAnswered, CheckoutAsked
from passerby.kernel.participant import Participant
from passerby.kernel.text import text
from passerby.ports.clock import Clock
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.records import RecordsLost
from passerby.ports.telegram import AnswerCheckout, FloodWait, Refused, Telegram, TelegramError, Unavailable
from passerby.runtime.backoff import Backoff
from passerby.runtime.delivery.wording import Words
from passerby.runtime.inbound.person_queues import Work
from passerby.runtime.tasks import Background
from passerby.telemetry import logs, metrics

ANSWER_WITHIN_S: Final = 9.0
"""Telegram waits ten seconds (source: Bot API, answerPreCheckoutQuery)."""

LOOK_WITHIN_S: Final = 4.0
"""If the stores take longer, the checkout is refused for now. Silence would look like a fault of Telegram's."""

AGAIN: Final = Backoff(0.1, 1.0)


class Checkouts:
    """`load` reads a person; None if nobody knows them. `put` gets the work for the person's queue."""

    def __init__(
        self,
        load: Callable[[PersonId], Awaitable[Participant | None]],
        telegram: Telegram,
        words: Words,
        put: Callable[[Work], None],
        env: Callable[[], Env],
        background: Background,
        clock: Clock,
        rng: Random,
    ) -> None:
        self._load = load
        self._telegram = telegram
        self._words = words
        self._put = put
        self._env = env
        self._background = background
        self._clock = clock
        self._rng = rng
        self.under_way = 0

    def take(self, work: Work) -> None:
        """Begin to answer, and return at once."""
        assert isinstance(work.event, CheckoutAsked), "nothing else comes here"
        self.under_way += 1
        self._background.spawn(self._handle(work, work.event))

    def answer_ahead(self, asked: CheckoutAsked) -> None:
        """Begin to answer, and return at once. Another process gets the update, and does the rest of the work."""
        self.under_way += 1
        self._background.spawn(self._answer(asked))

    async def _handle(self, work: Work, asked: CheckoutAsked) -> None:
        refusal = await self._answer(asked)
        self._put(
            msgspec.structs.replace(work, event=CheckoutAnswered(asked.person, asked.bot, asked.payload, refusal or ""))
        )

    async def _answer(self, asked: CheckoutAsked) -> NotNow | None:
        """Return why it was refused; None if it was approved."""
        began_at = self._clock.monotonic()
        try:
            refusal, language = await self._decide(asked)
            sentence = self._words.plain(text(f"vip.refused_{refusal}"), language) if refusal is not None else ""
            is_first = await self._send(AnswerCheckout(asked.bot, asked.query, sentence), began_at + ANSWER_WITHIN_S)
        finally:
            self.under_way -= 1
        metrics.CHECKOUT_TOOK.observe(self._clock.monotonic() - began_at)
        if is_first:
            metrics.CHECKOUTS.add(refusal or "approved")
        elif refusal is NotNow.PAID:
            return None  # by the payment that the first answer has approved
        return refusal

    async def _decide(self, asked: CheckoutAsked) -> tuple[NotNow | None, str]:
        """Why it is refused (None: approved), and the person's language."""
        try:
            async with asyncio.timeout(LOOK_WITHIN_S):
                me = await self._load(asked.person)
        except (LiveStoreLost, RecordsLost, TimeoutError):
            return NotNow.LATER, asked.language
        me = me or Participant(asked.person)
        refusal = refusal_at_checkout(me, asked.bot, asked.payload, asked.stars, self._env())
        return refusal, me.profile.language or asked.language

    async def _send(self, answer: AnswerCheckout, until: float) -> bool:
        """Send it, again after failures, while Telegram waits for it. Returns whether Telegram was waiting: False if it
        has an answer already, or has given up."""
        tries = 0
        while True:
            try:
                await self._telegram.send(answer)
            except Refused as refused:
                logs.record("checkout.over", "info", bot=answer.bot, error=logs.name_of(refused), reason=refused.reason)
                return False
            except TelegramError as error:
                tries += 1
                pause_s = AGAIN.pause_s(tries, self._rng)
                if isinstance(error, FloodWait):
                    pause_s = error.retry_after_s
                is_hopeless = not isinstance(error, FloodWait | Unavailable)
                if is_hopeless or self._clock.monotonic() + pause_s > until:
                    logs.record("checkout.unanswered", "warning", bot=answer.bot, error=logs.name_of(error))
                    return True
                await self._clock.sleep(pause_s)
            else:
                return True
