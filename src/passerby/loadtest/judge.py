"""What became of every message: decided from the phones and the sandbox's journal alone, after the fact.

A person's phone is a list of lines in the order of their message ids. Between a line that says "Partner found" and the
next one that says that the chat is over, its person is in a *chat*, as far as they can know; what they write there is
meant for that partner. Who that is, no line says. It follows: every delivery ties the sender's chat to the one that
the recipient was in, and a chat may be tied to one other only, which is tied to nothing else.

    delivered    once or more on one phone, within the chat that the sender's is tied to
    refused      not delivered, and a notice after it, of its own, answers its sender; an album has one for all of it,
                 and a notice that counts what did not arrive answers so many
    lost         neither, although its update was confirmed, so that Telegram has forgotten it; or the word that a chat
                 is over, where it is over for the other side
    unresolved   neither, and Telegram still has it
    misrouted    delivered to its own sender; to somebody in no chat; into a chat tied to another; or written in no chat
                 at all, right after leaving one, and delivered all the same
    duplicate    a second delivery; each is laid to the last fault before it. A second "Partner found" is one as well.
                 Where the first one's sender was not told that it arrived, that is fault enough.
    unheard      neither, but the sender has blocked the bot since: nobody can be told
    reordered    what one person wrote in one chat arrives first in another order than written

Written in no chat, but long enough after leaving: whoever is found by then may get it, because the finding is simply
not told yet. These are counted as `ahead`.

Who blocks the bot has left, as soon as the product hears of it. What was written to them before and comes when they are
back, with no notice before it, still belongs to that chat.

Limits: a notice carries no mark of what it answers, unless it replies to it, so they are dealt out in order; one that
arrives twice could thus cover for another that is missing. `spare_notices` says how many there were.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from passerby.loadtest.phrases import Said

LEAVING_S = 1.0
"""Telegram's dates are whole seconds: what is written in the second of leaving was meant for nobody new."""


class Fault(NamedTuple):
    """What was done to the product, in Unix seconds. A kill begins and ends at once."""

    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Line:
    """One message on a phone. `mark`: a stranger's or one's own marked message. `at`: Unix seconds, of the journal."""

    id: int
    at: float
    mine: bool
    mark: str | None = None
    notice: Said | None = None
    answers: int = 0
    """How many lines a notice answers."""
    reply_to: int | None = None
    confirmed: bool = True
    """Of one's own: the product has confirmed its update."""
    unsure: bool = False
    """Not one's own: whoever sent it was not told that it arrived, and may rightly send it again."""
    album: str | None = None
    """One's own: which album it is an item of."""
    gone: bool = False
    """Not a message, and with the id of the last one: here its person blocked the bot. That ends the chat, and what was
    not answered yet can have no answer."""


@dataclass(slots=True)
class Verdict:
    sent: int = 0
    delivered: int = 0
    refused: int = 0
    unheard: int = 0
    ahead: int = 0
    duplicated: int = 0
    most_duplicates: int = 0
    """The most in one chat for one fault."""
    spare_notices: int = 0
    carried_over: int = 0
    """Sent before a fault and delivered or answered after it."""
    lost: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    misrouted: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    unprovoked: list[str] = field(default_factory=list)
    """Duplicates without a fault between the two."""
    partners: dict[int, int] = field(default_factory=dict)
    """Whose last chat is open, and with whom."""

    @property
    def faults(self) -> dict[str, int]:
        """What must be nothing."""
        listed = ("lost", "unresolved", "misrouted", "reordered", "unprovoked")
        found = {name: len(getattr(self, name)) for name in listed}
        return found | {"duplicates beyond one a chat and fault": max(0, self.most_duplicates - 1)}

    @property
    def passed(self) -> bool:
        return not any(self.faults.values())


_OPENS = Said.FOUND
_CLOSES = frozenset({Said.LEFT, Said.MOVED_ON})
ChatOf = tuple[int, int]
"""A person, and which of their chats, from 1."""


