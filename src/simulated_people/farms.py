"""Farms: accounts that one script or one language model plays, to advertise something. Guesses, kept in one place.

A `Style` says how a farm writes and behaves. `STYLES` are the ones that the weights of `passerby.domain.farms` were
chosen with. `benchmarks.farms.held_out` has others, which were written after the weights were fixed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

Opening = Callable[[Random, int], list[str]]
"""(randomness, number of the account) -> the messages of one chat, in order."""


@dataclass(frozen=True, slots=True)
class Style:
    """`reaction`: seconds from "Partner found" to the first message. `gap`: between its messages. `stays`: after the
    last one. `rest`: between two chats. `solves`: how likely it is that one try of it picks the right picture.

    `annoys`: the share of partners who leave at once when they read it. `reported`: the share who block, report or
    dislike it afterwards. `one_wording`: it knows only one wording of "Partner found". After another one it waits until
    the partner writes. `lively`: the share of chats with a sign of life. `shift_s`: after so long, another account
    takes the place of each.
    """

    name: str
    opening: Opening
    reaction: Callable[[Random], float]
    gap: Callable[[Random], float] = lambda rng: rng.uniform(1.0, 3.0)
    stays: Callable[[Random], float] = lambda rng: rng.uniform(8.0, 20.0)
    rest: Callable[[Random], float] = lambda rng: rng.uniform(1.0, 4.0)
    solves: float = 0.17
    annoys: float = 0.7
    reported: float = 0.12
    one_wording: bool = False
    lively: float = 0.0
    shift_s: float = float("inf")


SCRIPT: Final = (
    "Hey sweetie, I'm Anna, 23 :) I'm bored and alone tonight, my private photos are here: hot-anna.xyz/me kiss"
)
TEMPLATES: Final = (
    "hi dear i am {n} {a} years old, do you want to see my video? look at {t} it is free for you today",
    "Hello! Want to earn 300$ a day from your phone? Write to my manager {t} he explains everything in ten minutes",
    "my parents left and I am home alone.. add me there {t} I never answer here because the app is slow",
    "{n} here, {a}, I only use this app for my blog, the rest is on {t} promise you will not regret it honey",
    "Bro crypto signals that made me 4k last week are free in {t} until sunday, no joke, just look at the results",
    "Hey, our new chat with real girls from your town is open: {t} register and get 50 coins for nothing",
    "can you vote for my little sister please? it takes a second: {t} thank you so so much my friend!",
    "I have leaks of famous tiktokers in my folder {t} download before they delete it again, hurry up",
    "Привет, я {n}, {a} лет, скучно одной, мои фото тут {t} заходи, там всё бесплатно и без регистрации",
    "Ищем людей на удалённую работу, от 5000 в день, пиши менеджеру {t}, расскажет всё за десять минут",
)
GREET: Final = ("hey", "hi", "hello", "heyy", "good evening", "hiya", "well hello", "yo", "hi you", "evening")
FEEL: Final = ("bored", "lonely", "in a good mood", "curious", "restless", "awake", "tired of series", "free tonight")
DO: Final = (
    "I post more of me",
    "my other pictures live",
    "I answer faster",
    "I keep the fun stuff",
    "we can talk",
    "I stream",
)
WHY: Final = (
    "this app is slow",
    "they delete things here",
    "I check it all day",
    "it is nicer there",
    "no limits there",
)
ASK: Final = ("come by", "drop in", "say hi there", "don't be shy", "take a look", "write me", "see you there?")
TALK: Final = ("where are you from?", "nice to meet you", "what do you do?", "haha same here", "tell me more about you")


def _templates(rng: Random, account: int) -> list[str]:
    words = rng.choice(TEMPLATES)
    destination = rng.choice(("t.me/meet_anna_bot", "earn-fast.top", "@anna_private99"))
    return [words.format(n=rng.choice(("Anna", "Lena", "Kate")), a=rng.randint(19, 26), t=destination)]


def _reworded(rng: Random, destination: str) -> str:
    parts = [
        rng.choice(GREET),
        f"I'm {rng.choice(FEEL)}",
        f"{rng.choice(DO)} on {destination}",
        rng.choice(WHY),
        rng.choice(ASK),
    ]
    if rng.random() < 0.5:
        parts[1], parts[3] = parts[3], parts[1]
    return rng.choice((", ", ". ", "... ", " - ")).join(parts if rng.random() < 0.7 else parts[:3])


def _paraphrased(rng: Random, account: int) -> list[str]:
    return [rng.choice(GREET), rng.choice(TALK), _reworded(rng, rng.choice(("sweetroom.club/x", "@sweetroom_chat")))]


def _slow(rng: Random, account: int) -> list[str]:
    lines = [rng.choice(GREET), *rng.sample(TALK, rng.randint(1, 3))]
    return [*lines, _reworded(rng, "insta: lena.sunny_22")]


STYLES: Final[Mapping[str, Style]] = {
    each.name: each
    for each in (
        Style("script", lambda rng, account: [SCRIPT], lambda rng: 1.5 + rng.uniform(0, 0.05), stays=lambda rng: 5.0),
        Style("templates", _templates, lambda rng: rng.uniform(1.0, 3.0)),
        Style(
            "paraphrasing",
            _paraphrased,
            lambda rng: rng.uniform(1.5, 4.0),
            gap=lambda rng: rng.uniform(2.0, 8.0),
            solves=0.9,
            annoys=0.5,
        ),
        Style(
            "human-timed",
            _slow,
            lambda rng: 3.0 * rng.lognormvariate(0, 0.6),
            gap=lambda rng: 8.0 * rng.lognormvariate(0, 0.5),
            stays=lambda rng: 30.0 * rng.lognormvariate(0, 0.7),
            rest=lambda rng: rng.expovariate(1 / 240.0),
            solves=0.9,
            annoys=0.4,
            reported=0.08,
        ),
    )
}
