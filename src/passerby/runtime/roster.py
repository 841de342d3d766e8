"""The bots that this worker serves, which may change while it runs."""

from collections.abc import Iterable

from passerby.kernel.ids import BotId
from passerby.ports.clock import Clock
from passerby.runtime.lease_duties import LeaseDuties
from passerby.runtime.membership.heartbeat import Membership
from passerby.runtime.membership.tokens import Tokens
from passerby.runtime.tasks import Background
from passerby.telemetry import metrics

RETIRED_AFTER_S = 20.0
"""How long a retired bot may take to finish the updates in hand."""

LOOK_EVERY_S = 0.05


class Roster:
    """`bots` are the fleet's: without the staff bot."""

    def __init__(
        self,
        bots: Iterable[BotId],
        tokens: Tokens,
        duties: LeaseDuties,
        membership: Membership,
        background: Background,
        clock: Clock,
    ) -> None:
        self.bots = tuple(bots)
        self._tokens = tokens
        self._duties = duties
        self._membership = membership
        self._background = background
        self._clock = clock

    def serve(self, bots: Iterable[BotId]) -> None:
        """Serve these bots from now on; the Bot API client has their tokens. People of another one go on elsewhere."""
        before, self.bots = self.bots, tuple(bots)
        metrics.know_bots(self.bots)
        self._duties.know_bots(self.bots)
        for bot in self.bots:
            self._tokens.admit(bot)
        for bot in before:
            if bot not in self.bots:
                self._background.spawn(self._retire(bot))
        self._membership.hurry()

    async def _retire(self, bot: BotId) -> None:
        """Give the bot up when its updates in hand are done, or soon."""
        until = self._clock.monotonic() + RETIRED_AFTER_S
        while bot in self._duties.polling and self._clock.monotonic() < until:
            await self._clock.sleep(LOOK_EVERY_S)
        if bot not in self.bots:
            self._tokens.retire(bot)
            metrics.BOT_PENDING.drop(bot)
