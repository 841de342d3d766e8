"""A bot is lost for good while two people chat: where each of them goes on, and what they are told."""

import asyncio

from botapi_sandbox.world.faults import Fault
from passerby.kernel.participant import Idle
from tests.scenario.matrix import over_servers, over_stores
from tests.scenario.stage import Phone, Stage, play

CONFIRMED_S = 150.0
"""By then, Telegram's refusals count as final."""


def words(phone: Phone, bot: int | None = None) -> list[str]:
    return [message["text"] for message in phone.got(bot) if "text" in message]


async def starts_a_sister(on: Stage, phone: Phone, sister: int) -> None:
    """Somebody opens another bot of the fleet, and then uses their own one again."""
    home, phone.bot = phone.bot, sister
    phone.write("/start")
    await on.quiet()
    phone.bot = home
    phone.write("/rules")
    await on.quiet()


def lose(on: Stage, bot: int) -> None:
    on.world.faults = [Fault(kind="401", bot=bot)]


@over_servers
def test_a_chat_goes_on_in_a_sister_bot_and_loses_no_message(store: str) -> None:
    async def scene(on: Stage) -> None:
        ann, bob = on.ann, on.bob
        await starts_a_sister(on, bob, ann.bot)
        lose(on, bob.bot)
        for number in range(5):
            ann.write(f"number {number}")
            await asyncio.sleep(20)
        ann.write("number 5")
        await asyncio.sleep(CONFIRMED_S)
        await on.quiet()
        sister = ann.bot
        assert words(bob, sister) == [f"number {number}" for number in range(6)]
        assert bob.told(sister)[-1] == "chat.moved_here"
        assert not any("failed" in told or "left" in told for told in ann.told())
        bob.bot = sister
        bob.write("I am here now")
        ann.write("number 6")
        await on.quiet()
        assert words(ann)[-1] == "I am here now"
        assert words(bob)[-1] == "number 6"

    play(store, scene, home=False)


@over_stores
def test_a_message_that_waited_for_a_lost_bot_moves_also_after_a_kill(store: str) -> None:
    async def scene(on: Stage) -> None:
        await starts_a_sister(on, on.bob, on.ann.bot)
        lose(on, on.bob.bot)
        on.ann.write("one")
        on.ann.write("two")
        await asyncio.sleep(60)
        await on.kill_and_start()
        await asyncio.sleep(10)
        assert on.app.membership.plan() != {}  # what waits does not make its report unreadable
        await asyncio.sleep(2 * CONFIRMED_S)
        await on.quiet()
        assert words(on.bob, on.ann.bot) == ["one", "two"]
        assert not any("failed" in told or "left" in told for told in on.ann.told())

    play(store, scene, home=False)


@over_servers
def test_the_partner_of_somebody_on_a_lost_bot_is_told_although_nobody_writes(store: str) -> None:
    async def scene(on: Stage) -> None:
        lose(on, on.bob.bot)
        await asyncio.sleep(CONFIRMED_S)
        await on.quiet()
        assert "chat.partner_left" in on.ann.told()
        bob = on.bob
        bob.bot = on.ann.bot
        bob.write("/start")
        await on.quiet()
        assert bob.told()[-1] == "start.bot_was_lost"
        await on.introduce(bob, on.join(on.bots[0]))

    play(store, scene, home=False)


def test_a_search_through_a_lost_bot_goes_on_in_a_sister_or_ends() -> None:
    async def scene(on: Stage) -> None:
        for phone in (on.ann, on.bob):
            phone.write("/stop")
        await on.quiet()
        other = on.join(on.bots[1])
        other.write("/search")
        await on.quiet()
        lose(on, on.bots[1])
        await asyncio.sleep(CONFIRMED_S)
        on.ann.write("/search")
        await on.quiet()
        await asyncio.sleep(30)
        assert on.ann.told()[-1] != "search.found"  # nobody is there who could be reached
        facts = await on.store.load(other.id)  # type: ignore[arg-type]
        assert facts is not None
        assert isinstance(facts.me.state, Idle)

    play("memory", scene, home=False)


def test_a_chat_within_one_bot_goes_on_in_the_sister_of_both() -> None:
    async def scene(on: Stage) -> None:
        sister = on.bots[1]
        for phone in (on.ann, on.bob):
            await starts_a_sister(on, phone, sister)
        lose(on, on.bots[0])
        await asyncio.sleep(CONFIRMED_S)
        await on.quiet()
        on.ann.bot = on.bob.bot = sister
        on.ann.write("still there?")
        on.bob.write("yes")
        await on.quiet()
        assert words(on.bob) == ["still there?"]
        assert words(on.ann) == ["yes"]

    play("memory", scene, home=True)
