"""Accounts that talk at people in bulk, each with words of its own, and honest people who hurry."""

from collections.abc import Callable
from random import Random

import pytest

from passerby.domain.farms.bulk import BULK, CHATS, LOOKALIKES, bulk, lookalikes
from passerby.domain.farms.conduct import Conduct, Disliked, Ended, noted
from passerby.domain.farms.judgement import FarmFinding, FarmVerdict, is_candidate, judge
from passerby.domain.farms.signals import changes_contacts, scatters
from passerby.kernel.ids import PersonId
from tests.domain.farms.days import ANN, NOON, day_of, says


def account(
    number: int, chats: int = 3 * CHATS, every_s: float = 30.0, habits: int | None = None, **more: object
) -> Conduct:
    """One script: each account has its own name, and each opening is another one. `habits`: the same ones exactly."""
    rng = Random(habits or number)
    gaps = [2.0 * rng.lognormvariate(0.0, 0.5) for _ in range(chats)]
    openings = [f"{rng.random()} so write to me @sugar_{number}_baby {rng.random()}" for _ in range(chats)]
    values: dict[str, object] = {"cut": 0.5, "disliked": chats // 8}
    return day_of(openings, gaps_s=gaps, every_s=every_s, **(values | more))  # type: ignore[arg-type]


def hurrying(number: int) -> Conduct:
    """Somebody honest who pastes and skips, in their own way."""
    rng = Random(number)
    mean, spread = rng.lognormvariate(1.2, 0.9), rng.uniform(0.2, 1.4)
    gaps = [mean * rng.lognormvariate(0.0, spread) for _ in range(40)]
    opening = f"{rng.random()} i like long talks about music and books, tell me more about you please"
    return day_of([opening] * 40, gaps_s=gaps, every_s=rng.uniform(20, 90), cut=rng.uniform(0.3, 0.9), disliked=5)


def verdicts(conducts: dict[PersonId, Conduct]) -> list[FarmVerdict]:
    return sorted({finding.verdict for finding in judge(conducts).findings.values()})


def test_accounts_with_a_name_of_their_own_and_the_same_habits_are_a_farm() -> None:
    farm = {PersonId(number): account(number) for number in range(1, 21)}
    found = judge(farm).findings
    assert [finding.verdict for finding in found.values()] == [FarmVerdict.FARM] * 20
    assert all(is_candidate(each) for each in farm.values())


def test_one_account_in_bulk_is_asked_and_no_more() -> None:
    assert judge({PersonId(1): account(1)}).findings == {PersonId(1): FarmFinding(FarmVerdict.DOUBTFUL)}


def test_people_who_hurry_in_their_own_ways_are_no_farm() -> None:
    crowd = {PersonId(number): hurrying(number) for number in range(1, 31)}
    assert sum(bulk(each) >= BULK for each in crowd.values()) > LOOKALIKES, "otherwise it shows nothing"
    assert FarmVerdict.FARM not in verdicts(crowd)


def test_few_lookalikes_are_no_farm() -> None:
    few = {PersonId(number): account(number, habits=7) for number in range(1, LOOKALIKES + 1)}
    assert verdicts(few) == [FarmVerdict.DOUBTFUL]
    assert verdicts(few | {PersonId(99): account(99, habits=7)}) == [FarmVerdict.FARM]


def test_where_many_hurry_some_are_alike_by_chance() -> None:
    few = {PersonId(number): account(number) for number in range(1, LOOKALIKES + 2)}
    many = {PersonId(1000 + number): account(number, every_s=2.0) for number in range(100)}
    found = lookalikes(few | many, dict.fromkeys((*few, *many), BULK))
    assert set(found) == set(many), "six are less than a tenth of all"


@pytest.mark.parametrize(
    "conduct",
    [
        account(1, CHATS - 1),
        account(1, every_s=200.0),
        account(1, lively=["sticker", "voice", "reply"]),
        day_of(["hi"] * 40, every_s=30.0, cut=0.5),
    ],
    ids=["few chats", "unhurried", "lively", "nothing to say"],
)
def test_the_habits_of_honest_people_are_no_bulk(conduct: Conduct) -> None:
    assert bulk(conduct) < BULK


def test_the_clearer_a_habit_the_more_it_weighs() -> None:
    def of(**more: object) -> float:
        return bulk(account(1, **more))  # type: ignore[arg-type]

    assert of(every_s=30.0) > of(every_s=60.0) > of(every_s=100.0)
    assert of(cut=0.9) > of(cut=0.5) > of(cut=0.3) > of(cut=0.1)
    assert of(disliked=20) > of(disliked=5) > of(disliked=0)
    assert of(chats=4 * CHATS, disliked=0) > of(chats=2 * CHATS, disliked=0)
    half = ["hi", "come and look at sweet-room.club, it is nice there tonight", "come to sweet-room.club"] * 12
    assert bulk(day_of(half, every_s=30.0, cut=0.5)) < of(disliked=0)
    assert bulk(Conduct()) == 0.0


def scattering(number: int, every_s: float = 60.0, **more: object) -> Conduct:
    """One script: an invite link is made for each chat, and half of the chats hear of none."""
    rng = Random(number)
    openings = [f"come to t.me/+{rng.getrandbits(64):016x}" if chat % 2 else "hi" for chat in range(30)]
    gaps = [2.0 * rng.lognormvariate(0.0, 0.5) for _ in range(30)]
    return day_of(openings, gaps_s=gaps, every_s=every_s, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("every_s", [60.0, 240.0])
def test_accounts_that_name_another_place_in_each_chat_are_a_farm_also_if_they_are_in_no_hurry(every_s: float) -> None:
    farm = {PersonId(number): scattering(number, every_s, disliked=3) for number in range(1, 21)}
    assert verdicts(farm) == [FarmVerdict.FARM]
    assert len(judge(farm).findings) >= 18


@pytest.mark.parametrize(
    "openings",
    [
        [f"look youtube.com/watch?v={number:011}" for number in range(30)],
        ["hi, my insta: quiet_ann_7"] * 30,
        ["hi"] * 20 + [f"t.me/song{number}x" for number in range(4)],
        ["hi"] * 40 + [f"t.me/song{number}x" for number in range(8)],
        ["hi"] * 30,
    ],
    ids=["videos of one site", "their own name", "four links", "a link in six chats", "no link"],
)
def test_people_who_pass_on_what_goes_round_do_not_scatter(openings: list[str]) -> None:
    assert scatters(day_of(openings)) == 0.0


def slow(number: int, name: Callable[[Random, int], str]) -> Conduct:
    """One chat in three minutes; `name` says whom they name in each chat; empty: nobody."""
    rng = Random(number)
    conduct = Conduct()
    for nth in range(40):
        at, chat = NOON + 180.0 * nth, str(nth)
        conduct = says(conduct, "hi", chat=chat, at=at, gap_s=3.0 * rng.lognormvariate(0.0, 0.5))
        if words := name(rng, nth):
            conduct = says(conduct, words, chat=chat, at=at + 15, nth=1, gap_s=None)
        conduct = noted(conduct, Ended(ANN, at + 20, rng.random() < 0.5))
    for _ in range(5):
        conduct = noted(conduct, Disliked(ANN, NOON))
    return conduct


def fresh_number(rng: Random, nth: int) -> str:
    return f"call me +39 {rng.randint(10**8, 10**9)} please" if rng.random() < 0.3 else ""


def own_name(rng: Random, nth: int) -> str:
    return "i am @ann_from_rome" if rng.random() < 0.5 else ""


def two_names_and_a_friend(rng: Random, nth: int) -> str:
    return f"write to @{rng.choice(('ann_rome', 'ann_work', 'her_friend'))}" if rng.random() < 0.5 else ""


def another_video(rng: Random, nth: int) -> str:
    return f"look youtu.be/{rng.getrandbits(40):x}" if rng.random() < 0.5 else ""


def test_slow_accounts_that_name_somebody_new_in_many_chats_are_a_farm() -> None:
    accounts = {PersonId(number): slow(number, fresh_number) for number in range(1, 13)}
    assert all(changes_contacts(each) for each in accounts.values())
    assert verdicts(accounts) == [FarmVerdict.FARM]


@pytest.mark.parametrize("name", [own_name, two_names_and_a_friend, another_video])
def test_people_who_name_the_same_few_or_no_people_are_no_farm(name: Callable[[Random, int], str]) -> None:
    people = {PersonId(number): slow(number, name) for number in range(1, 13)}
    assert not any(changes_contacts(each) for each in people.values())
    assert all(bulk(each) < BULK for each in people.values())


def test_a_contact_counts_once_in_a_chat_and_is_new_once() -> None:
    conduct = says(says(Conduct(), "@ann_rome", chat="a"), "@bob_rome", chat="a", nth=1)
    conduct = says(says(conduct, "@ann_rome", chat="b"), "site.com", chat="c")
    assert (conduct.contacts, conduct.new_contacts) == (2, 1)