@dataclass(slots=True)
class _Phone:
    """A phone, read: in which chat each line is, 0 for none."""

    lines: Sequence[Line]
    chat_at: dict[int, int] = field(default_factory=dict)
    left_at: dict[int, float] = field(default_factory=dict)
    """By line outside of chats: when the last chat was left, or the leaving began."""
    open: int = 0
    found_again: list[Line] = field(default_factory=list)
    unended: list[int] = field(default_factory=list)
    """Chats that a new one followed without a word that they were over."""


def _read(lines: Sequence[Line]) -> _Phone:
    phone = _Phone(lines)
    number, current, left_at = 0, 0, float("-inf")
    fresh = False  # nothing of a stranger's has come since "Partner found"
    blocked = 0  # the chat that a block ended, until anything shows that the product has heard of it
    for line in lines:
        if line.gone:
            blocked, current, left_at = current, 0, line.at
            continue
        if line.notice is not None:
            blocked = 0
        if line.notice is _OPENS:
            if current and fresh:
                phone.found_again.append(line)
            else:
                if current:
                    phone.unended.append(current)
                number += 1
                current = number
            fresh = True
        elif not line.mine:
            fresh = fresh and line.mark is None
            if line.notice in _CLOSES and current:
                current, left_at = 0, line.at
        phone.chat_at[line.id] = current or (blocked if not line.mine else 0)
        phone.left_at[line.id] = left_at
    phone.open = current
    return phone


def _leaving(lines: Sequence[Line], phone: _Phone, commands: Mapping[int, float]) -> None:
    """What is written after one's own /next or /stop in a chat is not meant for that chat any more."""
    leaving: tuple[int, float] | None = None
    for line in lines:
        chat = phone.chat_at[line.id]
        if leaving is not None and chat != leaving[0]:
            leaving = None
        if line.mine and chat and line.id in commands and leaving is None:
            leaving = (chat, line.at)
        elif line.mine and leaving is not None:
            phone.chat_at[line.id] = 0
            phone.left_at[line.id] = leaving[1]


def judge(phones: Mapping[int, Sequence[Line]], faults: Sequence[Fault], leaves: Mapping[int, set[int]]) -> Verdict:
    """`phones` by person; `faults` ascending; `leaves`: which lines of a phone ask to end a chat."""
    verdict = Verdict()
    read = {person: _read(lines) for person, lines in phones.items()}
    for person, phone in read.items():
        _leaving(phone.lines, phone, {line.id: line.at for line in phone.lines if line.id in leaves.get(person, ())})
    arrivals: dict[str, list[tuple[int, Line]]] = defaultdict(list)
    for person, lines in phones.items():
        for line in lines:
            if line.mark is not None and not line.mine:
                arrivals[line.mark].append((person, line))
    _follow(verdict, read, arrivals)
    _count_duplicates(verdict, read, arrivals, faults)
    for person, phone in read.items():
        _settle(verdict, person, phone, arrivals, faults)
        _check_order(verdict, person, phone, arrivals)
    return verdict


def _follow(verdict: Verdict, read: Mapping[int, _Phone], arrivals: Mapping[str, list[tuple[int, Line]]]) -> None:
    """Tie chats by deliveries and find what went to somebody else."""
    ties: dict[ChatOf, Counter[ChatOf]] = defaultdict(Counter)
    within: list[tuple[str, ChatOf, ChatOf]] = []
    for sender, phone in read.items():
        for line in phone.lines:
            if not line.mine or line.mark is None:
                continue
            mine = (sender, phone.chat_at[line.id])
            for recipient, arrived in arrivals.get(line.mark, ()):
                theirs = (recipient, read[recipient].chat_at[arrived.id])
                if recipient == sender or not theirs[1]:
                    verdict.misrouted.append(f"{line.mark}: to {recipient}, who is in no chat with {sender}")
                elif not mine[1]:
                    if line.at - phone.left_at[line.id] < LEAVING_S:
                        verdict.misrouted.append(f"{line.mark}: written after leaving, to {recipient}")
                    else:
                        verdict.ahead += 1
                else:
                    ties[mine][theirs] += 1
                    ties[theirs][mine] += 1
                    within.append((line.mark, mine, theirs))
    tied = {chat: others.most_common(1)[0][0] for chat, others in ties.items()}
    for marked, mine, theirs in within:
        if tied[mine] != theirs or tied[theirs] != mine:
            verdict.misrouted.append(f"{marked}: from chat {mine} to {theirs}, not {tied[mine]}")
    for (person, number), (other, theirs_number) in tied.items():
        if read[person].open == number:
            verdict.partners[person] = other
            if read[other].open != theirs_number:
                verdict.lost.append(f"the end of chat {number} on the phone of {person}")
    for person, phone in read.items():
        verdict.lost.extend(f"the end of chat {number} on the phone of {person}" for number in phone.unended)


