"""The reports of a case, with what is known about each reporter."""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.rows import READ
from passerby.adapters.sql.salvage import person_of
from passerby.adapters.sql.tables import chats, complaints, evidence, muted_reporters, past_chats, users
from passerby.kernel.case import Exhibit, Report, ReporterRecord
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Complaint

MOST_REPORTS: Final = 100
_NUMBER = sa.bindparam("number", type_=sa.BigInteger)
OF_THE_CASE = sa.and_(
    evidence.c.chat_id == complaints.c.chat_id,
    evidence.c.user_id == complaints.c.user_id,
    complaints.c.case_number == _NUMBER,
)
"""The evidence of the reports of case `number`."""


async def reports_of(connection: AsyncConnection, number: int) -> tuple[Report, ...]:
    rows = (await connection.execute(_OF_CASE, {"number": number})).all()
    exhibits: dict[tuple[str, int], list[Exhibit]] = {}
    for chat, by, place, digest in await connection.execute(_EXHIBITS, {"number": number}):
        exhibits.setdefault((chat, by), []).append(Exhibit(place, digest))
    records = await _records(connection, {PersonId(row.user_id) for row in rows})
    return tuple(
        Report(
            ChatId(row.chat_id),
            PersonId(row.user_id),
            Complaint(row.reason),
            row.filed_at,
            row.cost,
            row.retaliates,
            (
                *((Exhibit(0),) if row.has_words else ()),
                *exhibits.get((row.chat_id, row.user_id), ()),
            ),
            records[PersonId(row.user_id)],
        )
        for row in rows
    )


async def _records(connection: AsyncConnection, people: set[PersonId]) -> dict[PersonId, ReporterRecord]:
    among = {"ids": sorted(people)}
    found = dict.fromkeys(people, ReporterRecord())
    met: dict[PersonId, set[PersonId]] = {person: set() for person in people}
    for query in (_MET, _MET_BEFORE):
        for one, other in await connection.execute(query, among):
            met[one].add(other)
            met[other].add(one)
    known = {row[0]: row for row in await connection.execute(_PEOPLE, among)}
    created = {row[0]: row[1] for row in await connection.execute(_SINCE, among)}
    muted = {row[0]: row[1] for row in await connection.execute(_MUTED, among)}
    verdicts: dict[PersonId, dict[str, int]] = {}
    for person, verdict, count in await connection.execute(_VERDICTS, among):
        verdicts.setdefault(person, {})[verdict] = count
    for person in people:
        values = known.get(person)
        value = person_of(values) if values is not None else None
        found[person] = ReporterRecord(
            verdicts.get(person, {}).get("upheld", 0),
            verdicts.get(person, {}).get("dismissed", 0),
            muted.get(person, 0.0),
            len({each.person for each in value.recent}) if value is not None else 0,
            (value.bot or 0) if value is not None else 0,
            created.get(person, 0.0),
            frozenset(met[person]),
        )
    return found


_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_OF_CASE = (
    sa.select(complaints, complaints.c.words.is_not(None).label("has_words"))
    .where(complaints.c.case_number == _NUMBER)
    .order_by(complaints.c.filed_at.desc())
    .limit(MOST_REPORTS)
)
_EXHIBITS = (
    sa.select(evidence.c.chat_id, evidence.c.user_id, evidence.c.place, evidence.c.digest)
    .where(OF_THE_CASE)
    .order_by(evidence.c.chosen_at)
)
_MET = sa.select(chats.c.user1, chats.c.user2).where(chats.c.user1.in_(_IDS), chats.c.user2.in_(_IDS))
_MET_BEFORE = sa.select(past_chats.c.user1, past_chats.c.user2).where(
    past_chats.c.user1.in_(_IDS), past_chats.c.user2.in_(_IDS)
)
_PEOPLE = sa.select(*READ).where(users.c.id.in_(_IDS))
_SINCE = sa.select(users.c.id, users.c.created_at).where(users.c.id.in_(_IDS))
_MUTED = sa.select(muted_reporters.c.user_id, muted_reporters.c.until).where(muted_reporters.c.user_id.in_(_IDS))
_VERDICTS = (
    sa.select(complaints.c.user_id, complaints.c.verdict, sa.func.count())
    .where(complaints.c.user_id.in_(_IDS), complaints.c.verdict.is_not(None))
    .group_by(complaints.c.user_id, complaints.c.verdict)
)
