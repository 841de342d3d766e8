"""Promo codes in the records. Users: people who use one, and the staff."""

from typing import Protocol

from passerby.kernel.ids import PersonId
from passerby.kernel.promo import Redemption


class PromoRecords(Protocol):
    """Raises: RecordsLost from every method."""

    async def redeem(self, code: str, person: PersonId, now: float, *, has_bought: bool, grant: str) -> Redemption:
        """Use a code for a person, if that is allowed. `grant` names what follows from it, if it is the first try.

        Atomicity: a code is never used more often than it may be, and by nobody twice, in all processes together.
        """
        ...
