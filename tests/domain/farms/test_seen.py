"""A farm, as staff are told about it: numbers and accounts."""

from passerby.domain.farms.conduct import Conduct
from passerby.domain.farms.judgement import FarmFinding, FarmVerdict, judge
from passerby.domain.farms.seen import name_of, seen
from passerby.kernel.farm import FarmSign
from passerby.kernel.ids import PersonId
from tests.domain.farms.days import NOON, day_of

PLACE = "come to sweet-room.club"


def test_a_farm_is_told_with_its_accounts_its_recruits_and_its_sums() -> None:
    conducts = {PersonId(number): day_of([PLACE] * 10, gaps_s=[2.0], cut=0.5, disliked=1) for number in range(1, 7)}
    conducts[PersonId(9)] = day_of([PLACE])
    (farm,) = seen(judge(conducts).findings, conducts)
    assert farm.accounts == tuple(map(PersonId, range(1, 7)))
    assert farm.recruits == (9,)
    told = farm.measured
    assert (told.sign, told.first_at) == (FarmSign.PLACE, NOON)
    assert (told.chats, told.led, told.places, told.ended, told.cut, told.disliked) == (60, 60, 1, 60, 30, 6)
    assert told.delay_s == 2.0


def test_doubtful_accounts_and_recruits_alone_make_no_farm() -> None:
    doubtful, recruit = FarmFinding(FarmVerdict.DOUBTFUL), FarmFinding(FarmVerdict.RECRUIT, 5)
    assert seen({PersonId(1): doubtful, PersonId(2): recruit}, {PersonId(1): Conduct(), PersonId(2): Conduct()}) == ()


def test_a_farm_without_known_delays_has_none() -> None:
    (farm,) = seen({PersonId(1): FarmFinding(FarmVerdict.FARM, 5)}, {PersonId(1): Conduct()})
    assert farm.measured.delay_s == 0.0


def test_farms_of_different_signs_have_different_names() -> None:
    findings = [FarmFinding(FarmVerdict.FARM, 10, sign=sign) for sign in FarmSign]
    assert [name_of(each) for each in findings] == ["a", "known-10", "habits-10", "line-10"]


def test_a_place_of_today_says_more_than_one_that_was_known_before() -> None:
    conducts = {PersonId(number): day_of([PLACE] * 10) for number in range(1, 7)}
    (place,) = seen(judge(conducts).findings, conducts)
    known = {person: day_of([PLACE] * 10, known=True) for person in conducts}
    found = judge(known).findings
    assert {each.sign for each in found.values()} == {FarmSign.PLACE}
    assert {name_of(each) for each in found.values()} == {place.measured.name}
