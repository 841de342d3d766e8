"""The watch for farms, on every live store: words become conducts, conducts become measures, and both are forgotten."""

import msgspec

from passerby.domain.farms.conduct import Note, Wrote
from passerby.domain.farms.sources import WATCHED_S
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.journey import Journey
from passerby.kernel.participant import Participant
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff_event import FarmSuspected, SanctionOrdered
from passerby.ports.participants import Commit
from passerby.runtime.background.farm_sources import FarmSources
from passerby.runtime.background.farm_watch import DAY_S, ConductKeeper, FarmWatch
from passerby.runtime.inbound.person_queues import Work
from tests.contract.live_body import contract
from tests.contract.live_places import Place

KEY = b"k" * 32
FARM = [PersonId(5_000_000_000 + number) for number in range(6)]


def advertising(place: Place, person: PersonId, chats: int, words: str = "come to sweet-room.club") -> list[Note]:
    now = place.clock.now()
    return [Wrote(person, ChatId(f"{person}.{chat}"), now, 0, 2.0 + chat, words) for chat in range(chats)]


def measures(works: list[Work], person: PersonId) -> list[object]:
    events = [work.event for work in works if work.event.person == person]
    return [each.sanction.kind if isinstance(each, SanctionOrdered) else type(each) for each in events]


@contract
async def test_a_farm_is_set_apart_once_and_its_recruits_lose_their_links_at_once(place: Place) -> None:
    store, notes, works = place.open(), list[Note](), list[Work]()
    keeper = ConductKeeper(store, lambda: [notes.pop(0) for _ in list(notes)], KEY, place.clock)
    watch = FarmWatch(store, works.append, place.clock)
    for person in FARM:
        notes += advertising(place, person, 4)
    await keeper.keep()
    await watch.judge_candidates()
    await watch.judge_candidates()
    for person in FARM:
        assert measures(works, person) == [SanctionKind.LINKS_OFF, SanctionKind.SLOW, FarmSuspected]
    assert len({work.cause for work in works}) > len(FARM), "each letter is a notice of its own"

    works.clear()
    recruit = PersonId(5_000_000_100)
    notes += advertising(place, recruit, 1, "hello! sweet-room.club/other is nice")
    other = ConductKeeper(store, lambda: [notes.pop(0) for _ in list(notes)], KEY, place.clock)
    await other.keep()
    await watch.judge_candidates()
    assert measures(works, recruit) == [SanctionKind.LINKS_OFF]


@contract
async def test_a_known_farm_is_recognised_on_the_next_day(place: Place) -> None:
    store, notes, works = place.open(), list[Note](), list[Work]()
    watch = FarmWatch(store, works.append, place.clock)
    for person in FARM:
        notes += advertising(place, person, 4)
    await ConductKeeper(store, lambda: [notes.pop(0) for _ in list(notes)], KEY, place.clock).keep()
    await watch.judge_candidates()
    await place.elapse(DAY_S)
    works.clear()
    recruit = PersonId(5_000_000_100)
    notes += advertising(place, recruit, 1, "hello! sweet-room.club/other is nice")
    await ConductKeeper(store, lambda: [notes.pop(0) for _ in list(notes)], KEY, place.clock).keep()
    await watch.judge_candidates()
    assert SanctionKind.LINKS_OFF in measures(works, recruit)


@contract
async def test_honest_people_cause_nothing(place: Place) -> None:
    store, notes, works = place.open(), list[Note](), list[Work]()
    for person in FARM:
        notes += advertising(place, person, 4, "hi, how are you today my friend?")
    await ConductKeeper(store, lambda: [notes.pop(0) for _ in list(notes)], KEY, place.clock).keep()
    await FarmWatch(store, works.append, place.clock).judge_candidates()
    assert works == []


@contract
async def test_no_words_are_stored(place: Place) -> None:
    store, notes = place.open(), advertising(place, FARM[0], 3, "the canary sings at canary-site.club every day")
    await ConductKeeper(store, lambda: [notes.pop(0) for _ in list(notes)], KEY, place.clock).keep()
    await FarmWatch(store, lambda _: None, place.clock).judge_candidates()
    stored = await store.conducts(int(place.clock.now() // DAY_S), FARM)
    assert list(stored) == FARM[:1]
    assert b"canary" not in stored[FARM[0]]


@contract
async def test_every_worker_learns_the_link_of_a_barred_farm_until_its_time_is_over(place: Place) -> None:
    store, notes, now = place.open(), list[Note](), place.clock.now()
    for person in FARM:
        notes += advertising(place, person, 4)
    await ConductKeeper(store, lambda: [notes.pop(0) for _ in list(notes)], KEY, place.clock).keep()
    watch, learner = FarmWatch(store, lambda _: None, place.clock), FarmSources(store, place.clock)
    came = Journey("spring", BotId(7), "en", now)
    people = tuple(Participant(person, 1, BotId(7), (BotId(7),), journey=came, seen_at=now) for person in FARM[:3])
    await store.commit(Commit(puts=people))
    await watch.judge_candidates()
    await learner.learn()
    assert learner.now == frozenset(), "nobody is barred yet"

    ban = Sanction("b", SanctionKind.BANNED, Reason.SPAM, now, by=1)
    banned = tuple(msgspec.structs.replace(each, version=2, sanctions=(ban,)) for each in people)
    await store.commit(Commit(puts=banned))
    await watch.judge_candidates()
    await learner.learn()
    assert learner.now == {"spring"}
    await place.elapse(WATCHED_S)
    await learner.learn()
    assert learner.now == frozenset()
