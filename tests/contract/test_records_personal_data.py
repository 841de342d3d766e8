"""The contract of `passerby.ports.personal_data`: what the records find about a person, and what an erasure leaves."""

import msgspec
import pytest

from passerby.kernel.history import History, PastBlock, PastChat, PastReport, PastSanction
from passerby.kernel.ids import BotId, ChatId, PersonId
from passerby.kernel.participant import Complaint, DataRequests, LastChat, Met, Participant, Rating, Saved
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.ports.facts import Fact, SanctionChanged, SanctionLifted
from passerby.ports.records import Records
from tests.contract.records_facts import (
    NOW,
    block,
    changed,
    closed,
    complaint,
    erased,
    explained,
    numbered,
    opened,
    person,
    rated,
    told,
)
from tests.contract.records_places import MemoryPlace, Place, trying
from tests.staged import staged


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        return MemoryPlace()
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


ANN, BOB, CLEO = PersonId(777_000_001), PersonId(777_000_002), PersonId(777_000_003)


def asking(who: int, version: int = 1, **what: object) -> Participant:
    return msgspec.structs.replace(person(who, version), requests=DataRequests(**what))  # type: ignore[arg-type]


@staged(trying, "place")
async def test_people_who_wait_for_their_data_or_their_erasure_are_found(records: Records, /) -> None:
    await records.apply(
        "g",
        numbered(
            changed(asking(1, copy_at=NOW)),
            changed(asking(2, erase_at=NOW + 10)),
            changed(asking(3, copied_at=NOW - 5)),
            changed(person(4, 1)),
        ),
    )
    assert [each.person for each in await records.requests(NOW, 9)] == [1]
    assert [each.person for each in await records.requests(NOW + 10, 9)] == [1, 2]
    assert [each.person for each in await records.requests(NOW + 10, 1)] == [1]
    assert (await records.requests(NOW, 9))[0] == asking(1, copy_at=NOW)
    await records.apply("g", numbered(changed(asking(1, 2, copied_at=NOW)), after=4))
    assert list(await records.requests(NOW, 9)) == []


@staged(trying, "place")
async def test_the_history_has_what_the_person_did_and_not_what_others_did(records: Records, /) -> None:
    await records.apply(
        "g",
        numbered(
            changed(person(ANN, 1), NOW - 9),
            opened("c", ANN, BOB),
            opened("d", CLEO, ANN, at=NOW + 5),
            opened("e", BOB, CLEO),
            rated("c", ANN),
            rated("c", BOB, Rating.BAD),
            closed("c", ANN, "next"),
            closed("d", CLEO, "stop", at=NOW + 70),
            block(ANN, BOB),
            block(CLEO, ANN),
            complaint("c", ANN, BOB),
            explained("c", ANN, b"sealed"),
            complaint("d", CLEO, ANN),
        ),
    )
    assert await records.history(ANN) == History(
        NOW - 9,
        (
            PastChat(
                chat=ChatId("c"),
                partner=BOB,
                bot=BotId(11),
                opened_at=NOW,
                closed_at=NOW + 60,
                left=True,
                reason="next",
                rating=Rating.GOOD,
            ),
            PastChat(
                chat=ChatId("d"),
                partner=CLEO,
                bot=BotId(12),
                opened_at=NOW + 5,
                closed_at=NOW + 70,
                left=False,
                reason="stop",
                rating=None,
            ),
        ),
        (PastBlock(whom=BOB, blocked_at=NOW, lifted_at=None),),
        (PastReport(chat=ChatId("c"), whom=BOB, reason=Complaint.RUDE, filed_at=NOW + 95, words=b"sealed"),),
    )
    assert await records.history(PersonId(99)) == History()


@staged(trying, "place")
async def test_people_who_met_or_saved_somebody_are_found_but_not_those_who_block_them(records: Records, /) -> None:
    replace = msgspec.structs.replace
    last = LastChat(ChatId("c"), ANN, NOW, "next", left=True)
    await records.apply(
        "g",
        numbered(
            changed(person(ANN, 1)),
            changed(replace(person(1, 1), recent=(Met(ANN, NOW),))),
            changed(replace(person(2, 1), saved=(Saved("t", ANN),))),
            changed(replace(person(3, 1), last=last)),
            changed(replace(person(4, 1), blocked=(ANN,))),
            changed(replace(person(5, 1), recent=(Met(PersonId(int(f"{ANN}9")), NOW),))),
            changed(person(6, 1)),
        ),
    )
    assert sorted(await records.acquaintances(ANN, 9)) == [1, 2, 3]
    assert len(await records.acquaintances(ANN, 2)) == 2


