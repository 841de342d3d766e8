"""Cases in SQL. Everything here runs in a staff transaction (see `staff`), so only one runs at a time.

A case comes into being when staff, or the duty that looks for it, next look: reports that are in no case yet join the
open case about the same person, or begin one. The recorder knows nothing of cases, so a report is never lost between
the two.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerby.adapters.sql.case_farms import farm_of
from passerby.adapters.sql.case_reports import MOST_REPORTS, OF_THE_CASE, reports_of
from passerby.adapters.sql.failures import losses
from passerby.adapters.sql.rows import READ
from passerby.adapters.sql.salvage import person_of, sanction_of
from passerby.adapters.sql.tables import (
    cases,
    complaints,
    evidence,
    farm_accounts,
    muted_reporters,
    sanctions,
    users,
)
from passerby.domain.cases import EVIDENCE_S, INDEPENDENT, case_of, lane_of, next_for
from passerby.kernel.case import (
    About,
    Case,
    CaseAsked,
    CaseFile,
    CaseState,
    Desk,
    Judged,
    Lane,
    LegalHold,
    Mute,
    Outcome,
    Proposal,
)
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Complaint
from passerby.kernel.sanction import Reason
from passerby.kernel.staff import StaffMember

AT_ONCE: Final = 500
SHIFT_S: Final = 8 * 3600.0
NO_CASE: Final = 0
"""The case of reports about somebody whose data was erased."""


async def desk(connection: AsyncConnection, me: StaffMember, asked: CaseAsked, now: float) -> Desk:
    """Return the cases that a member may look at now."""
    await gather(connection, now)
    waiting = tuple(map(_case, await connection.execute(_WAITING)))
    involved = frozenset((await connection.scalars(_INVOLVED, {"who": me.person})).all())
    decided = await connection.scalar(_DECIDED_LATELY, {"by": me.number, "after": now - SHIFT_S})
    chosen = next((each for each in waiting if each.number == asked.number), None)
    if chosen is None and asked.closed:
        row = (await connection.execute(_ONE, {"number": asked.number})).first()
        chosen = _case(row) if row is not None else None
    if asked.next:
        chosen = next_for(me, waiting, involved, now)
    found = await file_of(connection, chosen) if chosen is not None else None
    return Desk(waiting, found, involved, decided or 0)


async def proposed(connection: AsyncConnection) -> tuple[Case, ...]:
    """The cases with a ban that waits for a second member."""
    return tuple(map(_case, await connection.execute(_PROPOSED)))


async def proposed_now(engine: AsyncEngine) -> tuple[Case, ...]:
    """The same, for lists. Raises: RecordsLost."""
    with losses():
        async with engine.connect() as connection:
            return await proposed(connection)


async def oldest_open(engine: AsyncEngine) -> dict[Lane, float]:
    """When the oldest case of each lane that is not decided was opened, in Unix seconds. Raises: RecordsLost."""
    with losses():
        async with engine.connect() as connection:
            return {Lane(row.lane): float(row.at) for row in await connection.execute(_OLDEST_OPEN)}


async def gather(connection: AsyncConnection, now: float) -> None:
    """Put reports that are in no case into one, and begin a case for each appeal."""
    rows = (await connection.execute(_NEW_REPORTS)).all()
    for accused in dict.fromkeys(row.accused_id for row in rows):
        theirs = [row for row in rows if row.accused_id == accused]
        lane = lane_of(Complaint(row.reason) for row in theirs)
        if await connection.scalar(_KNOWN, {"who": accused}) is None:
            number = NO_CASE
        else:
            number = await _open_case(connection, accused, lane, min(row.filed_at for row in theirs))
        joined = [{"number": number, "chat": row.chat_id, "who": row.user_id} for row in theirs]
        await connection.execute(_JOIN, joined)
    for row in (await connection.execute(_NEW_APPEALS)).mappings().all():
        sanction = sanction_of(row)
        about = {"about": About.APPEAL.value, "accused_id": row["user_id"], "lane": int(Lane.APPEALS)}
        await add_case(connection, about | {"opened_at": row["appealed_at"] or now, "sanction": sanction.id})
        await connection.execute(_KEEP_EVIDENCE, {"number": case_of(sanction) or -1})


async def _open_case(connection: AsyncConnection, accused: PersonId, lane: Lane, since: float) -> int:
    known = (await connection.execute(_OPEN_ABOUT, {"who": accused})).first()
    if known is not None:
        await connection.execute(_GROW, {"of": known.number, "to_lane": min(known.lane, int(lane))})
        number: int = known.number
        return number
    about = {"about": About.REPORTS.value, "accused_id": accused, "lane": int(lane), "opened_at": since}
    return await add_case(connection, about)


async def add_case(connection: AsyncConnection, values: Mapping[str, Any]) -> int:
    number = (await connection.scalar(_HIGHEST) or 0) + 1
    row = {
        "number": number,
        "state": CaseState.OPEN.value,
        "version": 1,
        "salt": secrets.token_hex(8),
        "passed_by": "[]",
    }
    await connection.execute(sa.insert(cases), row | dict(values))
    return number


async def file_of(connection: AsyncConnection, case: Case) -> CaseFile:
    """The case with everything that a decision may look at."""
    if case.about is About.FARM:
        farm, imposed = await farm_of(connection, case.number)
        return CaseFile(case, None, past=imposed, farm=farm)
    values = (await connection.execute(_PERSON, {"who": case.accused})).first()
    rows = (await connection.execute(_SANCTIONS, {"who": case.accused})).mappings()
    past = {row["id"]: sanction_of(row) for row in rows}
    appealed = past.get(case.sanction) if case.about is About.APPEAL else None
    about = case.number if appealed is None else case_of(appealed) or -1
    reports = await reports_of(connection, about)
    return CaseFile(case, person_of(values) if values is not None else None, reports, tuple(past.values()), appealed)


async def store(
    connection: AsyncConnection,
    changed: Iterable[Case],
    verdicts: Iterable[Judged],
    mutes: Iterable[Mute],
    now: float,
) -> None:
    for case in changed:
        await connection.execute(_CHANGE, _row(case))
    for judged in verdicts:
        of = {"number": judged.case, "verdict_": judged.verdict.value, "at": now}
        await connection.execute(_JUDGE, of)
        await connection.execute(_ERASE_LATER, {"number": judged.case, "at": now + EVIDENCE_S})
    for mute in mutes:
        await connection.execute(_UNMUTE, {"who": mute.person})
        await connection.execute(sa.insert(muted_reporters), {"user_id": mute.person, "until": mute.until})


async def hold(connection: AsyncConnection, holds: Iterable[LegalHold], now: float) -> None:
    """Evidence that is held outlasts its case, its age and the erasure of its people."""
    for each in holds:
        await connection.execute(_HOLD, {"number": each.case, "is_held": each.held})
        if not each.held:
            await connection.execute(_ERASE_LATER, {"number": each.case, "at": now + EVIDENCE_S})


async def unmeasured(connection: AsyncConnection) -> Sequence[CaseFile]:
    """The cases that a rule may act on: with enough reports, and without a measure."""
    found = (await connection.execute(_UNMEASURED, {"least": INDEPENDENT})).all()
    return [await file_of(connection, _case(row)) for row in found]


async def exhibit(connection: AsyncConnection, chat: ChatId, by: PersonId, place: int) -> bytes | None:
    """Return the message that a reporter chose, or their comment (place 0), sealed. None if it is erased."""
    of = {"chat": chat, "who": by}
    if place == 0:
        return await connection.scalar(_COMMENT, of)
    return await connection.scalar(_EXHIBIT, of | {"at_place": place})


def _case(row: Any) -> Case:
    return Case(
        row.number,
        About(row.about),
        PersonId(row.accused_id),
        Lane(row.lane),
        row.opened_at,
        row.salt,
        CaseState(row.state),
        row.version,
        row.claimed_by,
        row.claimed_until or 0.0,
        msgspec.json.decode(row.proposal, type=Proposal) if row.proposal else None,
        row.measure or "",
        row.sanction or "",
        Reason(row.reason) if row.reason else None,
        Outcome(row.outcome) if row.outcome else None,
        row.decided_by,
        row.decided_at,
        msgspec.json.decode(row.passed_by, type=tuple[int, ...]),
        row.by_staff,
    )


def _row(case: Case) -> dict[str, Any]:
    return {
        "of": case.number,
        "lane": int(case.lane),
        "state": case.state.value,
        "version": case.version,
        "claimed_by": case.claimed_by,
        "claimed_until": case.claimed_until or None,
        "proposal": msgspec.json.encode(case.proposal).decode() if case.proposal is not None else None,
        "measure": case.measure or None,
        "sanction": case.sanction or None,
        "reason": case.reason.value if case.reason is not None else None,
        "outcome": case.outcome.value if case.outcome is not None else None,
        "decided_by": case.decided_by,
        "decided_at": case.decided_at,
        "passed_by": msgspec.json.encode(case.passed_by).decode(),
    }


_WHO = sa.bindparam("who", type_=sa.BigInteger)
_NUMBER = sa.bindparam("number", type_=sa.BigInteger)
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_HIGHEST = sa.select(sa.func.max(cases.c.number))
_OLDEST_OPEN = (
    sa.select(cases.c.lane, sa.func.min(cases.c.opened_at).label("at"))
    .where(cases.c.decided_at.is_(None))
    .group_by(cases.c.lane)
)
_NEW_REPORTS = (
    sa.select(
        complaints.c.chat_id, complaints.c.user_id, complaints.c.accused_id, complaints.c.reason, complaints.c.filed_at
    )
    .where(complaints.c.case_number.is_(None))
    .order_by(complaints.c.filed_at)
    .limit(AT_ONCE)
)
_KNOWN = sa.select(users.c.id).where(users.c.id == _WHO)
_OPEN_ABOUT = sa.select(cases.c.number, cases.c.lane).where(
    cases.c.accused_id == _WHO, cases.c.about == About.REPORTS.value, cases.c.decided_at.is_(None)
)
_GROW = (
    sa.update(cases)
    .where(cases.c.number == sa.bindparam("of"))
    .values(lane=sa.bindparam("to_lane"), version=cases.c.version + 1)
)
_JOIN = (
    sa.update(complaints)
    .where(complaints.c.chat_id == sa.bindparam("chat"), complaints.c.user_id == _WHO)
    .values(case_number=_NUMBER)
)
_NEW_APPEALS = (
    sa.select(sanctions)
    .where(
        sanctions.c.appeal == sa.literal_column("'open'"),
        ~sa.exists().where(cases.c.sanction == sanctions.c.id, cases.c.about == About.APPEAL.value),
    )
    .order_by(sanctions.c.appealed_at)
    .limit(AT_ONCE)
)
_KEEP_EVIDENCE = sa.update(evidence).where(sa.exists().where(OF_THE_CASE)).values(erase_at=None)
_ERASE_LATER = (
    sa.update(evidence).where(sa.exists().where(OF_THE_CASE)).values(erase_at=sa.bindparam("at", type_=sa.Double))
)
_HOLD = sa.update(evidence).where(sa.exists().where(OF_THE_CASE)).values(held=sa.bindparam("is_held", type_=sa.Boolean))
_WITH_DECIDER = sa.select(cases, sanctions.c.by_staff).outerjoin_from(
    cases, sanctions, sa.and_(cases.c.sanction == sanctions.c.id, cases.c.about == About.APPEAL.value)
)
_WAITING = _WITH_DECIDER.where(cases.c.decided_at.is_(None)).order_by(cases.c.lane, cases.c.opened_at).limit(AT_ONCE)
_PROPOSED = (
    _WITH_DECIDER.where(cases.c.decided_at.is_(None), cases.c.state == CaseState.SECOND.value)
    .order_by(cases.c.lane, cases.c.opened_at)
    .limit(AT_ONCE)
)
_ONE = _WITH_DECIDER.where(cases.c.number == _NUMBER)
_UNMEASURED = (
    _WITH_DECIDER.where(
        cases.c.decided_at.is_(None),
        cases.c.about == About.REPORTS.value,
        cases.c.state == CaseState.OPEN.value,
        cases.c.measure.is_(None),
        sa.or_(
            # One report of age is enough.
            cases.c.lane == int(Lane.FIRST),
            sa.select(sa.func.count()).where(complaints.c.case_number == cases.c.number).scalar_subquery()
            >= sa.bindparam("least", type_=sa.Integer),
        ),
    )
    .order_by(cases.c.opened_at)
    .limit(MOST_REPORTS)
)
_INVOLVED = (
    sa.select(complaints.c.case_number)
    .where(complaints.c.user_id == _WHO, complaints.c.case_number.is_not(None))
    .union(
        sa.select(cases.c.number).where(cases.c.accused_id == _WHO),
        sa.select(farm_accounts.c.case_number).where(farm_accounts.c.user_id == _WHO),
    )
)
_DECIDED_LATELY = sa.select(sa.func.count()).where(
    cases.c.decided_by == sa.bindparam("by"), cases.c.decided_at > sa.bindparam("after")
)
_PERSON = sa.select(*READ).where(users.c.id == _WHO)
_SANCTIONS = sa.select(sanctions).where(sanctions.c.user_id == _WHO).order_by(sanctions.c.since)
_CHANGE = sa.update(cases).where(cases.c.number == sa.bindparam("of"))
_JUDGE = (
    sa.update(complaints)
    .where(complaints.c.case_number == _NUMBER)
    .values(verdict=sa.bindparam("verdict_"), decided_at=sa.bindparam("at", type_=sa.Double))
)
_UNMUTE = sa.delete(muted_reporters).where(muted_reporters.c.user_id == _WHO)
_COMMENT = sa.select(complaints.c.words).where(
    complaints.c.chat_id == sa.bindparam("chat"), complaints.c.user_id == _WHO
)
_EXHIBIT = sa.select(evidence.c.sealed).where(
    evidence.c.chat_id == sa.bindparam("chat"),
    evidence.c.user_id == _WHO,
    evidence.c.place == sa.bindparam("at_place"),
)
