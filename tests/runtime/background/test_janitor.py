"""Repairs that nobody else makes: stray entries of the outbox, and a store that came back empty."""

import asyncio
from collections.abc import Iterable

import msgspec
import pytest

from passerby.adapters.redis.batcher import PATIENCE_S
from passerby.dialogue.keyboards import KEYS
from passerby.kernel.effect import Priority
from passerby.kernel.ids import MessageId, MessageRef, PersonId
from passerby.kernel.participant import Chatting, Idle
from passerby.kernel.text import text
from passerby.ports.doubts import Doubts
from passerby.ports.facts import ChatOpened, ChatTold
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.outbox import Notice, Outgoing
from passerby.ports.participants import Commit, Committed
from passerby.ports.records import Active, RecordsDamaged
from passerby.runtime.background.janitor import CHECK_AGAIN_S, CHECK_EVERY_S, UNCERTAIN_S, Janitor
from tests.runtime.virtual import EPOCH
from tests.runtime.world import ANN, BEN, BOT, CHAT, ME, OTHER_BOT, Bench, couple
from tests.staged import in_virtual_time

DEAD = WorkerId("dead")
OPENED = ChatOpened(CHAT, ANN, BEN, BOT, OTHER_BOT, EPOCH)


def notice(name: str) -> Notice:
    return Notice(name, ANN, BOT, text("search.idle"), Priority.COMMAND, EPOCH)


class Household:
    def __init__(self) -> None:
        self.bench = Bench()
        self.known: set[str] = set()
        self.taken: list[str] = []
        self.uncertain_at = float("-inf")
        self.lost_after = -1
        """After how many entries the store is lost once; -1 for never."""
        self.janitor = Janitor(
            ME,
            self.bench.store,
            self.bench.records,
            self.bench.clock,
            self._take_up,
            self.known.__contains__,
            lambda: self.uncertain_at,
        )

    async def _take_up(self, entries: Iterable[Outgoing]) -> None:
        for entry in entries:
            if not self.lost_after:
                self.lost_after = -1
                raise LiveStoreLost
            self.lost_after -= 1
            self.taken.append(entry.id)


@in_virtual_time
async def test_entries_of_dead_workers_are_taken_over_once() -> None:
    house = Household()
    store = house.bench.store
    await store.adopt((), whole=True)
    await store.heartbeat(ME, {}, 1000.0, b"")
    await store.commit(Commit(outbox=(notice("left"),), owner=DEAD))
    await store.commit(Commit(outbox=(notice("mine"),), owner=ME))
    await house.janitor.inherit()
    await house.janitor.inherit()
    assert house.taken == ["left"]


@in_virtual_time
async def test_our_own_stray_entry_is_resumed_after_two_checks() -> None:
    house = Household()
    store = house.bench.store
    for name in ("stray", "late", "known"):
        await store.commit(Commit(outbox=(notice(name),), owner=ME))
    house.known.add("known")
    await house.janitor.recheck()
    await house.janitor.recheck()
    assert house.taken == [], "nothing was uncertain, so nothing is looked for"
    house.uncertain_at = house.bench.clock.monotonic()
    await house.janitor.recheck()
    house.known.add("late")  # meanwhile its commit was answered
    assert house.taken == []
    await house.janitor.recheck()
    assert house.taken == ["stray"]


@in_virtual_time
async def test_the_search_for_strays_ends_after_a_while() -> None:
    house = Household()
    await house.bench.store.commit(Commit(outbox=(notice("stray"),), owner=ME))
    house.uncertain_at = house.bench.clock.monotonic()
    await house.janitor.recheck()
    await asyncio.sleep(UNCERTAIN_S + 1)
    await house.janitor.recheck()
    await house.janitor.recheck()
    assert house.taken == []


@in_virtual_time
async def test_an_empty_store_is_filled_with_chats_and_their_anchors() -> None:
    house = Household()
    ann, ben = couple()
    at = MessageRef(BOT, MessageId(70))
    records = house.bench.records
    records.disk.people |= {ANN: ann, BEN: ben}
    await records.apply("earlier", [(1, OPENED), (2, ChatTold(CHAT, ANN, at, EPOCH))])
    newborn = [house.bench.store.newborn]
    records.lost = True
    assert not await house.janitor.rebuild(), "not without the records"
    newborn.append(house.bench.store.newborn)
    records.lost = False
    assert await house.janitor.rebuild()
    newborn.append(house.bench.store.newborn)
    assert newborn == [True, True, False]
    assert await house.bench.store.open_chats((CHAT,)) == {CHAT}
    facts = await house.bench.store.load(ANN)
    assert facts is not None
    assert facts.anchor == at, "she was told of this chat, and is not told again"


