"""Records what people's phones showed, in order. The checker bases its judgment of each person on this alone.

Notices are recognised by their wording, messages by their markers: every message that a simulated person writes
contains a unique word like `m17z`. Nothing here looks into the app or its stores.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botapi_sandbox import World
from passerby.catalogue import Catalogue
from passerby.dialogue.states import FOUND as FOUND_WORDINGS
from passerby.kernel.text import text
from tests.simulation.virtual_time import VirtualLoop
from tests.wording import catalogue, opening

MARKER = re.compile(r"\bm\d+z\b")

FOUND = "search.found"
PARTNER_LEFT = "chat.partner_left"
TOGETHER = FOUND_WORDINGS | {"after_chat.together_again"}
"""Like `FOUND`: a chat begins."""
CUT_OFF = "chat.connection_lost"
"""The chat is over, and its last messages may be lost. This notice counts as their answer."""

OVER = frozenset({CUT_OFF, PARTNER_LEFT, "chat.you_left", "chat.you_moved_on", "idle.ended", "safety.chat_over"})
"""A person who is told one of these is not in a chat any more."""
BEGUN, DELAYED = "search.begun", "search.delayed"
SEARCHING = frozenset({BEGUN, "chat.you_moved_on"})
STOPPED = frozenset({"search.cancelled", "chat.search_stopped", "after_chat.search_rests"})
IDLE_HERE = frozenset({"start.ready"})
"""The answer of `/start` to an idle person. After a block, everything that was still on its way is outdated by then."""
TURNS = OVER | SEARCHING | STOPPED | IDLE_HERE | {FOUND}
"""All notices of a person's own state."""

ANSWERS: dict[str, frozenset[str]] = {
    "find": frozenset({BEGUN, "search.already", "search.in_chat"}),
    "cancel": frozenset({"search.cancelled", "search.not_searching", "search.found_meanwhile"}),
    "next": frozenset({"chat.you_moved_on", BEGUN, "chat.next_while_searching"}),
    "stop": frozenset({"chat.you_left", "chat.search_stopped", "chat.stop_while_idle"}),
}
"""Possible answers to each request."""

ENDS_SEARCH = frozenset({FOUND, *STOPPED})
"""A search that ends at once is answered by the notice of its end. That notice may answer another request, too."""

LEAVING = frozenset({"next", "stop"})
WORDS = {
    "/search": "find", "/find": "find", "/chat": "find", "/next": "next", "/skip": "next", "/stop": "stop",
    "/end": "stop",
}  # fmt: skip
KEYS = {"keys.find": "find", "keys.cancel": "cancel", "keys.next": "next", "keys.stop": "stop"}

NOBODY_THERE = frozenset(
    {
        *("search.nobody_yet", "search.idle", "search.came_too_late"),
        *("safety.comment_added", "safety.comment_in_words", "safety.comment_too_long"),
    }
)
"""Answers to a message that was written outside a chat."""


@cache
def answers(asked: str) -> frozenset[str]:
    """Return the possible answers to a request, as text keys. If several texts are worded alike, the first one stands
    for all."""
    words, named = catalogue(), wordings()
    return frozenset(named[words.plain(text(key), "en").strip()] for key in ANSWERS[asked])


def is_refusal(key: str | None) -> bool:
    """Return whether a notice tells the writer of a message that it was not delivered."""
    return key is not None and (
        key in NOBODY_THERE
        or key in ("chat.not_connected", "chat.before_this_chat", "safety.comment_added", "safety.which", "pace.begun")
        or key.startswith(("chat.refused_", "chat.failed_", "chat.confirm_"))
    )


MANY = 500
"""No notice counts more messages than this."""


@cache
def wordings() -> dict[str, str]:
    """Return every notice as a phone shows it, with its key."""
    words: Catalogue = catalogue()
    found: dict[str, str] = {}
    for language in words.languages:
        for key in words.table(language):
            for args in ({}, {"minimum": 18}, {"minimum": 18, "maximum": 99}):
                try:
                    found.setdefault(words.plain(text(key, **args), language).strip(), key)
                    break
                except (KeyError, TypeError):
                    continue
        for number in range(2, MANY):
            found[words.plain(text("chat.failed_many", n=number), language).strip()] = "chat.failed_many"
    return found


