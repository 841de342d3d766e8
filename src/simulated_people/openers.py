"""The first lines of honest people in a chat. All of these are guesses, kept in one place. The caller gives the
randomness.

They are made to look like a farm where honest people do: many have one introduction that they paste into every chat,
some copied it from each other, some send their own name or channel to everybody, and a popular video goes round.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

SHORT: Final = (
    *("hi", "hey", "hello", "hii", "hola", "привет", "прив", "ку", "m or f?", "asl", "f?", "m", "wyd", "hru", "sup"),
    *("hi there", "how are you?", "where from?", "как дела?", "мж?", "que tal", "oi tudo bem?", "selam", "sa", "hallo"),
)
ASKING: Final = ("{sex} {age} u?", "{sex}{age}", "{age} {sex}", "hi {sex} {age}", "{sex} {age} here", "м {age} ты?")
COPIED: Final = (
    "Hi, I'm {name}, {age}, looking for someone to talk about {hobby} and life in general, how was your day?",
    "hello stranger! i like {hobby} and {hobby2}, tell me something interesting about yourself please",
    "Hey! {age} {sex} from {place}. Not here for anything weird, just bored and want a nice conversation",
    "Привет! Меня зовут {name}, мне {age}, люблю {hobby} и долгие прогулки, давай познакомимся поближе",
    "bored at work, give me your hottest take about {hobby} and i will tell you why you are wrong",
    "Hola, soy {name} de {place}, tengo {age} y busco amigos para hablar de {hobby} o de lo que sea",
    "I will guess your zodiac sign in three questions. if I am wrong you choose the topic. deal?",
    "roses are red violets are blue i'm {age} and bored and how about you? tell me about {hobby}",
)
"""Introductions that people copy from each other and fill in."""

WORDS: Final = """
    i am just a student who loves music films games books football cats dogs night walks rain coffee travel cooking
    anime history maps trains the sea long talks jokes quiet people and today was strange because my friend said that
    we should try something new so here i am tell me what you think about it or ask me anything you like really
