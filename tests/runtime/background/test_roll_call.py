"""Before a generation that lost something is repaired or rebuilt, every living worker answers. The records are complete
then, and no send of an earlier generation is under way."""

import asyncio

import pytest

from passerby.kernel.ids import UpdateRef
from passerby.kernel.participant import Chatting, Idle
from passerby.ports.doubts import Doubts, RollCallAnswers
from passerby.ports.facts import ChatClosed, ChatOpened, PersonChanged
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.telegram import OutgoingCall
from passerby.runtime.background.janitor import Janitor
from passerby.runtime.background.roll_call import PATIENCE_S, RollCall
from passerby.runtime.unrecorded import UnrecordedFacts
from tests.runtime.virtual import EPOCH, settled
from tests.runtime.world import ANN, BEN, BOT, CHAT, ME, OTHER_BOT, Bench, couple, relay, somebody, words_of
from tests.staged import in_virtual_time

OTHER = WorkerId("other")


class Member:
    """One worker's part in the repair of a store that all share."""

    def __init__(self, bench: Bench, name: WorkerId, *members: WorkerId) -> None:
        self._store = bench.store
        self.unrecorded = UnrecordedFacts()
        self.is_sending = False
        self.put_back: list[str] = []
        """The generations in which it put back what it has yet to send."""
        self.roll_call = RollCall(
            name,
            bench.store,
            bench.records,
            bench.clock,
            members=lambda: members,
            is_sending=lambda generation: self.is_sending,
            unrecorded=self.unrecorded,
            put_back=self._put_back,
            shared=True,
        )
        self.janitor = Janitor(
            name,
            bench.store,
            bench.records,
            bench.clock,
            bench.parking.take_up,
            bench.courier.known,
            lambda: float("-inf"),
            roll_call=self.roll_call,
        )

    async def _put_back(self) -> None:
        self.put_back.append(self._store.generation)


async def chatting() -> Bench:
    """Ann and Ben chat, and the records know it. Then their chat ends, and the records have not heard of that."""
    bench = Bench(shared=True)
    ann, ben = couple()
    opened = ChatOpened(CHAT, ANN, BEN, BOT, OTHER_BOT, EPOCH)
    await bench.records.apply("before", [(1, PersonChanged(ann, EPOCH)), (2, PersonChanged(ben, EPOCH)), (3, opened)])
    return bench


def ended() -> list[PersonChanged | ChatClosed]:
    ann, ben = couple()
    over = [type(each)(each.person, each.version + 1, each.bot, each.bots, each.profile) for each in (ann, ben)]
    return [*(PersonChanged(each, EPOCH) for each in over), ChatClosed(CHAT, ANN, "left", EPOCH)]


@in_virtual_time
async def test_a_chat_that_ended_just_before_a_wipe_stays_over() -> None:
    bench = await chatting()
    one, other = Member(bench, ME, ME, OTHER), Member(bench, OTHER, ME, OTHER)
    other.unrecorded.stored(ended())
    bench.store.wipe()
    assert not await one.janitor.rebuild(), "the other worker may know more"
    assert bench.store.newborn
    await other.janitor.rebuild()
    assert await one.janitor.rebuild()
    assert await bench.store.open_chats((CHAT,)) == set()
    assert isinstance(bench.records.disk.people[ANN].state, Idle)
    assert not bench.records.disk.chats[CHAT].active


@in_virtual_time
async def test_after_a_wipe_chats_continue_if_every_worker_has_answered() -> None:
    bench = await chatting()
    one, other = Member(bench, ME, ME, OTHER), Member(bench, OTHER, ME, OTHER)
    bench.store.wipe()
    await one.janitor.rebuild()
    await other.janitor.rebuild()
    assert await one.janitor.rebuild()
    assert await bench.store.open_chats((CHAT,)) == {CHAT}
    assert isinstance((await bench.facts_of(ANN)).state, Chatting)


@pytest.mark.parametrize("why", ["dead", "forgetful"])
@in_virtual_time
async def test_if_nobody_can_say_what_a_worker_stored_last_the_chats_of_a_wiped_store_end(why: str) -> None:
    """A dead worker's newest facts are lost, and so are those for which a worker had no room."""
    bench = await chatting()
    members = (ME, OTHER) if why == "dead" else (ME,)
    one = Member(bench, ME, *members)
    if why == "forgetful":
        one.unrecorded.stored([ended()[0]] * 6_000)
        one.unrecorded.stored([ended()[0]] * 6_000)
    bench.store.wipe()
    await one.janitor.release()
    assert not await one.janitor.rebuild()
    await asyncio.sleep(PATIENCE_S)
    assert any([await one.janitor.rebuild() for _ in range(5)])
    await bench.quiet()
    assert await bench.store.open_chats((CHAT,)) == set()
    assert isinstance((await bench.facts_of(ANN)).state, Idle)
    told = zip(bench.telegram.sent, words_of(bench.telegram.sent), strict=True)
    assert [(call.person, "connection was lost" in words) for call, words in told] == [(ANN, True), (BEN, True)]


@in_virtual_time
async def test_nothing_is_repaired_while_a_send_of_an_earlier_generation_is_under_way() -> None:
    bench = await chatting()
    one = Member(bench, ME, ME)
    one.is_sending = True
    bench.store.wipe()
    assert not await one.janitor.rebuild()
    assert bench.store.newborn
    one.is_sending = False
    assert await one.janitor.rebuild()


