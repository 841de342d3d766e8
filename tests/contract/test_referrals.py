"""Referrals in the records: decided once, given to both, and taken back, over every store of records."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import msgspec
import pytest

from passerby.domain.money.referrals import WAIT_S
from passerby.kernel.event import Event
from passerby.kernel.history import PastReferral
from passerby.kernel.ids import BotId, PersonId
from passerby.kernel.money import GrantSource, StarRow, VipGrant
from passerby.kernel.money_event import GrantTakenBack, ReferralGiven
from passerby.kernel.participant import Watched
from passerby.kernel.rules import Rules
from passerby.ports.facts import Fact, GrantChanged, PersonErased, ReferralLinkMade, ReferralReached
from passerby.runtime.background.referrals import EVERY_S, Referrals
from tests.contract.records_facts import NOW, block, changed, numbered, opened, person
from tests.contract.records_memory import Disk, MemoryRecords
from tests.contract.records_places import SqlPlace, opening

ANN, BOB, CEM, DORA = map(PersonId, (1, 2, 3, 4))
DAY_S = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.time = NOW + WAIT_S + 60.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class Duty:
    """The duty over these records. Its errors are in `raised`."""

    def __init__(self, records: Any, rules: Rules) -> None:
        self.records, self.clock, self.raised = records, Clock(), list[Event]()
        self._applied = 0
        self._look = Referrals(records, lambda: rules, self.raised.append, self.clock, Random(1)).decide_due  # type: ignore[arg-type]

    async def stores(self, *facts: Fact) -> None:
        await self.records.apply("g", numbered(*facts, after=self._applied))
        self._applied += len(facts)

    async def looks(self) -> list[Event]:
        self.raised.clear()
        self.clock.time += EVERY_S
        await self._look()
        return sorted(self.raised, key=lambda each: each.person)

    async def outcomes(self, who: PersonId) -> list[tuple[str, str | None]]:
        found = (await self.records.history(who)).money.referrals
        return [(each.token, each.outcome) for each in found]

    async def grants(self, events: list[Event]) -> None:
        """The fleet gives what the events say, as of now."""
        for each in events:
            assert isinstance(each, ReferralGiven)
            until = self.clock.time + 3 * DAY_S
            given = VipGrant(each.grant, GrantSource.REFERRAL, self.clock.time, lasts_s=3 * DAY_S)
            value = msgspec.structs.replace(person(each.person, 5), vip_until=until)
            await self.stores(changed(value), GrantChanged(each.person, given, self.clock.time))


Scene = Callable[[Callable[[Rules], Duty]], Awaitable[None]]
RULES = Rules(referral_days=3, referrals_a_month=2)


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def trying(request: pytest.FixtureRequest) -> Callable[[Scene], None]:
    async def over_memory(scene: Scene) -> None:
        records = MemoryRecords(Disk())
        await scene(lambda rules: Duty(records, rules))

    async def over_sql(scene: Scene) -> None:
        place: SqlPlace = request.getfixturevalue(f"{request.param}_place")
        async with opening(place) as records:
            await scene(lambda rules: Duty(records, rules))

    run = over_memory if request.param == "memory" else over_sql
    if request.param != "memory":
        request.getfixturevalue(f"{request.param}_place")
    return lambda scene: asyncio.run(run(scene))


def came(friend: PersonId, token: str = "token", at: float = NOW) -> tuple[Fact, ...]:
    return changed(person(friend, 1)), ReferralReached(friend, token, at)


def test_both_get_their_days_once_even_if_the_first_try_is_lost(trying: Callable[[Scene], None]) -> None:
    async def scene(made: Callable[[Rules], Duty]) -> None:
        duty = made(RULES)
        await duty.stores(changed(person(ANN, 1)), ReferralLinkMade(ANN, "token", NOW), *came(BOB))
        duty.clock.time = NOW + 60.0
        assert await duty.looks() == [], "blocks can still come"
        duty.clock.time = NOW + WAIT_S + 60.0
        first = await duty.looks()
        assert [(each.person, each.for_friend) for each in first if isinstance(each, ReferralGiven)] == [
            (ANN, False),
            (BOB, True),
        ]
        assert await duty.looks() == first, "nobody has got them yet, so they are raised again"
        await duty.grants(first)
        assert await duty.looks() == []
        assert await duty.outcomes(BOB) == [("token", "given")]
        assert await duty.outcomes(ANN) == [("", "given")], "the inviter's copy does not say who"
        await duty.stores(ReferralReached(BOB, "token", NOW + 5))
        assert await duty.looks() == [], "a friend counts once"

    trying(scene)


def test_a_friend_of_a_farm_brings_nothing_and_takes_back_what_was_given(trying: Callable[[Scene], None]) -> None:
    async def scene(made: Callable[[Rules], Duty]) -> None:
        duty = made(RULES)
        await duty.stores(
            *(changed(person(who, 1)) for who in (ANN, BOB)),
            ReferralLinkMade(ANN, "token", NOW),
            *came(BOB),
        )
        await duty.grants(await duty.looks())
        apart = Watched(apart_until=duty.clock.time + DAY_S)
        farm = msgspec.structs.replace(person(BOB, 9), watched=apart, vip_until=duty.clock.time + DAY_S)
        await duty.stores(changed(farm), changed(msgspec.structs.replace(person(CEM, 1), watched=apart)))
        await duty.stores(ReferralReached(CEM, "token", NOW))
        over = await duty.looks()
        assert [(type(each), each.person) for each in over] == [(GrantTakenBack, ANN), (GrantTakenBack, BOB)]
        assert await duty.outcomes(BOB) == [("token", "taken_back")]
        assert await duty.outcomes(CEM) == [("token", "farm")]
        cut = [
            GrantChanged(each.person, VipGrant(each.grant, GrantSource.REFERRAL, NOW), duty.clock.time)
            for each in over
            if isinstance(each, GrantTakenBack)
        ]
        await duty.stores(*cut)
        assert await duty.looks() == []

    trying(scene)


def test_blocks_a_cap_an_affiliate_and_an_erasure_end_a_referral(trying: Callable[[Scene], None]) -> None:
    async def scene(made: Callable[[Rules], Duty]) -> None:
        duty = made(RULES)
        friends = [PersonId(number) for number in range(10, 16)]
        met = [PersonId(number) for number in range(20, 23)]
        await duty.stores(
            changed(person(ANN, 1)),
            ReferralLinkMade(ANN, "token", NOW),
            *(fact for at, friend in enumerate(friends) for fact in came(friend, at=NOW + at)),
            *(opened(f"chat {other}", friends[0], other, NOW) for other in met),
            *(block(other, friends[0]) for other in met[:2]),
        )
        row = StarRow("c", True, NOW, 5, person=friends[1], payload="o", affiliate=1, what="invoice_payment")
        await duty.records.note_rows(BotId(1), [row], 1, NOW)
        await duty.stores(*came(DORA, "of nobody"))
        assert {each.person for each in await duty.looks()} == {ANN, friends[2], friends[3]}
        outcomes = [outcome for friend in friends for _, outcome in await duty.outcomes(friend)]
        assert outcomes == ["blocked", "affiliate", "given", "given", "cap", "cap"]
        assert await duty.outcomes(DORA) == [("of nobody", "gone")]
        await duty.stores(PersonErased(ANN, False, NOW), PersonErased(friends[2], False, NOW))
        assert await duty.outcomes(ANN) == []
        assert (await duty.records.history(friends[2])).money.referrals == ()
        kept = (await duty.records.history(friends[3])).money.referrals
        assert [type(each) for each in kept] == [PastReferral]

    trying(scene)


def test_while_referrals_are_off_nothing_is_decided(trying: Callable[[Scene], None]) -> None:
    async def scene(made: Callable[[Rules], Duty]) -> None:
        duty = made(Rules())
        await duty.stores(changed(person(ANN, 1)), ReferralLinkMade(ANN, "token", NOW), *came(BOB))
        assert await duty.looks() == []
        assert await duty.outcomes(BOB) == [("token", None)]

    trying(scene)
