"""All checks, in the order of the checklist."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

from passerby.ops.doctor import backups, database, machine, operation, polling, redis, telegram
from passerby.ops.doctor.finding import Finding, fail
from passerby.settings import Settings
from passerby.telemetry import logs


async def everything(
    settings: Settings, *, processes: int, now: Callable[[], float], polls: bool = False
) -> list[Finding]:
    """`processes`: how many share the stores. `now` in Unix seconds. `polls`: if nothing runs, poll to find others."""
    parts: Iterable[AsyncIterator[Finding]] = (
        redis.checks(settings, now),
        database.checks(settings, processes, now),
        telegram.checks(settings, now),
        polling.checks(settings, now, tries=polls),
        operation.checks(settings, now),
    )
    found = await asyncio.gather(*map(_collected, parts))
    return [*machine.checks(settings), *backups.checks(settings, now), *(finding for part in found for finding in part)]


async def _collected(part: AsyncIterator[Finding]) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend([finding async for finding in part])
    except Exception as error:  # noqa: BLE001  # a check that breaks must not hide the others' findings
        found.append(fail("doctor", f"a check broke ({logs.name_of(error)})", "report this"))
    return found
