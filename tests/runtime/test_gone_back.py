"""A process that is alone on its files starts, and they are in an older state than when it ended."""

import asyncio

import pytest
from structlog.testing import capture_logs

from passerby.kernel.participant import Chatting, Idle
from passerby.ports.outbox import Parked
from passerby.ports.telegram import OutgoingCall, SendContent, Unavailable
from passerby.runtime.inbound.continuity import STEADY
from tests.contract.live_places import Disk
from tests.contract.records_memory import MemoryRecords
from tests.runtime.test_worker import House, delivered
from tests.runtime.virtual import EPOCH
from tests.runtime.world import ANN, BEN, BOT, OTHER_BOT, words_of, written
from tests.staged import in_virtual_time
from tests.wording import opening

TAKEN = 3
"""How many updates somebody took whom these files do not know."""


def _no_content(call: OutgoingCall) -> Unavailable | None:
    return Unavailable("away", uncertain=False) if isinstance(call, SendContent) else None


async def _as_it_was() -> House:
    """A house as it is after a start on older files. In these, Ann and Ben chat, and a message to Ben is parked."""
    first = House(boot="a")
    first.telegram.answer = _no_content
    await first.app.start()
    for bot, person in ((BOT, ANN), (OTHER_BOT, BEN)):
        for _ in range(STEADY):
            first.happens(written(person, "/help", bot=bot), bot)
    await first.meet()
    first.happens(written(ANN, "only for the one whom I see", 2000, sent_at=EPOCH + 9))
    await asyncio.sleep(5)
    assert any(isinstance(each, Parked) for each in await first.store.outbox(first.app.id))
    disk, records = Disk(), MemoryRecords()
    disk.records = list(first.disk.records)
    records.disk.people.update(first.records.disk.people)
    records.disk.changed_at = first.records.disk.changed_at
    await first.app.stop(10.0)
    second = House(disk, records, boot="a")
    second.numbers = dict(first.numbers)
    return second


@pytest.mark.parametrize("bot", [BOT, OTHER_BOT])
@in_virtual_time
async def test_before_anything_is_sent_all_chats_end_if_the_first_update_of_any_bot_is_not_the_next_one(
    bot: int,
) -> None:
    house = await _as_it_was()
    [which] = [each for each in house.telegram.bots if each == bot]
    house.numbers[which] += TAKEN
    house.happens(written(ANN if which == BOT else BEN, "/help", bot=which), which)
    with capture_logs() as lines:
        await house.app.start()
        await asyncio.sleep(5)
    assert delivered(house) == []
    assert [line["bots"] for line in lines if line["event"] == "runtime.gone_back"] == [1]
    told = words_of(house.telegram.sent)
    assert sum(each.startswith(opening("chat.connection_lost")) for each in told) == 2, "each of them once"
    states = [each.participant.state for each in (await house.store.stored((ANN, BEN))).values()]
    assert [type(state) for state in states] == [Idle, Idle]
    await house.app.stop(10.0)


@in_virtual_time
async def test_after_files_that_are_up_to_date_the_parked_message_arrives() -> None:
    house = await _as_it_was()
    house.happens(written(BEN, "/help", bot=OTHER_BOT), OTHER_BOT)
    await house.app.start()
    await asyncio.sleep(5)
    assert delivered(house) == ["only for the one whom I see"]
    states = [each.participant.state for each in (await house.store.stored((ANN, BEN))).values()]
    assert [type(state) for state in states] == [Chatting, Chatting]
    await house.app.stop(10.0)
