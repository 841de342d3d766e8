"""The contract of `passerby.ports.records.Records`, for every implementation."""

import asyncio
from itertools import count

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerby.adapters.sql import init_schema
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId
from passerby.kernel.participant import Complaint, Participant, Rating
from passerby.kernel.sanction import Appeal, Reason, Sanction, SanctionKind, SupportCode
from passerby.ports.facts import Fact, SanctionChanged, SanctionLifted
from passerby.ports.records import Elsewhere, Records, RecordsLost, RecordsOlder, Told
from tests.contract.records_facts import (
    NOW,
    block,
    changed,
    chatting,
    closed,
    complaint,
    explained,
    facts,
    numbered,
    opened,
    participants,
    person,
    rated,
    searching,
    told,
)
from tests.contract.records_memory import BlockRow, ChatRow, ComplaintRow, MemoryRecords, SanctionRow
from tests.contract.records_places import MemoryPlace, Place, SqlPlace, opening, trying
from tests.contract.servers import start_postgres
from tests.size import size
from tests.staged import in_a_loop, staged

# All examples of a test share a place, so each example is a generation of its own.
shared = settings(deadline=None, max_examples=size(6, 40), suppress_health_check=[HealthCheck.function_scoped_fixture])
generations = map("generation {}".format, count())
versions = count(2**61)
"""Higher in each example, because an older version changes nothing."""


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        return MemoryPlace()
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


def by_person(people: list[Participant]) -> dict[PersonId, Participant]:
    found = {each.person: each for each in people}
    assert len(found) == len(people), "nobody is there twice"
    return found


@staged(trying, "place")
async def test_people_are_read_as_the_journal_last_wrote_them(records: Records, /) -> None:
    await records.apply("g", numbered(changed(person(1, 1)), changed(searching(2, 1)), changed(person(1, 2))))
    await records.apply("g", numbered(changed(chatting(2, 3, "c", 2)), after=3))
    assert await records.people([PersonId(1), PersonId(2)]) == {1: person(1, 2), 2: chatting(2, 3, "c", 2)}


@staged(trying, "place")
async def test_an_older_value_changes_nothing(records: Records, /) -> None:
    """It comes from a store that went back in time, or was applied before under another generation."""
    await records.apply("g", numbered(changed(person(1, 9)), changed(person(1, 3))))
    assert await records.people([PersonId(1)]) == {1: person(1, 9)}
    await records.apply("g", numbered(changed(person(1, 8)), after=2))
    await records.apply("h", numbered(changed(person(1, 2))))
    assert await records.people([PersonId(1)]) == {1: person(1, 9)}
    await records.apply("h", numbered(changed(searching(1, 9)), changed(searching(1, 10)), after=1))
    assert await records.people([PersonId(1)]) == {1: searching(1, 10)}


@staged(trying, "place")
async def test_nothing_is_stored_on_top_of_records_that_hold_less_than_before(records: Records, /) -> None:
    """Somebody has put an older database in their place. The facts between would be missing for good."""
    await records.apply("g", numbered(changed(person(1, 1)), changed(person(1, 2))), after=0)
    with pytest.raises(RecordsOlder):
        await records.apply("g", numbered(changed(person(1, 9)), after=5), after=5)
    assert await records.applied("g") == 2
    assert await records.people([PersonId(1)]) == {1: person(1, 2)}
    with pytest.raises(RecordsOlder):
        await records.apply("never seen", numbered(changed(person(1, 9)), after=5), after=5)
    await records.apply("g", numbered(changed(person(1, 3)), after=2), after=1)
    await records.apply("g", numbered(changed(person(1, 4)), after=7), after=3)
    assert await records.people([PersonId(1)]) == {1: person(1, 4)}


@staged(trying, "place")
async def test_a_block_changed_twice_in_one_batch_ends_as_if_each_change_came_alone(
    records: Records, /, place: Place
) -> None:
    """Clocks differ between workers, so a later change may have an earlier time."""
    await records.apply("g", numbered(block(1, 2, at=NOW + 9), block(1, 2, blocked=False, at=NOW)))
    assert await place.blocks() == {(1, 2): BlockRow(NOW + 9)}
    await records.apply("h", numbered(block(1, 2, blocked=False, at=NOW + 9), block(1, 2, at=NOW + 5)))
    assert await place.blocks() == {(1, 2): BlockRow(NOW + 9, NOW + 9)}


