"""Farms that were written after the weights were fixed. They say how much of the rest is luck.

Some do not look like a ring: `own-names` has no common destination, `no-destination` names none, and `sparing`
advertises in few chats.
"""

from random import Random
from typing import Final

from simulated_people.farms import Style
from simulated_people.openers import SHORT, WORDS

_WORDS: Final = tuple(WORDS.split())


def _salad(rng: Random, least: int = 3, most: int = 9) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(least, most)))


def _card(rng: Random, account: int) -> list[str]:
    number = ("4276 1609 8812 3345", "5536914012345678")[account % 2]
    written = rng.choice((number, number.replace(" ", "-"), number.replace(" ", "")))
    story = ("my mother is ill", "ребёнок голодный", "perdí mi trabajo", "they stole my bag", "нет денег на билет")
    return [rng.choice(SHORT), f"{rng.choice(story)} {_salad(rng)}", f"{_salad(rng)} {written} {_salad(rng, 0, 2)}"]


def _disguised(rng: Random, account: int) -> list[str]:
    site = f"{rng.choice('abcdefgh')}{rng.randint(1, 99)}.fоlly-girls.info/{rng.randint(1, 9999)}"
    word = rng.choice(("наливай", "welcome", "ven", "gel", "wow"))
    return [f"{rng.choice('🔥💋🍑✨')}{rng.choice('🔥💋🍑✨')} {word}\u200b {site} {_salad(rng, 0, 4)}"]


def _snap(rng: Random, account: int) -> list[str]:
    name = rng.choice(("add me on snap: foxy_lana_7", "my snap is foxy_lana_7", "snap 👉 foxy_lana_7"))
    return [rng.choice(SHORT), _salad(rng), _salad(rng), f"{_salad(rng, 1, 4)} {name}"]


def _spelt(rng: Random, account: int) -> list[str]:
    site = rng.choice(("candyclub dot xyz", "candyclub [dot] xyz", "c a n d y c l u b . x y z", "candyclub.xyz"))
    return [f"{rng.choice(SHORT)} {_salad(rng, 2, 6)} {site} {_salad(rng, 1, 5)}"]


def _many(rng: Random, account: int) -> list[str]:
    names = [f"@cash_flow_{number}" for number in range(12)]
    return [f"{_salad(rng, 2, 5)} {rng.choice(names)} {_salad(rng, 2, 5)}"]


def _own(rng: Random, account: int) -> list[str]:
    return [rng.choice(SHORT), f"{_salad(rng, 2, 6)} @sugar_{account}_baby {_salad(rng, 1, 4)}"]


def _none(rng: Random, account: int) -> list[str]:
    where = rng.choice(("type MegaDating in the search on top", "look for the bot MegaDating", "MegaDating is better"))
    return [f"{_salad(rng, 2, 5)}, {where}, {_salad(rng, 2, 5)}"]


def _sparing(rng: Random, account: int) -> list[str]:
    lines = [rng.choice(SHORT), _salad(rng), _salad(rng)]
    return [*lines, f"{_salad(rng, 1, 4)} vip-rooms.club/x"] if rng.random() < 0.35 else lines


def _fresh_link(rng: Random, account: int) -> list[str]:
    link = f"t.me/+{''.join(rng.choices('abcdefghijkmnpqrstuvwxyz0123456789', k=16))}"
    return (
        [rng.choice(SHORT), f"{_salad(rng, 2, 6)} {link}"] if rng.random() < 0.6 else [rng.choice(SHORT), _salad(rng)]
    )


def _patient(rng: Random, account: int) -> list[str]:
    lines = [rng.choice(SHORT), _salad(rng), _salad(rng), _salad(rng)]
    return [*lines, f"{_salad(rng, 1, 4)} search for Lana Foxy on the app with the ghost"]


def _any_site(rng: Random, account: int) -> list[str]:
    site = f"{rng.choice(('girl', 'cam', 'date', 'love'))}{rng.randint(100, 999)}.{rng.choice(('xyz', 'top', 'icu'))}"
    return [f"{_salad(rng, 2, 7)} {site} {_salad(rng, 1, 5)}"]


