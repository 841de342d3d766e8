"""Referrals in the records. User: the duty `referrals`."""

from collections.abc import Sequence
from typing import Protocol

from passerby.kernel.ids import PersonId
from passerby.kernel.referral import Referral, ReferralOutcome, Reward
from passerby.ports.money import GrantOver


class ReferralRecords(Protocol):
    """Raises: RecordsLost from every method."""

    async def referrals_due(self, before: float, now: float, limit: int) -> Sequence[Referral]:
        """Those that were reached before this time and are not decided, the oldest first."""
        ...

    async def decide_referral(
        self, friend: PersonId, outcome: ReferralOutcome, now: float, grants: tuple[str, str] = ("", "")
    ) -> None:
        """Note what becomes of a referral. `grants` name the VIP days of the inviter and of the friend, if it is given.

        One that is decided stays as it is, except that one that was given can be taken back.
        """
        ...

    async def rewards(self, after: float, limit: int) -> Sequence[Reward]:
        """Return the rewards that were given later than `after` and are not granted yet."""
        ...

    async def referrals_given(self, after: float) -> Sequence[PersonId]:
        """The friends for whom something was given later than `after` and not taken back."""
        ...

    async def rewards_over(self, after: float, now: float, limit: int) -> Sequence[GrantOver]:
        """VIP time of referrals that were taken back later than `after`, as long as some of it is left."""
        ...