@staged(trying, "place")
async def test_facts_applied_again_under_another_generation_change_nothing(records: Records, /, place: Place) -> None:
    """A store that was killed sends its unapplied facts again, under its next generation."""
    facts = numbered(
        opened("c", 1, 2),
        changed(person(1, 5)),
        block(1, 2),
        block(1, 2, blocked=False, at=NOW + 1),
        closed("c"),
        opened("d", 3, 4),
    )
    await records.apply("g", facts)
    before = await records.active()
    later = numbered(block(1, 2, at=NOW + 2), changed(person(1, 6)), after=len(facts))
    await records.apply("g", later)
    await records.apply("h", facts)
    assert await records.active() == before
    assert await records.people([PersonId(1)]) == {1: person(1, 6)}
    assert await place.blocks() == {(PersonId(1), PersonId(2)): BlockRow(NOW + 2)}
    assert before.chats == ["d"]


@staged(trying, "place")
async def test_the_records_know_when_they_last_heard_of_a_change(records: Records, /, place: Place) -> None:
    """An older store that sends its facts again does not make them look older."""
    await records.apply("g", numbered(block(1, 2, at=NOW + 50_000), block(1, 2, blocked=False, at=NOW + 60_000)))
    await records.apply("h", numbered(block(1, 2, at=NOW)))
    assert await records.changed_at() == NOW + 60_000
    assert await records.changed_at(NOW + 1) == NOW
    assert await records.changed_at(NOW - 1) is None


@staged(trying, "place")
async def test_unknown_people_are_left_out(records: Records, /) -> None:
    await records.apply("g", numbered(changed(person(1))))
    assert await records.people([PersonId(1), PersonId(5), PersonId(2**52 - 1)]) == {1: person(1)}
    assert await records.people([PersonId(5)]) == {}
    assert await records.people([]) == {}


@staged(trying, "place")
async def test_a_thousand_people_fit_in_one_call(records: Records, /) -> None:
    everybody = [searching(number) if number % 2 else person(number) for number in range(1, 2_501)]
    await records.apply("g", numbered(*map(changed, everybody)))
    wanted = [PersonId(number) for number in range(1, 3_001, 3)]
    assert await records.people(wanted) == {each.person: each for each in everybody if each.person in set(wanted)}
    assert by_person((await records.active()).people) == {each.person: each for each in everybody if each.person % 2}


@staged(trying, "place")
async def test_asking_twice_for_a_person_answers_once(records: Records, /) -> None:
    await records.apply("g", numbered(changed(person(1))))
    assert await records.people([PersonId(1), PersonId(1)]) == {1: person(1)}


@staged(trying, "place")
async def test_entries_applied_before_are_skipped(records: Records, /) -> None:
    first = numbered(changed(searching(1, 1)), opened("c"), changed(person(1, 2)))
    await records.apply("g", first)
    await records.apply("g", numbered(changed(person(1, 3)), closed("c"), after=3))
    await records.apply("g", first)
    assert await records.people([PersonId(1)]) == {1: person(1, 3)}
    assert (await records.active()).people == []
    assert await records.applied("g") == 5


@staged(trying, "place")
async def test_only_the_new_end_of_an_overlapping_batch_is_applied(records: Records, /) -> None:
    history = numbered(*(changed(person(1 + version % 2, version)) for version in range(6)))
    await records.apply("g", history[:4])
    await records.apply("g", history[1:])
    assert await records.people([PersonId(1), PersonId(2)]) == {1: person(1, 4), 2: person(2, 5)}
    assert await records.applied("g") == 6
    await records.apply("g", history[2:5])
    assert await records.applied("g") == 6


