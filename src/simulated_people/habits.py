"""The habits of people, and the times that they take. All of these are guesses, kept in one place. The caller gives the
randomness.

The shapes are what operators of such bots report: most chats end within half a minute, and a few last an hour; people
have little patience; they write short lines, and sometimes send a picture or a voice message; they press *next* far
more often than *stop*; and now and then, a person blocks the bot.

A chat lasts as long as the less willing of the two wants.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from statistics import fmean

KINDS = {"text": 82, "photo": 6, "sticker": 5, "voice": 4, "video_note": 0, "video": 2, "document": 1}
"""The kinds of messages, by weight. Round videos have no caption and so no place for a mark: there are none."""

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
    """They block the bot, without ending the chat first."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to send. `replies`: it replies to the last one received. `edited`: it is corrected afterwards."""

    kind: str
    words: str
    replies: bool = False
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """Times are in seconds, shares from 0 to 1."""

    patience_s: float = 90.0
    """The median time of a search before a person gives up."""
    willing_s: float = 86.0
    """The median time that a person wants to stay in a chat. The less willing of two has a median of 30 s."""
    willing_sigma: float = 1.9
    longest_chat_s: float = 2 * 3600.0
    pause_s: float = 6.0
    """The mean time between two messages of one person."""
    searches: float = 6.0
    """The average number of searches in one visit."""
    nexts: float = 0.72
    blocks: float = 0.02
    """The share of people who leave a chat by a block. The ones who neither go to the next nor block use stop."""
    searches_on: float = 0.85
    """The share of people who search again after their partner left."""
    replies: float = 0.10
    edits: float = 0.03
    reacts: float = 0.05
    bursts: float = 0.06
    """The share of times at which a person writes several lines at once."""
    away_s: float = 30.0
    """The mean time between two visits of a person who stays."""

    def patience(self, rng: Random) -> float:
        return self.patience_s * rng.lognormvariate(0.0, 0.9)

    def willing(self, rng: Random) -> float:
        return min(self.longest_chat_s, self.willing_s * rng.lognormvariate(0.0, self.willing_sigma))

    def pause(self, rng: Random) -> float:
        """The time before the next message. At least half a second, because people type no faster."""
        return 0.5 + rng.expovariate(1 / (self.pause_s - 0.5))

    def between_chats(self, rng: Random) -> float:
        return rng.expovariate(1 / 2.0)

    def away(self, rng: Random) -> float:
        return rng.expovariate(1 / self.away_s)

    def visit(self, rng: Random) -> int:
        """The number of searches in this visit, at least one."""
        return 1 + int(rng.expovariate(1 / (self.searches - 1))) if self.searches > 1 else 1

    def leaving(self, rng: Random) -> Leaving:
        chance = rng.random()
        if chance < self.blocks:
            return Leaving.BLOCK
        return Leaving.NEXT if chance < self.blocks + self.nexts else Leaving.STOP

    def lines(self, rng: Random) -> int:
        """The number of messages at once."""
        return rng.randint(2, 4) if rng.random() < self.bursts else 1

    def draft(self, rng: Random) -> Draft:
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        replies = rng.random() < self.replies
        edited = kind == "text" and rng.random() < self.edits
        return Draft(kind, rng.choice(WORDS), replies, edited)


def arrivals(rate_per_s: float, until_s: float, rng: Random) -> Iterator[float]:
    """The moments of a Poisson process from 0 to `until_s`, sorted."""
    if rate_per_s <= 0:
        return
    at = rng.expovariate(rate_per_s)
    while at < until_s:
        yield at
        at += rng.expovariate(rate_per_s)


def mean(draw: Callable[[Random], float], draws: int = 20_000) -> float:
    """The average of `draw`. The same every time."""
    rng = Random(1)  # noqa: S311  # arithmetic, not secrecy
    return fmean(draw(rng) for _ in range(draws))


def chat_s(habits: Habits, rng: Random) -> float:
    """Draw the length of a chat."""
    return min(habits.willing(rng), habits.willing(rng))
