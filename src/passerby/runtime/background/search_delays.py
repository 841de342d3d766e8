"""Tells a person that their search takes long."""

from collections.abc import Callable

from passerby.kernel.event import SearchDelayed
from passerby.kernel.participant import Ticket
from passerby.ports.live_store import LiveStore, LiveStoreLost
from passerby.runtime.tasks import Background


class SearchDelays:
    """`put` puts an event into its person's queue."""

    def __init__(self, store: LiveStore, put: Callable[[SearchDelayed], None], background: Background) -> None:
        self._store = store
        self._put = put
        self._background = background

    def tell(self, ticket: Ticket, fitting: int, expected_s: float | None) -> None:
        """`fitting`: how many fit. `expected_s`: how long others waited; None if unknown."""
        self._background.spawn(self._tell(ticket, fitting, expected_s))

    async def _tell(self, ticket: Ticket, fitting: int, expected_s: float | None) -> None:
        try:
            facts = await self._store.load(ticket.person)
        except LiveStoreLost:
            return  # the matcher tells again later
        if facts is not None and facts.me.bot is not None:
            self._put(SearchDelayed(ticket.person, facts.me.bot, ticket.since, fitting, expected_s))
