"""Measures what the signals against farms cost on the way of a message, and what they cost beside it.

    python -m benchmarks.safety_cost [--short]
    valgrind --tool=callgrind python -m benchmarks.safety_cost --loop later --signals on --times 20000
    valgrind --tool=callgrind python -m benchmarks.safety_cost --loop later --signals off --times 20000

*First* messages are the eight of each side of a chat that are looked at. *Later* ones are all others. Each is decided
by the product's own router, once with the signals and once with a stub in their place, in turn. *Beside* is what the
task that keeps conducts does later with a note: hashing the words, and adding them to the day. With `--loop`, only one
of these is repeated, so that a tool from outside can count its instructions.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import passerby
from passerby.catalogue import Catalogue
from passerby.domain.farms.conduct import CONTACTS, LISTENED_TO, Conduct, Note, Wrote, noted
from passerby.domain.farms.destinations import destinations
from passerby.domain.farms.openers import bands, line, words_of
from passerby.features import ALL
from passerby.kernel.content import Content, Kind
from passerby.kernel.decision import Env, Facts
from passerby.kernel.effect import Relay
from passerby.kernel.event import MessageReceived
from passerby.kernel.ids import BotId, ChatId, MessageId, MessageRef, PersonId
from passerby.kernel.participant import Chatting, Gender, Participant, Profile
from passerby.runtime.decide.conduct_notes import ConductNotes
from passerby.runtime.decide.router import Router

NOW = 1_800_000_000.0
BOT = BotId(1_000_001)
ANN, BEN = PersonId(5_000_001), PersonId(5_000_002)
WORDS = "Do you remember the harbour at night, with all the lights?"
KEY = b"a key of the day"
ROUNDS = 9
PROFILE = Profile(consented_at=NOW, age=30, age_given_at=NOW, gender=Gender.UNSAID, language="en")


class Talk:
    """Two people in a chat, and what is decided about each message of one of them."""

    def __init__(self, *, signals: bool) -> None:
        catalogue = Catalogue.load(Path(passerby.__file__).parent, ["en"])
        self._router = Router(ALL, catalogue.key_with_label)
        self._env = Env(NOW + 60, Random(1), places=catalogue.places)
        self.notes = ConductNotes()
        self._noted: Callable[..., None] = self.notes.decided if signals else lambda *_: None
        self._facts: Facts | None = None
        self.begin("a chat")

    def begin(self, chat: str) -> None:
        ann, ben = (
            Participant(me, 1, BOT, (BOT,), PROFILE, Chatting(ChatId(chat), other, NOW), seen_at=NOW)
            for me, other in ((ANN, BEN), (BEN, ANN))
        )
        self._facts = Facts(ann, ben, anchor=MessageRef(BOT, MessageId(1)))

    def message(self) -> None:
        assert self._facts is not None
        event = MessageReceived(ANN, BOT, (MessageId(7),), (Content(Kind.TEXT, WORDS),), NOW + 60)
        decider = self._router.route(event, self._facts)
        decision = self._router.decide(decider, event, self._facts, self._env)
        assert isinstance(decision.effects[0], Relay)
        self._noted(event, self._facts, decision, NOW + 60)


def first(talk: Talk, chats: Iterator[int]) -> None:
    """The messages of one side that are looked at, of a new chat."""
    talk.begin(f"{next(chats):020x}")
    for _ in range(LISTENED_TO):
        talk.message()
    talk.notes.take()


def repeated(loop: str, times: int, *, signals: bool) -> float:
    """The CPU of one message, in microseconds."""
    talk, chats = Talk(signals=signals), cycle(range(1, 1 << 20))
    if loop == "first":
        began = time.process_time()
        for _ in range(max(1, times // LISTENED_TO)):
            first(talk, chats)
        return (time.process_time() - began) / (max(1, times // LISTENED_TO) * LISTENED_TO) * 1e6
    first(talk, chats)
    began = time.process_time()
    for _ in range(times):
        talk.message()
    return (time.process_time() - began) / times * 1e6


def kept(note: Note, times: int) -> float:
    """The CPU of one note in the task that keeps conducts, in microseconds."""
    assert isinstance(note, Wrote)
    conduct = Conduct()
    began = time.process_time()
    for _ in range(times):
        led = destinations(KEY, note.text)
        tokens = {"t": led.plain, "o": led.odd, CONTACTS: led.contacts}
        tokens |= {"b": bands(KEY, words_of(note.text))} if note.nth == 0 else {"l": line(KEY, note.text)}
        conduct = noted(conduct, note, tokens)
    return (time.process_time() - began) / times * 1e6


def measured(times: int, rounds: int) -> dict[str, Any]:
    """Medians of rounds in turn."""
    found: dict[str, Any] = {}
    for loop in ("first", "later"):
        pairs = [(repeated(loop, times, signals=True), repeated(loop, times, signals=False)) for _ in range(rounds)]
        found[loop] = {
            "with_us": median(on for on, _ in pairs),
            "without_us": median(off for _, off in pairs),
            "ratio": median(on / off for on, off in pairs),
        }
    opening = Wrote(ANN, ChatId("a chat"), NOW, 0, 3.0, WORDS, opens=True)
    found["beside"] = {
        "opening_us": median(kept(opening, times // 10) for _ in range(rounds)),
        "line_us": median(kept(Wrote(ANN, ChatId("a chat"), NOW, 1, 3.0, WORDS), times // 10) for _ in range(rounds)),
    }
    return found


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.safety_cost",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--loop", choices=("first", "later"), help="repeat only this")
    parser.add_argument("--signals", choices=("on", "off"), default="on")
    parser.add_argument("--times", type=int, default=40_000)
    options = parser.parse_args(arguments)
    if options.loop:
        return {options.loop: repeated(options.loop, options.times, signals=options.signals == "on")}
    found = measured(2_000 if options.short else options.times, 3 if options.short else ROUNDS)
    print("| messages | decided with signals | without | ratio |")
    print("|---|--:|--:|--:|")
    for loop in ("first", "later"):
        each = found[loop]
        print(f"| {loop} | {each['with_us']:.2f} µs | {each['without_us']:.2f} µs | {each['ratio']:.3f} |")
    print(json.dumps(found))
    return found


if __name__ == "__main__":
    main()
