"""Puts reports about invented people, appeals of theirs, and farms of invented accounts into the database of a demo
that is stopped. Prints an invite to the staff bot for an owner, and one for an admin.

    python -m tests.browser.case_seeds DATA
"""

import asyncio
import sys
from pathlib import Path
from random import SystemRandom

import sqlalchemy as sa
from pydantic import SecretStr

from passerby.adapters.sql import ConnectionPool, SqlRecords, SqlStaff
from passerby.adapters.sql.cases import gather
from passerby.adapters.sql.tables import complaints, sanctions
from passerby.bootstrap.demo_life import FIRST_ID
from passerby.kernel.decision import Env
from passerby.kernel.farm import FarmSeen, FarmSign, Measured
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Complaint
from passerby.kernel.sanction import Appeal, Reason, SanctionKind
from passerby.kernel.staff import Role
from passerby.kernel.staff_requests import InviteAsked
from passerby.ops.stores import database
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.staff.decisions import StaffDecisions, digest_of, new_secret
from passerby.runtime.staff.router import StaffRouter
from passerby.settings import Settings, open_key
from passerby.staff import ALL

REPORTS, APPEALS, FARMS, FARM = 7, 2, 4, 6
OTHER = 3
"""A member of the demo's team."""
WORDS = "They sent me the same link again and again."


async def seed(data: Path) -> tuple[str, str]:
    settings = Settings(bot_tokens=(SecretStr("1000001:" + "A" * 35),), sqlite_db_path=data / "passerby.db")
    sealer = Sealer(open_key(settings))
    records = SqlRecords.at(database(settings), ConnectionPool(2, 1))
    try:
        async with records.engine.connect() as connection:
            await connection.execution_options(writes=True)
            async with connection.begin():
                now = float(await connection.scalar(sa.text("SELECT strftime('%s', 'now')")))
                filed = [
                    {
                        "chat_id": f"seeded-{place}",
                        "user_id": FIRST_ID + 200 + place,
                        "accused_id": FIRST_ID + 100 + place,
                        "reason": Complaint.RUDE.value,
                        "filed_at": now - 4_000 + 300 * place,
                        "words": sealer.seal_words(WORDS),
                    }
                    for place in range(REPORTS)
                ]
                await connection.execute(sa.insert(complaints), filed)
                await connection.execute(sa.insert(sanctions), [_appealed(place, now) for place in range(APPEALS)])
                await gather(connection, now)
        measured = Measured(FarmSign.PLACE, "abc", now - 3600, 24, 20, 1, 20, 10, 3, 2.0)
        seen = [
            FarmSeen(measured, tuple(PersonId(FIRST_ID + 300 + FARM * farm + each) for each in range(FARM)))
            for farm in range(FARMS)
        ]
        staff = SqlStaff(records.engine)
        assert await staff.open_farm_cases(seen, now) == FARMS
        rng = SystemRandom()
        decisions = StaffDecisions(staff, StaffRouter(ALL), lambda: Env(now, rng))
        owner, admin = new_secret(rng), new_secret(rng)
        await decisions.on_request(InviteAsked(digest_of(owner), Role.OWNER, "Olga"))
        await decisions.on_request(InviteAsked(digest_of(admin), Role.ADMIN, "Sam"))
        return owner, admin
    finally:
        await records.aclose()


def _appealed(place: int, now: float) -> dict[str, object]:
    """A suspension that another member imposed."""
    return {
        "id": f"seeded-{place}",
        "user_id": FIRST_ID + 400 + place,
        "kind": SanctionKind.SUSPENDED.value,
        "reason": Reason.RUDE.value,
        "since": now - 86_400.0,
        "until": now + 86_400.0,
        "by_staff": OTHER,
        "rule": "",
        "evidence": "",
        "appeal": Appeal.OPEN.value,
        "appealed_at": now - 600.0,
    }


if __name__ == "__main__":
    print(*asyncio.run(seed(Path(sys.argv[1]))))
