"""Each signal speaks for a script, for a person, or says nothing; few chats never say anything."""

import pytest

from passerby.domain.farms import signals
from passerby.domain.farms.conduct import Conduct, Spread
from passerby.domain.farms.signals import SIGNALS, suspicion
from tests.domain.farms.days import day_of, says

MANY = ["hi"] * 20


def typed(gap_s: float, count: int = 10) -> Conduct:
    conduct = Conduct()
    for number in range(count):
        conduct = says(conduct, "hi", chat=str(number))
        conduct = says(conduct, "x" * 100, chat=str(number), nth=1, gap_s=gap_s)
    return conduct


SCRIPTS = {
    "reacts_evenly": [day_of(MANY, gaps_s=[2.0, 2.05]), day_of(MANY, gaps_s=[2.0, 2.5])],
    "reacts_at_once": [day_of(MANY, gaps_s=[0.1, 0.4])],
    "types_too_fast": [typed(0.5)],
    "answers_evenly": [typed(20.0)],
    "never_rests": [Conduct(hours=(1 << 24) - 1), Conduct(hours=(1 << 19) - 1)],
    "is_cut_short": [day_of(MANY, cut=1.0), day_of(MANY, cut=0.8)],
    "is_disliked": [day_of(MANY, disliked=8), day_of(MANY, disliked=4)],
    "hurries": [day_of(MANY * 3, every_s=60.0)],
    "advertises": [day_of(["come to @ann_99"] * 20)],
    "knows_one_wording": [Conduct(opened=(20, 0, 0)), Conduct(opened=(1, 0, 16)), Conduct(opened=(0, 8, 0))],
}
PEOPLE = {"is_cut_short": [day_of(MANY, cut=0.1)], "is_lively": [day_of(MANY, lively=["sticker", "voice"])]}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_habit_of_scripts_weighs_more_the_clearer_it_is(name: str) -> None:
    weights = [getattr(signals, name)(conduct) for conduct in SCRIPTS[name]]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] > 0


@pytest.mark.parametrize("name", PEOPLE)
def test_a_habit_of_people_weighs_against_it(name: str) -> None:
    assert all(getattr(signals, name)(conduct) < 0 for conduct in PEOPLE[name])


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("conduct", [Conduct(), day_of(["hi"] * 3, gaps_s=[0.1], cut=1.0, disliked=3)])
def test_few_chats_say_nothing(signal: signals.Signal, conduct: Conduct) -> None:
    assert signal(conduct) == 0


def test_an_ordinary_day_of_chats_is_not_suspicious() -> None:
    assert suspicion(day_of(MANY)) == 0


def test_the_loudest_signs_of_life_have_a_limit() -> None:
    assert suspicion(Conduct(lively=1023)) == -2.5


def test_one_habit_alone_is_never_enough_to_ask() -> None:
    for conducts in SCRIPTS.values():
        for conduct in conducts:
            assert max(signal(conduct) for signal in SIGNALS) < 4.5


def test_evenness_is_about_proportion_not_about_seconds() -> None:
    assert signals.reacts_evenly(Conduct(reactions=Spread())) == 0
    assert signals.reacts_evenly(day_of(MANY, gaps_s=[60.0, 61.0])) > 0
