"""Signing in to the operators' panel: logins and sessions, and what is asked for about them.

A *login* is the attempt of one browser. A *session* is what a browser has after it. Their secrets are in the browser
and in links only; what is stored are digests (SHA-256, hexadecimal).
"""

import msgspec

from passerby.kernel.staff_ids import StaffId


class PanelLogin(msgspec.Struct, frozen=True, omit_defaults=True):
    """`name`: the code that the panel shows, or the link's digest if the command line made it.

    browser   the digest of the asking browser's secret; empty: the first browser that uses the link
    link      the digest of the secret of the link that was sent for it; empty: none was sent
    member    whose session it becomes: who confirmed it, or to whom the link was sent
    """

    name: str
    browser: str
    made_at: float
    expires_at: float
    link: str = ""
    member: StaffId | None = None
    confirmed_at: float | None = None
    used_at: float | None = None


class PanelSession(msgspec.Struct, frozen=True, omit_defaults=True):
    """`digest` stands for the secret in the cookie. `agent`: the kind of browser, in our words.

    `proved_at`: when the member last showed that it is them. `seen_at`: when they last did something. `rotated_at`:
    when the secret was last replaced. Unix seconds.
    """

    number: int
    digest: str
    member: StaffId
    made_at: float
    proved_at: float
    seen_at: float
    ends_at: float
    agent: str = ""
    rotated_at: float = 0.0
    ended_at: float | None = None
    passkey_at: float | None = None
    """When the member last showed a passkey in it; None: not yet."""


class Passkey(msgspec.Struct, frozen=True):
    """A member's second factor. `name` is its id and `key` its public key (COSE), both in base64url.

    `count`: how often it was used, as it says itself; 0: it does not count. `label`: where it was made, in our words.
    """

    name: str
    member: StaffId
    key: str
    count: int
    label: str
    made_at: float
    used_at: float | None = None


class PasskeysGone(msgspec.Struct, frozen=True):
    """A member's passkey is no longer valid. With an empty `name`, all of theirs."""

    member: StaffId
    name: str = ""


class PanelFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """`login`: the one that the event names. `sessions` have not ended. `next_session` is free."""

    login: PanelLogin | None = None
    sessions: tuple[PanelSession, ...] = ()
    next_session: int = 1
