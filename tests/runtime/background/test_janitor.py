"""Repairs that nobody else makes: stray entries of the outbox, and a store that came back empty."""

import asyncio
from collections.abc import Iterable

import msgspec
import pytest

from passerby.dialogue.keyboards import KEYS
from passerby.kernel.effect import Priority
from passerby.kernel.ids import MessageId, MessageRef
from passerby.kernel.participant import Chatting
from passerby.kernel.text import text
from passerby.ports.facts import ChatTold
from passerby.ports.leases import WorkerId
from passerby.ports.live_store import LiveStoreLost
from passerby.ports.message_map import Anchor, Mark
from passerby.ports.outbox import Notice, Outgoing
from passerby.ports.participants import Commit
from passerby.runtime.background.janitor import UNCERTAIN_S, Janitor
from tests.runtime.virtual import EPOCH
from tests.runtime.world import ANN, BEN, BOT, CHAT, ME, Bench, couple
from tests.staged import in_virtual_time

DEAD = WorkerId("dead")


def notice(name: str) -> Notice:
    return Notice(name, ANN, BOT, text("search.idle"), Priority.COMMAND, EPOCH)


class Household:
    def __init__(self) -> None:
        self.bench = Bench()
        self.known: set[str] = set()
        self.taken: list[str] = []
        self.uncertain_at = float("-inf")
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
        self.taken += [entry.id for entry in entries]


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
    await records.apply("earlier", [(1, ChatTold(CHAT, ANN, at, EPOCH))])
    newborn = [house.bench.store.newborn]
    records.lost = True
    assert not await house.janitor.rebuild(), "not without the records"
    newborn.append(house.bench.store.newborn)
    records.lost = False
    assert await house.janitor.rebuild()
    newborn.append(house.bench.store.newborn)
    assert newborn == [True, True, False]
    assert await house.bench.store.open_chats((CHAT,)) == {CHAT}


@in_virtual_time
async def test_a_wiped_store_is_filled_again_with_recorded_anchors() -> None:
    house = Household()
    ann, ben = couple()
    at = MessageRef(BOT, MessageId(70))
    await house.bench.put(ann, ben)
    announced = ChatTold(CHAT, ANN, at, EPOCH)
    await house.bench.store.mark(Mark(anchor=Anchor(CHAT, ANN, at), facts=(announced,)))
    entries = await house.bench.store.journal(0, 10)
    await house.bench.records.apply("generation", entries)
    house.bench.records.disk.people |= {ANN: ann, BEN: ben}
    house.bench.store.wipe()
    with pytest.raises(LiveStoreLost):
        await house.bench.store.load(ANN)
    assert await house.janitor.rebuild()
    facts = await house.bench.store.load(ANN)
    assert facts is not None
    assert facts.me.state == ann.state


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
