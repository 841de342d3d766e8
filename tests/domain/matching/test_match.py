"""Promise 1 in small: `match` over every kind of crowd, compared with a matcher that is too simple to be wrong."""

from collections.abc import Iterator
from itertools import combinations
from random import Random

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from passerby.domain.matching import crowd
from passerby.domain.matching.match import VIP_HEAD_START_S, Pair, Pool, match, turn
from passerby.domain.matching.wishes import INTERESTS_S, LANGUAGE_S, SKIPPED_S, WIDEST_S, Common, compatible
from passerby.kernel.ids import PersonId
from passerby.kernel.participant import Gender, Preferences, Ticket
from tests.domain.matching.crowds import NOW, crowds, met, open_now, reference, ticket, tickets
from tests.size import size


@pytest.fixture(autouse=True, params=[True, False], ids=["tiny blocks", "blocks"], scope="module")
def block_sizes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Blocks so small that a dozen people split, close up and merge them."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param:
            patch.setattr(crowd, "PLACES", 4)
            patch.setattr(crowd, "SPARE", 2)
            patch.setattr(crowd, "CHOICE", 1000)
        yield


def names(pairs: list[Pair]) -> list[tuple[PersonId, PersonId]]:
    return [(pair.first.person, pair.second.person) for pair in pairs]


def left_over(tickets: list[Ticket], pairs: list[Pair]) -> list[Ticket]:
    paired = {person for pair in names(pairs) for person in pair}
    return [each for each in tickets if each.person not in paired]


@given(crowds(), st.sampled_from([0.0, 0.5, 1.0]))
@example([], 1.0)
def test_the_matcher_agrees_with_a_simple_reference(tickets: list[Ticket], patience: float) -> None:
    assert match(tickets, NOW, patience) == reference(tickets, NOW, patience)


@given(crowds())
def test_nobody_is_paired_twice_or_with_themselves_or_against_a_hard_wish(tickets: list[Ticket]) -> None:
    pairs = match(tickets, NOW)
    paired = [each.person for pair in pairs for each in (pair.first, pair.second)]
    assert len(paired) == len(set(paired))
    for pair in pairs:
        assert pair.first.pool == pair.second.pool
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            assert not one.wants.genders or other.gender in one.wants.genders
            assert (one.wants.age_min or 0) <= other.age <= (one.wants.age_max or 999)
            assert other.person not in one.blocked
            if one.languages and not one.wants.other_languages:
                assert set(one.languages) & set(other.languages)


@given(crowds())
def test_once_everybody_has_widened_no_compatible_pair_is_left_waiting(tickets: list[Ticket]) -> None:
    left = left_over(tickets, match(tickets, NOW + WIDEST_S))
    assert not any(compatible(one, other) for one, other in combinations(left, 2))


@given(crowds())
def test_no_open_pair_is_left_waiting(tickets: list[Ticket]) -> None:
    left = left_over(tickets, match(tickets, NOW))
    assert not any(open_now(one, other, NOW) for one, other in combinations(left, 2))


