"""The owner of a pool pairs everybody who can be paired, and a stale pair is harmless."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from passerby.domain.ages import ADULTS, MINORS
from passerby.domain.matching.wishes import LIVELY
from passerby.features.search import introduce
from passerby.kernel.decision import Decision, Env
from passerby.kernel.ids import ChatId, PersonId, PoolId
from passerby.kernel.participant import Chatting, Gender, Idle, Met, Participant, Preferences, Searching, Ticket
from passerby.ports.participants import Commit, Committed
from passerby.runtime.background.matcher import AT_ONCE, ROUNDS, Matcher
from tests.runtime.virtual import EPOCH, run
from tests.runtime.world import ANN, BEN, EVE, Bench, somebody, words_of
from tests.staged import staged


def waiting(person: int, since: float = EPOCH, pool: PoolId = ADULTS, recent: tuple[Met, ...] = ()) -> Participant:
    ticket = Ticket(PersonId(person), pool, since, Gender.UNSAID, 30, recent)
    return somebody(PersonId(person), Searching(ticket))


def at_pool(body: Callable[[Bench, Matcher], Awaitable[None]], introduction: Any = introduce) -> None:
    async def main() -> None:
        bench = Bench()
        matcher = Matcher(ADULTS, bench.store, introduction, bench.pairings.settle, bench.env, bench.clock)
        task = asyncio.ensure_future(matcher.run())
        await body(bench, matcher)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bench.close()

    run(main())


async def chats(bench: Bench, *people: int) -> dict[ChatId, set[PersonId]]:
    found: dict[ChatId, set[PersonId]] = {}
    for person in people:
        me = await bench.facts_of(PersonId(person))
        if isinstance(me.state, Chatting):
            found.setdefault(me.state.chat, set()).add(me.person)
            partner = await bench.facts_of(me.state.partner)
            assert isinstance(partner.state, Chatting)
            assert partner.state.partner == me.person
    return found


@staged(at_pool)
async def test_in_a_quiet_pool_nobody_waits_long_for_a_better_match(bench: Bench, matcher: Matcher, /) -> None:
    await bench.put(waiting(1, recent=(Met(PersonId(2), EPOCH - 60, skipped=True),)))
    await bench.put(waiting(2))
    await asyncio.sleep(1)
    assert await chats(bench, 1, 2) == {}
    await asyncio.sleep(2)
    assert list((await chats(bench, 1, 2)).values()) == [{ANN, BEN}]


@staged(at_pool)
async def test_in_a_busy_pool_people_wait_for_a_better_match(bench: Bench, matcher: Matcher, /) -> None:
    for number in range(100, 100 + LIVELY):
        ticket = Ticket(PersonId(number), ADULTS, EPOCH, Gender.UNSAID, 30, wants=Preferences(age_min=99))
        await bench.put(somebody(PersonId(number), Searching(ticket)))
    await asyncio.sleep(0.1)
    await bench.put(waiting(1, recent=(Met(PersonId(2), EPOCH - 60, skipped=True),)))
    await bench.put(waiting(2))
    await asyncio.sleep(10)
    assert await chats(bench, 1, 2) == {}
    await asyncio.sleep(12)
    assert list((await chats(bench, 1, 2)).values()) == [{ANN, BEN}]


@staged(at_pool)
async def test_two_waiting_people_are_paired_and_told(bench: Bench, matcher: Matcher, /) -> None:
    await bench.put(waiting(1))
    await asyncio.sleep(60)
    assert bench.telegram.sent == []
    await bench.put(waiting(2))
    await asyncio.sleep(0.1)
    assert list((await chats(bench, 1, 2)).values()) == [{ANN, BEN}]
    assert all("Partner found!</b>" in words for words in words_of(bench.telegram.sent))
    assert len(bench.telegram.sent) == 2
    for person in (ANN, BEN):
        facts = await bench.store.load(person)
        assert facts is not None
        assert facts.anchor is not None


@staged(at_pool)
async def test_a_thousand_simultaneous_searchers_are_all_paired_once(bench: Bench, matcher: Matcher, /) -> None:
    everybody = range(1, 1001)
    for person in everybody:
        await bench.put(waiting(person, EPOCH + person % 7))
    await asyncio.sleep(5)
    pairs = await chats(bench, *everybody)
    assert len(pairs) == 500
    assert {len(pair) for pair in pairs.values()} == {2}
    assert len(bench.telegram.sent) == 1000


@staged(at_pool)
async def test_pairs_are_committed_in_parallel_if_the_store_is_slow(bench: Bench, matcher: Matcher, /) -> None:
    load, asked_s = bench.store.load, 0.02

    async def far(person: PersonId, *rest: Any) -> Any:
        await asyncio.sleep(asked_s)
        return await load(person, *rest)

    everybody = range(1, 201)
    for person in everybody:
        await bench.put(waiting(person))
    bench.store.load = far  # type: ignore[method-assign, assignment]
    await asyncio.sleep(1)  # one after another, they would take four seconds
    bench.store.load = load  # type: ignore[method-assign]
    assert len(await chats(bench, *everybody)) == 100


@staged(at_pool)
async def test_a_commit_that_waits_for_the_disk_holds_up_no_other_pairs(bench: Bench, matcher: Matcher, /) -> None:
    commit, asked = bench.store.commit, list[Commit]()
    answer = asyncio.Event()

    async def slow(wanted: Commit) -> Committed:
        asked.append(wanted)
        await answer.wait()
        return await commit(wanted)

    everybody = range(1, 1001)
    for person in everybody:
        await bench.put(waiting(person))
    bench.store.commit = slow  # type: ignore[method-assign]
    await asyncio.sleep(1)
    assert len(asked) == AT_ONCE * ROUNDS, "but not without bound"
    answer.set()
    await asyncio.sleep(1)
    bench.store.commit = commit  # type: ignore[method-assign]
    assert len(await chats(bench, *everybody)) == 500


@staged(at_pool)
async def test_a_matcher_that_is_stopped_finishes_the_pairs_in_hand(bench: Bench, matcher: Matcher, /) -> None:
    commit, answer = bench.store.commit, asyncio.Event()

    async def slow(wanted: Commit) -> Committed:
        await answer.wait()
        return await commit(wanted)

    everybody = range(1, 1001)
    for person in everybody:
        await bench.put(waiting(person, pool=MINORS))
    bench.store.commit = slow  # type: ignore[method-assign]
    stopping = Matcher(MINORS, bench.store, introduce, bench.pairings.settle, bench.env, bench.clock)
    task = asyncio.ensure_future(stopping.run())
    await asyncio.sleep(1)
    stopping.stop()
    answer.set()
    await task
    bench.store.commit = commit  # type: ignore[method-assign]
    assert len(await chats(bench, *everybody)) == AT_ONCE * ROUNDS


@staged(at_pool)
async def test_while_people_come_and_go_only_waiting_people_are_paired(bench: Bench, matcher: Matcher, /) -> None:
    await bench.put(waiting(1))
    await asyncio.sleep(1)
    await bench.put(msgspec.structs.replace(waiting(1), version=2, state=Idle()))
    await bench.put(waiting(2))
    await asyncio.sleep(60)
    assert await chats(bench, 1, 2) == {}
    await bench.put(waiting(3))
    await asyncio.sleep(1)
    assert list((await chats(bench, 1, 2, 3)).values()) == [{BEN, EVE}]


@staged(at_pool)
async def test_a_stale_pair_is_harmless_and_the_other_person_still_finds_a_partner(
    bench: Bench, matcher: Matcher, /
) -> None:
    """Ann stops searching between the match and the commit."""
    meddled: list[int] = []
    settle = bench.pairings.settle

    async def meddle(decision: Decision, before: dict[PersonId, Participant], name: Any) -> bool:
        if not meddled:
            meddled.append(1)
            await bench.put(msgspec.structs.replace(before[ANN], version=2, state=Idle()))
        return await settle(decision, before, name)

    matcher._settle = meddle
    await bench.put(waiting(1), waiting(2))
    await asyncio.sleep(1)
    assert meddled == [1]
    assert await chats(bench, 1, 2) == {}
    assert bench.telegram.sent == []
    await bench.put(waiting(3))
    await asyncio.sleep(1)
    assert list((await chats(bench, 2, 3)).values()) == [{BEN, EVE}]


@staged(at_pool)
async def test_an_outdated_ticket_is_not_paired(bench: Bench, matcher: Matcher, /) -> None:
    """Ann's age has just been corrected: she belongs to the other pool now."""
    load = bench.store.load
    changed: list[PersonId] = []

    async def change_first(person: PersonId, *rest: Any) -> Any:
        if not changed:
            changed.append(person)
            await bench.put(msgspec.structs.replace(waiting(1, pool=MINORS), version=2))
        return await load(person, *rest)

    bench.store.load = change_first  # type: ignore[method-assign, assignment]
    await bench.put(waiting(1), waiting(2))
    await asyncio.sleep(60)
    assert changed == [ANN]
    assert await chats(bench, 1, 2) == {}


