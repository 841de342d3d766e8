"""The hours at which people use to chat, from their latest past chats."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.tables import past_chats

_READ: Final = 50
"""The latest chats that show a person's usual hour."""


async def hours_of(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, list[int]]:
    """The hours (UTC) at which these people's latest past chats began."""
    found: dict[int, list[int]] = defaultdict(list)
    for query in (_FIRST, _SECOND):
        for whom, opened_min in await connection.execute(query, {"ids": ids, "most": _READ * len(ids)}):
            found[whom].append(opened_min // 60 % 24)
    return found


def _latest(column: sa.Column[Any]) -> sa.Select[Any]:
    return (
        sa.select(column, past_chats.c.opened_min)
        .where(column.in_(sa.bindparam("ids", expanding=True)))
        .order_by(past_chats.c.opened_min.desc())
        .limit(sa.bindparam("most", type_=sa.Integer))
    )


_FIRST, _SECOND = map(_latest, (past_chats.c.user1, past_chats.c.user2))
