"""Bots come and go while the app runs: nobody restarts anything, and everybody goes on."""

import asyncio

from botapi_sandbox.world.faults import Fault
from passerby.kernel.ids import BotId
from tests.scenario.matrix import over_servers
from tests.scenario.stage import Stage, play

SERVED_S = 10.0


async def serve(on: Stage, *bots: BotId) -> None:
    """The token file names these bots now."""
    on.app._telegram.take({bot: on.tokens[bot] for bot in bots})  # type: ignore[attr-defined]
    on.app.roster.serve(bots)
    await asyncio.sleep(SERVED_S)


def new_bot(on: Stage) -> BotId:
    made = on.world.add_bot()
    on.tokens[BotId(made.id)] = made.token
    return BotId(made.id)


@over_servers
def test_a_new_bot_is_served_while_a_chat_goes_on(store: str) -> None:
    async def scene(on: Stage) -> None:
        third = new_bot(on)
        await serve(on, *on.bots, third)
        cleo, dan = on.join(third), on.join(on.bots[0])
        await on.introduce(cleo, dan)
        cleo.write("from the new bot")
        on.ann.write("from the old one")
        await on.quiet()
        assert dan.got()[-1]["text"] == "from the new bot"
        assert on.bob.got()[-1]["text"] == "from the old one"

    play(store, scene, home=False)


@over_servers
def test_people_of_a_retired_bot_go_on_in_another_one(store: str) -> None:
    async def scene(on: Stage) -> None:
        bob, (kept, retired) = on.bob, on.bots
        bob.bot = kept
        bob.write("/start")
        await on.quiet()
        bob.bot = retired
        bob.write("the last words here")
        await on.quiet()
        await serve(on, kept)
        await asyncio.sleep(30.0)
        on.ann.write("where are you?")
        await on.quiet()
        bob.bot = kept
        assert bob.got()[-1]["text"] == "where are you?"
        assert "chat.moved_here" in bob.told()
        assert on.app.refused_bots == ()
        await serve(on, kept, retired)
        bob.bot = retired
        bob.write("the bot is back")
        await on.quiet()
        assert on.ann.got()[-1]["text"] == "the bot is back"

    play(store, scene, home=False)


def test_a_wrong_token_of_one_bot_hurts_no_other_and_the_right_one_is_taken_up() -> None:
    async def scene(on: Stage) -> None:
        third = new_bot(on)
        on.world.faults = [Fault(kind="401", bot=third)]
        await serve(on, *on.bots, third)
        on.ann.write("hello")
        await on.quiet()
        assert on.bob.got()[-1]["text"] == "hello"
        assert on.app.refused_bots == (third,)
        await asyncio.sleep(300.0)
        on.world.faults = []
        await serve(on, *on.bots, third)
        assert on.app.refused_bots == ()
        await on.introduce(on.join(third), on.join(third))

    play("memory", scene, home=False)
