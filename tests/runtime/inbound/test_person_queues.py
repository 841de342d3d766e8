"""One event at a time for one person, different people in parallel, and albums joined again."""

import asyncio

from passerby.kernel.content import Content, Kind
from passerby.kernel.event import BotBlocked, DeliveryFailed, MessageEdited, MessageReceived, Refusal
from passerby.kernel.ids import MessageId, PersonId, UpdateRef
from passerby.ports.leases import Fence, bot_lease
from passerby.runtime.inbound.person_queues import (
    ALBUM_ITEMS,
    ITEM_WAIT_S,
    MANY,
    MOST_TOGETHER,
    PersonQueues,
    Work,
)
from passerby.runtime.tasks import Background
from tests.runtime.virtual import VirtualClock
from tests.runtime.world import ANN, BEN, BOT, CHAT, OTHER_BOT, written
from tests.staged import in_virtual_time


class Hall:
    """PersonQueues whose work takes `pace_s`, with a list of what was handled when."""

    def __init__(self, pace_s: float = 0.0) -> None:
        self.pace_s = pace_s
        self.begun: list[Work] = []
        self.done: list[Work] = []
        self.background = Background(lambda error: None)
        self.queues = PersonQueues(self._handle, self.background, VirtualClock())

    async def _handle(self, work: Work) -> None:
        self.begun.append(work)
        await asyncio.sleep(self.pace_s)
        self.done.append(work)

    def put(self, event: MessageReceived, number: int = 0) -> None:
        self.queues.put(Work(event, (UpdateRef(event.bot, number),)))

    @property
    def words(self) -> list[str]:
        return [
            "+".join(content.text for content in work.event.contents)
            for work in self.done
            if isinstance(work.event, MessageReceived)
        ]


def album(words: str, message: int, group: str = "g", person: PersonId = ANN, bot: int = BOT) -> MessageReceived:
    return written(person, words, message, type(BOT)(bot), group=group)


@in_virtual_time
async def test_one_persons_work_is_done_in_order_one_at_a_time() -> None:
    hall = Hall(pace_s=1.0)
    for number in range(5):
        hall.put(written(ANN, str(number)))
    await asyncio.sleep(2.5)
    assert len(hall.begun) == len(hall.done) + 1 == 3
    await asyncio.sleep(10)
    assert hall.words == list("01234")
    assert hall.queues.busy == 0


@in_virtual_time
async def test_different_peoples_events_run_side_by_side() -> None:
    hall = Hall(pace_s=1.0)
    for person in range(1, 51):
        hall.put(written(PersonId(person), "hi"))
    assert hall.queues.busy == 50
    await asyncio.sleep(1.1)
    assert len(hall.done) == 50
    assert hall.queues.busy == 0


@in_virtual_time
async def test_run_returns_when_the_work_is_done_and_not_before() -> None:
    hall = Hall(pace_s=1.0)
    hall.put(written(ANN, "first"))
    await hall.queues.run(Work(BotBlocked(ANN, BOT)))
    assert [type(work.event) for work in hall.done] == [MessageReceived, BotBlocked]


@in_virtual_time
async def test_an_album_becomes_one_event_with_all_its_updates() -> None:
    hall = Hall()
    for number in range(3):
        hall.put(album(str(number), 10 + number), number)
    await asyncio.sleep(1)
    (work,) = hall.done
    assert isinstance(work.event, MessageReceived)
    assert work.event.messages == (10, 11, 12)
    assert work.refs == tuple(UpdateRef(BOT, number) for number in range(3))
    assert hall.words == ["0+1+2"]


@in_virtual_time
async def test_items_that_come_out_of_order_are_put_in_order() -> None:
    hall = Hall()
    for number in (12, 10, 11):
        hall.put(album(str(number), number))
    await asyncio.sleep(1)
    assert hall.words == ["10+11+12"]


@in_virtual_time
async def test_late_items_are_awaited_for_a_moment_and_then_sent_alone() -> None:
    hall = Hall()
    hall.put(album("a", 10))
    await asyncio.sleep(ITEM_WAIT_S * 0.9)
    hall.put(album("b", 11))
    await asyncio.sleep(ITEM_WAIT_S * 0.9)
    hall.put(album("c", 12))
    await asyncio.sleep(ITEM_WAIT_S * 1.1)
    assert hall.words == ["a+b+c"]
    hall.put(album("d", 13))
    await asyncio.sleep(1)
    assert hall.words == ["a+b+c", "d"]


@in_virtual_time
async def test_the_next_message_ends_the_wait_for_an_album() -> None:
    hall = Hall()
    hall.put(album("a", 10))
    hall.put(album("b", 11))
    hall.put(album("x", 12, group="another"))
    hall.put(written(ANN, "text"))
    await asyncio.sleep(0.01)
    assert hall.words == ["a+b", "x", "text"]


