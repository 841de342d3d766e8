"""Pools: every pool respects the wall between adults and minors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.domain.ages import ADULTS, MINORS
from passerby.domain.pools import pool_of, pools
from passerby.kernel.ids import BotId
from passerby.kernel.rules import Brand, Rules

BOT, OTHER = BotId(1), BotId(2)
RULES = Rules(brands=(Brand("both", (BOT,), ("pt",)), Brand("slavic", (), ("ru", "uk")), Brand("lantern", (OTHER,))))


@pytest.mark.parametrize(
    ("bot", "languages", "expected"),
    [
        (BOT, ("pt", "en"), "adults.both"),
        (BOT, ("en", "pt"), "adults"),
        (OTHER, ("pt",), "adults.lantern"),
        (BOT, ("uk",), "adults.slavic"),
        (OTHER, ("ru",), "adults.slavic"),
        (BOT, (), "adults"),
        (None, (), "adults"),
    ],
)
def test_the_first_brand_that_fits_counts(bot: BotId | None, languages: tuple[str, ...], expected: str) -> None:
    assert pool_of(30, bot, languages, RULES) == expected


def test_without_brands_there_are_two_pools() -> None:
    assert pools(Rules()) == (ADULTS, MINORS)
    assert pool_of(17, BOT, ("en",), Rules()) == MINORS


BRANDS = st.lists(
    st.builds(
        Brand,
        st.sampled_from(["a", "b", "c"]),
        st.lists(st.sampled_from([BOT, OTHER])).map(tuple),
        st.lists(st.sampled_from(["en", "ru"])).map(tuple),
    ),
    max_size=3,
    unique_by=lambda brand: brand.name,
).map(tuple)
SOMEBODY = st.tuples(st.integers(1, 99), st.sampled_from([BOT, OTHER, None]), st.lists(st.sampled_from(["en", "ru"])))


@given(BRANDS, SOMEBODY, SOMEBODY)
def test_brands_never_mix_adults_and_minors(
    brands: tuple[Brand, ...], one: tuple[int, BotId | None, list[str]], other: tuple[int, BotId | None, list[str]]
) -> None:
    rules = Rules(brands=brands)
    pool = pool_of(*one, rules)
    assert pool in pools(rules)
    if (one[0] >= rules.adult_age) != (other[0] >= rules.adult_age):
        assert pool != pool_of(*other, rules)