@in_virtual_time
async def test_a_worker_that_has_just_started_waits_for_those_who_may_know_more() -> None:
    bench = await chatting()
    late = Member(bench, ME)
    assert not await late.janitor.rebuild()
    await asyncio.sleep(PATIENCE_S)
    assert await late.janitor.rebuild()


@pytest.mark.parametrize("was_ahead", [False, True])
@pytest.mark.parametrize("hours", [0, 24])
@in_virtual_time
async def test_nobody_is_in_a_chat_of_an_old_database_that_was_restored_by_hand(hours: int, was_ahead: bool) -> None:
    """The live store was emptied, too, so only the age of the newest change shows it. Everybody is told once.

    `was_ahead`: a run of long ago ended while the clock was two years ahead.
    """
    bench = await chatting()
    bench.records.disk.changed_at = {"now": EPOCH - hours * 3600}
    if was_ahead:
        bench.records.disk.changed_at["ahead"] = EPOCH + 2 * 365 * 86400
    late = Member(bench, ME)
    await late.janitor.release()
    await asyncio.sleep(PATIENCE_S)
    assert any([await late.janitor.rebuild() for _ in range(5)])
    await bench.quiet()
    told = [call.person for call in bench.telegram.sent if "connection was lost" in words_of([call])[0]]
    if hours:
        assert await bench.store.open_chats((CHAT,)) == set()
        assert told == [ANN, BEN]
    else:
        assert await bench.store.open_chats((CHAT,)) == {CHAT}
        assert not bench.telegram.sent


@in_virtual_time
async def test_a_worker_puts_back_what_it_has_yet_to_send_once_in_each_generation() -> None:
    bench = await chatting()
    one = Member(bench, ME, ME, OTHER)
    await one.roll_call.answer()
    assert one.put_back == [], "nothing was lost yet"
    for _ in range(2):
        bench.store.wipe()
        one.is_sending = True
        await one.roll_call.answer()
        assert bench.store.generation not in one.put_back, "what is being sent now may be settled soon"
        one.is_sending = False
        await one.roll_call.answer()
        await one.roll_call.answer()
        assert one.put_back[-1] == bench.store.generation
    assert len(one.put_back) == 2


@in_virtual_time
async def test_a_worker_that_knows_nobody_waits_for_those_whom_the_store_knew() -> None:
    """It came just before Redis went back, and has had no list of members yet."""
    bench = await chatting()
    one, ask = Member(bench, ME), bench.store.answer_roll

    async def answer(worker: WorkerId | None) -> RollCallAnswers:
        return RollCallAnswers((await ask(worker)).answered, frozenset({OTHER}))

    await bench.store.adopt((), whole=True)
    bench.store.answer_roll = answer
    bench.store._doubts = Doubts(is_unsure=True)
    assert not (await one.roll_call.answer()).is_over
    await ask(OTHER)
    assert (await one.roll_call.answer()).is_over


@in_virtual_time
async def test_the_courier_knows_which_of_its_sends_began_in_another_generation() -> None:
    bench = Bench(shared=True)
    await bench.put(*couple())
    answer = asyncio.get_running_loop().create_future()

    async def slowly(call: OutgoingCall) -> tuple[int, ...]:
        await answer
        return (1,)

    bench.telegram.answer = slowly
    bench.courier.pass_on(relay(1), OTHER_BOT, (UpdateRef(BOT, 1),))
    await settled()
    generation = bench.store.generation
    assert not bench.courier.is_sending_since_before(generation)
    bench.store.wipe()
    assert bench.courier.is_sending_since_before(bench.store.generation)
    answer.set_result(None)
    await settled()
    assert not bench.courier.is_sending_since_before(bench.store.generation)
    await bench.background.aclose()


@pytest.mark.parametrize("is_open", [True, False])
@in_virtual_time
async def test_a_relay_decided_in_an_earlier_generation_is_sent_only_if_its_chat_is_open_in_this_one(
    is_open: bool,
) -> None:
    bench = Bench()
    await bench.put(*couple())
    decided_in = bench.store.generation
    bench.store.wipe()
    with pytest.raises(LiveStoreLost):
        await bench.store.load(ANN)
    await bench.store.adopt(couple() if is_open else (somebody(ANN), somebody(BEN, bot=OTHER_BOT)), whole=True)
    bench.courier.pass_on(relay(1), OTHER_BOT, (UpdateRef(BOT, 1),), generation=decided_in)
    await bench.quiet()
    relayed = [call for call in bench.telegram.sent if call.person == BEN]
    assert len(relayed) == is_open
    if not is_open:
        assert [call.person for call in bench.telegram.sent] == [ANN], "the sender is told"
    await bench.close()


def test_facts_are_kept_until_the_records_have_them() -> None:
    kept = UnrecordedFacts(most=4)
    first, second, third = ended()
    kept.stored([first])
    kept.heard(kept.last, newest=10, recorded=9)
    kept.stored([second])
    assert kept.facts == [first, second]
    kept.heard(kept.last, newest=11, recorded=10)
    assert kept.facts == [second], "the first one was stored before a heartbeat that named fact 10"
    kept.stored([third, third])
    kept.stored([first, first])
    assert [kept.facts, kept.is_whole] == [[third, third, first, first], False]
    kept.heard(kept.last, newest=15, recorded=15)
    assert [kept.facts, kept.is_whole] == [[], True]