@in_virtual_time
async def test_a_wiped_store_is_filled_again_with_recorded_anchors() -> None:
    house = Household()
    ann, ben = couple()
    at = MessageRef(BOT, MessageId(70))
    await house.bench.put(ann, ben)
    announced = ChatTold(CHAT, ANN, at, EPOCH)
    await house.bench.store.mark(Mark(anchor=Anchor(CHAT, ANN, at), facts=(announced,)))
    entries = await house.bench.store.journal(0, 10)
    await house.bench.records.apply("earlier", [(1, OPENED)])
    await house.bench.records.apply("generation", entries)
    house.bench.records.disk.people |= {ANN: ann, BEN: ben}
    house.bench.store.wipe()
    with pytest.raises(LiveStoreLost):
        await house.bench.store.load(ANN)
    assert await house.janitor.rebuild()
    facts = await house.bench.store.load(ANN)
    assert facts is not None
    assert (facts.me.state, facts.anchor) == (ann.state, at)


@in_virtual_time
async def test_entries_inherited_without_an_answer_are_found_and_resumed() -> None:
    house = Household()
    store = house.bench.store
    await store.adopt((), whole=True)
    await store.heartbeat(ME, {}, 1000.0, b"")
    await store.commit(Commit(outbox=(notice("left"),), owner=DEAD))
    inherit = store.inherit

    async def unanswered(heir: WorkerId) -> list[Outgoing]:
        await inherit(heir)
        raise LiveStoreLost("no answer")

    store.inherit = unanswered  # type: ignore[method-assign]
    with pytest.raises(LiveStoreLost):
        await house.janitor.inherit()
    await house.janitor.recheck()
    await house.janitor.recheck()
    assert house.taken == ["left"]


@in_virtual_time
@pytest.mark.parametrize("step", ["inherit", "recheck"])
async def test_entries_are_found_again_if_the_store_is_lost_while_they_are_taken_up(step: str) -> None:
    house = Household()
    store = house.bench.store
    await store.adopt((), whole=True)
    await store.heartbeat(ME, {}, 1000.0, b"")
    owner = DEAD if step == "inherit" else ME
    await store.commit(Commit(outbox=(notice("first"), notice("second")), owner=owner))
    house.lost_after = 1
    if step == "recheck":
        house.uncertain_at = house.bench.clock.monotonic()
        await asyncio.sleep(UNCERTAIN_S - 1)
        await house.janitor.recheck()
    with pytest.raises(LiveStoreLost):
        await getattr(house.janitor, step)()
    assert house.taken == ["first"]
    house.known.add("first")
    await asyncio.sleep(UNCERTAIN_S - 1)
    await house.janitor.recheck()
    await house.janitor.recheck()
    assert list(dict.fromkeys(house.taken)) == ["first", "second"]


@in_virtual_time
async def test_the_notices_of_a_repair_without_an_answer_are_found_and_sent() -> None:
    house = Household()
    store = house.bench.store
    ann, _ = couple()
    await house.bench.put(ann)
    await house.janitor.release()
    commit = store.commit

    async def unanswered(what: Commit) -> Committed:
        await commit(what)
        raise LiveStoreLost("no answer")

    store.commit = unanswered  # type: ignore[method-assign]
    with pytest.raises(LiveStoreLost):
        await house.janitor.check()
    store.commit = commit  # type: ignore[method-assign]
    await house.janitor.recheck()
    await house.janitor.recheck()
    assert house.taken == [f"repair:{ANN}:{ann.version + 1}"]


@in_virtual_time
async def test_notices_from_before_a_repair_are_not_sent_any_more() -> None:
    """An older log contains "Partner found" again. "The connection was lost" replaces it and does not follow it."""
    house = Household()
    store, records = house.bench.store, house.bench.records
    await store.adopt((), whole=True)
    await store.heartbeat(ME, {}, 1000.0, b"")
    ann, ben = couple()
    found = msgspec.structs.replace(notice("found"), keyboard=KEYS[Chatting], anchors=CHAT)
    await store.commit(Commit((ann, ben), outbox=(found, notice("not delivered")), owner=DEAD))
    for each in (ann, ben):
        records.disk.people[each.person] = msgspec.structs.replace(each, version=each.version + 1)
    await house.janitor.check()
    await house.janitor.inherit()
    await house.janitor.release()
    assert house.taken[0] == "not delivered"
    assert [name.partition(":")[0] for name in house.taken[1:]] == ["repair", "repair"]
    assert "found" not in [entry.id for entry in await store.outbox(ME)]


