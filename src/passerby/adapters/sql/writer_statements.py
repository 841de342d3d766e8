"""The statements that `writer` sends for its rows."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from passerby.adapters.sql.dialects import insert_into
from passerby.adapters.sql.tables import blocks, chats, complaints, sanctions, users
from passerby.adapters.sql.unreadable import MOST_NUMBER


def upsert_user(dialect: str) -> sa.Executable:
    """Write people. An older version changes nothing. `created_at` comes from the first value."""
    insert = insert_into(users, dialect)
    written = list(users.c)
    kept = {"id", "created_at"}
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        arrays = (sa.bindparam(column.name, type_=postgresql.ARRAY(column.type)) for column in written)
        names = [column.name for column in written]
        new = sa.func.unnest(*arrays).table_valued(*names, name="new").render_derived()
        insert = insert.from_select(names, sa.select(*(new.c[name] for name in names)))
    upsert: sa.Executable = insert.on_conflict_do_update(
        index_elements=[users.c.id],
        set_={column.name: insert.excluded[column.name] for column in written if column.name not in kept},
        # A version that cannot be one (see `unreadable`) would otherwise keep its row for ever. In SQLite, a text is
        # greater than any number.
        where=sa.or_(insert.excluded.version >= users.c.version, users.c.version > MOST_NUMBER),
    )
    return upsert


def put_block(dialect: str) -> sa.Executable:
    insert = insert_into(blocks, dialect)
    put: sa.Executable = insert.on_conflict_do_update(
        index_elements=[blocks.c.user_id, blocks.c.blocked_id],
        set_={name: insert.excluded[name] for name in ("blocked_at", "lifted_at")},
        where=insert.excluded.blocked_at >= sa.func.coalesce(blocks.c.lifted_at, blocks.c.blocked_at),
    )
    return put


def put_sanction(dialect: str) -> sa.Executable:
    """Of the values that a sanction had, the last one counts."""
    insert = insert_into(sanctions, dialect)
    put: sa.Executable = insert.on_conflict_do_update(
        index_elements=[sanctions.c.id],
        set_={name: insert.excluded[name] for name in ("until", "appeal", "appealed_at")},
    )
    return put


def file_complaint(dialect: str) -> sa.Executable:
    """Only a person's first complaint about a chat counts."""
    file: sa.Executable = insert_into(complaints, dialect).on_conflict_do_nothing(
        index_elements=[complaints.c.chat_id, complaints.c.user_id]
    )
    return file


def _by_side(
    columns: Sequence[tuple[str, sa.ColumnElement[Any]]], who: sa.ColumnElement[Any]
) -> dict[str, sa.ColumnElement[Any]]:
    """Set the column of the side that `who` is (`told{}` with the side's number). The other side's is not changed."""
    return {
        name.format(side): sa.case((chats.c[f"user{side}"] == who, value), else_=chats.c[name.format(side)])
        for side in (1, 2)
        for name, value in columns
    }


_WHO = sa.bindparam("who", type_=sa.BigInteger)
_ITS_PEOPLE = sa.or_(chats.c.user1 == _WHO, chats.c.user2 == _WHO)
CLOSE_CHAT = (
    sa.update(chats)
    # Only the first ending counts.
    .where(chats.c.id == sa.bindparam("of"), chats.c.active)
    .values(active=sa.false(), closed_at=sa.bindparam("at"), closed_by=sa.bindparam("by"), reason=sa.bindparam("why"))
)
TELL = (
    sa.update(chats)
    .where(chats.c.id == sa.bindparam("of"), _ITS_PEOPLE)
    .values(
        _by_side(
            [
                ("told{}_bot", sa.bindparam("bot", type_=sa.BigInteger)),
                ("told{}_message", sa.bindparam("message", type_=sa.BigInteger)),
            ],
            _WHO,
        )
    )
)
RATE = (
    sa.update(chats)
    .where(chats.c.id == sa.bindparam("of"), _ITS_PEOPLE)
    .values(_by_side([("rating{}", sa.bindparam("rating", type_=sa.Text))], _WHO))
)
EXPLAIN = (
    sa.update(complaints)
    # Only the first comment counts, and only after the complaint.
    .where(
        complaints.c.chat_id == sa.bindparam("of"),
        complaints.c.user_id == sa.bindparam("who", type_=sa.BigInteger),
        complaints.c.words.is_(None),
    )
    .values(words=sa.bindparam("said", type_=sa.LargeBinary))
)
LIFT_SANCTION = (
    sa.update(sanctions)
    .where(sanctions.c.id == sa.bindparam("of"), sanctions.c.lifted_at.is_(None))
    .values(lifted_at=sa.bindparam("at"))
)
LIFT_BLOCK = (
    sa.update(blocks)
    .where(
        blocks.c.user_id == sa.bindparam("by"),
        blocks.c.blocked_id == sa.bindparam("whom"),
        blocks.c.lifted_at.is_(None),
        blocks.c.blocked_at <= sa.bindparam("at"),
    )
    .values(lifted_at=sa.bindparam("at"))
)
