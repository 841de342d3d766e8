"""The contract of `passerby.ports.broadcasts`, for every implementation: who is frozen, and that each target is claimed
once, whoever claims and whenever somebody dies."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from passerby.adapters.sql import SqlBroadcasts, SqlRecords, SqlStaff, broadcasts
from passerby.adapters.sql.retention import TARGETS_S, Kept, Retention
from passerby.adapters.sql.tables import past_chats
from passerby.domain.broadcasts.canary import PLACES
from passerby.kernel.broadcast import (
    ArmFigures,
    Audience,
    Broadcast,
    BroadcastState,
    Category,
    Copy,
    Got,
    Settled,
    Target,
    TargetState,
    Variant,
)
from passerby.kernel.content import Content, Kind
from passerby.kernel.facts_wanted import FactsWanted
from passerby.kernel.ids import BotId, MessageId, PersonId, UpdateRef
from passerby.kernel.journey import Journey
from passerby.kernel.participant import DataRequests, Gender, Participant
from passerby.kernel.sanction import Reason, Sanction, SanctionKind
from passerby.kernel.staff import AuditNote, StaffDecision, StaffFacts
from passerby.ports.broadcasts import BroadcastRecords, Claimable
from passerby.ports.records import Records
from passerby.ports.staff import StaffRecords
from tests.contract.broadcasts_memory import MemoryBroadcasts
from tests.contract.records_facts import NOW, changed, erased, numbered, person
from tests.contract.records_memory import MemoryRecords
from tests.contract.records_places import MemoryPlace, Place, opening
from tests.contract.staff_memory import MemoryStaff
from tests.staged import staged

DAY_S = 86_400.0
BOT, OTHER = BotId(1), BotId(2)
HELLO = Variant(Content(Kind.TEXT, "hello"))
replace = msgspec.structs.replace


def made(number: int = 1, **more: Any) -> Broadcast:
    return Broadcast(number, BroadcastState.STARTING, 1, NOW, variants=(HELLO,), canary=False, **more)


MOST = 1_000_000
"""People whom one member may write to alone."""


class Office:
    """The three ports over the same data."""

    def __init__(self, records: Records, broadcasts: BroadcastRecords, staff: StaffRecords) -> None:
        self.records = records
        self.broadcasts = broadcasts
        self._staff = staff
        self._updates = 0

    async def know(self, *people: Participant) -> None:
        self._updates += 1
        await self.records.apply(f"g{self._updates}", numbered(*map(changed, people)))

    async def store(self, *broadcasts: Broadcast) -> None:
        self._updates += 1
        decision = StaffDecision(notes=(AuditNote("broadcast.made"),), broadcasts=broadcasts)
        await self._staff.decide(None, UpdateRef(BOT, self._updates), lambda facts: decision, NOW)

    async def seen(self, named: int = 0) -> list[int]:
        """The numbers of the broadcasts that a decision of staff knows."""
        self._updates += 1
        found: list[int] = []

        def decide(facts: StaffFacts) -> StaffDecision:
            found.extend(each.number for each in facts.broadcasts)
            return StaffDecision()

        await self._staff.decide(None, UpdateRef(BOT, self._updates), decide, NOW, FactsWanted(broadcast=named))
        return found

    async def started(self, broadcast: Broadcast, below: int = 0) -> None:
        await self.store(broadcast)
        assert await self.broadcasts.freeze(broadcast.number, NOW, 60.0, lambda frozen, people: below, MOST)

    async def started_at(self, broadcast: Broadcast, people: tuple[int, ...], at: float) -> None:
        """It began then, and these people have got it."""
        only = Audience(people=tuple(map(PersonId, people)))
        await self.store(msgspec.structs.replace(broadcast, audience=only))
        assert await self.broadcasts.freeze(broadcast.number, at, 60.0, lambda frozen, people: 0, MOST)
        claimed = await self.claim("w", number=broadcast.number, now=at)
        assert len(claimed) == len(people)
        settled = [Settled(each.whom, TargetState.SENT, each.bot, at, MessageId(5)) for each in claimed]
        await self.broadcasts.settle(broadcast.number, "w", settled)

    async def claim(self, by: str, most: int = 100, number: int = 1, bot: BotId = BOT, **more: Any) -> list[Target]:
        claimable = Claimable(number, bot, more.pop("below", PLACES), more.pop("now", NOW + 1), **more)
        return list(await self.broadcasts.claim(claimable, by, most))

    async def state(self, number: int = 1) -> BroadcastState:
        broadcast = await self.broadcasts.broadcast(number)
        assert broadcast is not None
        return broadcast.state

    async def counts(self, number: int = 1) -> dict[TargetState, int]:
        return (await self.broadcasts.progress(number)).counts


def at_office(place: Place, body: Callable[[Office], Awaitable[None]]) -> None:
    async def run() -> None:
        async with opening(place) as records:
            if isinstance(records, MemoryRecords):
                office = Office(records, MemoryBroadcasts(records.disk), MemoryStaff(records=records.disk))
            else:
                assert isinstance(records, SqlRecords)
                office = Office(records, SqlBroadcasts(records.engine), SqlStaff(records.engine))
            await body(office)

    asyncio.run(run())


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "memory":
        return MemoryPlace()
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


def sent(target: Target, message: int = 5, **more: Any) -> Settled:
    return Settled(target.whom, TargetState.SENT, target.bot, NOW + 1, MessageId(message), **more)


BAN = Sanction("beef", SanctionKind.BANNED, Reason.SCAM, NOW - 5, by=4)


@staged(at_office, "place")
async def test_staff_find_a_broadcast_that_waits_for_approval_and_the_one_they_name_behind_many_newer_ones(
    office: Office, /
) -> None:
    words = Variant(Content(Kind.TEXT, '"state":"submitted"'))
    for number in range(1, 31):
        state = BroadcastState.SUBMITTED if number == 2 else BroadcastState.DRAFT
        await office.store(replace(made(number), state=state, variants=(words,)))
    assert await office.seen() == [2, *range(11, 31)]
    assert await office.seen(named=3) == [2, 3, *range(11, 31)]


@staged(at_office, "place")
async def test_the_audience_is_who_can_be_reached_and_fits(office: Office, /) -> None:
    ann, bob, cleo = person(1, 1), person(2, 1, bot=2, language="de"), person(3, 1, language="pt-BR")
    bob = replace(bob, profile=replace(bob.profile, gender=Gender.MALE, age=17), seen_at=NOW - 40 * DAY_S)
    cleo = replace(cleo, vip_until=NOW + 9, muted=("promo",), journey=Journey("spring_1", BotId(1), "pt", NOW))
    bob = replace(bob, journey=Journey("springx1", BotId(2), "de", NOW))
    await office.know(
        ann,
        bob,
        cleo,
        person(4, 1, bot=None),
        replace(person(5, 1), sanctions=(BAN,)),
        replace(person(6, 1), requests=DataRequests(erase_at=NOW + 9)),
        replace(person(7, 1), profile=replace(person(7).profile, consented_at=None)),
    )
    expected = (
        (Audience(), Category.NEWS, 3),
        (Audience(), Category.PROMO, 2),
        (Audience(vip=True), Category.PROMO, 0),
        (Audience(), Category.SYSTEM, 3),
        (Audience(bots=(OTHER,)), Category.NEWS, 1),
        (Audience(languages=("pt", "de")), Category.NEWS, 2),
        (Audience(genders=(Gender.MALE,)), Category.NEWS, 1),
        (Audience(age_min=18), Category.NEWS, 2),
        (Audience(age_max=17), Category.NEWS, 1),
        (Audience(active_days=30), Category.NEWS, 2),
        (Audience(idle_days=30), Category.NEWS, 1),
        (Audience(vip=True), Category.NEWS, 1),
        (Audience(vip=False), Category.NEWS, 2),
        (Audience(sources=("spring_1",)), Category.NEWS, 1),
        (Audience(sources=("spring_1", "springx1")), Category.NEWS, 2),
        (Audience(sources=("spring",)), Category.NEWS, 0),
        (Audience(people=(PersonId(3), PersonId(4), PersonId(5))), Category.PROMO, 2),
    )
    for audience, category, people in expected:
        asked = Broadcast(9, BroadcastState.DRAFT, 1, NOW, category, audience)
        assert (await office.broadcasts.reach(asked, NOW)).people == people, (audience, category)
    everybody = Broadcast(9, BroadcastState.DRAFT, 1, NOW)
    assert (await office.broadcasts.reach(everybody, NOW)).by_bot == ((BOT, 2), (OTHER, 1))
    german = msgspec.structs.replace(everybody, variants=(Variant(HELLO.content, "de"),))
    assert (await office.broadcasts.reach(german, NOW)).by_bot == ((OTHER, 1),), "others would read nothing"


@staged(at_office, "place")
async def test_the_count_is_of_those_who_are_frozen_without_those_who_had_enough(office: Office, /) -> None:
    """The count before the start and the number of rows after it are the same, for each category."""
    await office.know(*(replace(person(number, 1), seen_at=NOW - 20 * DAY_S) for number in range(1, 7)))
    past = (
        # person 1 had two this week; 2 had an offer; 3 had two while away; 4 had two long ago; 5 had a system message
        (1, Category.NEWS, (1, 4), NOW - 2 * DAY_S),
        (2, Category.NEWS, (1, 5), NOW - DAY_S),
        (3, Category.PROMO, (2,), NOW - 6 * DAY_S),
        (4, Category.COMEBACK, (3,), NOW - 12 * DAY_S),
        (5, Category.COMEBACK, (3,), NOW - 9 * DAY_S),
        (6, Category.NEWS, (4,), NOW - 8 * DAY_S),
        (7, Category.SYSTEM, (5,), NOW - DAY_S),
    )
    for number, category, people, at in past:
        await office.started_at(msgspec.structs.replace(made(number, category=category), made_at=at), people, at)
    for number, category, expected in (
        (11, Category.NEWS, 5),
        (12, Category.PROMO, 4),
        (13, Category.COMEBACK, 4),
        (14, Category.SYSTEM, 6),
    ):
        broadcast = made(number, category=category)
        counted = await office.broadcasts.reach(broadcast, NOW)
        await office.started(broadcast)
        frozen = sum((await office.counts(number)).values())
        assert (counted.people, frozen) == (expected, expected), category


@staged(at_office, "place")
async def test_the_people_are_frozen_once_and_newcomers_get_nothing(office: Office, /) -> None:
    await office.know(person(1, 1), person(2, 1, bot=2))
    await office.started(made())
    running = await office.broadcasts.broadcast(1)
    assert running is not None
    assert (running.state, running.people, running.ends_at) == (BroadcastState.RUNNING, 2, NOW + 60)
    await office.know(person(3, 1))
    assert not await office.broadcasts.freeze(1, NOW + 5, 60.0, lambda frozen, people: 0, MOST)
    assert await office.counts() == {TargetState.WAITING: 2}
    assert [each.whom for each in await office.claim("x")] == [1]
    assert [each.whom for each in await office.claim("x", bot=OTHER)] == [2]


@staged(at_office, "place")
async def test_many_people_are_frozen_in_parts_and_nobody_gets_it_before_the_last(
    office: Office, /, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasts, "FROZEN_AT_ONCE", 2)
    await office.know(*(person(number, 1) for number in range(1, 8)), replace(person(4, 2), muted=("news",)))
    await office.store(made())
    calls = 0
    while await office.state() is BroadcastState.STARTING:
        if calls == 1:
            await office.know(person(0, 1), person(9, 1))  # the one is too late
        # Two processes may do it at the same time. Either may find nothing left.
        freezing = (office.broadcasts.freeze(1, NOW, 60.0, lambda frozen, people: people, MOST) for _ in range(2))
        await asyncio.gather(*freezing)
        calls += 1
    running = await office.broadcasts.broadcast(1)
    assert running is not None
    if not isinstance(office.broadcasts, MemoryBroadcasts):
        assert calls > 1
        assert (running.people, running.canary_below) == (7, 7)
        assert sorted(each.whom for each in await office.claim("x")) == [1, 2, 3, 5, 6, 7, 9]
    assert await office.counts() == {TargetState.SENDING: running.people} or calls == 1


@staged(at_office, "place")
@pytest.mark.parametrize(
    ("alone", "approved_by", "becomes"), [(2, None, "submitted"), (3, None, "running"), (2, 9, "running")]
)
async def test_a_broadcast_whose_audience_has_grown_waits_for_a_second_member(
    office: Office, /, alone: int, approved_by: int | None, becomes: str
) -> None:
    await office.know(*(person(number, 1) for number in (1, 2, 3)))
    await office.store(replace(made(), submitted_by=1, approved_by=approved_by))
    assert await office.broadcasts.freeze(1, NOW, 60.0, lambda frozen, people: 0, alone)
    assert await office.state() == becomes
    if becomes == "running":
        assert len(await office.claim("x")) == 3


@staged(at_office, "place")
async def test_the_broadcasts_of_a_day_that_one_member_started_alone_count_together(office: Office, /) -> None:
    await office.know(*(person(number, 1) for number in (1, 2, 3)))
    for number, submitted_by, becomes in ((1, 1, "running"), (2, 2, "running"), (3, 1, "submitted")):
        await office.store(replace(made(number), submitted_by=submitted_by, category=Category.SYSTEM))
        assert await office.broadcasts.freeze(number, NOW, 60.0, lambda frozen, people: 0, 5)
        assert await office.state(number) == becomes
    approved = replace(made(3), submitted_by=1, approved_by=2, category=Category.SYSTEM)
    await office.store(approved)
    assert await office.broadcasts.freeze(3, NOW, 60.0, lambda frozen, people: 0, 5)
    assert await office.state(3) is BroadcastState.RUNNING


@staged(at_office, "place")
async def test_a_broadcast_that_is_stopped_while_its_people_are_frozen_does_not_run(
    office: Office, /, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcasts, "FROZEN_AT_ONCE", 2)
    await office.know(*(person(number, 1) for number in range(1, 8)))
    await office.store(made())
    await office.broadcasts.freeze(1, NOW, 60.0, lambda frozen, people: 0, MOST)
    await office.store(replace(made(), state=BroadcastState.STOPPED))
    assert not await office.broadcasts.freeze(1, NOW, 60.0, lambda frozen, people: 0, MOST)
    assert await office.state() is BroadcastState.STOPPED


@staged(at_office, "place")
async def test_many_who_claim_at_the_same_time_never_get_the_same_target(office: Office, /) -> None:
    await office.know(*(person(number, 1) for number in range(1, 61)))
    await office.started(made())
    claims = [office.claim(f"worker {number}", 7) for number in range(12)]
    claimed = [each.whom for some in await asyncio.gather(*claims) for each in some]
    claimed += [each.whom for each in await office.claim("last")]
    assert sorted(claimed) == list(range(1, 61))


@staged(at_office, "place")
async def test_a_claim_says_who_the_person_is_and_what_they_got_lately(office: Office, /) -> None:
    ann = person(1, 1)
    await office.know(ann)
    for number, category, is_test in ((1, Category.PROMO, False), (2, Category.NEWS, True), (3, Category.NEWS, False)):
        await office.started(made(number, category=category, is_test=is_test))
    (target,) = await office.claim("x", number=1)
    await office.broadcasts.settle(1, "x", (sent(target),))
    (target,) = await office.claim("x", number=2)
    (target,) = await office.claim("x", number=3)
    assert target == Target(PersonId(1), BOT, ann, (Got(Category.PROMO, NOW + 1),))


@staged(at_office, "place")
async def test_a_claim_takes_as_many_as_asked_whatever_plan_the_database_makes(office: Office, /) -> None:
    if isinstance(office.records, SqlRecords) and office.records.engine.dialect.name == "postgresql":
        # The remaining plan reads the chosen rows once for each row of the table.
        plans = [f"SET LOCAL enable_{plan} = off" for plan in ("hashjoin", "mergejoin", "hashagg", "sort", "material")]
        sa.event.listen(
            office.records.engine.sync_engine,
            "begin",
            lambda connection: [connection.exec_driver_sql(plan) for plan in plans],
        )
    await office.know(*(person(number, 1) for number in range(1, 8)))
    await office.started(made())
    claimed = [await office.claim(f"worker {number}", 3) for number in range(3)]
    assert [len(each) for each in claimed] == [3, 3, 1]
    assert await office.broadcasts.disown("another") == 7


@staged(at_office, "place")
async def test_a_target_that_a_dead_worker_claimed_becomes_unknown_and_is_never_claimed_again(
    office: Office, /
) -> None:
    await office.know(*(person(number, 1) for number in range(1, 6)))
    await office.started(made())
    dead = await office.claim("dead", 3)
    assert await office.broadcasts.disown("alive") == 3
    alive = await office.claim("alive")
    assert {each.whom for each in dead}.isdisjoint(each.whom for each in alive)
    await office.broadcasts.settle(1, "alive", [sent(each) for each in alive])
    assert await office.counts() == {TargetState.UNKNOWN: 3, TargetState.SENT: 2}
    # It was only slow: it may say that one arrived, and can give none back.
    back = [Settled(each.whom, TargetState.WAITING, BOT, NOW) for each in dead[1:]]
    await office.broadcasts.settle(1, "dead", [sent(dead[0]), *back])
    assert await office.counts() == {TargetState.UNKNOWN: 2, TargetState.SENT: 3}
    assert await office.claim("dead") == []


@staged(at_office, "place")
async def test_a_target_that_is_given_back_waits_until_it_is_due(office: Office, /) -> None:
    await office.know(person(1, 1))
    await office.started(made())
    (target,) = await office.claim("x")
    back = Settled(target.whom, TargetState.WAITING, OTHER, NOW + 1, due_at=NOW + 50, is_planned=True)
    await office.broadcasts.settle(1, "x", (back,))
    assert await office.claim("x", bot=OTHER, now=NOW + 49) == []
    assert await office.broadcasts.due(1, PLACES, NOW + 49) == 0
    assert await office.broadcasts.due(1, PLACES, NOW + 50) == 1
    (target,) = await office.claim("x", bot=OTHER, now=NOW + 50)
    assert target.is_planned
    await office.broadcasts.settle(1, "somebody else", (sent(target),))
    assert await office.counts() == {TargetState.SENDING: 1}


@staged(at_office, "place")
async def test_the_canary_is_compared_with_those_who_wait(office: Office, /) -> None:
    await office.know(*(person(number, 1) for number in range(1, 101)))
    await office.started(made(), below=PLACES // 2)
    first = await office.claim("x", below=PLACES // 2)
    rest = sorted(set(range(1, 101)) - {each.whom for each in first})
    assert 10 < len(first) < 90
    assert await office.claim("x", below=PLACES // 2) == []
    refused = Settled(first[-1].whom, TargetState.REFUSED, BOT, NOW)
    await office.broadcasts.settle(1, "x", [*map(sent, first[:-1]), refused])
    await office.know(*(replace(person(each.whom, 2), bot=None, bots=()) for each in first[:4]))
    await office.know(replace(person(rest[0], 2), bot=OTHER, bots=(OTHER,)))
    watched = await office.broadcasts.watched(1, PLACES // 2)
    assert watched == (type(watched))(len(first) - 1, 4, 1, len(rest), 1)


@staged(at_office, "place")
async def test_those_who_wait_for_a_lost_or_retired_bot_get_it_through_their_next_one(office: Office, /) -> None:
    await office.know(person(1, 1), person(2, 1), replace(person(3, 1), bots=(BOT, OTHER)))
    await office.started(made())
    assert await office.broadcasts.reassign(1, (BOT, OTHER)) == 0
    assert await office.broadcasts.reassign(1, (OTHER,)) == 3
    assert await office.broadcasts.reassign(1, (OTHER,)) == 0
    assert [each.whom for each in await office.claim("x", bot=OTHER)] == [3]
    assert await office.counts() == {TargetState.UNREACHABLE: 2, TargetState.SENDING: 1}


@staged(at_office, "place")
async def test_a_rule_changes_a_broadcast_only_as_it_is_now_and_it_is_in_the_audit(office: Office, /) -> None:
    await office.know(person(1, 1))
    await office.started(made())
    note = AuditNote("broadcast.paused", "broadcast 1")

    def pause(newest: Broadcast, number: int) -> tuple[Broadcast, ...]:
        assert number == 2
        return (replace(newest, state=BroadcastState.PAUSED),) if newest.state is BroadcastState.RUNNING else ()

    assert [each.number for each in await office.broadcasts.open()] == [1]
    assert await office.broadcasts.change(1, pause, note, NOW)
    assert not await office.broadcasts.change(1, pause, note, NOW)
    assert not await office.broadcasts.change(9, pause, note, NOW)
    assert list(await office.broadcasts.open()) == []
    assert [each.state for each in await office.broadcasts.latest(5)] == [BroadcastState.PAUSED]
    await office.broadcasts.expire(1, NOW)
    assert await office.counts() == {TargetState.EXPIRED: 1}


@staged(at_office, "place")
async def test_copies_are_corrected_and_recalled_once_each(office: Office, /) -> None:
    await office.know(*(person(number, 1) for number in range(1, 4)))
    await office.started(made())
    targets = await office.claim("x")
    await office.broadcasts.settle(1, "x", [sent(each, arm="B", language="de") for each in targets])
    copies = await office.broadcasts.copies(1, 1, 0.0, 10)
    assert sorted(copies, key=lambda each: each.whom) == [
        Copy(PersonId(number), BOT, MessageId(5), "B", "de") for number in (1, 2, 3)
    ]
    assert list(await office.broadcasts.copies(1, 1, NOW + 1, 10)) == [], "they are too old"
    await office.broadcasts.followed(1, copies[:1], copies[1:2], 1)
    assert list(await office.broadcasts.copies(1, 1, 0.0, 10)) == [copies[2]]
    await office.broadcasts.followed(1, [copies[0], copies[2]], (), None)
    assert await office.counts() == {TargetState.RECALLED: 2, TargetState.SENT: 1}
    assert list(await office.broadcasts.copies(1, 9, 0.0, 10)) == []


@staged(at_office, "place")
async def test_the_arms_are_compared_by_who_came_back_and_who_left(office: Office, /) -> None:
    await office.know(*(person(number, 1) for number in range(1, 7)))
    await office.started(made())
    targets = {each.whom: each for each in await office.claim("x")}
    held_out = [Settled(PersonId(who), TargetState.HELD_OUT, BOT, NOW + 1, arm="-") for who in (5, 6)]
    arms = zip((1, 2, 3, 4), "ABAB", strict=True)
    await office.broadcasts.settle(1, "x", [*(sent(targets[PersonId(who)], arm=arm) for who, arm in arms), *held_out])
    await office.know(*(replace(person(who, 2), seen_at=NOW + 60) for who in (1, 3, 5)))
    await office.know(replace(person(2, 2), bot=None, bots=()))
    assert list(await office.broadcasts.arms(1)) == [
        ArmFigures("-", 2, 1, 0),
        ArmFigures("A", 2, 2, 0),
        ArmFigures("B", 2, 0, 1),
    ]


@staged(at_office, "place")
async def test_a_person_sees_what_was_sent_to_them_and_an_erasure_removes_it(office: Office, /) -> None:
    await office.know(person(1, 1), person(2, 1))
    await office.started(made())
    history = await office.records.history(PersonId(1))
    assert [(each.number, each.state, each.at) for each in history.broadcasts] == [(1, TargetState.WAITING, None)]
    await office.records.apply("erasing", numbered(erased(1)))
    assert await office.counts() == {TargetState.WAITING: 1}
    assert [each.whom for each in await office.claim("x")] == [2]


@pytest.mark.parametrize("seed", range(3))
@staged(at_office, "place")
async def test_nobody_gets_two_copies_and_each_is_accounted_for_whenever_a_worker_dies(
    office: Office, /, seed: int
) -> None:
    """Workers claim, send and settle, and die between any two steps. `copies` is what people would see."""
    rng, people = Random(seed), 40
    await office.know(*(person(number, 1) for number in range(1, people + 1)))
    await office.started(made())
    copies: list[int] = []

    async def worker(by: str) -> None:
        await office.broadcasts.disown(by)
        while claimed := await office.claim(by, rng.randrange(1, 6)):
            settled = []
            for target in claimed:
                if rng.random() < 0.1:
                    return  # dies before the copy
                if rng.random() < 0.3:
                    settled.append(Settled(target.whom, TargetState.WAITING, BOT, NOW))
                    continue
                copies.append(target.whom)
                if rng.random() < 0.1:
                    return  # dies after the copy
                settled.append(sent(target))
            if rng.random() < 0.2:
                return
            await office.broadcasts.settle(1, by, settled)

    number = 0
    while (await office.counts()).get(TargetState.WAITING):
        number += 1
        await asyncio.gather(*(worker(f"{number}.{each}") for each in range(2)))
    await office.broadcasts.disown("the end")
    counts = await office.counts()
    assert len(copies) == len(set(copies)), "somebody got two copies"
    assert set(counts) <= {TargetState.SENT, TargetState.UNKNOWN}
    assert sum(counts.values()) == people
    assert counts.get(TargetState.SENT, 0) <= len(copies)


@pytest.mark.services
@staged(at_office, "postgres_place")
async def test_the_receivers_of_a_broadcast_are_forgotten_after_half_a_year(office: Office, /) -> None:
    await office.know(person(1, 1), person(2, 1))
    await office.started(made())
    await office.started(made(2))
    paused = replace(made(), state=BroadcastState.ENDED)
    await office.store(paused)
    assert isinstance(office.records, SqlRecords)
    retention = Retention(office.records.engine, Kept(0, 0, 0))
    assert await retention.forget(NOW + TARGETS_S - 1) == 0
    assert await retention.forget(NOW + TARGETS_S + 1) == 2
    assert (await office.counts(), sum((await office.counts(2)).values())) == ({}, 2)


@staged(at_office, "database")
async def test_a_claim_has_the_hours_at_which_the_person_s_chats_began(office: Office, /) -> None:
    assert isinstance(office.records, SqlRecords)
    await office.know(person(1, 1), person(2, 1))
    await office.started(made())
    rows = [(1, 9, 20), (9, 1, 21), (2, 9, 7), (1, 8, 20)]
    values = [
        {"user1": one, "user2": two, "opened_min": hour * 60 + 5, "lasted_s": 1, "outcome": 22}
        for one, two, hour in rows
    ]
    async with office.records.engine.begin() as connection:
        await connection.execute(sa.insert(past_chats), values)
    claimed = {each.whom: sorted(each.hours) for each in await office.claim("x", with_hours=True)}
    assert claimed == {1: [20, 20, 21], 2: [7]}
