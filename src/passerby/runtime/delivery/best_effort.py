"""Calls that are tried once: answering a button press, deleting messages that are no longer needed.

They wait in no queue. Losing one harms nobody.
"""

import asyncio
from contextlib import suppress

from passerby.kernel.effect import Answer, Discard
from passerby.kernel.ids import BotId
from passerby.ports.telegram import DeleteMessages, OutgoingCall, Telegram, TelegramError, TokenRefused
from passerby.runtime.delivery.wording import Wording
from passerby.runtime.membership.heartbeat import Assurance
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.tasks import Background
from passerby.telemetry import logs

TRUST_WAIT_S = 60.0
"""How long a call waits for a bot whose token is suspected. Later nobody looks at that button any more."""


class BestEffort:
    def __init__(
        self, telegram: Telegram, wording: Wording, tokens: Tokens, assurance: Assurance, background: Background
    ) -> None:
        self._telegram = telegram
        self._wording = wording
        self._tokens = tokens
        self._assurance = assurance
        self._background = background

    def send(self, effect: Answer | Discard, bot: BotId, language: str) -> None:
        """Begin the call, and return at once."""
        if isinstance(effect, Answer):
            outgoing: OutgoingCall = self._wording.answer(effect, bot, language)
        else:
            outgoing = DeleteMessages(bot, effect.to, effect.messages)
        self._background.spawn(self._send(outgoing))

    async def _send(self, outgoing: OutgoingCall) -> None:
        await self._assurance.assured()
        try:
            await self._once_trusted(outgoing)
        except TokenRefused:
            with suppress(TelegramError):  # Telegram may have accepted the token again meanwhile
                await self._once_trusted(outgoing)
        except TelegramError as error:
            logs.record("courier.best_effort_lost", "debug", error=logs.name_of(error), reason=error.reason)

    async def _once_trusted(self, outgoing: OutgoingCall) -> None:
        """Send it, unless its bot stays suspected for too long, or is lost. Raises: TelegramError."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TRUST_WAIT_S):
                await self._tokens.decided(outgoing.bot)
        if not self._tokens.works(outgoing.bot):
            return
        try:
            await self._telegram.send(outgoing)
        except TokenRefused:
            self._tokens.refused(outgoing.bot)
            raise
