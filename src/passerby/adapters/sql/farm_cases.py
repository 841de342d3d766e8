"""Makes cases of the farms that the watch sees. It runs in a staff transaction (see `staff`), so only one runs at a
time."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from passerby.adapters.sql.case_farms import add_accounts, existing, known_accounts
from passerby.adapters.sql.cases import add_case
from passerby.adapters.sql.personal_data import NOBODY
from passerby.kernel.case import About, Lane, Outcome
from passerby.kernel.farm import FarmSeen
from passerby.kernel.ids import PersonId

SETTLED_S: Final = 7 * 86_400.0
"""How long a decision about an account stands, before another case may be about it."""


async def gather(connection: AsyncConnection, farm: FarmSeen, now: float) -> bool:
    """Whether this changed a case, or opened one."""
    seen = dict.fromkeys(farm.recruits, True) | dict.fromkeys(farm.accounts, False)
    number, settled = None, set[PersonId]()
    for row in await known_accounts(connection, list(seen), now - SETTLED_S):
        rises = row.is_recruit and not seen[row.user_id]
        if row.decided_at is None:
            number = number if number is not None else row.case_number
            settled |= set() if rises else {row.user_id}
        elif row.outcome == Outcome.DISMISSED.value or not rises:
            settled.add(row.user_id)
    new = [person for person in seen if person not in settled]
    kept = await existing(connection, new) if new else set()
    added = {person: seen[person] for person in new if person in kept}
    if not added or (number is None and all(added.values())):
        return False
    if number is None:
        about = {"about": About.FARM.value, "accused_id": NOBODY, "lane": int(Lane.REST), "opened_at": now}
        number = await add_case(connection, about)
    await add_accounts(connection, number, farm.measured, added)
    return True