def _count_duplicates(
    verdict: Verdict,
    read: Mapping[int, _Phone],
    arrivals: Mapping[str, list[tuple[int, Line]]],
    faults: Sequence[Fault],
) -> None:
    by_fault: Counter[tuple[int, int]] = Counter()

    def repeated(person: int, before: Line, again: Line, what: str) -> None:
        verdict.duplicated += 1
        if before.unsure:
            return
        last = _begun(faults, again.at)
        if not any(fault.ended >= before.at for fault in faults[:last]):
            verdict.unprovoked.append(f"{what} twice on the phone of {person}, {again.at - before.at:.1f} s apart")
        by_fault[person, last] += 1

    for marked, every in arrivals.items():
        for (person, before), (_, again) in pairwise(every):
            repeated(person, before, again, marked)
    for person, phone in read.items():
        for again in phone.found_again:
            before = max((line for line in phone.lines if line.notice is _OPENS and line.id < again.id), key=_id)
            repeated(person, before, again, "Partner found")
    verdict.most_duplicates = max(by_fault.values(), default=0)


def _id(line: Line) -> int:
    return line.id


def _begun(faults: Sequence[Fault], at: float) -> int:
    """How many had begun by then."""
    return bisect_right(faults, at, key=lambda fault: fault.began)


def _settle(
    verdict: Verdict,
    person: int,
    phone: _Phone,
    arrivals: Mapping[str, list[tuple[int, Line]]],
    faults: Sequence[Fault],
) -> None:
    """Every line that its person wrote is delivered or has an answer of its own. Commands are written lines too."""
    answers = [line for line in phone.lines if not line.mine for _ in range(line.answers)]
    of_albums: dict[str, Line] = {}
    gone = [line.id for line in phone.lines if line.gone]
    for line in phone.lines:
        if not line.mine:
            continue
        delivered = arrivals.get(line.mark, []) if line.mark is not None else []
        verdict.sent += line.mark is not None
        if delivered:
            verdict.delivered += 1
            end = delivered[0][1]
        else:
            # After a block, what comes answers what was written after it.
            until = next((each for each in gone if each >= line.id), None)
            reply = next((each for each in answers if each.reply_to == line.id), None)
            later = (each for each in answers if each.id > line.id and (until is None or each.id <= until))
            found = reply or next((each for each in later if each.reply_to is None), None)
            if line.album is not None:
                found = of_albums.get(line.album, found)
            if found is None and until is not None:
                verdict.unheard += line.mark is not None
                continue
            if found is None:
                what = f"{line.mark or 'a command'} of {person} (message {line.id})"
                (verdict.lost if line.confirmed else verdict.unresolved).append(what)
                continue
            if found in answers:
                answers.remove(found)
            if line.album is not None:
                of_albums[line.album] = found
            verdict.refused += line.mark is not None
            end = found
        verdict.carried_over += _begun(faults, line.at) != _begun(faults, end.at)
    verdict.spare_notices += len(answers)


def _check_order(verdict: Verdict, person: int, phone: _Phone, arrivals: Mapping[str, list[tuple[int, Line]]]) -> None:
    latest: dict[tuple[int, int], int] = {}
    for line in phone.lines:
        if line.mine and line.mark is not None and line.mark in arrivals:
            recipient, first = arrivals[line.mark][0]
            lane = (phone.chat_at[line.id], recipient)
            if first.id < latest.get(lane, 0):
                verdict.reordered.append(f"{line.mark} of {person} to {recipient}")
            latest[lane] = max(first.id, latest.get(lane, 0))
