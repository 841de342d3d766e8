"""Many accounts that come to the same line after some talk, and honest people who do."""

from random import Random

import msgspec
import pytest

from passerby.domain.farms.conduct import MOST_LINES, Conduct, Disliked, Ended, noted
from passerby.domain.farms.judgement import FarmVerdict, is_candidate, judge
from passerby.domain.farms.minded import GROUP
from passerby.domain.farms.openers import line
from passerby.kernel.ids import PersonId
from tests.domain.farms.days import ANN, KEY, NOON, says

PITCH = "just search for Lana Foxy on the app with the ghost"


def _word(rng: Random) -> str:
    return "".join(rng.choices("abcdefghij", k=6))


def talker(number: int, *, pitch: str = PITCH, share: float = 0.5, disliked: int = 5, chats: int = 30) -> Conduct:
    """One chat in three minutes; so many of the partners mind it. Each other line is another one."""
    rng = Random(number)
    conduct = Conduct()
    for nth in range(chats):
        at, chat = NOON + 180.0 * nth, str(nth)
        conduct = says(conduct, "hi", chat=chat, at=at, gap_s=rng.uniform(1, 20))
        words = f"{_word(rng)} {pitch}" if rng.random() < share else " ".join(_word(rng) for _ in range(7))
        conduct = says(conduct, words, chat=chat, at=at + 40, nth=1, gap_s=None)
        conduct = noted(conduct, Ended(ANN, at + 60, False))
    for _ in range(disliked):
        conduct = noted(conduct, Disliked(ANN, NOON))
    return conduct


def crowd(count: int = 40, **more: object) -> dict[PersonId, Conduct]:
    """Others, of whom one partner in thirty minds something."""
    return {PersonId(1000 + each): talker(1000 + each, share=0.0, disliked=1, **more) for each in range(count)}  # type: ignore[arg-type]


def ring(count: int, **more: object) -> dict[PersonId, Conduct]:
    return {PersonId(each): talker(each, **more) for each in range(1, count + 1)}  # type: ignore[arg-type]


def farms(conducts: dict[PersonId, Conduct]) -> set[PersonId]:
    return {person for person, found in judge(conducts).findings.items() if found.verdict is FarmVerdict.FARM}


def test_accounts_that_come_to_the_same_line_which_partners_mind_are_a_farm() -> None:
    accounts = ring(12)
    assert farms(accounts | crowd()) == set(accounts)
    assert all(map(is_candidate, accounts.values()))


@pytest.mark.parametrize(
    "honest",
    [
        pytest.param(ring(12, disliked=1), id="a line that people copy from each other and nobody minds"),
        pytest.param(ring(GROUP - 1), id="too few"),
        pytest.param(ring(12, share=0.15), id="now and then"),
        pytest.param(ring(12, pitch="see you"), id="a short line"),
        pytest.param(ring(12, chats=8, disliked=2), id="too few chats"),
        pytest.param(
            {PersonId(each): talker(each, pitch=f"{_word(Random(each))} " * 6) for each in range(1, 20)},
            id="a line of their own each, and all of them rude",
        ),
    ],
)
def test_honest_people_with_the_same_line_are_no_farm(honest: dict[PersonId, Conduct]) -> None:
    assert farms(honest | crowd()) == set()


def test_where_everybody_is_disliked_a_line_is_no_reason() -> None:
    rude = {person: talker(int(person), share=0.0, disliked=5) for person in crowd()}
    assert farms(ring(12) | rude) == set()


def test_a_farm_that_was_found_otherwise_does_not_make_others_look_better() -> None:
    others = ((PersonId(5000 + each), talker(each, share=0.0, disliked=9)) for each in range(20))
    known = {person: msgspec.structs.replace(conduct, known=20) for person, conduct in others}
    assert set(ring(12)) <= farms(ring(12) | crowd() | known)


def test_words_around_a_line_do_not_matter_and_short_lines_have_no_hash() -> None:
    (first,) = line(KEY, f"one two {PITCH}")
    assert line(KEY, f"three {PITCH.upper()}") == (first,)
    assert line(b"tomorrow", PITCH) != (first,)
    assert line(KEY, "what is your name") == ()


def test_lines_that_were_written_once_do_not_fill_a_conduct() -> None:
    conduct = talker(1, share=0.0, chats=60)
    assert len(conduct.used("l")) <= MOST_LINES + 1
