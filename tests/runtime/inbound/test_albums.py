"""Albums that Telegram delivers item by item to several processes become one message, whichever process dies."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from passerby.kernel.ids import PersonId, UpdateRef
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Mark
from passerby.ports.outbox import Parked
from passerby.ports.participants import Commit, Committed
from passerby.ports.telegram import Arrival, FloodWait, SendContent
from passerby.ports.trails import Trail, trail_of
from passerby.runtime.delivery.sealer import Sealer
from passerby.runtime.inbound.albums import ITEM_WAIT_S
from passerby.runtime.inbound.webhook_receiver import WebhookReceiver
from tests.runtime.virtual import EPOCH, run
from tests.runtime.world import ANN, BEN, BOT, HEIR, ME, Assured, Bench, talking, words_of, written
from tests.staged import staged

SECRET = "something nobody else may read"
LATE = EPOCH + 60
"""Long after Ben was told of the chat."""


def ref(update: int) -> UpdateRef:
    return UpdateRef(BOT, 100 + update)  # earlier numbers were used to pair them


class Web:
    """A process that receives webhook updates."""

    def __init__(self, beside: "Web | None" = None, worker: WorkerId = ME) -> None:
        self.bench: Bench = Bench(shared=True, beside=beside.bench if beside else None, worker=worker)
        bench = self.bench
        self.webhook_receiver = WebhookReceiver(bench.store, Assured(), bench.admission, bench.albums)
        bench.on_finished[:] = [self._finished]

    def _finished(self, refs: tuple[UpdateRef, ...]) -> None:
        for each in refs:
            self.webhook_receiver.finished(each)

    async def takes(self, update: int, words: str, group: str | None = "album") -> None:
        """Deliver an item, and wait until it is answered."""
        event = written(ANN, words, 2000 + update, group=group, sent_at=LATE)
        await self.webhook_receiver.receive(Arrival(ref(update), event))

    async def dies(self) -> None:
        """Stop everything of this process. Others notice that it is gone."""
        await self.bench.background.aclose()


def webs(body: Callable[[Web, Web], Awaitable[None]]) -> None:
    """Run `body` while Ann chats with Ben. Two processes receive her updates."""

    async def main() -> None:
        one = Web()
        await talking(one.bench)
        for worker in (ME, HEIR):
            await one.bench.store.heartbeat(worker, {}, 1e6, b"")
        two = Web(one, HEIR)
        await body(one, two)
        for web in (one, two):
            await web.bench.quiet(120)
            await web.bench.close()
        assert await one.bench.store.trail(ANN) == [], "nothing is left behind"
        assert await one.bench.store.outbox(ME) == await one.bench.store.outbox(HEIR) == []

    run(main())


def delivered(web: Web) -> list[str]:
    return words_of([each for each in web.bench.telegram.sent if isinstance(each, SendContent)])


@staged(webs)
async def test_an_album_that_comes_item_by_item_is_one_message(one: Web, two: Web, /) -> None:
    for update, words in enumerate(("a", "b", "c"), 1):
        await one.takes(update, words)
    assert delivered(one) == [], "more may come"
    await asyncio.sleep(ITEM_WAIT_S + 0.1)
    assert delivered(one) == ["a+b+c"]


@staged(webs)
async def test_an_answered_item_is_done_and_stored_encrypted(one: Web, two: Web, /) -> None:
    store = one.bench.store
    await one.takes(1, SECRET)
    assert await store.done(BOT, (ref(1).update,))
    (item,) = await store.trail(ANN)
    assert item.group == "album"
    assert not any(SECRET.encode() in record for record in one.bench.disk.records)
    await one.takes(1, SECRET)
    assert await store.trail(ANN) == [item], "if it comes again, it is the same item"


@staged(webs)
async def test_an_album_may_come_to_two_processes_in_turn(one: Web, two: Web, /) -> None:
    for update, words in enumerate(("a", "b", "c", "d"), 1):
        await (one, two)[update % 2].takes(update, words)
        await asyncio.sleep(ITEM_WAIT_S / 2)
    await asyncio.sleep(2 * ITEM_WAIT_S)
    assert delivered(one) == ["a+b+c+d"]


@staged(webs)
async def test_after_the_tenth_item_there_is_no_wait(one: Web, two: Web, /) -> None:
    for update in range(1, 11):
        await one.takes(update, str(update))
    await asyncio.sleep(ITEM_WAIT_S / 10)
    assert delivered(one) == ["1+2+3+4+5+6+7+8+9+10"]


@pytest.mark.parametrize("elsewhere", [False, True])
@staged(webs)
async def test_the_persons_next_action_comes_after_the_album(one: Web, two: Web, /, elsewhere: bool) -> None:
    await one.takes(1, "a")
    await one.takes(2, "b")
    await (two if elsewhere else one).takes(3, "and then", group=None)
    await one.bench.quiet()
    assert delivered(one) == ["a+b", "and then"]


@staged(webs)
async def test_a_message_after_a_parked_album_is_not_sent_before_it(one: Web, two: Web, /) -> None:
    answers = iter([FloodWait(30.0)])
    one.bench.telegram.answer = lambda outgoing: next(answers, None)
    await one.takes(1, "a")
    await asyncio.sleep(2 * ITEM_WAIT_S)
    assert [type(each) for each in await one.bench.store.outbox(ME)] == [Parked, Trail]
    asked = asyncio.ensure_future(two.takes(2, "and then", group=None))
    await asyncio.sleep(5)
    assert asked.done(), "it is parked as well, and answered"
    assert delivered(one) == []
    await asyncio.sleep(60)
    assert delivered(one) == ["a", "and then"]


@staged(webs)
async def test_a_message_is_not_sent_before_one_parked_by_another_process(one: Web, two: Web, /) -> None:
    answers = iter([FloodWait(30.0)])
    one.bench.telegram.answer = lambda outgoing: next(answers, None)
    first = asyncio.ensure_future(one.takes(1, "first", group=None))
    await asyncio.sleep(3)
    await one.bench.parking.park_overdue()
    await first
    await two.takes(2, "second", group=None)
    await asyncio.sleep(60)
    assert delivered(one) == ["first", "second"]
    await one.takes(3, "third", group=None)
    assert await one.bench.store.trail(ANN) == [], "nothing is parked if nothing comes first"


@staged(webs)
async def test_two_albums_in_a_row_stay_two(one: Web, two: Web, /) -> None:
    for update, (words, group) in enumerate((("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")), 1):
        await one.takes(update, words, group)
    await asyncio.sleep(2 * ITEM_WAIT_S)
    assert delivered(one) == ["a+b", "c+d"]


@staged(webs)
async def test_if_a_process_dies_another_sends_the_items(one: Web, two: Web, /) -> None:
    await one.takes(1, "a")
    await one.takes(2, "b")
    await one.dies()
    await one.bench.store.leave(ME)
    await two.bench.parking.take_up(await two.bench.store.inherit(HEIR))
    await asyncio.sleep(2 * ITEM_WAIT_S)
    assert delivered(two) == ["a+b"]


@staged(webs)
async def test_an_album_does_not_wait_for_a_dead_process(one: Web, two: Web, /) -> None:
    await one.takes(1, "a")
    await two.takes(2, "b")
    await one.dies()
    await asyncio.sleep(3 * ITEM_WAIT_S)
    assert delivered(two) == ["a+b"]


@staged(webs)
async def test_an_album_parked_by_a_dead_process_is_inherited_whole(one: Web, two: Web, /) -> None:
    one.bench.telegram.answer = lambda outgoing: FloodWait(3.0)
    await one.takes(1, "a")
    await one.takes(2, "b")
    await asyncio.sleep(2 * ITEM_WAIT_S)
    await one.dies()
    one.bench.telegram.answer = lambda outgoing: None
    await one.bench.store.leave(ME)
    await two.bench.parking.take_up(await two.bench.store.inherit(HEIR))
    await asyncio.sleep(10)
    assert delivered(two) == ["a+b"]
    one.bench.courier._register.pending = 0  # the process is dead, and nobody waits for it


@staged(webs)
async def test_an_item_that_comes_while_the_album_is_sent_follows_it(one: Web, two: Web, /) -> None:
    store = one.bench.store.commit
    late: list[asyncio.Future[None]] = []

    async def slowly(commit: Commit) -> Committed:
        if not late and any(isinstance(each, Parked) for each in commit.outbox):
            late.append(asyncio.ensure_future(two.takes(3, "c")))
            await late[0]
            await two.takes(4, "and then", group=None)
        return await store(commit)

    await one.takes(1, "a")
    await one.takes(2, "b")
    one.bench.store.commit = slowly  # type: ignore[method-assign]
    await asyncio.sleep(3 * ITEM_WAIT_S)
    assert sorted("+".join(delivered(one))) == sorted("a+b+c+and then"), "each once"
    assert delivered(one)[-1] == "and then"


@staged(webs)
async def test_while_the_store_is_away_an_item_is_not_answered(one: Web, two: Web, /) -> None:
    one.bench.disk.full = True
    with pytest.raises(LiveStoreLost):
        await one.takes(1, "a")
    assert one.bench.uncertain.last_at() >= 0, "it may have been stored all the same"
    one.bench.disk.full = False
    await one.takes(1, "a")
    await asyncio.sleep(2 * ITEM_WAIT_S)
    assert delivered(one) == ["a"]


@staged(webs)
async def test_an_item_stored_without_an_answer_is_sent_when_it_comes_again(one: Web, two: Web, /) -> None:
    store = one.bench.store.commit

    async def unanswered(commit: Commit) -> Committed:
        await store(commit)
        raise LiveStoreLost("no answer")

    one.bench.store.commit = unanswered  # type: ignore[method-assign]
    with pytest.raises(LiveStoreLost):
        await one.takes(1, "a")
    one.bench.store.commit = store  # type: ignore[method-assign]
    await two.takes(1, "a")
    await asyncio.sleep(2 * ITEM_WAIT_S)
    assert delivered(one) == ["a"]


@staged(webs)
async def test_a_waiting_album_asks_a_lost_store_again(one: Web, two: Web, /) -> None:
    trail, lost = one.bench.store.trail, 2

    async def away(person: object) -> list[Trail]:
        nonlocal lost
        lost -= 1
        if lost >= 0:
            raise LiveStoreLost("away")
        return await trail(ANN)

    await one.takes(1, "a")
    one.bench.store.trail = away  # type: ignore[method-assign]
    await asyncio.sleep(4 * ITEM_WAIT_S)
    assert delivered(one) == ["a"]


@staged(webs)
async def test_an_item_stored_with_another_key_is_given_up(one: Web, two: Web, /) -> None:
    two.bench.albums._sealer = Sealer(bytes([1] * 32))
    await two.takes(1, "a")
    one.bench.albums._sealer = Sealer(bytes(32))
    await one.takes(2, "b")
    await one.takes(3, "and then", group=None)
    await asyncio.sleep(1)
    assert delivered(one) == ["b", "and then"]


@staged(webs)
async def test_an_expired_mark_is_removed(one: Web, two: Web, /) -> None:
    store = one.bench.store
    await store.commit(Commit(outbox=(Trail("marker:1:1", trail_of(ANN), BOT, LATE + 100),), owner=HEIR))
    await one.takes(1, "a", group=None)
    await one.bench.quiet()
    assert len(await store.trail(ANN)) == 1
    await asyncio.sleep(200)
    await one.takes(2, "b", group=None)
    assert await store.trail(ANN) == []
    assert delivered(one) == ["a", "b"]


@staged(webs)
async def test_an_album_without_a_partner_is_answered_once_like_any_message(one: Web, two: Web, /) -> None:
    await one.takes(1, "/stop", group=None)
    await one.bench.quiet()
    one.bench.telegram.sent.clear()
    await one.takes(2, "a")
    await two.takes(3, "b")
    await asyncio.sleep(3 * ITEM_WAIT_S)
    assert delivered(one) == []
    assert len(one.bench.telegram.sent) == 1, "one notice for the album"


@staged(webs)
async def test_watched_items_and_all_marks_count_as_known(one: Web, two: Web, /) -> None:
    await one.takes(1, "a")
    (item,) = await one.bench.store.trail(ANN)
    assert one.bench.albums.is_known(item.id)
    assert not two.bench.albums.is_known(item.id)
    assert two.bench.albums.is_known("marker:1:1")
    assert one.bench.albums.waiting == 1
    await two.bench.parking.take_up([item, Trail("marker:1:1", trail_of(BEN), BOT, LATE)])
    assert two.bench.albums.is_known(item.id)
    await one.bench.store.mark(Mark())


@staged(webs)
async def test_an_item_that_comes_during_the_last_look_is_sent_too(one: Web, two: Web, /) -> None:
    """The look finds nothing, and by the time it is answered there is something."""
    trail = one.bench.store.trail

    async def slowly(person: PersonId) -> list[Trail]:
        found = await trail(person)
        await asyncio.sleep(0.5)
        return found

    await one.takes(1, "a")
    one.bench.store.trail = slowly  # type: ignore[method-assign]
    while delivered(one) == []:
        await asyncio.sleep(0.1)
    item = written(ANN, "b", 2002, group="the next one", sent_at=LATE)
    await one.bench.albums.store_item(Arrival(ref(2), item), ())
    await asyncio.sleep(5 * ITEM_WAIT_S)
    assert delivered(one) == ["a", "b"]