@staged(trying, "place")
async def test_a_new_generation_counts_from_one(records: Records, /) -> None:
    assert await records.applied("old") == 0
    await records.apply("old", numbered(changed(person(1, 1)), changed(person(1, 2))))
    assert await records.applied("new") == 0
    await records.apply("new", numbered(changed(person(1, 3))))
    assert (await records.applied("old"), await records.applied("new")) == (2, 1)
    assert await records.people([PersonId(1)]) == {1: person(1, 3)}


@staged(trying, "place")
async def test_an_empty_batch_changes_nothing(records: Records, /) -> None:
    await records.apply("g", [])
    assert await records.applied("g") == 0
    assert (await records.active()).people == []


@staged(trying, "place")
async def test_a_gap_in_the_numbers_is_accepted(records: Records, /) -> None:
    await records.apply("g", [(3, changed(person(1, 1))), (8, changed(person(1, 2)))])
    assert await records.applied("g") == 8


def test_a_crash_between_two_batches_loses_neither(place: Place) -> None:
    async def before() -> None:
        async with opening(place) as records:
            await records.apply("g", numbered(changed(searching(1, 1)), changed(person(2, 1))))

    async def after() -> None:
        async with opening(place) as records:
            assert await records.applied("g") == 2
            assert (await records.active()).people == [searching(1, 1)]
            await records.apply("g", numbered(changed(person(1, 2)), after=2))

    async def later() -> None:
        async with opening(place) as records:
            assert await records.people([PersonId(1), PersonId(2)]) == {1: person(1, 2), 2: person(2, 1)}

    for generation in (before, after, later):
        asyncio.run(generation())


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 21])
@staged(trying, "place")
async def test_an_interrupted_batch_is_stored_completely_or_not_at_all(
    records: Records, /, place: Place, turns: int
) -> None:
    await records.apply("g", numbered(changed(person(1, 1)), changed(person(2, 1))))
    batch = numbered(changed(chatting(1, 2, "c", 2)), changed(chatting(2, 1, "c", 2)), opened("c"), after=2)
    applying = asyncio.ensure_future(records.apply("g", batch))
    for _ in range(turns):
        await asyncio.sleep(0.0005)
    applying.cancel()
    await asyncio.gather(applying, return_exceptions=True)
    stored = await records.applied("g")
    assert stored in {2, 5}
    whole = {1: chatting(1, 2, "c", 2), 2: chatting(2, 1, "c", 2)}
    assert await records.people([PersonId(1), PersonId(2)]) == (
        whole if stored == 5 else {1: person(1, 1), 2: person(2, 1)}
    )
    assert len(await place.chats()) == (1 if stored == 5 else 0)
    await records.apply("g", batch)
    assert await records.people([PersonId(1), PersonId(2)]) == whole


@staged(trying, "place")
async def test_two_recorders_of_one_journal_store_it_once(records: Records, /, place: Place) -> None:
    async with opening(place) as other:
        history = numbered(*(changed(person(1, version)) for version in range(40)))
        # The second recorder is always behind. If it stored anything, its older value would win.
        for upto in range(1, 41):
            await asyncio.gather(records.apply("g", history[:upto]), other.apply("g", history[: max(1, upto - 1)]))
            assert await other.people([PersonId(1)]) == {1: person(1, upto - 1)}


@staged(trying, "place")
async def test_people_who_are_active_through_other_bots_are_found(records: Records, /) -> None:
    def through(bot: int, participant: Participant) -> Participant:
        return msgspec.structs.replace(participant, bot=BotId(bot), bots=(BotId(bot),))

    await records.apply(
        "g",
        numbered(
            changed(through(1, person(1, 1))),
            changed(through(2, searching(2, 1))),
            changed(through(1, searching(3, 1))),
            changed(through(3, chatting(4, 5, "c", 1))),
            changed(through(1, chatting(5, 4, "c", 1))),
            opened("c", 4, 5),
        ),
    )
    searches, chats = Elsewhere(PersonId(2), BotId(2), False), Elsewhere(PersonId(4), BotId(3), True)
    assert await records.elsewhere([BotId(1)]) == [searches, chats]
    assert await records.elsewhere([BotId(1), BotId(2), BotId(9)]) == [chats]
    assert await records.elsewhere([BotId(2), BotId(1), BotId(3)]) == []
    assert len(await records.elsewhere([])) == 4