@staged(trying, "place")
async def test_an_erasure_removes_a_person_from_every_table(records: Records, /, place: Place) -> None:
    await records.apply(
        "g",
        numbered(
            changed(person(ANN, 1)),
            changed(person(BOB, 1)),
            opened("c", ANN, BOB),
            told("c", ANN),
            told("c", BOB, 6, 12),
            rated("c", ANN),
            rated("c", BOB),
            closed("c", ANN),
            opened("d", CLEO, ANN),
            block(ANN, BOB),
            complaint("c", ANN, BOB),
            explained("c", ANN, b"sealed"),
            changed(Participant(ANN, 2)),
            erased(ANN),
        ),
    )
    assert await records.people([ANN, BOB]) == {BOB: person(BOB, 1)}
    assert await place.mentions(ANN) == []
    assert await records.history(ANN) == History()
    rows = await place.chats()
    assert rows[ChatId("c")].rating2 is Rating.GOOD, "the other's opinion stays"
    assert rows[ChatId("c")].user2 == BOB
    (filed,) = (await place.complaints()).values()
    assert (filed.accused, filed.words) == (BOB, None), "the report stays, without the words"


@staged(trying, "place")
async def test_blocks_and_reports_of_others_outlast_an_erasure(records: Records, /, place: Place) -> None:
    await records.apply("g", numbered(opened("c", ANN, BOB), block(BOB, ANN), complaint("c", BOB, ANN), erased(ANN)))
    assert list(await place.blocks()) == [(BOB, ANN)]
    assert list(await place.complaints()) == [("c", BOB)]


@staged(trying, "place")
async def test_two_erased_people_who_reported_each_other_leave_one_report(records: Records, /, place: Place) -> None:
    filed = (complaint("c", ANN, BOB), complaint("c", BOB, ANN))
    await records.apply("g", numbered(opened("c", ANN, BOB), *filed, erased(ANN), erased(BOB)))
    assert len(await place.complaints()) == 1


@staged(trying, "place")
async def test_facts_after_an_erasure_in_the_same_batch_stay(records: Records, /, place: Place) -> None:
    again = person(ANN, 3)
    facts = (changed(person(ANN, 1)), block(ANN, BOB), erased(ANN), changed(again), block(ANN, CLEO))
    await records.apply("g", numbered(*facts))
    assert await records.people([ANN]) == {ANN: again}
    assert list(await place.blocks()) == [(ANN, CLEO)]


@staged(trying, "place")
async def test_a_person_who_is_back_keeps_their_new_value(records: Records, /, place: Place) -> None:
    await records.apply("g", numbered(block(ANN, BOB), changed(person(ANN, 4)), erased(ANN, is_back=True)))
    assert await records.people([ANN]) == {ANN: person(ANN, 4)}
    assert await place.blocks() == {}


def _restricted(who: PersonId) -> list[Fact]:
    until = {"over": NOW + 5, "lifted": None, "for a time": NOW + 900, "for good": None}
    held = [Sanction(name, SanctionKind.BANNED, Reason.SCAM, NOW, end) for name, end in until.items()]
    return [*(SanctionChanged(who, each, NOW) for each in held), SanctionLifted("lifted", NOW + 6)]


@staged(trying, "place")
async def test_the_history_has_the_sanctions_that_are_over_too(records: Records, /) -> None:
    other = Sanction("of another", SanctionKind.SLOW, Reason.SPAM, NOW)
    await records.apply("g", numbered(*_restricted(ANN), SanctionChanged(BOB, other, NOW)))
    found = (await records.history(ANN)).sanctions
    lifted_at = {each.sanction.id: each.lifted_at for each in found}
    assert lifted_at == {"over": None, "lifted": NOW + 6, "for a time": None, "for good": None}
    assert (await records.history(BOB)).sanctions == (PastSanction(sanction=other, lifted_at=None),)


@staged(trying, "place")
async def test_an_erasure_leaves_only_the_sanctions_that_bind(records: Records, /, place: Place) -> None:
    await records.apply("g", numbered(*_restricted(ANN), erased(ANN, is_back=True)))
    assert sorted(await place.sanctions()) == ["for a time", "for good"]
    await records.apply("g", numbered(erased(ANN), after=6))
    assert await place.mentions(ANN) == []
