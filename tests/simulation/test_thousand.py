"""A thousand people press Find at once, on four bots: everybody is paired, both ways, and nobody twice."""

import asyncio
from random import Random

import pytest

from botapi_sandbox import Switches, World
from passerby.domain.budgets import Budget
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.participant import Gender, Participant, Profile
from tests.simulation.network import Network
from tests.simulation.process import Build, Host
from tests.simulation.run import EPOCH_S, captured_log, close
from tests.simulation.virtual_time import VirtualClock, VirtualLoop
from tests.simulation.witness import FOUND, Witness

PEOPLE = 1000
BOTS = 4
PLENTY = Budget(1e6, 1_000_000)


def known(person: int, bot: int) -> Participant:
    """Return somebody who has answered the first questions in an earlier run of the app."""
    profile = Profile(consented_at=EPOCH_S, age=30, age_given_at=EPOCH_S, gender=Gender.UNSAID, language="en")
    return Participant(PersonId(person), 5, BotId(bot), (BotId(bot),), profile, seen_at=EPOCH_S)


@pytest.mark.long
def test_a_thousand_people_who_search_at_once_are_each_paired_once() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, EPOCH_S)
    world = World(clock=clock.now, rng=Random(1), seed=1, switches=Switches(limits=False))
    witness = Witness(world, loop)
    bots = [world.add_bot() for _ in range(BOTS)]
    home = {world.add_person().id: bots[number % BOTS] for number in range(PEOPLE)}
    host = Host(
        loop,
        clock,
        Network(world, loop, Random(2)),
        {BotId(bot.id): bot.token for bot in bots},
        Random(3),
        Build(bot_budget=PLENTY, chat_budget=PLENTY),
        store_delay_s=0.01,
    )
    for person, bot in home.items():
        world.chat(bot, person).started = True
        host.sql.people[PersonId(person)] = known(person, bot.id)

    async def play() -> None:
        host.start()
        await asyncio.sleep(1.0)
        for person, bot in home.items():
            world.phones.write(person, bot.id, "/search")
        await asyncio.sleep(30.0)
        for number, (person, bot) in enumerate(home.items(), start=1):
            world.phones.write(person, bot.id, f"who is there? m{number}z")
        await asyncio.sleep(30.0)
        host.kill()

    with captured_log():
        loop.run_until_complete(play())
    close(loop)

    told = [seen.person for seen in witness.seen if seen.key == FOUND]
    assert sorted(told) == sorted(home), "everybody is told of a partner, once"
    number_of = {person: number for number, person in enumerate(home, start=1)}
    writer_of = {f"m{number}z": person for person, number in number_of.items()}
    heard = [(seen.person, writer_of[seen.markers[0]]) for seen in witness.seen if seen.kind == "in" and seen.markers]
    assert len(heard) == PEOPLE, "everybody hears one other"
    partner = dict(heard)
    assert sorted(partner) == sorted(home)
    assert all(partner[partner[person]] == person != partner[person] for person in home), "both ways, never oneself"