@staged(trying, "place")
async def test_active_people_are_those_who_search_or_chat(records: Records, /) -> None:
    await records.apply(
        "g",
        numbered(
            changed(person(1, 1)),
            changed(searching(2, 1)),
            changed(searching(3, 1)),
            changed(chatting(4, 5, "c", 1)),
            changed(chatting(5, 4, "c", 1)),
            opened("c", 4, 5),
        ),
    )
    assert by_person((await records.active()).people) == {
        2: searching(2, 1),
        3: searching(3, 1),
        4: chatting(4, 5, "c", 1),
        5: chatting(5, 4, "c", 1),
    }
    await records.apply(
        "g",
        numbered(
            changed(chatting(2, 3, "d", 2)),
            changed(chatting(3, 2, "d", 2)),
            opened("d", 2, 3),
            changed(person(4, 2)),
            changed(searching(5, 2)),
            closed("c", 4),
            after=6,
        ),
    )
    assert by_person((await records.active()).people) == {
        2: chatting(2, 3, "d", 2),
        3: chatting(3, 2, "d", 2),
        5: searching(5, 2),
    }


@staged(trying, "place")
async def test_a_chat_is_open_until_it_is_closed_and_closed_once(records: Records, /, place: Place) -> None:
    row = ChatRow(PersonId(1), PersonId(2), BotId(11), BotId(12), NOW)
    shut = ChatRow(PersonId(1), PersonId(2), BotId(11), BotId(12), NOW, False, NOW + 60, PersonId(2), "left")
    await records.apply("g", numbered(opened("c"), opened("d")))
    assert await place.chats() == {"c": row, "d": row}
    await records.apply("g", numbered(closed("c", 2), after=2))
    await records.apply("g", numbered(closed("c", 1, "late", NOW + 90), after=3))
    assert await place.chats() == {"c": shut, "d": row}
    # One chat opens and closes within one batch; another was never opened.
    await records.apply("g", numbered(opened("e"), closed("e", 2), closed("unheard of"), after=4))
    assert await place.chats() == {"c": shut, "d": row, "e": shut}
    # Closed before it opened: unusual, but the same within one batch and over several.
    await records.apply("g", numbered(closed("f"), opened("f"), after=7))
    assert (await place.chats())[ChatId("f")] == row
    # Sent again by a store with a new generation.
    await records.apply("h", numbered(opened("c", 8, 9)))
    assert (await place.chats())[ChatId("c")] == shut


@staged(trying, "place")
async def test_a_rebuild_gets_the_anchors_of_open_chats(records: Records, /) -> None:
    start: list[Fact] = [changed(chatting(1, 2, "c", 1)), changed(chatting(2, 1, "c", 1)), opened("c", 1, 2)]
    await records.apply("g", numbered(*start, told("c", 1, message=5)))
    assert (await records.active()).told == [at("c", 1, 5)]
    await records.apply("g", numbered(told("c", 2, message=6), told("c", 3), told("unheard of", 1), after=4))
    assert sorted((await records.active()).told) == [at("c", 1, 5), at("c", 2, 6)]
    # One person moves on. The anchor of the chat before must not count for the new chat.
    moved: list[Fact] = [closed("c", 1), changed(person(2, 2)), changed(chatting(1, 3, "d", 2)), opened("d", 3, 1)]
    await records.apply("g", numbered(*moved, after=7))
    assert (await records.active()).told == []
    await records.apply("g", numbered(told("d", 1, message=9), told("c", 1, message=7), after=11))
    assert (await records.active()).told == [at("d", 1, 9)]


def at(chat: str, who: int, message: int) -> Told:
    return Told(ChatId(chat), PersonId(who), MessageRef(BotId(11), MessageId(message)))


