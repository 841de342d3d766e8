"""Checks that the promises were kept. It looks only from outside: at the world's journal and queues, at what phones
showed, and at what the simulation itself did (who pressed what when, when a process was killed). It never reads one of
our stores.

How the checker knows who was with whom: a person's *epochs* are numbered by the "Partner found" notices that they were
shown. A message ties two epochs: the epoch that its writer believed to be in, and the epoch that its reader had been
told of. If nobody is misrouted and pairs are symmetric, all ties form a matching: an epoch is tied to at most one
other. At the end of each act, when everything is quiet, everybody sends a probe. People who were told that they are in
a chat must reach exactly each other.

    1 pairing      ties form a matching; probes are answered both ways; nobody is told of a partner who is not there,
                   or of one whose chat is over;
                   two people who search do not stay alone; nobody is paired with themselves
    2 nothing lost every message and every request was answered: delivered once, or a notice to its writer; no more
                   copies than crashes and lost responses allow; the queues are empty in the end
    3 order        first in, first out from each writer to each reader; nobody hears that a search goes on after they
                   have heard of their partner
    4 misrouted    a message written in no chat, or after leaving, reached nobody; a delivered message came while its
                   reader was in that chat
    5 unmasked     no request of a bot, nothing on a reader's phone and no log line holds a canary of somebody else

People who roam from bot to bot have several notices under way at once, and these may overtake each other. Rules that
depend on the order of notices are not applied to them.

One more promise is checked from inside, by `Host.apart`:

    6 recorded     when everything is quiet, the live store and the records agree about everybody
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from botapi_sandbox import World
from tests.simulation.witness import (
    BEGUN,
    CUT_OFF,
    DELAYED,
    ENDS_SEARCH,
    FOUND,
    IDLE_HERE,
    LEAVING,
    MARKER,
    NOBODY_THERE,
    OVER,
    SEARCHING,
    STOPPED,
    TURNS,
    Seen,
    Witness,
    answers,
    is_refusal,
)

_encode = msgspec.json.encode

ANSWERED_TOO = ("429", "slow", "reset_before", "401")
"""Faults that leave no doubt about the outcome, or create no message."""

MANY = "chat.failed_many"

BLOCKED = frozenset(
    {"safety.done", "safety.done_here", "safety.reported", "safety.reported_comment", "safety.reported_reply"}
)
"""A person who was told one of these may keep searching beside somebody, because two such people may never meet
again."""

UNSYNCED = 20
"""Messages to one person that may be duplicated after a power cut: as many as a chat's budget allows in a second. Marks
are synced once a second."""

NOT_THERE = frozenset({"chat.stop_while_idle"})
"""A person who is told this believes no longer that they are in a chat."""

EXCUSED_S = 60.0
"""How long before a block a message may have been written that can no longer be answered."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept, and the part of the story that shows it."""

    promise: int
    what: str
    people: frozenset[int] = frozenset()
    first: int = 0
    last: int = -1

    def __str__(self) -> str:
        return f"promise {self.promise}: {self.what}"


@dataclass(frozen=True, slots=True)
class Probe:
    """The message that a person sent at the quiet end of an act, to find out who receives it."""

    act: int
    person: int
    marker: str
    until: int = 1 << 60
    """The number of the first event after the calm. Any answer came before it."""


@dataclass
class Evidence:
    """Everything that the checker may look at. Times are seconds of the loop: the journal's times minus `epoch_s`."""

    world: World
    witness: Witness
    epoch_s: float
    roamers: frozenset[int]
    deaths: list[float]
    power_cuts: list[float]
    probes: list[Probe] = field(default_factory=list)
    shown: frozenset[str] = frozenset()
    log: str = ""
    undrained: list[str] = field(default_factory=list)
    late_s: float = 0.0
    """How long after the end of a chat a message may still arrive, because another worker was sending it and did not
    know of the end yet. It must still have been written in that chat."""
    undone: Sequence[float] = ()
    """When the whole installation went back in time. No chat outlives that, so the next "Partner found" is of a new
    one."""


