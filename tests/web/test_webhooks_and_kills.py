"""Webhooks from end to end: people chat through a Bot API server that sends updates, and the process is killed."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.crowd import Crowd
from tests.faults.people import Person
from tests.faults.run import Outcome, Plan, _Run
from tests.faults.sandbox import Sandbox
from tests.size import in_full
from tests.staged import in_a_loop
from tests.web.hooked import Hooked, a_hooked

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
SOON_S = 180.0
TRIES = 10


async def run_plan(plan: Plan, directory: Path) -> Outcome:
    async with a_hooked(directory, bots=plan.bots, seed=plan.seed) as (sandbox, product):
        return await _Run(plan, sandbox, product).run()


@pytest.mark.long
def test_nothing_is_lost_reordered_or_misrouted_when_a_webhook_process_is_killed(tmp_path: Path) -> None:
    outcome = asyncio.run(run_plan(Plan(kills=2, people=6, bots=2, alive_s=(0.2, 1.5)), tmp_path))
    assert outcome.happened
    assert outcome.kills >= 2
    assert outcome.stops == 1
    assert outcome.verdict.faults == dict.fromkeys(outcome.verdict.faults, 0)


@pytest.mark.parametrize("bots", in_full([2, 1], 0))
@in_a_loop
async def test_a_kill_neither_loses_nor_doubles_an_item_of_an_album(bots: int, tmp_path: Path) -> None:
    """Within one bot, and from one to another."""
    async with a_hooked(tmp_path, bots=bots, seed=1) as (sandbox, product):
        crowd = Crowd(sandbox, 2, 1)
        product.start()
        async with crowd.present():
            await crowd.join()
            await show_albums(crowd, sandbox, product)


async def show_albums(crowd: Crowd, sandbox: Sandbox, product: Hooked) -> None:
    ann, ben = crowd.people
    for person in crowd.people:
        await person.say("/search")
    async with asyncio.timeout(SOON_S):
        while any(person.state != "chatting" for person in crowd.people):
            await asyncio.sleep(0.05)
    await ann.show_album(4)
    await all_arrive(ann, ben)
    assert await crowd.albums() == (1, 0), "in one piece"

    for _ in range(TRIES):
        before = ben.received
        done = await answered(sandbox)
        await ann.show_album(3)
        async with asyncio.timeout(SOON_S):
            while await answered(sandbox) == done:
                await asyncio.sleep(0.01)
        product.kill()
        was_in_time = ben.received == before
        product.start()
        await all_arrive(ann, ben)
        if was_in_time:
            break
    else:
        raise AssertionError("never killed while an album waited to be whole")
    captions = [message.get("caption") for message in await ben.phone() if not message["outgoing"]]
    marks = [caption for caption in captions if caption is not None]
    assert len(marks) == len(set(marks)) == ann.sent, "each once"
    assert marks == sorted(marks), "in order"


async def answered(sandbox: Sandbox) -> int:
    """How many updates were answered as done."""
    return sum(len(entry["update_ids"]) for entry in await sandbox.journal() if entry["kind"] == "confirmed")


async def all_arrive(ann: Person, ben: Person) -> None:
    async with asyncio.timeout(SOON_S):
        while ben.received < ann.sent:
            await asyncio.sleep(0.05)
