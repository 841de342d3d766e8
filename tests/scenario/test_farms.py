"""A farm among honest people, through the whole program: it ends up talking to itself."""

import asyncio

from passerby.kernel.ids import PersonId
from passerby.runtime.background.farm_watch import JUDGE_EVERY_S, KEEP_EVERY_S
from tests.scenario.stage import Phone, Stage, play

ADVERTS = (
    "see my photos on hot-anna.xyz/{}",
    "I answer only on hot-anna.xyz/{} honey",
    "hot-anna.xyz/{} is free tonight",
)
FARM = 6


async def meet(on: Stage, *phones: Phone) -> None:
    for phone in phones:
        phone.write("/search")
    await on.quiet()


def test_accounts_that_advertise_the_same_site_meet_only_each_other() -> None:
    async def scene(on: Stage) -> None:
        farm = [on.join(on.bots[number % 2]) for number in range(FARM)]
        victims = [on.join(on.bots[number % 2]) for number in range(FARM)]
        for phone in (on.ann, on.bob):
            phone.write("/stop")
        await on.quiet()
        for chat in range(4):
            for spammer, victim in zip(farm, victims[chat:] + victims[:chat], strict=True):
                await meet(on, spammer, victim)
                spammer.write(ADVERTS[chat % 3].format(chat))
                await on.quiet()
                victim.write("/stop")
                await on.quiet()
        await asyncio.sleep(2 * (JUDGE_EVERY_S + KEEP_EVERY_S))
        await on.quiet()
        assert all("sanctions.letter" in spammer.told() for spammer in farm), "they are told, and can appeal"
        assert not any("sanctions.letter" in victim.told() for victim in victims)
        found_before = [victim.told().count("search.found") for victim in victims]
        await meet(on, *farm)
        await meet(on, *victims[:2])
        await asyncio.sleep(200.0)
        await on.quiet()
        after = [victim.told().count("search.found") for victim in victims]
        assert [now - before for now, before in zip(after, found_before, strict=True)] == [1, 1, 0, 0, 0, 0]
        talking = 0
        for spammer in farm:
            facts = await on.store.load(PersonId(spammer.id))
            assert facts is not None
            talking += facts.partner is not None
            assert facts.partner is None or facts.partner.person in {each.id for each in farm}
        assert talking == FARM

    play("memory", scene, home=False)