@dataclass(frozen=True, slots=True)
class Delivery:
    sent: Seen
    got: Seen


def check(evidence: Evidence) -> list[Broken]:
    """Return all broken promises."""
    return list(_Check(evidence).all())


class _Check:
    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.story = evidence.witness.seen
        self.of: dict[int, list[Seen]] = defaultdict(list)
        for seen in self.story:
            self.of[seen.person].append(seen)
        for events in self.of.values():
            _follow(events, evidence.undone)
        self.sent: dict[str, Seen] = {}
        for seen in self.story:
            if seen.kind == "out":
                for marker in seen.markers:
                    self.sent.setdefault(marker, seen)
        self.deliveries: list[Delivery] = []
        self.copies: dict[str, list[Seen]] = defaultdict(list)
        for seen in self.story:
            if seen.kind == "in":
                for marker in seen.markers[:1]:
                    if marker in self.sent:
                        self.deliveries.append(Delivery(self.sent[marker], seen))
                        self.copies[marker].append(seen)
        self.asked_first = {
            (seen.person, seen.bot, seen.reply_to)
            for seen in self.story
            if seen.kind in ("in", "edited") and seen.key is not None and seen.key.startswith("chat.confirm_")
        }
        self.probes = {probe.marker for probe in evidence.probes}
        self.requests = [each for each in evidence.world.journal.after(0) if each["kind"] == "request"]
        self.doubts = [
            (each["at"] - evidence.epoch_s, each["chat_id"])
            for each in self.requests
            if each.get("message_ids") and each.get("fault") not in (None, *ANSWERED_TOO)
        ]

    def all(self) -> Iterator[Broken]:
        yield from self.drained()
        yield from self.unmasked()
        yield from self.misrouted()
        yield from self.pairing()
        yield from self.probed()
        yield from self.ordered()
        yield from self.late_searches()
        yield from self.late_founds()
        yield from self.duplicated()
        yield from self.answered()

    def _broken(self, promise: int, what: str, *shown: Seen) -> Broken:
        people = frozenset(each.person for each in shown)
        numbers = [each.n for each in shown] or [0]
        return Broken(promise, what, people, min(numbers) - 25, max(numbers) + 12)

    def _may_be_late(self, got: Seen) -> bool:
        """Return whether a chat of the reader ended so recently that one of its messages may still have been on its
        way."""
        since = got.at - self.evidence.late_s
        return any(
            seen.kind == "in" and seen.key in OVER | IDLE_HERE and since < seen.at <= got.at and seen.n < got.n
            for seen in self.of[got.person]
        )

    def _roams(self, person: int) -> bool:
        return person in self.evidence.roamers

    def pairing(self) -> Iterator[Broken]:
        ties: dict[tuple[int, int], dict[tuple[int, int], Delivery]] = defaultdict(dict)
        for delivery in self.deliveries:
            sent, got = delivery.sent, delivery.got
            if sent.believed is None or got.told is None:
                continue  # `misrouted` checks these
            if self._roams(sent.person) or self._roams(got.person):
                continue  # notices of two bots may overtake each other, so epochs are not certain
            if self._may_be_late(got):
                continue  # checked below
            one, other = (sent.person, sent.believed), (got.person, got.told)
            ties[one].setdefault(other, delivery)
            ties[other].setdefault(one, delivery)
        for one, others in ties.items():
            if len(others) > 1:
                first, second, *_ = others.values()
                promise = 4 if len({other[0] for other in others}) > 1 else 1
                what = f"{one[0]} in their chat no. {one[1]} was tied to {sorted(others)}"
                yield self._broken(promise, what, first.sent, first.got, second.sent, second.got)

        for delivery in self.deliveries:
            sent, got = delivery.sent, delivery.got
            partners = {person for person, _ in ties.get((sent.person, sent.believed or 0), {})}
            if self._may_be_late(got) and not self._roams(sent.person) and partners - {got.person}:
                yield self._broken(4, f"{sent.text!r} of a chat with {partners} reached {got.person} late", sent, got)

        for seen in self.story:
            if seen.kind == "in" and seen.key == "chat.not_connected":
                yield self._broken(1, f"{seen.person} is in a chat that their partner is not in", seen)

    def probed(self) -> Iterator[Broken]:
        acts: dict[int, list[Probe]] = defaultdict(list)
        for probe in self.evidence.probes:
            acts[probe.act].append(probe)
        for act, probes in acts.items():
            reached: dict[int, set[int]] = {}
            alone: list[Seen] = []
            asked: set[int] = set()  # people whose probe may belong to their report, and who were asked what it is for
            for probe in probes:
                sent = self.sent[probe.marker]
                reached[probe.person] = {got.person for got in self.copies[probe.marker]}
                answer = None if reached[probe.person] else self._answer_to(sent, probe.until)
                if self._is_asked_about(sent):
                    asked.add(probe.person)
                told = _last_turn(self.of[probe.person], sent.n)
                if len(reached[probe.person]) > 1:
                    yield self._broken(1, f"act {act}: {probe.person} is heard by {reached[probe.person]}", sent)
                picky = any(seen.key in BLOCKED for seen in self.of[probe.person])
                if answer is not None and answer.key == "search.nobody_yet" and not picky:
                    alone.append(sent)
                if self._roams(probe.person) or told is None:
                    continue
                is_heard = reached[probe.person] or probe.person in asked
                if told.key == FOUND and not is_heard and not self._was_away(told):
                    what = f"act {act}: {probe.person} was told of a partner, and nobody hears them"
                    yield self._broken(1, what, told, sent)
                if told.key != FOUND and reached[probe.person]:
                    what = (
                        f"act {act}: {probe.person} was told that the chat is over, and {reached[probe.person]} hears"
                    )
                    yield self._broken(1, what, told, sent)
                searching = answer is not None and answer.key == "search.nobody_yet"
                if told.key in SEARCHING and not searching:
                    yield self._broken(
                        1, f"act {act}: {probe.person} was told of a search that is not there", told, sent
                    )
                if told.key in STOPPED | OVER | IDLE_HERE and told.key not in SEARCHING and searching:
                    yield self._broken(1, f"act {act}: {probe.person} is searching and was told otherwise", told, sent)
            if len(alone) > 1:
                yield self._broken(
                    1, f"act {act}: {[each.person for each in alone]} keep searching side by side", *alone
                )
            for person, others in reached.items():
                for other in others:
                    if other == person:
                        yield self._broken(1, f"act {act}: {person} talks to themselves")
                    elif other in reached and reached[other] != {person} and (reached[other] or other not in asked):
                        what = f"act {act}: {person} reaches {other}, who reaches {reached[other] or 'nobody'}"
                        probe_of = {probe.person: self.sent[probe.marker] for probe in probes}
                        yield self._broken(1, what, probe_of[person], probe_of[other])

    def _was_away(self, found: Seen) -> bool:
        """Return whether a person who was told of a partner had blocked the bot shortly before. The block ended that
        chat."""
        return any(
            each.kind == "block" and each.bot == found.bot and found.at - EXCUSED_S <= each.at <= found.at
            for each in self.of[found.person]
        )

    def _is_asked_about(self, sent: Seen) -> bool:
        """Return whether the writer was asked what this message is for. It has reached nobody yet."""
        return any(
            seen.key == "safety.which" and (seen.bot, seen.reply_to) == (sent.bot, sent.message)
            for seen in self.of[sent.person]
        )

    def _answer_to(self, sent: Seen, until: int) -> Seen | None:
        for seen in self.of[sent.person]:
            if sent.n < seen.n < until and seen.kind == "in" and is_refusal(seen.key):
                return seen
        return None

    def drained(self) -> Iterator[Broken]:
        for what in self.evidence.undrained:
            yield Broken(2, what)

    def answered(self) -> Iterator[Broken]:
        for person, events in self.of.items():
            yield from self._answered(person, events)

    def _answered(self, person: int, events: list[Seen]) -> Iterator[Broken]:
        notices = [seen for seen in events if seen.kind == "in" and seen.key is not None]
        replies = {(seen.bot, seen.reply_to): seen for seen in notices if seen.reply_to is not None}
        counted = self._counted(events, notices)
        wishes: list[Seen] = []
        albums: set[str] = set()
        for seen in events:
            if seen.kind != "out" or self._excused(seen) or seen.n in counted:
                continue
            if seen.asked is not None:
                wishes.append(seen)
            elif seen.markers:
                reply = replies.get((seen.bot, seen.message))
                refused = reply is not None and is_refusal(reply.key)
                if self.copies[seen.markers[0]]:
                    if refused and reply is not None and reply.key != "chat.failed_uncertain":
                        yield from self._contradicted(seen, reply)
                    continue
                if refused or seen.album in albums or self._item_of_answered_album(seen, replies):
                    continue
                if seen.album is not None:
                    albums.add(seen.album)
                wishes.append(seen)
        for seen in _left_over(wishes, [seen for seen in notices if seen.reply_to is None]):
            what = f"{'wish' if seen.asked else 'message'} {seen.text!r} of {person} was neither delivered nor answered"
            yield self._broken(2, what, seen)

    def _counted(self, events: list[Seen], notices: list[Seen]) -> set[int]:
        """Return the messages that are answered by one shared notice. The notice gives a number: that many undelivered
        messages, from the one it replies to.

        An album counts as one message. A message with its own refusal does not count.
        """
        counted: set[int] = set()
        alone = {(each.bot, each.reply_to) for each in notices if is_refusal(each.key) and each.key != MANY}
        for notice in notices:
            if notice.key != MANY:
                continue
            number = re.search(r"\d+", notice.text)
            left, albums = int(number[0]) if number else 0, set[str]()
            for each in events:
                is_later = notice.reply_to is None or each.message >= notice.reply_to
                if each.kind != "out" or each.bot != notice.bot or not is_later or each.at > notice.at:
                    continue
                if not each.markers or self.copies[each.markers[0]] or each.n in counted or self._excused(each):
                    continue
                if (each.bot, each.message) in alone or not (left or each.album in albums):
                    continue
                counted.add(each.n)
                left -= each.album not in albums
                if each.album is not None:
                    albums.add(each.album)
        return counted

    def _item_of_answered_album(self, seen: Seen, replies: dict[tuple[int, int], Seen]) -> bool:
        """Return whether the album of this item was refused. The refusal replies to its first item."""
        if seen.album is None:
            return False
        items = [each for each in self.of[seen.person] if each.album == seen.album and each.kind == "out"]
        return any((each.bot, each.message) in replies for each in items)

    def _contradicted(self, seen: Seen, reply: Seen) -> Iterator[Broken]:
        """Find a message that arrived although its writer was told otherwise. Only a crash or a lost response may cause
        that."""
        if reply.key is not None and (reply.key.startswith("chat.confirm_") or reply.key == "safety.which"):
            return  # they have pressed that it is for the partner
        got = self.copies[seen.markers[0]][0]
        doubted = any(chat == got.person and at >= seen.at for at, chat in self.doubts)
        crashed = any(seen.at <= at for at in self.evidence.deaths)
        if not doubted and not crashed:
            yield self._broken(2, f"{seen.text!r} was delivered, and its writer was told {reply.key}", seen, got, reply)

    def _excused(self, seen: Seen) -> bool:
        """Return whether a message needs no answer. A person who blocks the bot cannot be answered. A person whose
        connection was lost is told that their last messages may be lost."""
        return any(
            (each.key == CUT_OFF or (each.kind == "block" and each.bot == seen.bot))
            and seen.at <= each.at <= seen.at + EXCUSED_S
            for each in self.of[seen.person]
        )

    def duplicated(self) -> Iterator[Broken]:
        extra: dict[int, list[Seen]] = defaultdict(list)
        for copies in self.copies.values():
            for copy in copies[1:]:
                extra[copy.person].append(copy)
        for person, copies in extra.items():
            allowed = len(self.evidence.deaths) + sum(chat == person for _, chat in self.doubts)
            allowed += UNSYNCED * len(self.evidence.power_cuts)
            pieces = {(copy.bot, copy.album or copy.message) for copy in copies}
            if len(pieces) > allowed:
                what = f"{person} got {len(pieces)} messages twice, with {allowed} crashes and lost answers"
                yield self._broken(2, what, *copies[-2:])
            yield from self._duplicated_at_once(person, copies)

    def _duplicated_at_once(self, person: int, copies: list[Seen]) -> Iterator[Broken]:
        """Check that at each moment there were no more duplicates than crashes and lost responses until then."""
        causes = sorted(
            [(at, 1) for at in self.evidence.deaths]
            + [(at, UNSYNCED) for at in self.evidence.power_cuts]
            + [(at, 1) for at, chat in self.doubts if chat == person]
        )
        seen_before: Counter[int] = Counter()
        pieces: set[tuple[int, str | int]] = set()
        for copy in copies:
            piece = (copy.bot, copy.album or copy.message)
            if piece in pieces:
                continue
            pieces.add(piece)
            so_far = sum(times for at, times in causes if at <= copy.at)
            seen_before[0] += 1
            if seen_before[0] > so_far:
                what = f"{person} got {copy.text!r} twice, and no crash or lost answer explains it"
                yield self._broken(2, what, copy)
                return

    def ordered(self) -> Iterator[Broken]:
        latest: dict[tuple[int, int, int, int], Seen] = {}
        first: set[str] = set()
        for delivery in self.deliveries:
            sent, got = delivery.sent, delivery.got
            if self._roams(got.person):
                continue  # a person who uses two bots has two queues, and one may be held up
            if self._asked_about(sent):
                continue  # sent when its writer agreed, not when they wrote it
            way = (sent.person, sent.bot, got.person, got.bot)
            before = latest.get(way)
            marker = got.markers[0]
            if marker not in first:
                if before is not None and sent.n < before.n:
                    yield self._broken(3, f"{sent.text!r} arrived after {before.text!r}", sent, before, got)
                else:
                    latest[way] = sent
            elif any(sent.at <= cut <= got.at for cut in self.evidence.power_cuts):
                pass  # all messages sent in the last second may be repeated, in order
            elif self.evidence.late_s:
                pass  # an old and a new holder of a lease may both send it, each in order
            elif before is not None and before.n != sent.n and (before.album is None or before.album != sent.album):
                yield self._broken(3, f"a copy of {sent.text!r} arrived after {before.text!r}", sent, before, got)
            first.add(marker)

    def late_searches(self) -> Iterator[Broken]:
        """Find notices that a search goes on, shown to somebody who was told of a partner, and of nothing since."""
        for person, events in self.of.items():
            found: dict[int, Seen] = {}
            for seen in events:
                if seen.kind == "block":
                    found.pop(seen.bot, None)
                if seen.kind not in ("in", "edited") or self._roams(person):
                    continue
                if seen.key in (BEGUN, DELAYED) and seen.bot in found:
                    what = f"{person} was told of a partner, and then of the search for one"
                    yield self._broken(3, what, found[seen.bot], seen)
                if seen.kind == "in" and seen.key == FOUND:
                    found[seen.bot] = seen
                elif seen.key in TURNS:
                    found.pop(seen.bot, None)

    def late_founds(self) -> Iterator[Broken]:
        """Find notices of a partner, shown to somebody who was told that they do nothing, and who has not asked for
        anybody since. Their chat was over before they were told of it, by a block for example.

        A press may ask for a partner long before, so whoever has pressed a button since their last chat began is left
        out.
        """
        for person, events in self.of.items():
            if self._roams(person):
                continue
            starts: list[Seen] = []
            idle: tuple[Seen, Seen] | None = None
            asked_at, has_pressed = -1, False
            for seen in events:
                has_pressed = has_pressed or seen.kind == "press"
                if seen.kind == "out" and seen.asked in ("find", "next"):
                    asked_at = seen.n
                elif seen.kind == "out" and seen.text.startswith("/start"):
                    starts.append(seen)
                elif seen.kind == "in" and seen.key in IDLE_HERE and starts:
                    idle = starts.pop(0), seen
                elif seen.kind == "in" and seen.key == FOUND:
                    if idle is not None and asked_at < idle[0].n and not has_pressed:
                        what = f"{person} was told of a partner after the end of that chat"
                        yield self._broken(1, what, idle[1], seen)
                    idle, has_pressed = None, False

    def misrouted(self) -> Iterator[Broken]:
        for delivery in self.deliveries:
            sent, got = delivery.sent, delivery.got
            if got.person == sent.person:
                yield self._broken(1, f"{sent.person} got their own {sent.text!r}", sent, got)
            if sent.believed is None and not self._roams(sent.person) and not self._asked_about(sent):
                yield self._broken(
                    4, f"{sent.text!r} of {sent.person} was written in no chat and reached {got.person}", sent, got
                )
            if got.told is None and not self._roams(got.person) and not self._may_be_late(got):
                yield self._broken(
                    4, f"{got.person} was told of no chat and got {sent.text!r} of {sent.person}", sent, got
                )
        readers: dict[str, set[int]] = defaultdict(set)
        for marker, copies in self.copies.items():
            readers[marker] = {copy.person for copy in copies}
            if len(readers[marker]) > 1:
                yield self._broken(4, f"{marker} reached {sorted(readers[marker])}", self.sent[marker], *copies)

    def _asked_about(self, sent: Seen) -> bool:
        """Return whether the writer was asked first if the message should be sent at all."""
        return (sent.person, sent.bot, sent.message) in self.asked_first

    def unmasked(self) -> Iterator[Broken]:
        people = self.evidence.world.state.people
        ids = "|".join(map(str, people))
        canary = re.compile(rf"canary[a-z]*[-_]?[0-9]*|(?<!\d)(?:{ids})(?!\d)", re.IGNORECASE)
        for request in self.requests:
            chat = request["params"].get("chat_id")
            params = {key: value for key, value in request["params"].items() if key not in ("chat_id", "from_chat_id")}
            written = _encode(params).decode()
            for found in canary.findall(written):
                if str(chat) not in found and not self._agreed(written):
                    yield Broken(5, f"{request['method']} to {chat} holds {found}: {written[:200]}")
        for seen in self.story:
            if seen.kind in ("in", "edited") and seen.body is not None and not seen.body["outgoing"]:
                shown = _encode(_without_oneself(seen.body)).decode()
                for found in canary.findall(shown):
                    if str(seen.person) not in found and not self._agreed(shown):
                        yield self._broken(5, f"{seen.person} is shown {found}: {shown[:200]}", seen)
        for found in canary.findall(self.evidence.log):
            yield Broken(5, f"the log holds {found}")

    def _agreed(self, text: str) -> bool:
        """Return whether the sender agreed to show this contact."""
        return any(marker in self.evidence.shown for marker in MARKER.findall(text))