@pytest.mark.parametrize("is_damaged", [True, False])
@in_virtual_time
async def test_after_damage_nobody_is_told_again_of_a_state_that_is_over(is_damaged: bool) -> None:
    """The mark that a notice was sent may be in the damaged record. It was sent if a later one was: then only the
    earlier one is still there. Without damage, every unsent notice is sent."""
    house = Household()
    store = house.bench.store
    await store.heartbeat(ME, {}, 1000.0, b"")
    ann, ben = couple()
    await house.bench.put(ann, ben)
    await store.adopt((), whole=True)
    assert isinstance(ann.state, Chatting)
    lost = msgspec.structs.replace(notice("lost"), keyboard=KEYS[Idle])
    before = msgspec.structs.replace(notice("before"), keyboard=KEYS[Chatting], made_at=ann.state.opened_at - 1)
    stranger = msgspec.structs.replace(lost, id="of nobody we know", to=PersonId(77))
    unheard = msgspec.structs.replace(lost, id="unheard", to=BEN)
    found = msgspec.structs.replace(before, id="found", to=BEN, made_at=ann.state.opened_at)
    entries = (lost, before, stranger, unheard, found, notice("without keys"))
    await store.commit(Commit(outbox=entries, owner=DEAD))
    if is_damaged:
        store._doubts = Doubts(is_unsure=True)
        house.bench.records.disk.people |= {ANN: ann, BEN: ben}
        await house.janitor.rebuild()
    await house.janitor.inherit()
    await house.janitor.release()
    over = {"lost", "before"} if is_damaged else set()
    assert house.taken == [each.id for each in entries if each.id not in over]


@in_virtual_time
async def test_a_check_that_could_not_be_made_is_made_again_soon() -> None:
    house = Household()
    store, records = house.bench.store, house.bench.records
    await store.adopt((), whole=True)
    await store.heartbeat(ME, {}, 1e6, b"")
    looks: list[float] = []
    active = records.active

    async def counted() -> Active:
        looks.append(house.bench.clock.monotonic())
        return await active()

    records.active = counted  # type: ignore[method-assign]
    records.lost = True
    serving = asyncio.ensure_future(house.janitor.serve_all())
    await asyncio.sleep(3 * CHECK_AGAIN_S + 5)
    assert len(looks) >= 3
    records.lost = False
    await asyncio.sleep(2 * CHECK_AGAIN_S)
    looks.clear()
    await asyncio.sleep(CHECK_EVERY_S - 3 * CHECK_AGAIN_S)
    assert looks == [], "a check that was made is good for a while"
    await asyncio.sleep(4 * CHECK_AGAIN_S)
    assert len(looks) == 1
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


@in_virtual_time
async def test_damage_to_the_database_ends_a_start_and_later_counts_as_a_loss() -> None:
    async def damaged() -> Active:
        raise RecordsDamaged("restore a backup")

    house = Household()
    house.bench.records.active = damaged  # type: ignore[method-assign]
    with pytest.raises(RecordsDamaged):
        await house.janitor.rebuild()
    with pytest.raises(RecordsDamaged):
        await house.janitor.check()
    await house.janitor.release()
    assert not await house.janitor.rebuild()
    assert not await house.janitor.check()


@in_virtual_time
async def test_a_commit_that_arrives_late_is_found_as_well() -> None:
    """The answer was lost at once, but the commit itself was still on its way."""
    house = Household()
    store = house.bench.store
    await store.adopt((), whole=True)
    house.uncertain_at = house.bench.clock.monotonic()
    serving = asyncio.ensure_future(house.janitor.serve_itself())
    await asyncio.sleep(UNCERTAIN_S - 5)
    await store.commit(Commit(outbox=(notice("late"),), owner=ME))
    await asyncio.sleep(4)
    assert house.taken[:1] == ["late"]
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def test_a_commit_without_an_answer_is_looked_for_as_long_as_the_store_may_take() -> None:
    """Both stores give up a call after a time. Until then, it may still be carried out."""
    assert UNCERTAIN_S > PATIENCE_S


@in_virtual_time
async def test_only_the_worker_that_may_do_it_compares_a_doubtful_store() -> None:
    """Two that repaired the same people would tell them twice."""
    house = Household()
    store = house.bench.store
    await house.bench.put(*couple())
    await store.adopt((), whole=True)
    store._doubts = Doubts(is_unsure=True, is_older=True)
    claimed: list[WorkerId] = []

    async def refused(worker: WorkerId, ttl_s: float) -> bool:
        claimed.append(worker)
        return False

    claim, store.claim_doubts = store.claim_doubts, refused  # type: ignore[method-assign]
    assert not await house.janitor.rebuild()
    assert claimed == [ME]
    assert isinstance((await house.bench.facts_of(ANN)).state, Chatting)
    assert store.doubts
    store.claim_doubts = claim  # type: ignore[method-assign]
    for _ in range(3):
        await house.janitor.rebuild()
    await house.janitor.release()
    assert not store.doubts
    assert isinstance((await house.bench.facts_of(ANN)).state, Idle)
    assert len(house.taken) == 2
