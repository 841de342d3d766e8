"""Turns what the sandbox shows into the judge's input."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from simulated_people.phrases import answers, asks, mark_in, said, words_of
from simulated_people.verdict import Line
from tests.faults.people import Person
from tests.faults.sandbox import Json, Sandbox
from tests.wording import opening


class Journal:
    """The parts of the sandbox's journal that the judge needs, read piece by piece."""

    def __init__(self) -> None:
        self.last = 0
        self.at: dict[tuple[int, int], float] = {}
        """When each message (bot, id) was created."""
        self.unsure: set[tuple[int, int]] = set()
        """Messages that were created although their sender got an error, or no answer."""
        self.spoiled: Counter[str] = Counter()
        """Requests that got a wrong answer on purpose, by fault."""
        self.handed_out: dict[int, list[float]] = defaultdict(list)
        """When each bot was given updates."""
        self._updates: dict[tuple[int, int], int] = {}
        self._unconfirmed: dict[tuple[int, int], float] = {}
        self.dropped = 0
        self.requests: list[tuple[float, str, bool]] = []
        """Time, method, and whether the request created a message."""

    async def follow(self, sandbox: Sandbox) -> None:
        for entry in await sandbox.journal(self.last):
            assert entry["n"] == self.last + 1, "an entry of the journal is missing"
            self.last = entry["n"]
            self._take(entry)

    def _take(self, entry: Json) -> None:
        bot = entry["bot"]
        match entry["kind"]:
            case "queued":
                self._unconfirmed[bot, entry["update_id"]] = entry["at"]
                if "message_id" in entry and entry["update"] == "message":
                    self._updates[bot, entry["message_id"]] = entry["update_id"]
                    self.at[bot, entry["message_id"]] = entry["at"]
            case "confirmed":
                for update in entry["update_ids"]:
                    self._unconfirmed.pop((bot, update), None)
            case "delivered":
                self.handed_out[bot].append(entry["at"])
            case "dropped":
                self.dropped += len(entry["update_ids"])
            case "request":
                for message in entry.get("message_ids", ()):
                    self.at[bot, message] = entry["at"]
                    if entry.get("fault") not in (None, "slow"):
                        self.unsure.add((bot, message))
                if entry.get("fault") not in (None, "slow"):
                    self.spoiled[entry["fault"]] += 1
                self.requests.append((entry["at"], entry["method"], bool(entry.get("message_ids"))))

    @property
    def in_hand(self) -> int:
        """How many updates Telegram has queued that are not confirmed yet."""
        return len(self._unconfirmed)

    def in_hand_of(self, bot: int) -> int:
        return sum(of == bot for of, _ in self._unconfirmed)

    def confirmed(self, bot: int, message: int) -> bool:
        update = self._updates[bot, message]
        return (bot, update) not in self._unconfirmed

    def takeovers(self, kills: Sequence[float]) -> list[float]:
        """Return the seconds from each kill to the first message after it. A kill with no message before the next kill
        is left out."""
        took = []
        for killed_at, killed_again_at in pairwise([*kills, float("inf")]):
            first = next((at for at, _, made in self.requests if at > killed_at and made), float("inf"))
            if first < killed_again_at:
                took.append(first - killed_at)
        return took

    def silences(self, faults: Sequence[float], least_s: float = 0.0) -> list[float]:
        """Return the seconds from each fault until every bot got updates again. A fault is left out if the next one
        came before that.

        Updates in the first `least_s` after a fault are ignored, because they may answer requests made before it.
        """
        took = []
        for began, next_began in pairwise([*faults, float("inf")]):
            firsts = [
                next((at for at in every if at > began + least_s), float("inf")) for every in self.handed_out.values()
            ]
            if firsts and max(firsts) < next_began:
                took.append(max(firsts) - began)
        return took


async def phones(people: Iterable[Person], sandbox: Sandbox, journal: Journal) -> dict[int, list[Line]]:
    """Return the lines of every phone. Also brings the journal up to date."""
    lines: dict[int, list[Line]] = {}
    shown = [(person, await person.phone()) for person in people]
    await journal.follow(sandbox)
    for person, messages in shown:
        messages.sort(key=lambda message: int(message["message_id"]))
        joined = next(number for number, each in enumerate(messages, 1) if opening("start.ready") in words_of(each))
        messages = messages[joined:]  # joining uses buttons, and happens before the first kill
        stickers = [each for each in messages if "sticker" in each]
        # All at once would need too many connections.
        bodies = [await sandbox.file(each["sticker"]["file_id"]) for each in stickers]
        marks = {
            each["message_id"]: mark_in(body.decode("latin-1")) for each, body in zip(stickers, bodies, strict=True)
        }
        lines[person.id] = [_line(message, marks, journal) for message in messages]
    return lines


def _line(message: Json, marks: dict[int, str | None], journal: Journal) -> Line:
    id_, mine = message["message_id"], message["outgoing"]
    at = (message["bot"], message["own_id"])
    words = words_of(message)
    marked = marks.get(id_) or mark_in(words)
    notice = None if mine or marked is not None else said(words)
    assert mine or marked is not None or words, f"a message that is neither a stranger's nor ours: {message}"
    reply = message.get("reply_to_message")
    return Line(
        id_,
        journal.at[at],
        mine,
        marked,
        notice,
        answers(words) if notice is not None else 0,
        reply["message_id"] if reply else None,
        confirmed=not mine or journal.confirmed(*at),
        unsure=not mine and at in journal.unsure,
        asks=asks(words) if mine and marked is None else None,
        album=message.get("media_group_id") if mine else None,
        words=words if notice is not None else "",
    )
