"""Farms that were written after every weight was fixed. Nothing was changed because of them before their first run;
docs/explanation/safety.md says what came out, and what was changed after it.

They open in many ways, use short links, spell numbers in words of several languages, mix languages, are slow, change
accounts every quarter of an hour, or let a person take over.
"""

from random import Random
from typing import Final

from simulated_people.farms import Style
from simulated_people.openers import SHORT, WORDS

_WORDS: Final = tuple(WORDS.split())
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def _talk(rng: Random, least: int = 2, most: int = 11) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(least, most)))


_HOSTS: Final = ("bit.ly", "tinyurl.com", "is.gd", "cutt.ly", "t.ly", "rb.gy")
_BEGIN: Final = (
    *("look what I found", "my album is here", "is this you??", "one click and you see me", "free until midnight"),
    *("смотри что нашла", "mira esto", "guck mal", "bak buna", "olha isso"),
)


def _short_links(rng: Random, account: int) -> list[str]:
    link = f"{rng.choice(_HOSTS)}/{''.join(rng.choices(_LETTERS, k=7))}"
    said = f"{rng.choice(_BEGIN)} {link} {_talk(rng, 0, 4)}".strip()
    return [rng.choice(SHORT), said] if rng.random() < 0.5 else [said]


_DIGITS: Final = (
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"],
    ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
    ["ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"],
)


def _in_words(rng: Random, account: int) -> list[str]:
    digits = str(34_600_118_207 + 911 * (account // 2))
    spoken = rng.choice(_DIGITS)
    number = " ".join(spoken[int(each)] if rng.random() < 0.8 else each for each in digits)
    lines = [rng.choice(SHORT), *(_talk(rng) for _ in range(rng.randint(1, 3)))]
    return [*lines, f"{_talk(rng, 1, 4)} {number}"] if rng.random() < 0.6 else lines


_PITCHES: Final = (
    *("write me on tg {}", "пиши в тг {}", "schreib mir auf insta {}", "beni instada bul {}", "búscame en ig {}"),
    *(
        "im on snap {} add",
        "me chama no insta {}",
        "cari aku di ig {}",
        "мой ник {} в инсте",
        "find {} where the pics are",
    ),
)


def _tongues(rng: Random, account: int) -> list[str]:
    one, other = (("kitty", "wave"), ("luna", "velvet"), ("mila", "storm"), ("nika", "rose"), ("eva", "north"))[
        account % 5
    ]
    name = f"{one}{rng.choice(('_', '.', '', '__'))}{other}{rng.choice(('', '', '7', '_x'))}"
    lines = [rng.choice(SHORT), *(_talk(rng) for _ in range(rng.randint(0, 2)))]
    return [*lines, rng.choice(_PITCHES).format(name)]


def _shifts(rng: Random, account: int) -> list[str]:
    place = rng.choice(("@amber_room_bot", "amber-room.live", "t.me/amber_room_bot?start=7"))
    return [f"{rng.choice(SHORT)} {_talk(rng, 2, 6)} {place} {_talk(rng, 0, 6)}".strip()]


def _half_human(rng: Random, account: int) -> list[str]:
    lines = [rng.choice(SHORT), *(_talk(rng) for _ in range(rng.randint(2, 6)))]
    if rng.random() < 0.45:
        place = f"@anna_nights_{account}" if rng.random() < 0.6 else f"nightly.cam/r/{account}"
        lines.append(f"{_talk(rng, 1, 5)} {place}")
    return lines


def _slow(rng: Random, account: int) -> list[str]:
    lines = [rng.choice(SHORT), *(_talk(rng) for _ in range(rng.randint(2, 4)))]
    return [*lines, f"{_talk(rng, 2, 6)} @velvet_lounge_chat"] if rng.random() < 0.6 else lines


def _slow_sites(rng: Random, account: int) -> list[str]:
    lines = [rng.choice(SHORT), *(_talk(rng) for _ in range(rng.randint(1, 3)))]
    site = rng.choice(("moon-cams.live", "lunacams.vip/join"))
    return [*lines, f"{_talk(rng, 1, 5)} {site} {_talk(rng, 0, 3)}".strip()] if rng.random() < 0.45 else lines


def _human(median_s: float, spread: float = 0.6):  # type: ignore[no-untyped-def]
    return lambda rng: median_s * rng.lognormvariate(0.0, spread)


FRESH: Final = {
    each.name: each
    for each in (
        Style("short links", _short_links, _human(2.5), _human(4), _human(12), _human(8), solves=0.6, annoys=0.6),
        Style("in words", _in_words, _human(3.5), _human(8), _human(30), _human(60, 0.9), solves=0.9, annoys=0.35),
        Style("tongues", _tongues, _human(3.0), _human(6), _human(20), _human(20), solves=0.8, annoys=0.45),
        Style("shifts", _shifts, _human(2.0), stays=_human(8), rest=_human(4), solves=0.6, annoys=0.6, shift_s=900.0),
        Style(
            *("half-human", _half_human, _human(3.5), _human(9), _human(60, 0.9), _human(60, 0.9)),
            solves=0.98,
            annoys=0.25,
            reported=0.06,
            lively=0.3,
        ),
        Style("slow", _slow, _human(4.0), _human(10), _human(40), _human(360, 0.7), solves=0.95, annoys=0.3),
        # This one was written to try a second look at slow farms, which was left out after that.
        Style("slow sites", _slow_sites, _human(3.5), _human(8), _human(30), _human(240, 0.7), solves=0.9, annoys=0.3),
    )
}