@cache
def found_heads() -> tuple[str, ...]:
    """Return how a "Partner found" notice begins, in every language."""
    words = catalogue()
    openings = {opening(key, language) for key in FOUND_WORDINGS for language in words.languages if "alike" not in key}
    return tuple({head.partition("!")[0] + "!" for head in openings})


@cache
def delayed_heads() -> tuple[str, ...]:
    """Return how a notice begins that says that a search takes long, in every language."""
    words = catalogue()
    return tuple(
        words.word(text(DELAYED, chance="|", wait=""), language).partition("|")[0] for language in words.languages
    )


@cache
def asked_by_key() -> dict[str, str]:
    """Return the labels of reply keys, with the request that each one makes."""
    words = catalogue()
    return {label: asked for key, asked in KEYS.items() for label in words.words(key).values()}


@dataclass(slots=True)
class Seen:
    """One thing on a phone. `n` numbers all of them. `at` is in seconds of the loop."""

    n: int
    at: float
    person: int
    bot: int
    kind: str
    """out: the person wrote it; in: the bot sent it; edited; block; unblock; press"""
    message: int = 0
    text: str = ""
    key: str | None = None
    """The key of a notice's text."""
    asked: str | None = None
    """The request in a person's message."""
    markers: tuple[str, ...] = ()
    reply_to: int | None = None
    album: str | None = None
    body: dict[str, Any] | None = None
    # The checker fills in the fields below.
    believed: int | None = None
    told: int | None = None

    def __str__(self) -> str:
        arrow = {"out": ">", "in": "<"}.get(self.kind, self.kind)
        said = self.key or " ".join(self.text.split())[:60]
        reply = f" re {self.reply_to}" if self.reply_to else ""
        return f"{self.at:9.3f} #{self.n:<5} {self.person} @{self.bot} {arrow} [{self.message}]{reply} {said}"


@dataclass
class Witness:
    world: World
    loop: VirtualLoop
    seen: list[Seen] = field(default_factory=list)
    state: dict[int, str] = field(default_factory=dict)
    """Each person's own idea of their state: new, idle, searching, chatting."""
    on_found: Callable[[int, int], object] = lambda person, bot: None

    def __post_init__(self) -> None:
        self.world.on_event(self._event)

    def note(self, person: int, bot: int, kind: str, text: str = "") -> None:
        """Note an action of the person that no chat shows."""
        self._add(person, bot, kind, text=text)

    def _add(self, person: int, bot: int, kind: str, **more: Any) -> Seen:
        seen = Seen(len(self.seen), self.loop.time(), person, bot, kind, **more)
        self.seen.append(seen)
        return seen

    def _event(self, person: int, event: dict[str, Any]) -> None:
        if event["type"] not in ("message", "edited"):
            return
        message = event["message"]
        said = written(message)
        kind = "edited" if event["type"] == "edited" else "out" if message["outgoing"] else "in"
        seen = self._add(
            person,
            event["bot"],
            kind,
            message=message["message_id"],
            text=said,
            markers=tuple(MARKER.findall(said)),
            reply_to=message.get("reply_to_message", {}).get("message_id"),
            album=message.get("media_group_id"),
            body=message,
        )
        if message["outgoing"]:
            if not seen.markers:
                seen.asked = WORDS.get(said) or asked_by_key().get(said)
        elif not seen.markers:
            seen.key = wordings().get(said.strip()) or (FOUND if said.startswith(found_heads()) else None)
            seen.key = FOUND if seen.key in TOGETHER else seen.key
            if seen.key is None and said.startswith(delayed_heads()):
                seen.key = DELAYED
            self._learn(seen)

    def _learn(self, seen: Seen) -> None:
        person, key = seen.person, seen.key
        if key == FOUND:
            self.state[person] = "chatting"
            self.on_found(person, seen.bot)
        elif key in SEARCHING:
            self.state[person] = "searching"
        elif key in OVER | STOPPED | IDLE_HERE:
            self.state[person] = "idle"


def written(message: dict[str, Any]) -> str:
    """Return the words of a message."""
    contact = message.get("contact") or {}
    return str(message.get("text") or message.get("caption") or contact.get("first_name") or "")


def between(seen: list[Seen], people: set[int], first: int, last: int) -> Iterator[Seen]:
    """Yield a part of the story, for a transcript."""
    return (each for each in seen[max(0, first) : last + 1] if each.person in people)