@staged(trying, "place")
async def test_each_sides_rating_is_kept_and_may_be_changed(records: Records, /, place: Place) -> None:
    await records.apply("g", numbered(opened("c", 1, 2), rated("c", 1, Rating.BAD), closed("c", 1)))
    await records.apply("g", numbered(rated("c", 2, Rating.GOOD), rated("c", 1, Rating.GOOD), after=3))
    await records.apply("g", numbered(rated("c", 3, Rating.BAD), rated("unheard of", 1), after=5))
    row = (await place.chats())[ChatId("c")]
    assert (row.rating1, row.rating2) == (Rating.GOOD, Rating.GOOD)
    await records.apply("g", numbered(rated("c", 2, Rating.BAD), after=7))
    row = (await place.chats())[ChatId("c")]
    assert (row.rating1, row.rating2) == (Rating.GOOD, Rating.BAD)


@staged(trying, "place")
async def test_a_block_that_was_lifted_is_still_known(records: Records, /, place: Place) -> None:
    one, two, three = PersonId(1), PersonId(2), PersonId(3)
    await records.apply("g", numbered(block(1, 2), block(2, 1, at=NOW + 1), block(1, 3, blocked=False)))
    assert await place.blocks() == {(one, two): BlockRow(NOW), (two, one): BlockRow(NOW + 1)}
    lifted = [block(1, 2, blocked=False, at=NOW + 5), block(1, 2, blocked=False, at=NOW + 6)]
    await records.apply("g", numbered(*lifted, block(1, 3), block(1, 3, blocked=False, at=NOW + 7), after=3))
    assert await place.blocks() == {
        (one, two): BlockRow(NOW, NOW + 5),
        (two, one): BlockRow(NOW + 1),
        (one, three): BlockRow(NOW, NOW + 7),
    }
    await records.apply("g", numbered(block(1, 2, at=NOW + 8), after=7))
    assert (await place.blocks())[one, two] == BlockRow(NOW + 8)


@staged(trying, "place")
async def test_a_comment_is_kept_once_and_only_with_its_complaint(records: Records, /, place: Place) -> None:
    both = [explained("c", 1, b"too early"), complaint("c", 1, 2), explained("c", 1, b"first")]
    await records.apply("g", numbered(*both, explained("c", 1, b"second"), complaint("d", 1, 3)))
    await records.apply("g", numbered(explained("d", 1, b"later"), explained("d", 2, b"of nobody"), after=5))
    kept = await place.complaints()
    assert {chat: row.words for (chat, _), row in kept.items()} == {"c": b"first", "d": b"later"}


@staged(trying, "place")
async def test_only_a_persons_first_complaint_about_a_chat_is_kept(records: Records, /, place: Place) -> None:
    both = [complaint("c", 1, 2), complaint("c", 2, 1, Complaint.SPAM)]
    await records.apply("g", numbered(*both, complaint("c", 1, 2, Complaint.OTHER)))
    await records.apply("g", numbered(complaint("c", 1, 2, Complaint.THREAT), complaint("d", 1, 3), after=3))
    assert await place.complaints() == {
        (ChatId("c"), PersonId(1)): ComplaintRow(PersonId(2), Complaint.RUDE, NOW + 95),
        (ChatId("c"), PersonId(2)): ComplaintRow(PersonId(1), Complaint.SPAM, NOW + 95),
        (ChatId("d"), PersonId(1)): ComplaintRow(PersonId(3), Complaint.RUDE, NOW + 95),
    }


@pytest.mark.sized
@shared
@given(people=st.lists(participants, min_size=1, max_size=20, unique_by=lambda each: each.person))
@staged(trying, "place")
async def test_the_records_keep_every_field_of_a_participant(records: Records, /, people: list[Participant]) -> None:
    later = next(versions)
    people = [msgspec.structs.replace(each, version=later) for each in people]
    await records.apply(next(generations), numbered(*map(changed, people)))
    found = await records.people([each.person for each in people])
    assert found == {each.person: each for each in people}
    active = by_person((await records.active()).people)
    for each in people:
        assert active.get(each.person) == (None if type(each.state).__name__ == "Idle" else each)


