"""Whenever the process dies on the way from a farm's case to its bans, and from an appeal to its end: nothing is lost,
and nothing happens twice."""

import asyncio
from collections import Counter

import pytest

from passerby.domain.audit import first_broken
from passerby.domain.sanctions import bar, binding
from passerby.kernel.ids import PersonId
from passerby.kernel.sanction import SanctionKind
from passerby.kernel.staff import Role
from tests.scenario.staff_stage import StaffStage, play_staff
from tests.scenario.stage import Phone
from tests.scenario.steps import SteppedStage, Steps
from tests.scenario.stores import FILE
from tests.scenario.test_case_kills import EVERY
from tests.scenario.test_farm_cases import advertise, gathered
from tests.size import in_full

ONCE = ("case.ban_proposed", "case.decided", "appeal.decided")


def barred(on: SteppedStage, farm: list[Phone]) -> list[tuple[SanctionKind, bool] | None]:
    """The sanction that keeps each account out, by the records, and whether it is for good."""
    now = on.place.clock.now()
    found = (bar(on.records_place.person(each.id), now) for each in farm)
    return [(each.kind, each.until is None) if each is not None else None for each in found]


async def scene(on: SteppedStage, steps: Steps) -> None:
    """A farm is found; a ban for good is proposed and confirmed; one of its people appeals, and is right."""
    mia, eve = await on.hire(Role.OWNER), await on.hire(Role.ADMIN)
    farm = await advertise(on)
    assert await gathered(on) == 1
    on.steps = steps
    mia.write("/next")
    await on.quiet()
    mia.press("case_ban")
    await on.quiet()
    await on.until(lambda: set(barred(on, farm)) == {(SanctionKind.SUSPENDED, False)})
    eve.write("/next")
    await on.quiet()
    eve.press("case_confirm")
    eve.press("case_confirm")
    await on.quiet()
    await on.until(lambda: set(barred(on, farm)) == {(SanctionKind.BANNED, True)})
    farm[0].write("/appeal")
    await on.quiet()
    await on.until(lambda: farm[0].told()[-1] == "sanctions.appealed")
    await asyncio.sleep(2.0)
    mia.write("/next")
    await on.quiet()
    mia.press("case_overturn")
    await on.quiet()
    await on.until(lambda: barred(on, farm)[0] is None)
    assert set(barred(on, farm)[1:]) == {(SanctionKind.BANNED, True)}, "an appeal is about one account"
    await on.until(lambda: "sanctions.overturned" in farm[0].told())
    rows = list(await on.staff.audit(0, 1000))
    assert first_broken(rows, None) is None  # type: ignore[arg-type]
    counts = Counter(row.action for row in rows)
    assert {action: counts[action] for action in ONCE} == dict.fromkeys(ONCE, 1)
    now = on.place.clock.now()
    for each in farm[1:]:
        person = on.records_place.person(PersonId(each.id))
        bans = [each for each in binding(person, now) if each.kind is SanctionKind.BANNED]
        assert len(bans) == 1, "the case leads to one ban that binds"


@pytest.mark.parametrize("before", [False, True], ids=["after", "before"])
@pytest.mark.parametrize("first", in_full(range(1, EVERY + 1), 1))
def test_kills_at_every_step_of_a_farms_case_lose_nothing_and_repeat_nothing(first: int, before: bool) -> None:
    steps = Steps(range(first, 10_000, EVERY), before=before)

    async def kept_alive(on: StaffStage) -> None:
        assert isinstance(on, SteppedStage)
        keeper = asyncio.create_task(on.keep_alive())
        try:
            await scene(on, steps)
        finally:
            keeper.cancel()

    play_staff(FILE, kept_alive, SteppedStage)
    assert len(steps.deaths) >= 3