@staged(at_pool)
async def test_a_changed_ticket_is_considered_again(bench: Bench, matcher: Matcher, /) -> None:
    load = bench.store.load
    changed: list[PersonId] = []

    async def change_first(person: PersonId, *rest: Any) -> Any:
        if not changed:
            changed.append(person)
            newer = waiting(1, EPOCH + 50)
            await bench.put(msgspec.structs.replace(newer, version=2))
        return await load(person, *rest)

    bench.store.load = change_first  # type: ignore[method-assign, assignment]
    await bench.put(waiting(1), waiting(2))
    await asyncio.sleep(1)
    assert changed == [ANN]
    assert list((await chats(bench, 1, 2)).values()) == [{ANN, BEN}]


@staged(at_pool)
async def test_while_the_store_is_away_the_matcher_waits_and_then_starts_again(
    bench: Bench, matcher: Matcher, /
) -> None:
    await bench.put(waiting(1), waiting(2))
    bench.disk.full = True
    await asyncio.sleep(5)
    assert await chats(bench, 1, 2) == {}
    bench.disk.full = False
    await asyncio.sleep(2)
    assert len(await chats(bench, 1, 2)) == 1


def clumsy(one: Participant, other: Participant, env: Env) -> Decision:
    if {one.person, other.person} == {ANN, BEN}:
        raise ZeroDivisionError
    return introduce(one, other, env)


@staged(at_pool, introduction=clumsy)
async def test_a_bug_affects_one_pair_and_not_the_whole_pool(bench: Bench, matcher: Matcher, /) -> None:
    await bench.put(waiting(1), waiting(2), waiting(3), waiting(4))
    await asyncio.sleep(1)
    assert list((await chats(bench, 3, 4)).values()) == [{PersonId(3), PersonId(4)}]
    assert await chats(bench, 1, 2) == {}
    again = waiting(1)
    await bench.put(msgspec.structs.replace(again, version=2))
    await bench.put(waiting(5))
    await asyncio.sleep(1)
    assert list((await chats(bench, 1, 5)).values()) == [{ANN, PersonId(5)}]


@staged(at_pool)
async def test_a_person_whom_the_store_has_forgotten_is_not_paired(bench: Bench, matcher: Matcher, /) -> None:
    load = bench.store.load

    async def forgetful(person: PersonId, *rest: Any) -> Any:
        return None if person == ANN else await load(person, *rest)

    bench.store.load = forgetful  # type: ignore[method-assign, assignment]
    await bench.put(waiting(1), waiting(2))
    await asyncio.sleep(1)
    assert bench.telegram.tried == []
