"""Which charge began a subscription."""

from passerby.domain.money.subscriptions import MOST_TRIED, likeliest
from passerby.kernel.money import SUBSCRIPTION_S, ChargeId

NOW = 1_800_000_000.0


def found(name: str, before_s: float) -> tuple[ChargeId, str, float, float]:
    """A charge that was paid so long before the one in question."""
    return ChargeId(name), f"provider's {name}", NOW - before_s, NOW


def test_the_charge_whose_time_is_whole_periods_away_is_tried_first() -> None:
    other, first = found("other", 3 * 86400.0), found("first", 2 * SUBSCRIPTION_S + 5.0)
    assert likeliest([other, first]) == [("first", "provider's first"), ("other", "provider's other")]


def test_the_older_of_two_charges_on_the_beat_is_tried_first() -> None:
    renewal, first = found("renewal", SUBSCRIPTION_S), found("first", 2 * SUBSCRIPTION_S)
    assert [charge for charge, _ in likeliest([renewal, first])] == ["first", "renewal"]


def test_only_a_few_charges_are_tried() -> None:
    assert len(likeliest([found(str(number), number * 1000.0) for number in range(MOST_TRIED + 5)])) == MOST_TRIED
