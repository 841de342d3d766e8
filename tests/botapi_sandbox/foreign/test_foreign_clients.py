"""Public client libraries work with the sandbox as with Telegram."""

import random

import pytest

from botapi_sandbox import Switches, World
from botapi_sandbox.service import running, unix_clock
from tests.botapi_sandbox.foreign.clients import LIBRARIES, client
from tests.botapi_sandbox.foreign.conversation import SCENES, Talk
from tests.size import in_full
from tests.staged import in_a_loop

pytestmark = [
    # pyTelegramBotAPI uses names that it has deprecated itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:telebot"),
    # python-telegram-bot warns about a new type of durations at every use.
    pytest.mark.filterwarnings("ignore:.*PTB_TIMEDELTA"),
]


@pytest.mark.parametrize("library", in_full(LIBRARIES, 1))
@in_a_loop
async def test_a_whole_conversation_works_with_the_library_until_its_token_is_refused(library: str) -> None:
    switches = Switches(limits=False, check_own=True, conflict_delay_s=0.0)
    world = World(clock=unix_clock, rng=random.Random(5), switches=switches)
    bot, ann = world.add_bot(), world.add_person("Ann")
    async with running(world) as sandbox, client(library, sandbox.url, bot.token) as speaker:
        talk = Talk(speaker, world, bot.id, ann.id)
        for scene in SCENES:
            await scene(talk)
        world.state.bots[bot.id].revoked = True
        with pytest.raises(speaker.errors[401]):
            await speaker.call("get_me")
