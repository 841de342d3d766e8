"""The plans on sale: VIP_PLANS and VIP_PLANS_FILE, and the one line about each mistake."""

from pathlib import Path

import pytest

from passerby.kernel.money import Plan
from passerby.settings import WrongSetting, read
from tests.settings.test_settings import TOKEN, _empty_surroundings, complaint, given

__all__ = ["_empty_surroundings"]

PLANS = """
[[plan]]
name = "week"
days = 7
stars = 75
title.en = "A week of VIP"
title.de = "Eine Woche VIP"
about.en = "Seven days of filters."

[[plan]]
name = "monthly"
days = 30
stars = 200
renews = true
bots = [123456789]
"""


def filed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    Path("plans.toml").write_text(text, "utf-8")
    given(monkeypatch, VIP_PLANS_FILE="plans.toml", BOT_TOKENS=TOKEN)


def test_without_plans_nothing_is_sold_and_everything_is_free() -> None:
    assert (read().vip_plans, len(read().filters_for_all)) == ((), 2)


def test_plans_are_names_days_and_stars_and_some_renew_in_some_bots(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, VIP_PLANS="week=7d:75, monthly=30:200:renews@123456789", BOT_TOKENS=TOKEN)
    assert read().vip_plans == (Plan("week", 7, 75), Plan("monthly", 30, 200, True, (123456789,)))
    assert read().filters_for_all == ()


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, "gender, age"),
        ({"VIP_PLANS": "week=7d:75"}, "none"),
        ({"VIP_PLANS": "week=7d:75", "FREE_FILTERS": "age"}, "age"),
        ({"FREE_FILTERS": "none"}, "none"),
    ],
)
def test_the_filters_in_effect_are_shown(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], shown: str
) -> None:
    given(monkeypatch, **environment)
    assert read().shown()["FREE_FILTERS"] == shown


def test_a_value_from_a_file_does_not_count_as_given(monkeypatch: pytest.MonkeyPatch) -> None:
    filed(monkeypatch, PLANS)
    assert read().given == {"vip_plans_file", "bot_tokens"}
    assert "vip_plans" in read().model_fields_set


def test_a_file_says_the_same_and_has_words_in_each_language(monkeypatch: pytest.MonkeyPatch) -> None:
    filed(monkeypatch, PLANS)
    week, monthly = read().vip_plans
    titles = (("de", "Eine Woche VIP"), ("en", "A week of VIP"))
    assert week == Plan("week", 7, 75, titles=titles, abouts=(("en", "Seven days of filters."),))
    assert monthly == Plan("monthly", 30, 200, True, (123456789,))


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("week", "plan 1 is not name=days:stars"),
        ("Week=7d:75", "the name of plan 1 is not 1 to 24 small letters, digits and hyphens"),
        ("week=7d:75, week=8d:80", "plan 2 has the name of one before it"),
        ("week=0d:75", "plan 1 does not last 1 to 3650 days"),
        ("week=7d:75:renews", "plan 1 renews, but not every 30 days"),
        ("week=7d:25001", "plan 1 does not cost 1 to 25000 Stars"),
        ("month=30d:10001:renews", "plan 1 does not cost 1 to 10000 Stars"),
        (",".join(f"p{number}=7d:75" for number in range(11)), "has more than 10 plans"),
        ("week=7d:75@987654321", "plan week is for a bot without a token"),
    ],
)
def test_a_wrong_plan_ends_the_start_with_a_sentence(monkeypatch: pytest.MonkeyPatch, said: str, problem: str) -> None:
    given(monkeypatch, VIP_PLANS=said, BOT_TOKENS=TOKEN)
    assert complaint().startswith(f"VIP_PLANS: {problem};")


ONE = '[[plan]]\nname = "week"\ndays = 7\nstars = 75\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no plan"),
        ("plan = 3", "has no plan"),
        ("plan = [3]", "plan 1 is no table"),
        ("[[plan", "is not TOML"),
        ("[[plans]]", "has something besides [[plan]]"),
        ('[[plan]]\nname = "week"\ndays = 7', "plan 1 has no stars"),
        (ONE.replace("75", "true"), "plan 1 has something wrong as its stars"),
        (ONE.replace("7\n", '"7"\n'), "plan 1 has something wrong as its days"),
        (f"{ONE}colour = 3", "plan 1 has something unknown"),
        (f"{ONE}{ONE}", "plan 2 has the name of one before it"),
        (ONE.replace("7\n", "0\n"), "plan 1 does not last 1 to 3650 days"),
        (ONE.replace("week", "My Week"), "plan 1 is not name=days:stars"),
        (f"{ONE}renews = true", "plan 1 renews, but not every 30 days"),
        (f'{ONE}title.english = "A week"', "the title of plan 1 is in no known language"),
        (f'{ONE}title.en = "{"A" * 33}"', "the title of plan 1 does not fit into an invoice"),
        (f"{ONE}about.en = 3", "the about of plan 1 does not fit into an invoice"),
    ],
)
def test_a_mistake_in_the_file_ends_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, text: str, problem: str
) -> None:
    filed(monkeypatch, text)
    assert complaint().startswith(f"VIP_PLANS_FILE: {problem}")


def test_a_file_that_cannot_be_read_or_is_one_of_two_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, VIP_PLANS_FILE="nowhere.toml", BOT_TOKENS=TOKEN)
    assert complaint().startswith("VIP_PLANS_FILE: cannot be read")
    Path("nowhere.toml").write_bytes(b"\xff\xfe")
    assert complaint() == "VIP_PLANS_FILE: is not UTF-8; save it as UTF-8"
    given(monkeypatch, VIP_PLANS="week=7d:75")
    with pytest.raises(WrongSetting, match="VIP_PLANS is set too"):
        read()
