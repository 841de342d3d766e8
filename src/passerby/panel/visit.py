"""One request of one visitor: who it is, and what answers may use."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from passerby.domain.panel import is_fresh
from passerby.domain.team import may
from passerby.kernel.ids import PersonId
from passerby.kernel.panel import PanelSession, Passkey
from passerby.kernel.staff import COMMAND_LINE, Permission, StaffDecision, StaffMember, StaffRequest
from passerby.panel.http import Answer, Request

SESSION: Final = "panel-session"
BROWSER: Final = "panel-browser"
LOGIN: Final = "panel-login"
SECRET_BITS: Final = 256


def new_cookie(rng: Random) -> str:
    """A secret for a cookie, in hexadecimal."""
    return f"{rng.getrandbits(SECRET_BITS):0{SECRET_BITS // 4}x}"


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Visit:
    """`me` and `session` are None before the visitor has signed in. `browser` is the secret of their browser."""

    request: Request
    now: float
    csrf: str
    browser: str
    session: PanelSession | None = None
    me: StaffMember | None = None
    passkeys: Sequence[Passkey] = ()

    @property
    def member(self) -> StaffMember:
        assert self.me is not None, "the route needs somebody who has signed in"
        return self.me

    @property
    def by(self) -> PersonId | None:
        """For staff decisions: None is the command line."""
        return None if self.member.number == COMMAND_LINE else self.member.person

    @property
    def owes_passkey(self) -> bool:
        """They have signed in with one factor, and have a second one."""
        return bool(self.passkeys) and self.session is not None and self.session.passkey_at is None

    @property
    def is_fresh(self) -> bool:
        return self.session is not None and is_fresh(self.session, self.now)

    def may(self, needs: Permission | None) -> bool:
        return may(self.me, needs)


def csrf_of(key: bytes, bound_to: str) -> str:
    """The token of every form. `bound_to`: the session, or the browser before there is one."""
    made = hmac.digest(key, b"passerby panel csrf " + bound_to.encode(), hashlib.sha256)
    return urlsafe_b64encode(made).rstrip(b"=").decode()


def challenge_of(key: bytes, session: PanelSession, to: str) -> bytes:
    """Return the challenge that a passkey signs. It changes with the session's secret. `to`: its purpose."""
    made = b"passerby panel passkey " + f"{to} {session.number} {session.digest}".encode()
    return hmac.digest(key, made, hashlib.sha256)


def inside(path: str) -> str:
    """A path of ours to go on to. Anything else would let a link send people elsewhere."""
    is_ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if is_ours and len(path) <= 200 else "/"


Handler = Callable[[Visit], Awaitable[Answer]]
Act = Callable[[StaffRequest, PersonId | None], Awaitable[StaffDecision]]
"""Has a request of the staff decided, stored and told."""


@dataclass(frozen=True, slots=True)
class Route:
    """`path` ends with `/*` if its last part may be anything. `needs`: the permission; None: every staff member.

    `open`: nobody has to be signed in. `half`: also for who still owes a passkey. `fresh`: only with a proof that is a
    few minutes old.
    """

    method: str
    path: str
    handler: Handler
    needs: Permission | None = None
    open: bool = False
    half: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """An entry of the menu."""

    path: str
    title: str
    needs: Permission | None = None


Render = Callable[[Visit, str, Mapping[str, Any]], Answer]
"""(visit, template, values) -> the page."""
