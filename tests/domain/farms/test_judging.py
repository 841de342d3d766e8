"""A farm shows in the shape of a ring. Honest people who share words or links are not one."""

from collections.abc import Callable
from random import Random

import msgspec

from passerby.domain.farms.conduct import Conduct
from passerby.domain.farms.judgement import (
    ALIKE,
    FARM,
    MANY,
    FarmFinding,
    FarmVerdict,
    is_candidate,
    judge,
)
from passerby.kernel.ids import PersonId
from tests.domain.farms.days import day_of, says

ADVERT = "Hey! I'm Anna, 23, bored tonight. My private photos are waiting for you, come and say hi to me"


def crowd(count: int, make: Callable[[int], Conduct], first: int = 1) -> dict[PersonId, Conduct]:
    return {PersonId(number): make(number) for number in range(first, first + count)}


def verdicts(conducts: dict[PersonId, Conduct]) -> dict[FarmVerdict, int]:
    found = [each.verdict for each in judge(conducts).findings.values()]
    return {verdict: found.count(verdict) for verdict in FarmVerdict if verdict in found}


def test_accounts_devoted_to_one_destination_are_a_farm_however_they_word_it() -> None:
    words = "{} so come over to sweet-room.club when you are {}"
    farm = crowd(FARM, lambda number: day_of([words.format(Random(number).random(), chat) for chat in range(4)]))
    judged = judge(farm)
    assert {finding.verdict for finding in judged.findings.values()} == {FarmVerdict.FARM}
    assert {finding.size for finding in judged.findings.values()} == {FARM}
    assert len(judged.findings) == FARM
    assert set(judged.farms.values()) == {FARM}


def test_one_account_fewer_is_no_farm() -> None:
    assert verdicts(crowd(FARM - 1, lambda _: day_of(["come to sweet-room.club"] * 4))) == {}


def test_many_accounts_are_a_farm_after_two_chats_each() -> None:
    begins = crowd(MANY, lambda _: day_of(["come to sweet-room.club"] * 2))
    assert verdicts(begins) == {FarmVerdict.FARM: MANY}
    assert verdicts(crowd(MANY - 1, lambda _: day_of(["come to sweet-room.club"] * 2))) == {}


def test_many_accounts_that_advertise_in_a_third_of_their_chats_are_a_farm_after_three_such_chats() -> None:
    spares = crowd(MANY, lambda _: day_of(["hi", "hello", "come to sweet-room.club"] * 3))
    assert verdicts(spares) == {FarmVerdict.FARM: MANY}
    assert verdicts(crowd(MANY - 1, lambda _: day_of(["hi", "hello", "come to sweet-room.club"] * 3))) == {}
    seldom = crowd(MANY, lambda _: day_of([*["hi"] * 13, *["come to sweet-room.club"] * 3]))
    assert verdicts(seldom) == {}, "now and then"


def test_once_a_farm_is_found_two_chats_in_a_third_are_enough_for_its_other_accounts() -> None:
    farm = crowd(2 * MANY, lambda _: day_of(["hi", "hello", "come to sweet-room.club"] * 3))
    slower = crowd(3, lambda _: day_of(["hi", "hello", "come to sweet-room.club"] * 2), first=100)
    once = crowd(2, lambda _: day_of(["hi", "hello", "come to sweet-room.club"]), first=200)
    seldom = crowd(1, lambda _: day_of([*["hi"] * 9, *["come to sweet-room.club"] * 2]), first=300)
    assert verdicts(farm | slower | once | seldom) == {FarmVerdict.FARM: 2 * MANY + 3}


def test_a_farm_that_advertises_in_a_third_of_its_chats_is_one_after_a_while() -> None:
    spares = crowd(FARM, lambda _: day_of(["hi", "hello", "come to sweet-room.club"] * 4))
    assert verdicts(spares) == {FarmVerdict.FARM: FARM}
    assert verdicts(crowd(FARM, lambda _: day_of(["hi", "hello", "come to sweet-room.club"] * 3))) == {}


def test_a_farm_that_changes_between_destinations_is_one() -> None:
    destinations = ("sweet-room.club", "@sweet_room99", "t.me/sweet_room_bot")
    farm = crowd(FARM, lambda number: day_of([f"come to {destinations[(chat + number) % 3]}" for chat in range(6)]))
    assert verdicts(farm) == {FarmVerdict.FARM: FARM}


def test_a_popular_video_is_no_farm_although_some_send_it_to_everybody() -> None:
    fans = crowd(FARM, lambda _: day_of(["look youtube.com/watch?v=abc"] * 4))
    others = crowd(20, lambda number: day_of(["hi", "look youtube.com/watch?v=abc", "hello"] * 2), first=100)
    assert verdicts(fans | others) == {}


def test_a_site_that_many_mention_once_is_no_farm() -> None:
    fans = crowd(FARM, lambda _: day_of(["play skribbl.io with me"] * 3))
    others = crowd(20, lambda number: day_of(["hi", "do you know skribbl.io", "hello"]), first=100)
    assert verdicts(fans | others) == {}


