"""From a farm to the end of its case, through the whole app: staff see numbers, free the farm, or bar it."""

import asyncio
import re

from passerby.domain.sanctions import bar, binding
from passerby.kernel.ids import PersonId
from passerby.kernel.staff import Role
from passerby.runtime.background.farm_cases import seen_now
from passerby.runtime.background.farm_watch import JUDGE_EVERY_S, KEEP_EVERY_S
from tests.scenario.matrix import over_pairs
from tests.scenario.staff_stage import StaffStage, play_staff
from tests.scenario.stage import Phone
from tests.scenario.test_cases import audited
from tests.scenario.test_farms import ADVERTS, FARM
from tests.scenario.test_staff import shown


async def advertise(on: StaffStage) -> list[Phone]:
    """Six accounts advertise the same site to honest people, until the watch has found them."""
    farm = [on.join(on.bots[number % 2]) for number in range(FARM)]
    victims = [on.join(on.bots[number % 2]) for number in range(FARM)]
    for chat in range(4):
        for spammer, victim in zip(farm, victims[chat:] + victims[:chat], strict=True):
            await on.introduce(spammer, victim)
            spammer.write(ADVERTS[chat % 3].format(chat))
            await on.quiet()
            victim.write("/stop")
            await on.quiet()
    await on.until(lambda: all("sanctions.letter" in each.told() for each in farm))
    await asyncio.sleep(JUDGE_EVERY_S + KEEP_EVERY_S)
    return farm


async def gathered(on: StaffStage) -> int:
    await asyncio.sleep(2.0)  # let the recorder finish
    return await on.staff.open_farm_cases(await seen_now(on.store), on.place.clock.now())


@over_pairs
def test_a_farm_is_one_case_and_staff_free_all_of_it_with_one_button(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        mia = await on.hire(Role.MODERATOR)
        farm = await advertise(on)
        assert await gathered(on) == 1
        assert await gathered(on) == 0, "one case, however often the watch sees it"
        mia.write("/cases")
        await on.until(lambda: "Farms: 1" in shown(mia)[-1])
        mia.write("/next")
        await on.until(lambda: "Case 1" in shown(mia)[-1])
        card = shown(mia)[-1]
        assert "Set apart: 6" in card
        assert "24 chats" in card
        hidden = [str(each.id) for each in farm]
        for word in (*hidden, "hot-anna", "honey", *on.tokens.values()):
            assert word not in card
        mia.press("case_lift")
        await on.until(lambda: all(each.told()[-1] == "sanctions.lifted" for each in farm))
        for each in farm:
            facts = await on.store.load(PersonId(each.id))
            assert facts is not None
            assert binding(facts.me, on.place.clock.now()) == ()
            assert facts.me.watched is not None
            assert facts.me.watched.apart_until == 0.0
        await asyncio.sleep(2 * JUDGE_EVERY_S)
        assert await gathered(on) == 0, "it was decided"
        assert all(each.told()[-1] == "sanctions.lifted" for each in farm), "the rule leaves them alone"
        rows = [row for row in await on.staff.audit(0, 1000) if row.action == "case.decided"]
        assert [('"outcome":"dismissed"' in row.details, '"accounts":6' in row.details) for row in rows] == [(1, 1)]
        assert not any(word in repr(rows) for word in hidden)

    play_staff(store, scene)


@over_pairs
def test_a_farm_is_barred_for_good_once_a_second_member_agrees_also_after_a_kill(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        mia, ada = await on.hire(Role.MODERATOR), await on.hire(Role.ADMIN)
        farm = await advertise(on)
        await gathered(on)
        mia.write("/next")
        await on.until(lambda: "Case 1" in shown(mia)[-1])
        mia.press("case_ban")
        await on.kill_and_start()
        await on.until(lambda: all(each.told().count("sanctions.letter") > 2 for each in farm))
        ada.write("/approvals")
        await on.until(lambda: bool(re.search(r"[Cc]ase 1", "".join(shown(ada)))))
        ada.write("/next")
        await on.until(lambda: "Set apart" in shown(ada)[-1])
        ada.press("case_confirm")
        await on.kill_and_start()

        async def bans() -> list[str]:
            found = []
            for each in farm:
                facts = await on.store.load(PersonId(each.id))
                assert facts is not None
                barred = bar(facts.me, on.place.clock.now())
                found.append(barred.id if barred is not None and barred.until is None else "")
            return found

        for _ in range(60):
            if all(await bans()):
                break
            await asyncio.sleep(1.0)
        assert len(set(await bans())) == FARM, "each account has one ban of its own"
        farm[0].write("/appeal")
        await on.quiet()
        assert farm[0].told()[-1] == "sanctions.appealed"
        assert "case.ban_proposed" in await audited(on)

    play_staff(store, scene)


@over_pairs
def test_an_account_that_joins_the_farm_joins_its_case(store: str) -> None:
    async def scene(on: StaffStage) -> None:
        mia = await on.hire(Role.MODERATOR)
        await advertise(on)
        await gathered(on)
        late, victim = on.join(on.bots[0]), on.join(on.bots[1])
        await on.introduce(late, victim)
        late.write(ADVERTS[0].format(9))
        await on.quiet()
        await on.until(lambda: "sanctions.letter" in late.told())
        await asyncio.sleep(JUDGE_EVERY_S + KEEP_EVERY_S)
        assert await gathered(on) == 1
        mia.write("/next")
        await on.until(lambda: "Case 1" in shown(mia)[-1])
        assert "Set apart: 6" in shown(mia)[-1]
        assert "Used such a place, too: 1" in shown(mia)[-1]

    play_staff(store, scene)
