"""A farm among honest people, through the whole program: it ends up talking to itself."""

import asyncio

from passerby.domain.farms.challenge import PICTURES
from passerby.kernel.ids import PersonId
from passerby.kernel.staff_event import FarmSuspected
from passerby.runtime.background.farm_watch import JUDGE_EVERY_S, KEEP_EVERY_S
from passerby.runtime.inbound.person_queues import Work
from tests.scenario.matrix import over_pairs
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


@over_pairs
def test_a_possible_script_gets_no_partner_until_it_taps_the_right_picture(store: str) -> None:
    async def scene(on: Stage) -> None:
        on.ann.write("/stop")
        await on.quiet()
        suspected = FarmSuspected(PersonId(on.ann.id), on.bots[0], on.place.clock.now())
        on.app.person_queues.put(Work(suspected, cause="suspected"))
        await on.quiet()
        assert on.ann.told()[-1] == "farms.ask", "one tap, and the reason"
        await meet(on, on.ann, on.bob)
        await on.kill_and_start()
        await asyncio.sleep(10.0)
        assert on.bob.told()[-1] != "search.found"
        facts = await on.store.load(PersonId(on.ann.id))
        assert facts is not None
        assert facts.me.watched is not None
        asked = next(
            at
            for at, each in reversed(on.ann.messages().items())
            if "reply_markup" in each and "inline_keyboard" in each["reply_markup"]
        )
        right = facts.me.watched.picture
        for picture in ((right + 1) % len(PICTURES), None):
            facts = await on.store.load(PersonId(on.ann.id))
            assert facts is not None
            assert facts.me.watched is not None
            place = facts.me.watched.picture if picture is None else picture
            on.world.phones.press(on.ann.id, on.ann.bot, asked, *divmod(place, 4))
            await on.quiet()
        for _ in range(120):
            if on.bob.told()[-1] == on.ann.told()[-1] == "search.found":
                break
            await asyncio.sleep(1.0)
        assert on.bob.told()[-1] == on.ann.told()[-1] == "search.found"

    play(store, scene, home=False)
