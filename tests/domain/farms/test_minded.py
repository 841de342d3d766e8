"""People who name another contact each time: farms, which partners mind, and honest people who recommend groups."""

from random import Random

import pytest

from passerby.domain.farms.conduct import Conduct, Disliked, Ended, noted
from passerby.domain.farms.judgement import FarmVerdict, judge
from passerby.domain.farms.minded import GROUP, OWN_CHATS, changes, names
from passerby.kernel.farm import FarmSign
from passerby.kernel.ids import PersonId
from tests.domain.farms.days import ANN, NOON, says
from tests.domain.farms.test_choruses import crowd


def caller(
    number: int,
    *,
    chats: int = 12,
    share: float = 0.6,
    disliked: int = 2,
    reaction_s: float = 4.0,
    lively: int = 0,
    dropped: bool = False,
    own: bool = False,
) -> Conduct:
    """One chat in three minutes. In a share of them, another telephone number, or always their `own` one. `dropped`:
    partners leave after it."""
    rng = Random(number)
    conduct = Conduct()
    for nth in range(chats):
        at, chat = NOON + 180.0 * nth, str(nth)
        named = nth % 5 < 5 * share
        conduct = says(conduct, "hi", chat=chat, at=at, gap_s=reaction_s * rng.uniform(0.7, 1.4), lively=lively)
        phone = 10**11 + number if own else rng.randint(10**10, 10**11)
        words = f"call me on +{phone}" if named else "how are you today, stranger?"
        conduct = says(conduct, words, chat=chat, at=at + 40, nth=1, gap_s=None)
        conduct = noted(conduct, Ended(ANN, at + 60, nth % 3 == 0, dropped and named))
    for _ in range(disliked):
        conduct = noted(conduct, Disliked(ANN, NOON))
    return conduct


def callers(count: int, **more: object) -> dict[PersonId, Conduct]:
    return {PersonId(each): caller(each, **more) for each in range(1, count + 1)}  # type: ignore[arg-type]


def farms(conducts: dict[PersonId, Conduct]) -> set[PersonId]:
    return {person for person, found in judge(conducts).findings.items() if found.verdict is FarmVerdict.FARM}


def test_accounts_that_name_new_contacts_which_partners_mind_are_a_farm_before_each_has_many_chats() -> None:
    accounts = callers(20, chats=8)
    found = judge(accounts | crowd()).findings
    assert {person for person, each in found.items() if each.verdict is FarmVerdict.FARM} == set(accounts)
    assert {each.sign for each in found.values()} == {FarmSign.HABITS}


def test_accounts_that_name_their_own_contact_in_many_chats_are_a_farm_if_partners_leave_and_mind_it() -> None:
    accounts = callers(20, chats=8, own=True, dropped=True)
    found = judge(accounts | crowd()).findings
    assert {person for person, each in found.items() if each.verdict is FarmVerdict.FARM} == set(accounts)
    assert {each.sign for each in found.values()} == {FarmSign.HABITS}
    assert farms(callers(20, chats=8, own=True) | crowd()) == set(), "nobody leaves because of it: they go on elsewhere"
    assert farms(callers(20, chats=8, own=True, dropped=True, lively=1) | crowd()) == set()
    assert farms(callers(20, chats=8, own=True, dropped=True, disliked=0) | crowd()) == set(), "nobody minds"
    assert farms(callers(20, chats=8, own=True, dropped=True, share=0.2) | crowd()) == set(), "now and then"


def mixed(every: int, count: int = 20, **more: object) -> dict[PersonId, Conduct]:
    """Callers of whom all but one in `every` are disliked once."""
    return {
        PersonId(each): caller(each, chats=8, disliked=int(each % every > 0), **more)  # type: ignore[arg-type]
        for each in range(1, count + 1)
    }


def test_a_farm_is_found_earlier_if_partners_also_leave_as_soon_as_they_read_it() -> None:
    accounts = mixed(3, 24, dropped=True)
    assert farms(accounts | crowd()) == set(accounts)
    assert farms(mixed(3, 24) | crowd()) == set(), "some dislike it, and nobody leaves because of it"
    assert farms(mixed(1, 24, dropped=True) | crowd()) == set(), "they leave, and nobody dislikes it"


def test_a_chat_is_dropped_after_the_newest_message_only() -> None:
    conduct = says(Conduct(), "hi", chat="a")
    conduct = says(conduct, "call me on +4912345678, do you hear", chat="a", nth=1)
    dropped = noted(conduct, Ended(ANN, NOON, False, True))
    (line,) = conduct.used("l")
    assert (dropped.dropped, dropped.dropped_lines, dropped.dropped_contacts) == ({line: 1}, 1, 1)
    assert dropped.last == ()
    went_on = noted(says(conduct, "what do you do all day long?", chat="a", nth=2), Ended(ANN, NOON, False, True))
    assert (line in went_on.dropped, went_on.dropped_lines, went_on.dropped_contacts) == (False, 1, 0)
    stayed = noted(conduct, Ended(ANN, NOON, False))
    assert (stayed.dropped, stayed.dropped_lines, stayed.dropped_contacts, stayed.lines) == ({}, 0, 0, 1)


@pytest.mark.parametrize(
    "honest",
    [
        pytest.param(callers(20, chats=8, disliked=0), id="people who recommend groups, which nobody minds"),
        pytest.param(callers(GROUP - 1, chats=9), id="too few"),
        pytest.param(callers(20, chats=8, lively=1), id="people who send stickers, too"),
        pytest.param(callers(30, chats=OWN_CHATS - 1, share=1.0), id="too few chats of each"),
        pytest.param(callers(9, chats=8), id="too few chats of all"),
        pytest.param(
            {PersonId(each): caller(each, chats=8, reaction_s=1.8**each) for each in range(1, 21)},
            id="all of them with other habits",
        ),
        pytest.param(
            callers(20, chats=8, disliked=0) | {PersonId(each): caller(each, chats=8, disliked=8) for each in (98, 99)},
            id="two rude people among others",
        ),
    ],
)
def test_honest_people_who_name_new_contacts_are_no_farm(honest: dict[PersonId, Conduct]) -> None:
    assert farms(honest | crowd()) == set()


def test_somebody_who_gives_their_own_number_changes_nothing() -> None:
    conduct = Conduct()
    for chat in range(20):
        conduct = says(conduct, "call me on +4912345678", chat=str(chat))
    assert not changes(conduct)
    assert changes(caller(1))
    assert names(caller(1, own=True, dropped=True))
