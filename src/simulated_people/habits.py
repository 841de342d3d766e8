"""What people do and how long they take for it. All of it guesses, written down in one place; chance is handed in.

The shapes are what operators of such bots tell: most chats are over within half a minute and a few last for an hour;
little patience; short lines of text with a picture or a voice message now and then; far more *next* than *stop*; and
every now and then somebody blocks the bot altogether.

A chat lasts as long as the less willing of the two wants it to.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from statistics import fmean

KINDS = {"text": 82, "photo": 6, "sticker": 5, "voice": 4, "video_note": 0, "video": 2, "document": 1}
"""What a message is, by weight. Round videos take no caption, so they could carry no mark: none."""

WORDS = (
    *("hi", "hello", "how are you?", "m or f?", "where are you from?", "asl", "and you?", "haha", "yes", "no", "why?"),
    *("tell me something", "what are you doing?", "I just came home from work", "it rains here, all day long"),
    "Do you remember the harbour at night, with all the lights?",
    "I have been thinking about it all week, and I still do not know what to say to her when we meet again on Sunday.",
)


class Leaving(StrEnum):
    """How a person ends a chat."""

    NEXT = "next"
    STOP = "stop"
    BLOCK = "block"
    """They block the bot, and never mind their partner."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is about to send. `replies`: to the last thing they got. `edited`: they correct it afterwards."""

    kind: str
    words: str
    replies: bool = False
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """Times in seconds, shares of one."""

    patience_s: float = 90.0
    """The median of how long somebody searches before they give up."""
    willing_s: float = 86.0
    """The median of how long somebody is willing to stay in a chat: of two, the less willing leaves within 30 s."""
    willing_sigma: float = 1.9
    longest_chat_s: float = 2 * 3600.0
    pause_s: float = 6.0
    """The mean time between two things that one person writes."""
    searches: float = 6.0
    """How often somebody searches on one visit, on average."""
    nexts: float = 0.72
    blocks: float = 0.02
    """Of those who leave a chat; the rest of them stop."""
    searches_on: float = 0.85
    """Of those who were left: they search again."""
    replies: float = 0.10
    edits: float = 0.03
    reacts: float = 0.05
    bursts: float = 0.06
    """Several lines at once."""
    away_s: float = 30.0
    """The mean time that somebody who stays around is away between two visits."""

    def patience(self, rng: Random) -> float:
        return self.patience_s * rng.lognormvariate(0.0, 0.9)

    def willing(self, rng: Random) -> float:
        return min(self.longest_chat_s, self.willing_s * rng.lognormvariate(0.0, self.willing_sigma))

    def pause(self, rng: Random) -> float:
        """Never quicker than a thumb: half a second."""
        return 0.5 + rng.expovariate(1 / (self.pause_s - 0.5))

    def between_chats(self, rng: Random) -> float:
        return rng.expovariate(1 / 2.0)

    def away(self, rng: Random) -> float:
        return rng.expovariate(1 / self.away_s)

    def visit(self, rng: Random) -> int:
        """How many searches this visit has, at least one."""
        return 1 + int(rng.expovariate(1 / (self.searches - 1))) if self.searches > 1 else 1

    def leaving(self, rng: Random) -> Leaving:
        chance = rng.random()
        if chance < self.blocks:
            return Leaving.BLOCK
        return Leaving.NEXT if chance < self.blocks + self.nexts else Leaving.STOP

    def lines(self, rng: Random) -> int:
        """How many messages come at once."""
        return rng.randint(2, 4) if rng.random() < self.bursts else 1

    def draft(self, rng: Random) -> Draft:
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        replies = rng.random() < self.replies
        edited = kind == "text" and rng.random() < self.edits
        return Draft(kind, rng.choice(WORDS), replies, edited)


def arrivals(rate_per_s: float, until_s: float, rng: Random) -> Iterator[float]:
    """The moments of a Poisson process, ascending, from 0 up to `until_s`."""
    if rate_per_s <= 0:
        return
    at = rng.expovariate(rate_per_s)
    while at < until_s:
        yield at
        at += rng.expovariate(rate_per_s)


def mean(draw: Callable[[Random], float], draws: int = 20_000) -> float:
    """What `draw` gives on average; the same every time."""
    rng = Random(1)  # noqa: S311  # arithmetic, not secrecy
    return fmean(draw(rng) for _ in range(draws))


def chat_s(habits: Habits, rng: Random) -> float:
    """How long a chat lasts."""
    return min(habits.willing(rng), habits.willing(rng))