def _left_over(wishes: list[Seen], notices: list[Seen]) -> list[Seen]:
    """Return the requests that get no notice when every notice answers at most one request. Computed as a matching, by
    augmenting paths. The end of a search answers the request for it besides, and everyone that repeats it."""
    served: dict[tuple[int, bool], Seen] = {}
    repeated = _repeated(wishes, notices)

    def serve(wish: Seen, tried: set[tuple[int, bool]]) -> bool:
        for notice in notices:
            place = (notice.n, _ends(notice, wish))
            if notice.n > wish.n and place[1] and wish.n in repeated:
                return True
            if notice.n > wish.n and place not in tried and (place[1] or _serves(notice, wish)):
                tried.add(place)
                if place not in served or serve(served[place], tried):
                    served[place] = wish
                    return True
        return False

    return [wish for wish in wishes if not serve(wish, set())]


def _repeated(wishes: list[Seen], notices: list[Seen]) -> set[int]:
    """Return the requests for a search that follow another one, with no end of a search between them. That the search
    goes on is not said after it is over."""
    repeated: set[int] = set()
    is_asked = False
    for seen in sorted([*wishes, *notices], key=lambda seen: seen.n):
        if seen.kind == "out" and seen.asked in ("find", "next"):
            if is_asked:
                repeated.add(seen.n)
            is_asked = True
        elif seen.key in ENDS_SEARCH:
            is_asked = False
    return repeated