@given(crowds(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_in_the_list_does_not_matter(tickets: list[Ticket], rng: Random) -> None:
    shuffled = list(tickets)
    rng.shuffle(shuffled)
    assert match(shuffled, NOW) == match(tickets, NOW)


@given(crowds(most=30), st.lists(st.integers(0, 29), max_size=12))
@settings(max_examples=50)
def test_larger_crowds_agree_with_the_reference_too(tickets: list[Ticket], gone: list[int]) -> None:
    pool = Pool()
    here = [each for each in tickets if each.pool == "adults"]
    for each in here:
        pool.add(each)
    for index in gone:
        if index < len(here):
            pool.remove(here[index].person)
    stay = [each for index, each in enumerate(here) if index not in gone]
    assert len(pool) == len(stay)
    assert all(each.person in pool for each in stay)
    assert pool.pairs(NOW) == reference(stay, NOW)


class Looks(RuleBasedStateMachine):
    """People join and leave a pool. At every look, it gives the same pairs as a single look at everybody."""

    @initialize()
    def begin(self) -> None:
        self.pool = Pool()
        self.waiting: dict[PersonId, Ticket] = {}
        self.now = NOW

    @rule(fresh=tickets(st.integers(1, 20)), back_s=st.sampled_from([0.0, 0.0, 0.0, 3.0, 40.0]))
    def comes(self, fresh: Ticket, back_s: float) -> None:
        fresh = msgspec.structs.replace(fresh, pool="adults", since=self.now - back_s)
        self.pool.add(fresh)
        self.waiting[fresh.person] = fresh

    @rule(fresh=st.lists(tickets(st.integers(1, 20)), max_size=4))
    def several_come(self, fresh: list[Ticket]) -> None:
        for each in fresh:
            self.comes(each, 0.0)

    @rule(person=st.integers(1, 20))
    def leaves(self, person: int) -> None:
        self.pool.remove(PersonId(person))
        self.waiting.pop(PersonId(person), None)

    @rule(later_s=st.sampled_from([0.0, 0.02, 3.0, 5.0, 10.0]))
    def look(self, later_s: float) -> None:
        self.now += later_s
        pairs = self.pool.pairs(self.now)
        assert pairs == reference(self.waiting.values(), self.now)
        for pair in pairs:
            del self.waiting[pair.first.person]
            del self.waiting[pair.second.person]

    @rule()
    def look_when_it_says(self) -> None:
        """Nothing opens before `next_at`."""
        at = self.pool.next_at()
        before = self.now + 1000 if at is None else at
        if at != float("-inf"):
            waiting = list(self.waiting.values())
            opened = [pair for pair in combinations(waiting, 2) if open_now(*pair, before - 0.001)]
            assert opened == []
            self.now = max(self.now, self.now if at is None else at)
        self.look(0.0)


@pytest.mark.sized
def test_looks_at_the_newest_find_the_same_pairs_as_a_look_at_everybody() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Looks, settings=settings(max_examples=size(10, 60), stateful_step_count=40, deadline=None)
    )


def test_a_few_newcomers_in_a_large_crowd_are_paired_as_in_a_look_at_everybody() -> None:
    """Women join a crowd of men, some of whom have widened: the path for newcomers, many of whom want the same man."""
    rng = Random(3)
    men = Preferences(genders=(Gender.MALE,))
    women = Preferences(genders=(Gender.FEMALE,))
    tags = ["music", "films", "chess"]

    def somebody(person: int, gender: Gender, wants: Preferences, since: float) -> Ticket:
        interests = tuple(rng.sample(tags, rng.randrange(3)))
        return Ticket(PersonId(person), "adults", since, gender, rng.randint(18, 25), interests=interests, wants=wants)  # type: ignore[arg-type]

    room = [somebody(person, Gender.MALE, women, rng.uniform(0, 60)) for person in range(1, 201)]
    newcomers = [somebody(person, Gender.FEMALE, men, 60 + rng.uniform(0, 8)) for person in range(301, 325)]
    pool = Pool()
    for each in room:
        pool.add(each)
    assert pool.pairs(60) == []
    for each in newcomers:
        pool.add(each)
    found = pool.pairs(68)
    assert found == reference([*room, *newcomers], 68)
    assert len(found) > 10


def test_the_last_partner_is_avoided_for_a_while_if_somebody_else_is_there() -> None:
    ann, ben, eve = ticket(1, 0, recent=met(2, skipped=True)), ticket(2, 1), ticket(3, 2)
    assert names(match([ann, ben, eve], 2)) == [(1, 3)]
    assert names(match([ann, ben], SKIPPED_S - 1)) == []
    assert names(match([ann, ben], SKIPPED_S)) == [(1, 2)]
    assert names(match([ann, ben, eve], 100)) == [(1, 3)]


def test_equal_waits_are_ordered_by_person() -> None:
    assert names(match([ticket(4), ticket(3), ticket(2), ticket(1)], 0)) == [(1, 2), (3, 4)]


def test_the_better_fit_is_chosen_and_the_pair_lists_what_they_share() -> None:
    tags = ("chess", "music", "films")
    crowd = [
        ticket(1, 0, languages=("en", "fa"), interests=tags),
        ticket(2, 1, languages=("en",), interests=("music",)),
        ticket(3, 2, languages=("ru",), interests=tags),
        ticket(4, 3, languages=("fa", "en"), interests=("films", "chess", "cats")),
    ]
    pairs = match(crowd, 60)
    assert names(pairs) == [(1, 4), (2, 3)]
    assert pairs[0].common == Common(("en", "fa"), ("chess", "films"))


def test_a_vip_goes_before_people_who_came_a_little_earlier() -> None:
    stranger = ticket(3, 20, wants=Preferences(genders=(Gender.MALE,)))
    patient = ticket(1, 10 - VIP_HEAD_START_S + 0.1)
    vip = ticket(2, 10, vip=True)
    man = {"gender": Gender.MALE, "blocked": (PersonId(1), PersonId(2))}
    patient, vip = (msgspec.structs.replace(each, **man) for each in (patient, vip))
    assert names(match([patient, vip, stranger], 20)) == [(2, 3)]


def test_a_vip_passes_nobody_who_came_much_earlier() -> None:
    man = {"gender": Gender.MALE, "blocked": (PersonId(1), PersonId(2))}
    stranger = ticket(3, 20, wants=Preferences(genders=(Gender.MALE,)))
    patient = msgspec.structs.replace(ticket(1, 10 - VIP_HEAD_START_S - 0.1), **man)
    vip = msgspec.structs.replace(ticket(2, 10, vip=True), **man)
    assert names(match([patient, vip, stranger], 20)) == [(1, 3)]


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_nobody_is_passed_by_vips_outside_the_head_start(vips: list[bool]) -> None:
    """A man comes every second, and many are VIPs. A woman comes every two seconds. People are passed only by others
    who came within the head start after them."""
    pool = Pool()
    for second, vip in enumerate(vips):
        man = ticket(second + 1, second, vip=vip, wants=Preferences(genders=(Gender.FEMALE,)))
        pool.add(msgspec.structs.replace(man, gender=Gender.MALE))
        if second % 2:
            woman = ticket(1000 + second, second, wants=Preferences(genders=(Gender.MALE,)))
            pool.add(msgspec.structs.replace(woman, gender=Gender.FEMALE))
        for pair in pool.pairs(second):
            chosen = pair.first if pair.first.gender is Gender.MALE else pair.second
            passed = [person for person in range(1, second + 2) if PersonId(person) in pool]
            assert all(since >= chosen.since - VIP_HEAD_START_S for since in (person - 1 for person in passed))


def test_the_next_look_is_when_the_next_step_is_due() -> None:
    pool = Pool()
    assert pool.next_at() is None
    pool.add(ticket(1, 100, interests=("chess",)))
    assert pool.next_at() == float("-inf"), "somebody is new"
    assert pool.pairs(101) == []
    assert pool.next_at() == 100 + INTERESTS_S
    pool.remove(PersonId(1))
    assert pool.next_at() is None


def test_a_new_ticket_replaces_the_old_one() -> None:
    pool = Pool()
    pool.add(ticket(1, 0, blocked=(PersonId(2),)))
    pool.add(ticket(2, 0))
    assert pool.pairs(100) == []
    pool.add(ticket(1, 0))
    assert len(pool) == 2
    assert names(pool.pairs(100)) == [(1, 2)]
    assert len(pool) == 0


def test_turns_follow_the_wait_with_a_head_start_for_vips() -> None:
    assert turn(ticket(1, 10)) == (10, 1)
    assert turn(ticket(1, 10, vip=True)) == (10 - VIP_HEAD_START_S, 1)


def test_a_thousand_people_at_once_are_all_paired() -> None:
    everybody = [ticket(person, person % 7) for person in range(1, 1001)]
    pairs = match(everybody, 7)
    assert len({person for pair in names(pairs) for person in pair}) == 1000


@pytest.mark.parametrize("facts", [("languages", "ru", "en", LANGUAGE_S), ("interests", "chess", "cats", INTERESTS_S)])
def test_a_newcomer_is_paired_with_a_selective_person_whose_wait_counts_for_both(
    facts: tuple[str, str, str, float],
) -> None:
    what, his, hers, wait_s = facts
    man = msgspec.structs.replace(
        ticket(1, 100.0, wants=Preferences(genders=(Gender.FEMALE,)), **{what: (his,)}), gender=Gender.MALE
    )
    woman = msgspec.structs.replace(ticket(2, 100.0 + wait_s - 1.0, **{what: (hers,)}), gender=Gender.FEMALE)
    pool = Pool()
    pool.add(man)
    pool.add(woman)
    assert pool.pairs(woman.since) == []
    assert pool.pairs(100.0 + wait_s) == [Pair(man, woman)], "when he has waited so long"
    later = msgspec.structs.replace(woman, since=100.0 + wait_s + 1.0)
    assert match([man, later], later.since) == [Pair(man, later)], "and whoever comes after that"
    anybody = msgspec.structs.replace(man, wants=Preferences())
    assert match([anybody, later], later.since) == [], "the wait of others is their own"
