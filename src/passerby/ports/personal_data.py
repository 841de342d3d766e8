"""The records' data about one person, and the requests for a copy or for erasure. User: the task that answers them."""

from collections.abc import Sequence
from typing import Protocol

from passerby.kernel.history import History
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Participant


class PersonalData(Protocol):
    """Raises: RecordsLost from every method."""

    async def requests(self, now: float, limit: int) -> Sequence[Participant]:
        """People who wait for a copy of their data, and people whose data must be erased by now."""
        ...

    async def history(self, person: PersonId) -> History: ...

    async def acquaintances(self, person: PersonId, limit: int) -> Sequence[PersonId]:
        """Other people whose newest stored value names this person. A block, and the present chat, do not count."""
        ...