def test_people_who_send_their_own_name_to_everybody_are_no_farm() -> None:
    assert verdicts(crowd(30, lambda number: day_of([f"hi, add me @person_{number}"] * 10))) == {}


def test_lively_people_who_share_a_link_are_no_farm() -> None:
    signs = ["sticker", "voice", "reply"]
    assert verdicts(crowd(FARM, lambda _: day_of(["our club: books.club"] * 4, lively=signs))) == {}


def test_somebody_who_begins_to_advertise_for_a_farm_is_a_recruit() -> None:
    farm = crowd(3 * FARM, lambda _: day_of(["come to sweet-room.club"] * 4))
    recruit = crowd(1, lambda _: day_of(["come to sweet-room.club"]), first=100)
    honest = crowd(1, lambda _: day_of(["hi", "somebody sent me sweet-room.club", "hello", "hey"]), first=200)
    assert verdicts(farm | recruit | honest) == {FarmVerdict.FARM: 3 * FARM, FarmVerdict.RECRUIT: 1}


def test_a_known_destination_makes_a_recruit_at_once_and_a_farm_account_soon() -> None:
    once = says(Conduct(), "sweet-room.club", chat="a", known=True)
    twice = says(once, "sweet-room.club", chat="b", known=True)
    rarely = twice
    for number in range(8):
        rarely = says(rarely, "hi", chat=str(number))
    found = judge({PersonId(1): once, PersonId(2): twice, PersonId(3): rarely}).findings
    assert [found[PersonId(number)].verdict for number in (1, 2, 3)] == [
        FarmVerdict.RECRUIT,
        FarmVerdict.FARM,
        FarmVerdict.RECRUIT,
    ]


def test_an_odd_word_makes_a_farm_only_with_the_habits_of_scripts() -> None:
    calm = crowd(FARM, lambda _: day_of(["find lena_sunny22 there"] * 8))
    assert verdicts(calm) == {}
    even = crowd(FARM, lambda _: day_of(["find lena_sunny22 there"] * 8, gaps_s=[2.0], cut=1.0))
    assert verdicts(even) == {FarmVerdict.FARM: FARM}


def test_the_same_opening_alone_accuses_nobody() -> None:
    assert verdicts(crowd(3 * ALIKE, lambda _: day_of([ADVERT] * 10))) == {}


def test_a_group_with_the_same_opening_and_the_habits_of_scripts_is_asked() -> None:
    group = crowd(ALIKE, lambda _: day_of([ADVERT] * 10, gaps_s=[2.0, 2.4], cut=0.8))
    assert verdicts(group) == {FarmVerdict.DOUBTFUL: ALIKE}
    found = judge(group).findings[PersonId(1)]
    assert found == FarmFinding(FarmVerdict.DOUBTFUL, size=ALIKE)


def test_one_person_fewer_with_the_same_opening_is_left_alone() -> None:
    assert verdicts(crowd(ALIKE - 1, lambda _: day_of([ADVERT] * 10, gaps_s=[2.0, 2.4], cut=0.8))) == {}


def test_openings_that_share_one_hash_are_not_the_same() -> None:
    other = "Bored at work again, so give me your hottest take about football, or just tell me a story"
    mixed = crowd(2 * ALIKE, lambda number: day_of([ADVERT if number % 2 else other] * 10, gaps_s=[2.0, 2.4], cut=0.8))
    sizes = {finding.size for finding in judge(mixed).findings.values()}
    assert sizes == {ALIKE}


def test_a_hash_that_is_shared_by_chance_or_once_joins_nobody() -> None:
    even = day_of([ADVERT] * 10, gaps_s=[2.0, 2.4], cut=0.8)
    for tokens in ({1: 9, 2: 1, 3: 1}, {1: 9}):
        alike = msgspec.structs.replace(even, tokens=tokens, kinds=dict.fromkeys(tokens, "b"))
        assert verdicts(crowd(2 * ALIKE, lambda _, alike=alike: alike)) == {}  # type: ignore[misc]


def test_one_account_with_many_habits_of_scripts_is_asked() -> None:
    script = day_of(["hi"] * 60, gaps_s=[1.0, 1.01], cut=1.0, disliked=20, every_s=60.0)
    assert judge({PersonId(1): script}).findings == {PersonId(1): FarmFinding(FarmVerdict.DOUBTFUL)}


def test_the_stricter_verdict_counts() -> None:
    words = "come to sweet-room.club"
    farm = crowd(FARM, lambda _: day_of([words] * 60, gaps_s=[1.0, 1.01], cut=1.0, disliked=20, every_s=60.0))
    assert verdicts(farm) == {FarmVerdict.FARM: FARM}


def test_only_those_who_may_matter_are_looked_at() -> None:
    assert not is_candidate(day_of(["hi"] * 20))
    assert is_candidate(says(Conduct(), "sweet-room.club", chat="a"))
    assert is_candidate(says(Conduct(), "lena_sunny22", chat="a"))
    assert is_candidate(says(Conduct(), "hi", chat="a", known=True))
    assert is_candidate(day_of([ADVERT] * 3))
    assert not is_candidate(day_of([ADVERT]))
    assert is_candidate(day_of(["hi"] * 20, gaps_s=[1.0]))