def _fresh_number(rng: Random, account: int) -> list[str]:
    number = (
        f"+{rng.randint(10, 99)} {rng.randint(100, 999)} {rng.randint(100, 999)} {rng.randint(10, 99)} 7{account:02}"
    )
    return [rng.choice(SHORT), _salad(rng), f"{_salad(rng, 1, 5)} {number}" if rng.random() < 0.5 else _salad(rng)]


def _two_faced(rng: Random, account: int) -> list[str]:
    name = f"@{rng.choice(_WORDS)}_{rng.randint(1000, 9999)}" if rng.random() < 0.6 else f"@star_{account}_lounge"
    return [rng.choice(SHORT), _salad(rng), *([f"{_salad(rng, 2, 5)} {name}"] if rng.random() < 0.4 else [])]


_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _spoken(rng: Random, account: int) -> list[str]:
    number = " ".join(_DIGITS[int(each)] for each in str(91_445_207_113 + 7 * (account % 4)))
    return [rng.choice(SHORT), _salad(rng), _salad(rng), f"{_salad(rng, 1, 5)} {number} {_salad(rng, 0, 3)}"]


def _one_in_five(rng: Random, account: int) -> list[str]:
    lines = [rng.choice(SHORT), _salad(rng), _salad(rng)]
    return (
        [*lines, f"{_salad(rng, 2, 6)} @{_WORDS[account % len(_WORDS)]}_{account}_x"] if rng.random() < 0.2 else lines
    )


def _human(median_s: float, spread: float = 0.6):  # type: ignore[no-untyped-def]
    return lambda rng: median_s * rng.lognormvariate(0.0, spread)


HELD_OUT: Final = {
    each.name: each
    for each in (
        Style("card", _card, _human(2.5), _human(7), _human(20), _human(30, 1.0), solves=0.9, annoys=0.45),
        Style("disguised", _disguised, lambda rng: rng.gauss(2, 0.1), stays=_human(6), rest=lambda rng: 2.0),
        Style(
            "snap", _snap, _human(4), _human(10), _human(40), _human(200, 1.0), solves=0.95, annoys=0.3, reported=0.05
        ),
        Style("spelt", _spelt, _human(1.5, 0.3), stays=_human(12), solves=0.3),
        Style("twelve names", _many, _human(2.0), stays=_human(10), solves=0.5),
        Style("own names", _own, _human(2.0), _human(4), _human(15), solves=0.9, annoys=0.5),
        Style("no destination", _none, _human(2.0), stays=_human(10), solves=0.5, annoys=0.6),
        Style(
            "sparing", _sparing, _human(3.0), _human(8), _human(25), _human(60), solves=0.9, annoys=0.25, reported=0.05
        ),
        # These were written after accounts in bulk were looked at.
        Style("fresh links", _fresh_link, _human(2.5), _human(5), _human(15), _human(15), solves=0.9, annoys=0.4),
        Style("patient", _patient, _human(4.0), _human(9), _human(40), _human(90, 1.0), solves=0.95, annoys=0.3),
        Style("any site", _any_site, _human(1.8, 0.4), stays=_human(9), rest=_human(10), solves=0.6, annoys=0.6),
        # These were written after people who scatter were looked at.
        Style(
            "fresh numbers", _fresh_number, _human(3.5), _human(8), _human(30), _human(120, 1.0), solves=0.9, annoys=0.3
        ),
        Style("two-faced", _two_faced, _human(3.0), _human(7), _human(25), _human(60, 0.9), solves=0.9, annoys=0.3),
        # These were written after changing contacts and choruses were looked at.
        Style("spoken numbers", _spoken, _human(4.0), _human(8), _human(30), _human(100, 1.0), solves=0.9, annoys=0.35),
        Style(
            *("one in five", _one_in_five, _human(3.0), _human(8), _human(40), _human(90, 0.9)),
            solves=0.95,
            annoys=0.2,
            reported=0.06,
        ),
    )
}
