"""How much one person can have waiting, and what is accepted above that."""

import pytest

from passerby.domain.quota import REMEMBERED, RESERVE, QuotaUsage
from passerby.kernel.rules import Quota

QUOTA = Quota(at_once=150, per_s=2.0)


def admitted(usage: QuotaUsage, times: int, waiting: int = 0, now: float = 0.0) -> int:
    return sum(usage.admits(waiting, now) for _ in range(times))


def test_a_hundred_forwarded_messages_and_a_lively_chat_after_them_are_admitted() -> None:
    usage = QuotaUsage(QUOTA)
    assert admitted(usage, 100) == 100
    assert all(usage.admits(100, second / 2) for second in range(60))


def test_above_the_limit_everything_is_refused_until_half_is_free() -> None:
    usage = QuotaUsage(QUOTA)
    assert admitted(usage, 3000) == 150
    assert not usage.admits(0, 30.0), "sixty could come in, and none does: that would tear holes"
    assert not usage.reopens(0, 30.0)
    assert usage.reopens(0, 38.0)
    assert admitted(usage, 200, now=38.0) == 76


@pytest.mark.parametrize(("waiting", "opens"), [(76, False), (75, True)])
def test_waiting_deliveries_count_even_if_the_partner_is_slow(waiting: int, opens: bool) -> None:
    usage = QuotaUsage(QUOTA)
    assert usage.admits(149, 0.0)
    assert not usage.admits(150, 0.0)
    assert usage.reopens(waiting, 3600.0) is opens


def test_a_few_commands_are_accepted_during_a_spell() -> None:
    usage = QuotaUsage(QUOTA)
    admitted(usage, 200)
    assert sum(usage.admits_command(0.0) for _ in range(100)) == RESERVE.burst
    assert usage.admits_command(2.0)


def test_edits_of_one_message_cost_nothing_after_the_first() -> None:
    usage = QuotaUsage(QUOTA)
    assert all(usage.admits(0, 0.0, follows="a") for _ in range(3000))
    assert admitted(usage, 3000) == 149
    assert usage.admits(1000, 0.0, follows="a"), "its final state arrives even during a spell"
    assert not usage.admits(0, 0.0, follows="b")
    assert not usage.admits(0, 0.0, follows="b"), "what was refused is not remembered"


def test_edits_of_many_messages_cost_as_much_as_messages() -> None:
    usage = QuotaUsage(QUOTA)
    assert sum(usage.admits(0, 0.0, follows=number) for number in range(3000)) == QUOTA.at_once
    assert QUOTA.at_once > REMEMBERED


def test_an_unused_quota_may_be_forgotten() -> None:
    usage = QuotaUsage(QUOTA)
    assert usage.is_idle(0.0)
    usage.admits(0, 0.0)
    assert not usage.is_idle(0.4)
    assert usage.is_idle(0.5)
    admitted(usage, 200)
    usage.admits_command(0.0)
    assert not usage.is_idle(1e6), "a spell is ended, not forgotten"
    assert usage.reopens(0, 1e6)
    assert usage.is_idle(1e6)
