"""Rows of the team and its invites, as values and back."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.unreadable import identifier, readable, text_of
from passerby.kernel.ids import PersonId
from passerby.kernel.staff import Invite, Role, StaffMember


async def members(connection: AsyncConnection, which: sa.Select[Any]) -> tuple[StaffMember, ...]:
    return tuple(readable("staff", await connection.execute(which), member_of, lambda row: row.number))


def member_of(row: Any) -> StaffMember:
    return StaffMember(
        row.number,
        PersonId(identifier(row.user_id)),
        Role(row.role),
        row.joined_at,
        text_of(row.name),
        text_of(row.language),
        row.alerts,
        row.revoked_at,
    )


def member_row(member: StaffMember, *, is_new: bool) -> dict[str, Any]:
    return {
        # A name that is no column's, for the condition of an update.
        "number" if is_new else "of": member.number,
        "user_id": member.person,
        "role": member.role.value,
        "name": member.name,
        "language": member.language,
        "alerts": member.alerts,
        "joined_at": member.joined_at,
        "revoked_at": member.revoked_at,
    }


def invite_row(invite: Invite, *, is_new: bool) -> dict[str, Any]:
    row = msgspec.structs.asdict(invite) | {"role": invite.role.value}
    return row if is_new else row | {"of": row.pop("digest")}
