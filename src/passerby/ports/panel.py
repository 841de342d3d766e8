"""The panel's data about browsers: logins they asked for, the use of their sessions, and limits.

Logins are confirmed and sessions begin and end by staff decisions (`passerby.ports.staff`), which are in the audit.
"""

from collections.abc import Sequence
from typing import Protocol

from passerby.kernel.panel import PanelLogin, PanelSession, Passkey
from passerby.kernel.staff_ids import StaffId


class PanelAccess(Protocol):
    """Raises: RecordsLost from every method."""

    async def ask(self, login: PanelLogin) -> None:
        """Store a new login. Those that ended an hour ago are deleted."""
        ...

    async def login(self, name: str) -> PanelLogin | None:
        """The login with this name, or whose link has this digest."""
        ...

    async def session(self, digest: str, now: float) -> PanelSession | None:
        """The session of this secret. A secret that was replaced still counts for a minute."""
        ...

    async def sessions(self, now: float) -> Sequence[PanelSession]:
        """All that have not ended, the newest first."""
        ...

    async def seen(self, number: int, now: float, digest: str = "") -> None:
        """The session was used. `digest`: of the secret that replaces the one before."""
        ...

    async def passkeys(self, member: StaffId | None = None) -> Sequence[Passkey]:
        """Those of one member, or all, the oldest first."""
        ...

    async def proved(self, number: int, now: float, digest: str, passkey: str, count: int) -> None:
        """A passkey was shown in the session, whose secret is replaced by the one with this digest.

        `count`: how often the passkey was used, as it says itself.
        """
        ...

    async def allowed(self, name: str, most: int, within_s: float, now: float) -> bool:
        """Count one more of these. False: there were `most` in this period already.

        Atomicity: all processes together have one count.
        """
        ...