@pytest.mark.sized
@shared
@given(history=st.lists(facts, max_size=30), data=st.data())
@staged(trying, "place")
async def test_the_size_of_batches_does_not_change_the_result(
    records: Records, /, place: Place, history: list[Fact], data: st.DataObject
) -> None:
    generation = next(generations)
    entries = numbered(*history)
    batches = []
    start = 0
    while start < len(entries):
        end = data.draw(st.integers(start + 1, len(entries)))
        batches.append(entries[data.draw(st.integers(0, start)) : end])
        start = end
    everybody = [PersonId(number) for number in range(1, 5)]
    plain = MemoryRecords()
    # The place still holds the examples before this one.
    plain.disk.people = await records.people(everybody)
    plain.disk.chats = await place.chats()
    plain.disk.blocks = await place.blocks()
    plain.disk.complaints = await place.complaints()
    for entry in entries:
        await plain.apply(generation, [entry])
    for batch in batches:
        await records.apply(generation, batch)
    assert await records.people(everybody) == await plain.people(everybody)
    assert by_person((await records.active()).people) == by_person((await plain.active()).people)
    assert sorted((await records.active()).told) == sorted((await plain.active()).told)
    assert await place.chats() == plain.disk.chats
    assert await place.blocks() == plain.disk.blocks
    assert await place.complaints() == plain.disk.complaints
    assert await records.applied(generation) == len(entries)


@in_a_loop
async def test_the_fake_records_can_be_lost_and_come_back() -> None:
    records = MemoryRecords()
    await records.apply("g", numbered(changed(searching(1))))
    records.lost = True
    await expect_lost(records)
    records.lost = False
    assert await records.applied("g") == 1


@pytest.mark.services
@in_a_loop
async def test_a_stopped_server_is_a_loss_until_it_returns() -> None:
    with start_postgres() as server:
        await init_schema(server.uri)
        async with opening(SqlPlace(server.uri)) as records:
            await records.apply("g", numbered(changed(searching(1, 1))))
            await asyncio.to_thread(server.stop)
            await expect_lost(records)
            await asyncio.to_thread(server.start)
            assert await records.applied("g") == 1
            await records.apply("g", numbered(changed(searching(1, 2)), after=1))
            # A restart between two calls kills the pooled connections, but a read does not notice.
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            assert (await records.active()).people == [searching(1, 2)]


async def expect_lost(records: Records) -> None:
    """Every method raises, and nothing is stored."""
    for call in (
        records.people([PersonId(1)]),
        records.active(),
        records.applied("g"),
        records.apply("g", numbered(changed(person(1, 9)), after=1)),
    ):
        with pytest.raises(RecordsLost):
            await call


def test_a_sanction_stays_on_record_with_its_appeal_and_its_end(place: Place) -> None:
    ban = Sanction("s", SanctionKind.BANNED, Reason.SCAM, NOW, None, 3, "", "case")
    asked = msgspec.structs.replace(ban, appeal=Appeal.OPEN, appealed_at=NOW + 1)
    for_now = Sanction("t", SanctionKind.MEDIA_OFF, Reason.SPAM, NOW, NOW + 9, None, "rule")
    held = msgspec.structs.replace(person(1), sanctions=(asked, for_now), support=SupportCode("ABCDEFGH", NOW + 9))

    async def apply_and_read() -> dict[PersonId, Participant]:
        records = place.open()
        facts = (
            changed(held),
            SanctionChanged(PersonId(1), ban, NOW),
            SanctionChanged(PersonId(1), for_now, NOW),
            SanctionChanged(PersonId(1), asked, NOW + 1),
        )
        await records.apply("sanctions", numbered(*facts))
        await records.apply("sanctions", numbered(SanctionLifted("s", NOW + 2), SanctionLifted("s", NOW + 3), after=4))
        found = await records.people((PersonId(1),))
        await records.aclose()
        return found

    assert asyncio.run(apply_and_read()) == {1: held}
    assert asyncio.run(place.sanctions()) == {
        "s": SanctionRow(PersonId(1), asked, NOW + 2),
        "t": SanctionRow(PersonId(1), for_now),
    }
