"""Cases of the demo's invented people, their outcomes, and a team with an act that waits."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from passerby.adapters.sql import SqlStaff
from passerby.adapters.sql.tables import users
from passerby.domain import support
from passerby.kernel.case import About, CaseState, Lane, Outcome, Verdict
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import BotId, MessageId, PersonId, UpdateRef
from passerby.kernel.participant import Complaint
from passerby.kernel.sanction import Reason, SanctionKind
from passerby.kernel.staff import Role
from passerby.kernel.staff_requests import InviteAsked, SanctionAsked
from passerby.ports.clock import Clock
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.staff.decisions import StaffDecisions, digest_of, new_secret
from passerby.runtime.staff.router import StaffRouter
from passerby.staff import ALL

CASES: Final = 45
TEAM: Final = ((Role.OWNER, "Ada"), (Role.ADMIN, "Robin"), (Role.MODERATOR, "Noor"))
ASKS: Final = 1
"""The place in TEAM of the member who asks."""
FIRST_MEMBER: Final = (1 << 52) - 10
_DAY_S: Final = 86_400.0
_ENDS: Final = (
    *((Outcome.DISMISSED, Verdict.DISMISSED), (Outcome.NOTED, Verdict.UPHELD)),
    *((Outcome.SANCTIONED, Verdict.UPHELD),) * 2,
)
_REASONS: Final = (Complaint.SPAM, Complaint.SPAM, Complaint.RUDE)


def old_cases(
    rng: Random, now: float, people: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Reports with their verdicts, and the cases that were decided, the oldest first."""
    filed, decided = [], []
    moments = sorted(now - rng.uniform(1.2 * _DAY_S, 75 * _DAY_S) for _ in range(CASES))
    for number, (at, accused) in enumerate(zip(moments, rng.sample(list(people), CASES), strict=True), start=1):
        outcome, verdict = rng.choice(_ENDS)
        decided_at = at + rng.uniform(900, 0.8 * _DAY_S)
        report = {
            "chat_id": f"invented-report-{number}",
            "user_id": rng.choice([each for each in people[-50:] if each is not accused])["id"],
            "accused_id": accused["id"],
            "reason": rng.choice(_REASONS).value,
            "filed_at": at,
            "words": None,
        }
        filed.append(report | {"case_number": number, "verdict": verdict.value, "decided_at": decided_at})
        case = {
            "number": number,
            "about": About.REPORTS.value,
            "accused_id": accused["id"],
            "lane": int(Lane.REST),
            "state": CaseState.DECIDED.value,
            "opened_at": at,
            "version": 2,
            "salt": f"{rng.getrandbits(64):016x}",
            "outcome": outcome.value,
            "decided_by": len(TEAM),
            "decided_at": decided_at,
        }
        decided.append(case)
    return filed, decided


def new_reports(sealer: Sealer, now: float, people: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two reports about one person, in no case yet. A rule acts on three."""
    accused, *reporters = people[-3:]
    said = ("Sends the same link to everybody.", "Asked me to pay for photos, twice.")
    return [
        {
            "chat_id": f"invented-report-{place}-now",
            "user_id": by["id"],
            "accused_id": accused["id"],
            "reason": Complaint.SPAM.value,
            "filed_at": now - 2_400 + 900 * place,
            "words": sealer.seal_words(words),
        }
        for place, (by, words) in enumerate(zip(reporters, said, strict=True))
    ]


async def wait_for_a_second_member(engine: AsyncEngine, rng: Random, clock: Clock) -> None:
    """A team comes together, and one of them asks to ban somebody for good. It is decided as always, audit included."""
    decisions = StaffDecisions(SqlStaff(engine), StaffRouter(ALL), lambda: Env(clock.now(), rng))
    for place, (role, name) in enumerate(TEAM):
        secret = new_secret(rng)
        await decisions.on_request(InviteAsked(digest_of(secret), role, name))
        greeting = (Content(Kind.TEXT, text=f"/start {secret}"),)
        member = PersonId(FIRST_MEMBER + place)
        event = MessageReceived(member, BotId(0), (MessageId(1),), greeting, clock.now())
        await decisions.on_event(event, UpdateRef(BotId(0), rng.getrandbits(62)))
    code = "".join(rng.choice(support.LETTERS) for _ in range(support.LENGTH))
    async with engine.connect() as connection:
        await connection.execution_options(writes=True)
        async with connection.begin():
            accused = sa.select(sa.func.max(users.c.id) - 20).scalar_subquery()
            shown = {"support_code": code, "support_until": clock.now() + support.CODE_S}
            await connection.execute(sa.update(users).where(users.c.id == accused).values(shown))
    wish = SanctionAsked(code, SanctionKind.BANNED, Reason.SCAM, None, "Three victims, the same account number.")
    await decisions.on_request(wish, PersonId(FIRST_MEMBER + ASKS))
