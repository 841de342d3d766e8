"""The panel's logins, sessions and limits over SQL."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.dialects import insert_into
from passerby.adapters.sql.panel_tables import faults, panel_limits, panel_logins, panel_passkeys, panel_sessions
from passerby.adapters.sql.transactions import Transactions
from passerby.domain.panel import IDLE_S
from passerby.kernel.panel import PanelFacts, PanelLogin, PanelSession, Passkey
from passerby.kernel.staff import StaffDecision, StaffId

_KEPT_S: Final = 3600.0
_SESSIONS_KEPT_S: Final = 90 * 86_400.0
_GRACE_S: Final = 60.0
"""Requests that a browser sent side by side with the one that changed its secret."""


class SqlPanelAccess(Transactions):
    """Implements `passerby.ports.panel.PanelAccess`. The tables must exist."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self._first = insert_into(panel_limits, engine.dialect.name).on_conflict_do_nothing()

    async def ask(self, login: PanelLogin) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(_FORGET_LOGINS, {"before": login.made_at - _KEPT_S})
            await connection.execute(_ADD_LOGIN, msgspec.structs.asdict(login))

        await self._write(work)

    async def login(self, name: str) -> PanelLogin | None:
        async def read(connection: AsyncConnection) -> PanelLogin | None:
            return await _login(connection, name)

        return await self._read(read)

    async def session(self, digest: str, now: float) -> PanelSession | None:
        async def read(connection: AsyncConnection) -> PanelSession | None:
            row = (await connection.execute(_SESSION, {"digest": digest, "since": now - _GRACE_S})).first()
            return None if row is None else PanelSession(*row)

        return await self._read(read)

    async def sessions(self, now: float) -> Sequence[PanelSession]:
        async def read(connection: AsyncConnection) -> Sequence[PanelSession]:
            return await _open_sessions(connection, now)

        return await self._read(read)

    async def seen(self, number: int, now: float, digest: str = "") -> None:
        async def work(connection: AsyncConnection) -> None:
            if digest:
                await connection.execute(_ROTATE, {"of": number, "at": now, "new": digest})
            else:
                await connection.execute(_SEEN, {"of": number, "at": now})

        await self._write(work)

    async def passkeys(self, member: StaffId | None = None) -> Sequence[Passkey]:
        async def read(connection: AsyncConnection) -> Sequence[Passkey]:
            found = await connection.execute(_PASSKEYS, {"of": member})
            return [Passkey(*row) for row in found]

        return await self._read(read)

    async def proved(self, number: int, now: float, digest: str, passkey: str, count: int) -> None:
        async def work(connection: AsyncConnection) -> None:
            await connection.execute(_PROVE, {"of": number, "at": now, "new": digest})
            await connection.execute(_USE, {"of": passkey, "at": now, "times": count})

        await self._write(work)

    async def allowed(self, name: str, most: int, within_s: float, now: float) -> bool:
        async def work(connection: AsyncConnection) -> bool:
            values = {"of": name, "at": now, "before": now - within_s}
            if (await connection.execute(_COUNT, values)).rowcount == 0:
                first = await connection.execute(self._first, {"name": name, "began_at": now, "count": 1})
                return first.rowcount == 1  # another process was faster: refused, because that costs a second try only
            return (await connection.scalar(_COUNTED, {"of": name}) or 0) <= most

        return await self._write(work)


async def panel_facts(connection: AsyncConnection, name: str, now: float) -> PanelFacts:
    highest = await connection.scalar(_HIGHEST) or 0
    return PanelFacts(await _login(connection, name), tuple(await _open_sessions(connection, now)), highest + 1)


async def store_panel(connection: AsyncConnection, decision: StaffDecision, now: float) -> None:
    """Store the logins and sessions of a decision, in its transaction."""
    for login in decision.logins:
        row = msgspec.structs.asdict(login)
        changed = await connection.execute(_CHANGE_LOGIN, row | {"of": row.pop("name")})
        if changed.rowcount == 0:
            await connection.execute(_ADD_LOGIN, msgspec.structs.asdict(login))
    for session in decision.sessions:
        row = msgspec.structs.asdict(session)
        # A session that ends keeps the secret that it has by then.
        ended = await connection.execute(_END, {"of": session.number, "at": session.ended_at})
        if ended.rowcount == 0:
            await connection.execute(_ADD_SESSION, row | {"former": ""})
    for passkey in decision.passkeys:
        await connection.execute(_ADD_PASSKEY, msgspec.structs.asdict(passkey))
    for gone in decision.passkeys_gone:
        await connection.execute(_DROP_PASSKEYS, {"whose": gone.member, "which": gone.name})
    for fingerprint in decision.resolved:
        await connection.execute(_RESOLVE, {"of": fingerprint, "at": now})
    if decision.sessions:
        await connection.execute(_FORGET_SESSIONS, {"before": now - _SESSIONS_KEPT_S})


async def end_access(connection: AsyncConnection, member: StaffId, now: float) -> None:
    """End the sessions of a member, and forget their logins and passkeys."""
    await connection.execute(_END_ALL, {"of": member, "at": now})
    await connection.execute(_DROP_LOGINS, {"whose": member})
    await connection.execute(_DROP_PASSKEYS, {"whose": member, "which": ""})


