"""The contract of conducts: what people did today and yesterday, in numbers."""

from passerby.kernel.ids import PersonId
from tests.contract.live_body import contract
from tests.contract.live_places import Place

ANN, BEN, EVE = PersonId(5_000_000_001), PersonId(5_000_000_002), PersonId(5_000_000_003)
DAY_S = 86_400


@contract
async def test_a_days_conducts_are_kept_and_replaced_one_by_one(place: Place) -> None:
    store, today = place.open(), int(place.clock.now() // DAY_S)
    await store.keep_conducts(today, {ANN: b"one", BEN: b"\x00two"}, candidates=[BEN])
    await store.keep_conducts(today, {ANN: b"three"})
    assert await store.conducts(today, [ANN, BEN, EVE]) == {ANN: b"three", BEN: b"\x00two"}
    assert await store.conducts(today, []) == {}
    assert await store.conducts(today - 1, [ANN]) == {}


@contract
async def test_only_candidates_are_looked_at_closely(place: Place) -> None:
    store, today = place.open(), int(place.clock.now() // DAY_S)
    await store.keep_conducts(today, {ANN: b"a", BEN: b"b", EVE: b"e"}, candidates=[ANN, BEN])
    await store.keep_conducts(today, {ANN: b"calm again"})
    assert await store.candidates(today, 10) == {BEN: b"b"}
    await store.keep_conducts(today, {EVE: b"busy"}, candidates=[EVE])
    assert await store.candidates(today, 10) == {BEN: b"b", EVE: b"busy"}
    assert len(await store.candidates(today, 1)) == 1
    assert await store.candidates(today - 1, 10) == {}


@contract
async def test_one_person_can_be_forgotten_at_once(place: Place) -> None:
    store, today = place.open(), int(place.clock.now() // DAY_S)
    for day in (today, today - 1):
        await store.keep_conducts(day, {ANN: b"a", BEN: b"b"}, candidates=[ANN, BEN])
    await store.forget_conduct(ANN)
    await store.forget_conduct(EVE)
    for day in (today, today - 1):
        assert await store.conducts(day, [ANN, BEN]) == {BEN: b"b"}
        assert await store.candidates(day, 10) == {BEN: b"b"}


@contract
async def test_many_people_are_kept_in_one_call(place: Place) -> None:
    store, today = place.open(), int(place.clock.now() // DAY_S)
    crowd = {PersonId(number): b"%d" % number for number in range(1, 2_501)}
    await store.keep_conducts(today, crowd, candidates=list(crowd)[:1_500])
    assert await store.conducts(today, list(crowd)) == crowd
    assert len(await store.candidates(today, 5_000)) == 1_500