def _ends(notice: Seen, wish: Seen) -> bool:
    """Return whether a notice tells of the end of a search, and the wish may have begun it."""
    return wish.asked in ("find", "next") and notice.key in ENDS_SEARCH


def _serves(notice: Seen, wish: Seen) -> bool:
    if wish.asked is not None:
        return notice.key in answers(wish.asked)
    return is_refusal(notice.key) or _asks(notice.key)


def _asks(key: str | None) -> bool:
    """Return whether a notice is a first question. A newcomer's message is answered with the open question."""
    return key is not None and key.startswith("start.")


def _last_turn(events: list[Seen], before: int) -> Seen | None:
    """Return the last notice of a change of state, unless the person has blocked the bot since."""
    last: Seen | None = None
    for seen in events:
        if seen.n >= before:
            break
        if seen.kind == "block":
            last = None
        elif seen.kind == "in" and seen.key in TURNS:
            last = seen
    return last


def _follow(events: list[Seen], undone: Sequence[float]) -> None:
    """Work out, for each event, the chat that a person believed to be in and the chat that they had been told of.

    A "Partner found" that follows another one on the same bot, with no other change of state between them, is a copy of
    it.
    """
    count = 0
    believed: int | None = None
    told: int | None = None
    last_turn: dict[int, str] = {}
    ahead = list(undone)
    for seen in events:
        if ahead and seen.at > ahead[0]:
            last_turn.clear()
            del ahead[0]
        if seen.kind == "in" and seen.key in TURNS | NOT_THERE and seen.key is not None:
            if seen.key == FOUND:
                if last_turn.get(seen.bot) != FOUND:
                    count += 1
                    believed = told = count
            else:
                believed = told = None
            last_turn[seen.bot] = seen.key
        elif seen.kind == "block":
            believed = None
            last_turn.pop(seen.bot, None)
        seen.believed, seen.told = believed, told
        if seen.kind == "out" and seen.asked in LEAVING:
            believed = None


def _without_oneself(message: dict[str, Any]) -> dict[str, Any]:
    """Return the message without its reader and the bot, and without quotes of the reader's own words."""
    shown = {key: value for key, value in message.items() if key not in ("chat", "from")}
    reply = shown.get("reply_to_message")
    if reply is not None:
        if reply.get("from", {}).get("is_bot"):
            shown["reply_to_message"] = _without_oneself(reply)
        else:
            del shown["reply_to_message"]
            shown.pop("quote", None)
    return shown


__all__ = ["NOBODY_THERE", "Broken", "Evidence", "Probe", "check"]
