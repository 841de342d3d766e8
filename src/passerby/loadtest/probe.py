"""A chat between two people of a sandbox, who write all the time while something else is tried on the fleet.

On Telegram itself, nobody can write for people, so there is no such chat there.
"""

import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from simulated_people.phrases import AGE, CONSENT, GENDER, READY, Said, mark, mark_in, notice, said, words_of

Json = dict[str, Any]

PATIENCE_S: Final = 60.0
LOOK_EVERY_S: Final = 0.25
WRITE_EVERY_S: Final = 0.5
"""Telegram lets a bot send one message a second to a chat, and each of the two writes every second time."""
TRIES: Final = 3
_NUMBER: Final = 9_000_000


class NoProbe(Exception):
    """There can be no probe chat. The text is one sentence for the operator."""


class Probed(msgspec.Struct, frozen=True):
    """Of the messages that were sent, `lost` arrived nowhere, and `doubled` arrived again. `slowest_s`: the longest way
    of one that arrived."""

    sent: int
    lost: int
    doubled: int
    slowest_s: float


class _Person:
    def __init__(self, ask: Callable[..., Any], wait: Callable[[int, str], None], bot: int, number: int) -> None:
        self._ask = ask
        self._wait = wait
        self.id: int = ask("people", {"first_name": f"Probe {number}"})["id"]
        self._path = f"people/{self.id}/chats/{bot}"

    def messages(self) -> list[Json]:
        found: list[Json] = self._ask(self._path)["messages"]
        return [each for each in found if not each["outgoing"]]

    def say(self, words: str) -> None:
        self._ask(f"{self._path}/send", {"text": words})

    def join(self) -> None:
        """Answer the first questions."""
        self._ask(f"{self._path}/start", {})
        answered = set[str]()
        waits = 0
        while READY not in answered:
            for message in self.messages():
                key = notice(words_of(message))
                if key is None or key in answered:
                    continue
                answered.add(key)
                if key in (CONSENT, GENDER):
                    self._ask(f"{self._path}/press", {"message_id": message["message_id"], "row": 0, "column": 0})
                elif key == AGE:
                    self.say("30")
            waits += 1
            self._wait(waits, "the fleet does not answer the probe's people")

    def hears(self, since: int, what: Callable[[str], bool]) -> None:
        """Wait for a message after the first `since`."""
        waits = 0
        while not any(what(words_of(each)) for each in self.messages()[since:]):
            waits += 1
            self._wait(waits, "the probe's people did not meet: perhaps too many others search")


class ProbeChat:
    """`sandbox`: BOT_API_URL. `now` in seconds."""

    def __init__(self, sandbox: str, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._now = now
        self._sleep = sleep
        self._sandbox = sandbox.rstrip("/")
        self._people: list[_Person] = []
        self._written: dict[str, float] = {}
        self._arrived: Counter[str] = Counter()
        self._slowest_s = 0.0
        self._stop = threading.Event()
        self._writing = threading.Thread(target=self._write, daemon=True)

    def begin(self, bots: Sequence[int]) -> None:
        """Return when the two chat with each other, and write. Raises: NoProbe."""
        try:
            self._ask("bots")
        except NoProbe:
            raise NoProbe("BOT_API_URL is no sandbox, and on Telegram nobody can write for people") from None
        self._people = [_Person(self._ask, self._wait, bots[number % len(bots)], number) for number in (1, 2)]
        for each in self._people:
            each.join()
        for attempt in range(1, TRIES + 1):
            if self._meet(attempt):
                self._writing.start()
                return
        raise NoProbe("the probe's people met others: too many search at the moment")

    def _meet(self, attempt: int) -> bool:
        """Search. Returns whether they found each other; otherwise they leave."""
        first, second = self._people
        heard = [len(each.messages()) for each in self._people]
        for each in self._people:
            each.say("/search")
        for each, since in zip(self._people, heard, strict=True):
            each.hears(since, lambda words: said(words) is Said.FOUND)
        asked = mark(_NUMBER, attempt)
        first.say(asked)
        until = self._now() + 10.0
        while not any(asked in words_of(each) for each in second.messages()):
            if self._now() > until:
                for each in self._people:
                    each.say("/stop")
                return False
            self._sleep(LOOK_EVERY_S)
        return True

    def _write(self) -> None:
        number = TRIES
        while not self._stop.wait(WRITE_EVERY_S):
            number += 1
            written = mark(_NUMBER, number)
            marked = mark_in(written)
            assert marked is not None
            try:
                self._people[number % 2].say(written)
            except NoProbe:
                continue  # the sandbox did not take it, so it was not sent
            self._written[marked] = self._now()
            self._look()

    def _look(self) -> None:
        now = self._now()
        found = [mark_in(words_of(each)) for person in self._people for each in person.messages()]
        counted = Counter(each for each in found if each in self._written)
        for each in counted.keys() - self._arrived.keys():
            self._slowest_s = max(self._slowest_s, now - self._written[each])
        self._arrived = counted

    def end(self) -> Probed:
        """End the chat, when everything has arrived or a minute has passed. Raises: NoProbe."""
        self._stop.set()
        if self._writing.is_alive():
            self._writing.join(PATIENCE_S)
        until = self._now() + PATIENCE_S
        while self._arrived.keys() != self._written.keys() and self._now() < until:
            self._look()
            self._sleep(LOOK_EVERY_S)
        for each in self._people[:1]:
            each.say("/stop")
        lost = len(self._written) - len(self._arrived)
        doubled = sum(count - 1 for count in self._arrived.values())
        return Probed(len(self._written), lost, doubled, round(self._slowest_s, 1))

    def _ask(self, path: str, body: Json | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._sandbox}/sandbox/{path}", data, kind)  # noqa: S310  # a setting
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
                return json.load(answer)
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise NoProbe(f"the sandbox does not answer ({type(error).__name__})") from None

    def _wait(self, times: int, problem: str) -> None:
        """Raises: NoProbe, after a minute of waiting."""
        if times * LOOK_EVERY_S > PATIENCE_S:
            raise NoProbe(problem)
        self._sleep(LOOK_EVERY_S)