@in_virtual_time
async def test_albums_are_not_joined_across_bots_or_people() -> None:
    hall = Hall()
    hall.put(album("a", 10))
    hall.put(album("b", 11, bot=OTHER_BOT))
    hall.put(album("c", 12, person=BEN))
    await asyncio.sleep(2)
    assert sorted(hall.words) == ["a", "b", "c"]


@in_virtual_time
async def test_an_album_is_not_joined_across_two_leases() -> None:
    """Items under the earlier lease may be another worker's now, and must not fail together with the new ones."""
    hall = Hall()
    for number, epoch in enumerate((1, 1, 2)):
        fences = (Fence(bot_lease(BOT), epoch),)
        hall.queues.put(Work(album(f"{number}", 10 + number), (UpdateRef(BOT, number),), fences=fences))
    await asyncio.sleep(2)
    assert [work.refs for work in hall.done] == [(UpdateRef(BOT, 0), UpdateRef(BOT, 1)), (UpdateRef(BOT, 2),)]
    assert [work.fences[0].epoch for work in hall.done] == [1, 2]


@in_virtual_time
async def test_a_full_album_is_handled_without_waiting() -> None:
    hall = Hall()
    for number in range(ALBUM_ITEMS):
        hall.put(album(str(number), 10 + number))
    await asyncio.sleep(0.01)
    assert len(hall.words) == 1


@in_virtual_time
async def test_an_event_other_than_a_message_ends_the_wait_too() -> None:
    hall = Hall()
    hall.put(album("a", 10))
    hall.queues.put(Work(BotBlocked(ANN, BOT)))
    await asyncio.sleep(0.01)
    assert [type(work.event) for work in hall.done] == [MessageReceived, BotBlocked]


def edit(number: int, words: str = "") -> MessageEdited:
    return MessageEdited(ANN, BOT, MessageId(7), Content(Kind.TEXT, words or f"version {number}"), edited_at=number)


def failure(number: int) -> DeliveryFailed:
    return DeliveryFailed(ANN, BOT, MessageId(number), CHAT, BEN, OTHER_BOT, Refusal.LEFT)


@in_virtual_time
async def test_everybody_who_waits_for_an_event_is_told_even_if_another_could_replace_it() -> None:
    hall = Hall(pace_s=1.0)
    hall.put(written(ANN, "first"))
    hall.queues.put(Work(edit(1)))
    waiting = [asyncio.ensure_future(hall.queues.run(Work(edit(number)))) for number in (2, 3)]
    await asyncio.sleep(0.1)
    hall.queues.put(Work(edit(4)))
    await asyncio.sleep(10)
    assert all(each.done() for each in waiting)
    assert hall.done[-1].event == edit(4)


@in_virtual_time
async def test_events_are_merged_only_under_one_lease() -> None:
    """A commit under an earlier lease is refused, and must not take the later event with it."""
    hall = Hall(pace_s=1.0)
    hall.put(written(ANN, "first"))
    for number, epoch in enumerate((1, 1, 2, 2)):
        fences = (Fence(bot_lease(BOT), epoch),)
        hall.queues.put(Work(edit(number), (UpdateRef(BOT, 10 + number),), fences=fences))
    await asyncio.sleep(10)
    assert [[ref.update for ref in work.refs] for work in hall.done[1:]] == [[10, 11], [12, 13]]
    assert [work.fences[0].epoch for work in hall.done[1:]] == [1, 2]


@in_virtual_time
async def test_one_piece_of_work_settles_a_limited_number_of_updates() -> None:
    hall = Hall(pace_s=1.0)
    hall.put(written(ANN, "first"))
    for number in range(2 * MOST_TOGETHER + 1):
        hall.queues.put(Work(edit(number), (UpdateRef(BOT, 10 + number),)))
    await asyncio.sleep(10)
    assert [len(work.refs) for work in hall.done[1:]] == [MOST_TOGETHER, MOST_TOGETHER, 1]


@in_virtual_time
async def test_many_undelivered_messages_are_one_event_that_settles_everything_of_theirs() -> None:
    hall = Hall(pace_s=1.0)
    hall.put(written(ANN, "first"))
    for number in range(MANY):
        hall.queues.put(Work(failure(number), (UpdateRef(BOT, number),), (f"entry {number}", f"mark {number}")))
    await asyncio.sleep(10)
    (work,) = hall.done[1:]
    assert isinstance(work.event, DeliveryFailed)
    assert work.event.count == MANY
    assert [ref.update for ref in work.refs] == list(range(MANY))
    assert work.sent == tuple(name for number in range(MANY) for name in (f"entry {number}", f"mark {number}"))


@in_virtual_time
async def test_numbers_keep_rising_over_all_queues_of_a_person() -> None:
    """Facts are kept up to a number. A number that came again would make old facts count for a new message."""
    hall = Hall(pace_s=1.0)
    seen = []
    for _ in range(3):
        for words in ("one", "two"):
            hall.put(written(ANN, words))
        seen.append(hall.queues.newest(ANN))
        await asyncio.sleep(10)
        assert hall.queues.newest(ANN) == 0, "there is no queue"
    assert seen == sorted(set(seen))
