"""What one person may have in hand, and what goes through beyond it."""

import pytest

from passerby.domain.quota import REMEMBERED, RESERVE, Endpoint, Quota

QUOTA = Quota(at_once=150, per_s=2.0)


def admitted(door: Endpoint, times: int, waiting: int = 0, now: float = 0.0) -> int:
    return sum(door.admits(waiting, now) for _ in range(times))


def test_a_hundred_messages_forwarded_in_one_go_and_a_lively_talk_after_it_all_come_in() -> None:
    door = Endpoint(QUOTA)
    assert admitted(door, 100) == 100
    assert all(door.admits(100, second / 2) for second in range(60))


def test_beyond_what_may_come_at_once_everything_is_refused_until_half_is_free() -> None:
    door = Endpoint(QUOTA)
    assert admitted(door, 3000) == 150
    assert not door.admits(0, 30.0), "sixty could come in, and none does: that would tear holes"
    assert not door.reopens(0, 30.0)
    assert door.reopens(0, 38.0)
    assert admitted(door, 200, now=38.0) == 76


@pytest.mark.parametrize(("waiting", "opens"), [(76, False), (75, True)])
def test_what_waits_to_be_delivered_counts_however_slow_the_partner_is(waiting: int, opens: bool) -> None:
    door = Endpoint(QUOTA)
    assert door.admits(149, 0.0)
    assert not door.admits(150, 0.0)
    assert door.reopens(waiting, 3600.0) is opens


def test_a_few_commands_go_through_even_then() -> None:
    door = Endpoint(QUOTA)
    admitted(door, 200)
    assert sum(door.admits_command(0.0) for _ in range(100)) == RESERVE.burst
    assert door.admits_command(2.0)


def test_edits_of_one_message_cost_nothing_after_the_first() -> None:
    door = Endpoint(QUOTA)
    assert all(door.admits(0, 0.0, follows="a") for _ in range(3000))
    assert admitted(door, 3000) == 149
    assert door.admits(1000, 0.0, follows="a"), "its final state arrives even during a spell"
    assert not door.admits(0, 0.0, follows="b")
    assert not door.admits(0, 0.0, follows="b"), "what was refused is not remembered"


def test_edits_of_many_messages_cost_as_much_as_messages() -> None:
    door = Endpoint(QUOTA)
    assert sum(door.admits(0, 0.0, follows=number) for number in range(3000)) == QUOTA.at_once
    assert QUOTA.at_once > REMEMBERED


def test_what_is_as_good_as_new_may_be_forgotten() -> None:
    door = Endpoint(QUOTA)
    assert door.is_idle(0.0)
    door.admits(0, 0.0)
    assert not door.is_idle(0.4)
    assert door.is_idle(0.5)
    admitted(door, 200)
    door.admits_command(0.0)
    assert not door.is_idle(1e6), "a spell is ended, not forgotten"
    assert door.reopens(0, 1e6)
    assert door.is_idle(1e6)