"""
NAMES: Final = ("Anna", "Max", "Leo", "Mia", "Sofia", "Ivan", "Dima", "Lena", "Ali", "Sara", "Joao", "Emre", "Budi")
HOBBIES: Final = (
    "music",
    "films",
    "football",
    "anime",
    "books",
    "space",
    "cooking",
    "cars",
    "games",
    "travel",
    "chess",
)
PLACES: Final = ("Berlin", "Lima", "Kazan", "Porto", "Izmir", "Delhi", "Jakarta", "Madrid", "Leeds", "Almaty")
LINKS: Final = (
    "youtube.com/watch?v=dQw4w9WgXcQ",
    "https://youtu.be/abcd1234",
    "tiktok.com/@funnycats/video/7345",
    "open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC",
    "https://knowyourmeme.com/memes/among-us",
    "instagram.com/reel/C5xyz",
    "https://www.16personalities.com/free-test",
    "skribbl.io/?room",
    "https://chess.com/play/online",
    "wikipedia.org/wiki/Octopus",
    "bit.ly/3xQuiz9",
    "tinyurl.com/what-cat-are-you",
    "cutt.ly/playlist22",
)
"""Lines that go round among honest people. The first ones are far more common than the last."""


_WORDS: Final = tuple(WORDS.split())


@dataclass(slots=True)
class Speaker:
    """How one person begins their chats. `own`: what they paste into every chat; empty if they type something new."""

    rng: Random
    own: str = ""
    varies: float = 0.3
    """The share of chats in which somebody with an own text writes something else."""
    signs: str = ""
    """A name or channel of their own that they add to it."""
    shares: float = 0.02
    """The share of chats in which they send a link that goes round."""
    reaction_s: float = 3.0
    spread: float = 0.6
    lively: float = 0.12
    second: str = ""
    """The text that they paste after a short greeting."""
    passes_on: tuple[str, ...] = ()
    """Places of their own, or ones that they recommend. They name one of them in a share `often` of their chats."""
    often: float = 0.0
    types_per_s: float = 6.0
    """Letters."""
    disliked: float = 0.03
    """The share of partners who block, report or dislike them."""

    def opener(self) -> str:
        rng = self.rng
        if self.own and rng.random() >= self.varies:
            return f"{self.own} {self.signs}".strip()
        if rng.random() < 0.7:
            return rng.choice(SHORT)
        if rng.random() < 0.5:
            return _filled(rng.choice(ASKING), rng)
        return " ".join(rng.choices(_WORDS, k=rng.randint(4, 14)))

    def line(self) -> str:
        rng = self.rng
        if rng.random() < self.shares / 4:
            return link(rng)
        return " ".join(rng.choices(_WORDS, k=1 + int(rng.expovariate(1 / 5))))

    def reaction(self) -> float:
        return self.reaction_s * self.rng.lognormvariate(0.0, self.spread)


def link(rng: Random) -> str:
    return LINKS[min(len(LINKS) - 1, int(rng.expovariate(1 / 2.5)))]


def _filled(words: str, rng: Random) -> str:
    hobby, other = rng.sample(HOBBIES, 2)
    return words.format(
        name=rng.choice(NAMES),
        age=rng.randint(18, 40),
        sex=rng.choice("mf"),
        hobby=hobby,
        hobby2=other,
        place=rng.choice(PLACES),
    )


def speaker(rng: Random) -> Speaker:
    """A person drawn from the crowd."""
    me = Speaker(
        rng, reaction_s=rng.lognormvariate(1.0, 0.4), spread=rng.uniform(0.35, 0.9), lively=rng.betavariate(1, 5)
    )
    kind = rng.random()
    if kind < 0.45:
        me.own = ""
    elif kind < 0.70:  # "m 24 u?", always the same
        me.own, me.varies = _filled(rng.choice(ASKING), rng), 0.2
    elif kind < 0.85:  # an introduction that goes round, filled in
        me.own, me.varies = _filled(rng.choice(COPIED), rng), rng.choice((0.0, 0.1, 0.4))
    else:  # an introduction of their own
        me.own, me.varies = " ".join(rng.choices(_WORDS, k=rng.randint(10, 40))), rng.choice((0.0, 0.2))
    if rng.random() < 0.02:  # "add me"
        name = f"{rng.choice(NAMES).lower()}{rng.choice('._')}{rng.randint(1, 9999)}"
        me.own = me.own or rng.choice(SHORT)
        me.signs = rng.choice(("insta: {}", "@{}", "my tg t.me/{}", "snap {}", "add me on insta {}")).format(name)
    if rng.random() < 0.01:  # a fast typist with the keyboard's suggestions
        me.reaction_s, me.spread, me.types_per_s = 0.8, 0.25, 15.0
    if rng.random() < 0.02:  # somebody rude
        me.disliked = rng.uniform(0.1, 0.35)
    odd = rng.random()
    if odd < 0.03:  # greets, and pastes the introduction then
        me.own, me.varies, me.second = rng.choice(SHORT), 0.3, _filled(rng.choice(COPIED), rng)
    elif odd < 0.039:
        me.passes_on, me.often = _SHOPS[int(odd * 1000) % 3](rng), rng.uniform(0.15, 0.6)
    return me


def _shop(rng: Random) -> tuple[str, ...]:
    """A site, a few pages of it, and two numbers."""
    site = f"{rng.choice(_WORDS)}-{rng.choice(_WORDS)}.shop"
    pages = tuple(f"look {site}/{rng.choice(_WORDS)}/{page}" for page in range(5))
    numbers = (f"+{rng.randint(10**10, 10**11)}" for _ in range(2))
    return (*pages, *(f"call me or write on {number}" for number in numbers))


def _music(rng: Random) -> tuple[str, ...]:
    """The same music in many places."""
    name = f"{rng.choice(_WORDS)}{rng.choice(_WORDS)}"
    sites = ("soundcloud.com/{}", "{}.bandcamp.com", "open.spotify.com/artist/{}x", "youtube.com/@{}", "@{}_music")
    tracks = tuple(f"youtu.be/{rng.getrandbits(48):x}" for _ in range(3))
    return (*(f"my music {site.format(name)}" for site in sites), *tracks)


def _groups(rng: Random) -> tuple[str, ...]:
    """Chats and channels that they recommend."""
    return tuple(f"there is a nice chat @{rng.choice(_WORDS)}_{rng.choice(_WORDS)}_chat" for _ in range(10))


_SHOPS: Final = (_shop, _music, _groups)
