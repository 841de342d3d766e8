"""A damaged log: what can still be read is kept, and people whom the damage may concern are named."""

import os
from pathlib import Path
from random import Random

import msgspec
import pytest

from passerby.adapters.memory import FileLog, MemoryStore
from passerby.adapters.memory.history import TOLD_BACK
from passerby.kernel.ids import ChatId, PersonId
from passerby.kernel.participant import Chatting, Idle, Participant
from passerby.ports.doubts import Doubts
from passerby.ports.facts import Fact
from passerby.ports.message_map import Mark
from passerby.ports.participants import Commit, Committed
from passerby.runtime.background.recorder import Recorder
from tests.contract.live_places import Disk, DiskLog
from tests.contract.live_values import NOW, copied, fact, parked, somebody, update, waiting
from tests.contract.records_facts import block
from tests.contract.records_memory import MemoryRecords
from tests.runtime.virtual import VirtualClock, run
from tests.size import in_full
from tests.staged import in_virtual_time

PEOPLE = [PersonId(number) for number in range(1, 13)]


def opened(path: Path) -> MemoryStore:
    return MemoryStore(FileLog(path), VirtualClock(), Random())


class Story:
    """People meet, write and part."""

    def __init__(self, path: Path, seed: int) -> None:
        self.store = opened(path)
        self.rng = Random(seed)
        self.people = {person: somebody(person, 0) for person in PEOPLE}
        self.chats = 0

    async def tell(self, steps: int) -> None:
        await self.store.adopt((), whole=True)
        await self.put(*(somebody(person, 0) for person in PEOPLE))
        for step in range(steps):
            person = self.people[self.rng.choice(PEOPLE)]
            match person.state:
                case Idle() if (other := self.someone_idle(person.person)) is not None:
                    self.chats += 1
                    chat = ChatId(f"chat {self.chats}")
                    await self.put(
                        self.now(person, Chatting(chat, other.person, NOW)),
                        self.now(other, Chatting(chat, person.person, NOW)),
                    )
                case Chatting(chat=chat) if self.rng.random() < 0.8:
                    await self.store.mark(Mark((update(step),), chat=chat, pairs=(copied(step, step),)))
                case Chatting(chat=chat, partner=partner):
                    sides = self.now(person, Idle()), self.now(self.people[partner], Idle())
                    await self.put(*sides, ended=(chat,))
                case _:
                    await self.put(self.now(person, waiting(person.person)))

    def someone_idle(self, but: PersonId) -> Participant | None:
        idle = [each for each in self.people.values() if isinstance(each.state, Idle) and each.person != but]
        return self.rng.choice(idle) if idle and self.rng.random() < 0.8 else None

    @staticmethod
    def now(person: Participant, state: object) -> Participant:
        return somebody(person.person, person.version, state)  # type: ignore[arg-type]

    async def put(self, *people: Participant, **more: object) -> None:
        puts = tuple(somebody(each.person, each.version + 1, each.state) for each in people)
        commit = Commit(puts, facts=tuple(fact(1) for _ in puts), **more)  # type: ignore[arg-type]
        assert await self.store.commit(commit) is Committed.YES
        self.people.update((each.person, each) for each in puts)