async def _login(connection: AsyncConnection, name: str) -> PanelLogin | None:
    row = (await connection.execute(_LOGIN, {"name": name})).first()
    return None if row is None else PanelLogin(*row)


async def _open_sessions(connection: AsyncConnection, now: float) -> Sequence[PanelSession]:
    values = {"now": now, "seen": now - IDLE_S}
    return [PanelSession(*row) for row in await connection.execute(_OPEN, values)]


def _columns(table: sa.Table, kind: type[Any]) -> list[sa.Column[Any]]:
    return [table.c[name] for name in kind.__struct_fields__]


_AT: Final[sa.BindParameter[float]] = sa.bindparam("at")
_ADD_LOGIN = sa.insert(panel_logins)
_CHANGE_LOGIN = sa.update(panel_logins).where(panel_logins.c.name == sa.bindparam("of"))
_FORGET_LOGINS = sa.delete(panel_logins).where(panel_logins.c.expires_at < sa.bindparam("before"))
_LOGIN = sa.select(*_columns(panel_logins, PanelLogin)).where(
    sa.or_(
        panel_logins.c.name == sa.bindparam("name"),
        sa.and_(panel_logins.c.link == sa.bindparam("name"), panel_logins.c.link != ""),
    )
)
_ADD_SESSION = sa.insert(panel_sessions)
_END = sa.update(panel_sessions).where(panel_sessions.c.number == sa.bindparam("of")).values(ended_at=_AT)
_END_ALL = (
    sa.update(panel_sessions)
    .where(panel_sessions.c.member == sa.bindparam("of"), panel_sessions.c.ended_at.is_(None))
    .values(ended_at=_AT)
)
_DROP_LOGINS = sa.delete(panel_logins).where(panel_logins.c.member == sa.bindparam("whose"))
_RESOLVE = sa.update(faults).where(faults.c.fingerprint == sa.bindparam("of")).values(resolved_at=_AT)
_HIGHEST = sa.select(sa.func.max(panel_sessions.c.number))
_SESSIONS = sa.select(*_columns(panel_sessions, PanelSession))
_SESSION = _SESSIONS.where(
    sa.or_(
        panel_sessions.c.digest == sa.bindparam("digest"),
        sa.and_(panel_sessions.c.former == sa.bindparam("digest"), panel_sessions.c.rotated_at > sa.bindparam("since")),
    )
)
_OPEN = (
    _SESSIONS.where(
        panel_sessions.c.ended_at.is_(None),
        panel_sessions.c.ends_at > sa.bindparam("now"),
        panel_sessions.c.seen_at > sa.bindparam("seen"),
    )
    .order_by(panel_sessions.c.number.desc())
    .limit(200)
)
_FORGET_SESSIONS = sa.delete(panel_sessions).where(panel_sessions.c.ends_at < sa.bindparam("before"))
_SEEN = sa.update(panel_sessions).where(panel_sessions.c.number == sa.bindparam("of")).values(seen_at=_AT)
_ROTATE = (
    sa.update(panel_sessions)
    .where(panel_sessions.c.number == sa.bindparam("of"))
    .values(former=panel_sessions.c.digest, digest=sa.bindparam("new"), rotated_at=_AT, seen_at=_AT)
)
_PROVE = (
    sa.update(panel_sessions)
    .where(panel_sessions.c.number == sa.bindparam("of"))
    .values(
        former=panel_sessions.c.digest,
        digest=sa.bindparam("new"),
        rotated_at=_AT,
        seen_at=_AT,
        proved_at=_AT,
        passkey_at=_AT,
    )
)
_OF_MEMBER: Final[sa.BindParameter[int]] = sa.bindparam("of", type_=sa.BigInteger)
_PASSKEYS = (
    sa.select(*_columns(panel_passkeys, Passkey))
    .where(sa.or_(panel_passkeys.c.member == _OF_MEMBER, _OF_MEMBER.is_(None)))
    .order_by(panel_passkeys.c.made_at)
)
_ADD_PASSKEY = sa.insert(panel_passkeys)
_USE = (
    sa.update(panel_passkeys)
    .where(panel_passkeys.c.name == sa.bindparam("of"))
    .values(used_at=_AT, count=sa.bindparam("times"))
)
_DROP_PASSKEYS = sa.delete(panel_passkeys).where(
    panel_passkeys.c.member == sa.bindparam("whose"),
    sa.or_(panel_passkeys.c.name == sa.bindparam("which"), sa.bindparam("which") == ""),
)
_IS_NEW = panel_limits.c.began_at < sa.bindparam("before")
_COUNT = (
    sa.update(panel_limits)
    .where(panel_limits.c.name == sa.bindparam("of"))
    .values(
        began_at=sa.case((_IS_NEW, _AT), else_=panel_limits.c.began_at),
        count=sa.case((_IS_NEW, 1), else_=panel_limits.c.count + 1),
    )
)
_COUNTED = sa.select(panel_limits.c.count).where(panel_limits.c.name == sa.bindparam("of"))
