"""Somebody who is barred comes back by another bot of the fleet. They are the same person there."""

import asyncio

from passerby.kernel.sanction import Reason, SanctionKind
from passerby.kernel.staff_requests import LiftAsked, SanctionAsked
from tests.scenario.matrix import over_pairs
from tests.scenario.staff_stage import StaffStage, code_of, play_staff
from tests.scenario.stage import Phone
from tests.scenario.test_staff import shown


@over_pairs
def test_a_banned_person_is_told_of_the_same_ban_by_a_sister_bot_and_meets_nobody_there(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        code = await code_of(on, on.ann)
        await on.request(SanctionAsked(code, SanctionKind.BANNED, Reason.SCAM, hours=48.0))
        await on.until(lambda: on.ann.told()[-1] == "sanctions.letter")
        on.ann.write("/search")
        await on.quiet()
        assert on.ann.told()[-1] == "sanctions.barred"
        there = Phone(on.world, on.ann.id, on.bots[1])
        eve = on.join(on.bots[1])
        eve.write("/search")
        eve.write("/search")
        there.write("/start")
        await on.quiet()
        there.write("/search")
        await on.quiet()
        assert there.told()[-1] == "sanctions.barred"
        assert shown(there)[-1] == shown(on.ann)[-1]
        await asyncio.sleep(30.0)
        assert eve.told()[-1] != "search.found"
        await on.kill_and_start()
        there.write("hello?")
        await on.quiet()
        assert there.told()[-1] == "sanctions.barred", "a new process knows it, too"
        assert there.got() == []
        (ban,) = on.records_place.person(on.ann.id).sanctions
        await on.request(LiftAsked(code, ban.id))
        await on.until(lambda: "sanctions.lifted" in (*there.told(), *on.ann.told()))
        there.write("/search")
        await on.until(lambda: there.told()[-1] == eve.told()[-1] == "search.found")

    play_staff(store, scene)