def flip(data: bytearray, rng: Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def blank_a_sector(data: bytearray, rng: Random) -> None:
    """Not the last sector: zeros there look like an unfinished write."""
    start = rng.randrange(len(data) - 512) // 512 * 512
    data[start : start + 512] = bytes(min(512, len(data) - start))


def scribble(data: bytearray, rng: Random) -> None:
    start = rng.randrange(len(data))
    size = rng.randrange(1, 2_000)
    data[start : start + size] = rng.randbytes(len(data[start : start + size]))


def take_out(data: bytearray, rng: Random) -> None:
    start = rng.randrange(len(data) - 60)
    del data[start : start + rng.randrange(1, 50)]


@pytest.mark.parametrize("damage", in_full([flip, blank_a_sector, scribble, take_out], 1))
def test_people_whose_state_changed_through_damage_are_named_as_in_doubt(damage: object, tmp_path: Path) -> None:
    """Fifty random damages of each kind."""
    named, concerned = 0, 0
    for seed in range(50):
        path = tmp_path / f"{seed}.live"

        async def main(path: Path = path, seed: int = seed) -> None:
            nonlocal named, concerned
            story = Story(path, seed)
            await story.tell(80)
            await story.store.aclose()
            data = bytearray(path.read_bytes())
            damage(data, Random(seed))  # type: ignore[operator]
            path.write_bytes(data)
            store = opened(path)
            held = {each.participant.person: each.participant for each in await store.everybody()}
            wrong = {person for person, true in story.people.items() if held.get(person) != true}
            assert store.doubts.everybody or wrong <= store.doubts.people
            assert store.doubts, "damage is never passed over in silence"
            named += not store.doubts.everybody
            concerned += len(store.doubts.people)
            await store.aclose()

        run(main())
    if damage is flip:
        assert named >= 45, "one bad record does not put everybody in doubt"
        assert concerned <= 50 * 2 * TOLD_BACK


def test_people_whose_state_changed_in_a_missing_end_are_named_as_in_doubt(tmp_path: Path) -> None:
    """The newest changes may be in no other store. Fifty random tears, and a kill before the repair."""
    concerned = 0
    for seed in range(50):
        path = tmp_path / f"{seed}.live"

        async def main(path: Path = path, seed: int = seed) -> None:
            nonlocal concerned
            story = Story(path, seed)
            await story.tell(80)
            story.store._log.close()
            data = path.read_bytes()
            path.write_bytes(data[: -Random(seed).randrange(1, 12_000)])
            for _ in range(2):
                store = opened(path)
                held = {each.participant.person: each.participant for each in await store.everybody()}
                wrong = {person for person, true in story.people.items() if held.get(person) != true}
                assert wrong <= store.doubts.people
                assert store.doubts.everybody or not wrong
                store._log.close()
            concerned += len(wrong)

        run(main())
    assert concerned > 50


@in_virtual_time
async def test_a_person_whose_unsent_message_was_damaged_is_named_in_the_doubts(tmp_path: Path) -> None:
    path = tmp_path / "a.live"
    store = opened(path)
    await store.adopt((), whole=True)
    before = path.stat().st_size
    reader = PersonId(77)
    await store.commit(Commit(outbox=(msgspec.structs.replace(parked("p"), to=reader),), updates=(update(1),)))
    after = path.stat().st_size
    await store.mark(Mark((update(2),)))
    await store.aclose()
    data = bytearray(path.read_bytes())
    data[(before + after) // 2] ^= 1
    path.write_bytes(data)
    again = opened(path)
    assert again.doubts == Doubts(people=frozenset({reader}), is_unsure=True)
    assert await again.done(update(1).bot, (1, 2)) == {2}
    await again.adopt((), whole=True)
    assert not again.doubts
    assert [each.name for each in sorted(tmp_path.glob("a.live.*"))] == ["a.live.damaged-1", "a.live.lock"]
    await again.aclose()
    assert not opened(path).doubts


@in_virtual_time
async def test_facts_after_damage_keep_their_numbers(tmp_path: Path) -> None:
    """Otherwise a later trim would drop facts that the records do not have."""
    path = tmp_path / "a.live"
    store = opened(path)
    await store.adopt((), whole=True)
    sizes = []
    for number in range(1, 6):
        sizes.append(path.stat().st_size)
        await store.commit(Commit((somebody(PersonId(number)),), facts=(fact(number),)))
    await store.trim_journal(3, store.generation)
    data = bytearray(path.read_bytes())
    data[sizes[1] + 60] ^= 1
    path.write_bytes(data)
    store._log.close()
    again = opened(path)
    assert [number for number, _ in await again.journal(0, 10)] == [4, 5]


@pytest.mark.parametrize("content", [b"not a log at all" * 100, bytes(5_000), b"\xff" * 10])
@in_virtual_time
async def test_a_file_that_is_not_a_log_is_kept_and_everybody_is_in_doubt(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.live"
    path.write_bytes(content)
    store = opened(path)
    assert store.newborn
    if any(content):
        assert store.doubts.everybody
    await store.adopt((), whole=True)
    await store.aclose()
    again = opened(path)
    assert not again.doubts
    assert not again.newborn


@pytest.mark.parametrize("is_closed", [True, False])
@in_virtual_time
async def test_a_store_that_is_opened_again_begins_a_new_generation_and_loses_nothing(
    tmp_path: Path, is_closed: bool
) -> None:
    path = tmp_path / "a.live"
    store = opened(path)
    await store.adopt((), whole=True)
    await store.commit(Commit((somebody(PEOPLE[0]),), facts=(fact(1), fact(2))))
    await store.trim_journal(1, store.generation)
    if is_closed:
        await store.aclose()
    else:
        store._log.close()
    again = opened(path)
    assert (again.generation == store.generation, again.newborn, bool(again.doubts)) == (False, False, False)
    assert await again.trimmed() == 0, "the records count from the beginning of a generation"
    assert [number for number, _ in await again.journal(0, 10)] == [2]
    await again.aclose()


@in_virtual_time
async def test_facts_after_an_older_log_was_put_back_reach_the_records() -> None:
    """The log was closed properly, so nothing in it shows that numbers after its last one were used, too."""
    disk, records, clock = Disk(), MemoryRecords(), VirtualClock()

    async def live(*facts: Fact) -> None:
        store = MemoryStore(DiskLog(disk), clock, Random())
        if store.newborn:
            await store.adopt((), whole=True)
        for each in facts:
            await store.commit(Commit(facts=(each,)))
        assert await Recorder(store, records, clock, Random(1), lambda *_, **__: None).drain(10.0)
        await store.aclose()

    await live(block(1, 2))
    older = list(disk.records)
    await live(*(block(1, number) for number in range(3, 6)))
    disk.records[:] = older
    await live(*(block(1, number) for number in range(6, 8)))
    assert {blocked for _, blocked in records.disk.blocks} == set(range(2, 8))


@in_virtual_time
async def test_a_log_that_somebody_empties_while_it_is_in_use_is_written_again_before_it_is_closed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.live"
    store = opened(path)
    await store.adopt((), whole=True)
    await store.commit(Commit((somebody(PEOPLE[0]),), facts=(fact(1),)))
    os.truncate(path, 0)
    await store.commit(Commit((somebody(PEOPLE[1]),), facts=(fact(2),)))
    await store.aclose()
    again = opened(path)
    assert (again.newborn, bool(again.doubts)) == (False, False)
    assert [each.participant.person for each in await again.everybody()] == PEOPLE[:2]
    assert [number for number, _ in await again.journal(0, 10)] == [1, 2]
    await again.aclose()


@in_virtual_time
async def test_a_log_without_its_beginning_puts_everybody_in_doubt_and_begins_a_generation(tmp_path: Path) -> None:
    """Somebody has emptied the file, and the process was killed before it could write it again."""
    path = tmp_path / "a.live"
    store = opened(path)
    await store.adopt((), whole=True)
    os.truncate(path, 0)
    await store.commit(Commit((somebody(PEOPLE[1]),), facts=(fact(2),)))
    store._log.close()
    again = opened(path)
    assert again.doubts.everybody
    assert again.generation not in ("", store.generation)
    await again.aclose()
