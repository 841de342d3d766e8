"""Deliveries are noted beside the log, so a damaged log makes no message arrive again."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.adapters.memory.delivered import AT, ROOM
from passerby.adapters.memory.done import KEPT_S
from passerby.kernel.ids import ChatId, PersonId
from passerby.ports.message_map import Mark
from passerby.ports.participants import Commit
from tests.contract.live_values import copied, update
from tests.faults.cases_loss import MARKS_IN_A_SECTOR, SECTOR
from tests.runtime.virtual import VirtualClock
from tests.staged import in_virtual_time

BOT = update(1).bot
CHAT = ChatId("chat")


def opened(path: Path, clock: VirtualClock | None = None) -> MemoryStore:
    return MemoryStore(FileLog(path), clock or VirtualClock(), Random())


async def deliver(store: MemoryStore, *numbers: int) -> None:
    for number in numbers:
        await store.mark(Mark((update(number),), chat=CHAT, pairs=(copied(number, number),)))
    await store.sweep()


def kill(store: MemoryStore) -> None:
    """The process dies: nothing is closed properly."""
    store._log.close()


def lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


@in_virtual_time
@pytest.mark.parametrize("is_rewritten", [False, True])
async def test_deliveries_are_still_known_after_any_damage_of_the_log(is_rewritten: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.live"
    store = opened(path)
    await store.adopt((), whole=True)
    await deliver(store, *range(1, 21))
    if is_rewritten:
        store._rewrite()
    kill(store)
    size = path.stat().st_size
    for at in (0, size // 2, size - 60):
        data = bytearray(path.read_bytes())
        data[at : at + 512] = bytes(len(data[at : at + 512]))
        path.write_bytes(data)
        again = opened(path)
        assert await again.done(BOT, range(1, 22)) == set(range(1, 21))
        kill(again)


@in_virtual_time
async def test_the_next_start_notes_deliveries_that_a_killed_run_has_not_noted(tmp_path: Path) -> None:
    """That start may put its mark into a snapshot, and the damage may hit the snapshot."""
    path = tmp_path / "a.live"
    store = opened(path)
    await store.adopt((), whole=True)
    await store.mark(Mark((update(1),), chat=CHAT, pairs=(copied(1, 1),)))
    await asyncio.sleep(0.1)
    kill(store)
    kill(opened(path))
    path.unlink()
    assert await opened(path).done(BOT, (1, 2)) == {1}


@in_virtual_time
async def test_only_delivered_updates_count_as_done_after_damage(tmp_path: Path) -> None:
    """Something that was only decided or stored may be missing with the log, so its update must come again."""
    path = tmp_path / "a.live"
    store = opened(path)
    await store.adopt((), whole=True)
    await store.commit(Commit(updates=(update(1),)))
    await store.mark(Mark((update(2),)))
    await deliver(store, 3)
    kill(store)
    path.unlink()
    assert await opened(path).done(BOT, (1, 2, 3)) == {3}


@in_virtual_time
async def test_the_notes_of_deliveries_are_a_ring_and_end_with_telegrams_memory(tmp_path: Path) -> None:
    path, clock = tmp_path / "a.live", VirtualClock()
    store = opened(path, clock)
    await store.adopt((), whole=True)
    await deliver(store, *range(1, 11))
    kill(store)
    store = opened(path, clock)
    await store.adopt((), whole=True)
    await deliver(store, *range(11, ROOM + 5))
    kill(store)
    path.unlink()
    known = opened(path, clock)
    assert await known.done(BOT, range(1, ROOM + 9)) == set(range(5, ROOM + 5)), "the oldest make room"
    kill(known)
    path.unlink()
    clock.offset_s += KEPT_S + 1
    assert await opened(path, clock).done(BOT, range(1, ROOM + 9)) == set()


@in_virtual_time
async def test_a_damaged_note_of_a_delivery_is_not_believed(tmp_path: Path) -> None:
    """A message whose update is wrongly taken for done would be lost."""
    path, rng = tmp_path / "a.live", Random(1)
    store = opened(path)
    await store.adopt((), whole=True)
    await deliver(store, *range(1, 9))
    kill(store)
    whole = lock_of(path).read_bytes()
    for at in range(AT, len(whole), 5):
        data = bytearray(whole)
        data[at] ^= 1 << rng.randrange(8)
        lock_of(path).write_bytes(data)
        path.unlink(missing_ok=True)
        found = FileLog(path)
        refs = set(found.delivered(0.0))
        found.close()
        assert len(refs) == 7
        assert refs < {update(number) for number in range(1, 9)}


@in_virtual_time
async def test_a_sector_holds_the_marks_of_five_relays_at_most(tmp_path: Path) -> None:
    """The reliability page and the judge of damaged logs say so."""
    path = tmp_path / "a.live"
    store = opened(path)
    chat = ChatId("0" * 20)
    before = path.stat().st_size
    await store.mark(Mark((update(1),), chat=chat, pairs=(copied(1, 1, 1 << 40),), speaker=PersonId(7000001)))
    assert path.stat().st_size - before > SECTOR // (MARKS_IN_A_SECTOR - 1)
