"""Pools: people in different pools never meet. One matcher owns a pool.

Adults and minors are always apart. Beyond that, an operator may divide people by *brand*: by the bots they came
through, by their preferred language, or both. People who fit no brand are in the general pool of their side of the
wall.
"""

from collections.abc import Sequence

from passerby.domain.ages import ADULTS, MINORS, pool_for
from passerby.kernel.ids import BotId, PoolId
from passerby.kernel.rules import Brand, Rules


def _named(side: PoolId, brand: Brand) -> PoolId:
    return PoolId(f"{side}.{brand.name}")


def _takes(brand: Brand, bot: BotId | None, languages: Sequence[str]) -> bool:
    dearest = languages[0] if languages else ""
    return (not brand.bots or bot in brand.bots) and (not brand.languages or dearest in brand.languages)


def pool_of(age: int, bot: BotId | None, languages: Sequence[str], rules: Rules) -> PoolId:
    """The pool for somebody who came through `bot` and speaks these languages, the preferred one first.

    The first brand that fits counts.
    """
    side = pool_for(age, rules)
    brand = next((each for each in rules.brands if _takes(each, bot, languages)), None)
    return side if brand is None else _named(side, brand)


def apart(pool: PoolId) -> PoolId:
    """The pool beside this one, for accounts of farms. A brand cannot have such a name. It exists while somebody is in
    it."""
    return PoolId(f"{pool}~")


def in_doubt(pool: PoolId) -> PoolId:
    """The pool beside this one, for people whose age is in doubt: neither adults nor minors meet them."""
    return PoolId(f"{pool}?")


def pools(rules: Rules) -> tuple[PoolId, ...]:
    """All pools that can exist, without those of people who are apart, or whose age is in doubt."""
    sides = (ADULTS, MINORS)
    return (*sides, *(_named(side, brand) for brand in rules.brands for side in sides))
