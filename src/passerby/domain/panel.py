"""Rules of the panel's logins and sessions.

A login works for five minutes, once, and only in the browser that asked for it. A session ends half an hour after the
member's last act, and twelve hours after its begin in any case. Acts that matter most need a proof that is at most five
minutes old: the member signs in again, and the session is replaced.
"""

from random import Random
from typing import Final

from passerby.domain.support import LENGTH, LETTERS
from passerby.kernel.panel import PanelLogin, PanelSession

LOGIN_S: Final = 300.0
SESSION_S: Final = 12 * 3600.0
IDLE_S: Final = 1800.0
FRESH_S: Final = 300.0
ROTATE_S: Final = 900.0
"""After this long, the session's cookie gets another secret."""


def new_code(rng: Random) -> str:
    """Make the code that the panel shows and the staff bot asks for: 40 random bits, for five minutes."""
    return "".join(rng.choice(LETTERS) for _ in range(LENGTH))


def is_open(login: PanelLogin, now: float) -> bool:
    """Whether the login may still be confirmed or used."""
    return login.used_at is None and now < login.expires_at


def is_valid(session: PanelSession, now: float) -> bool:
    return session.ended_at is None and now < session.ends_at and now - session.seen_at < IDLE_S


def is_fresh(session: PanelSession, now: float) -> bool:
    """Whether the member has shown lately that it is them."""
    return now - session.proved_at < FRESH_S
