"""Judges what became of every message, after the run, from nothing but the phones and the sandbox's journal.

A person's phone is a list of lines in the order of their message ids. A *chat* begins with a line that says "Partner
found" and ends with the next line that says that the chat is over. What a person writes in between is meant for that
partner. No line says who the partner is. It follows from the deliveries: each ties the sender's chat to the chat that
the recipient was in. A chat may be tied to only one other chat, and that one only to it.

    delivered    once or more on one phone, within the chat that the sender's chat is tied to
    refused      not delivered, and a later notice answers the sender. Each message needs its own notice, with two
                 exceptions: an album has one notice, and a notice with a count answers that many messages
    lost         neither, although its update was confirmed, so that Telegram has forgotten it. Also a missing notice
                 that a chat is over, if it is over for the other side
    unresolved   neither, and Telegram still has it
    misrouted    delivered to its own sender, to somebody in no chat, or into a chat that is tied to another one. Also
                 if it was written in no chat, right after leaving one, and still delivered
    duplicate    a second delivery, or a second "Partner found". Each is counted for the last fault before it. It needs
                 no fault if the first one's sender was not told that it arrived
    unheard      neither, but the sender has blocked the bot since, so they cannot be told
    reordered    one person's messages in one chat first arrive in a different order than they were written
    split        one chat reaches two people
    after the end    a message reaches somebody who has been told that its chat is over. Messages that are split or
                 after the end are misrouted, too
    late searches    somebody is told that their search has begun while they are in a chat
    told again   somebody is told more often that the connection was lost than there were faults in the minute before

A message may be written in no chat, but some time after leaving one. The next partner may get it, because the sender
may have been paired already and not been told yet. These messages are counted as `ahead`.

A person who is told that the connection was lost has left their chat. That notice answers what they wrote since the
notice of this kind before it: messages of the last minute, and commands since a minute before the fault, however long
the fault lasted. A command has no content, and now its writer knows where they stand. But a person's updates are
handled in order. So if something that they wrote after a command was answered before the fault, or was delivered
although the command asked to leave, the command needed an answer of its own. Answers that were still unsent at the
fault may be withdrawn.

A search that ends at once has no notice of its own: "Partner found" or the notice of its end answers the command.

They may be told the same things twice: after a fault that undoes work (`again_s`), notices that repeat the last ones
before the fault, in order, are duplicates and do not move the person. By chance, new notices can have the words of
older ones. So if taking them for new explains more of what was seen, they are new.

A person who blocks the bot has left, as soon as the product learns of it. Messages that were written to them before
that may arrive when they are back. They still belong to that chat if no notice comes before them.

Limits: a notice does not say what it answers unless it is a reply, so notices are matched in order. A notice that
arrives twice could therefore hide a missing one. `spare_notices` counts the notices that answered nothing.
"""

from bisect import bisect_right
from collections import ChainMap, Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from simulated_people.phrases import Said
from simulated_people.verdict import Fault, Line, Verdict

LEAVING_S = 1.0
"""Telegram's dates are whole seconds. A message written in the second of leaving was not meant for a new partner."""


_OPENS = Said.FOUND
_CLOSES = frozenset({Said.LEFT, Said.MOVED_ON, Said.CUT_OFF})
_MOVES = _CLOSES | {_OPENS, Said.SEARCHING, Said.ENDED}
_ENDS_SEARCH = frozenset({_OPENS, Said.ENDED})
CUT_OFF_S = 60.0
"""A notice that the connection was lost answers messages that are at most this old."""

AGAIN_S = 30.0
"""For this long after a fault, earlier notices may be repeated."""

ChatOf = tuple[int, int]
"""A person, and the number of one of their chats, from 1."""


@dataclass(slots=True)
class _Phone:
    """A phone, with the chat of each line (`chat_at`); 0 for none."""

    lines: Sequence[Line]
    chat_at: dict[int, int] = field(default_factory=dict)
    left_at: dict[int, float] = field(default_factory=dict)
    """For lines outside of chats: when the last chat was left, or when leaving it began."""
    open: int = 0
    found_again: list[tuple[Line, Line]] = field(default_factory=list)
    """Each repeated "Partner found": the first one and the second."""
    told_over: set[int] = field(default_factory=set)
    """Lines outside of chats, after a notice that the last one is over."""
    unended: list[int] = field(default_factory=list)
    """Chats that were followed by a new one without a notice that they were over."""
    late_searches: list[Line] = field(default_factory=list)
    """Notices that a search has begun, within a chat."""


def _told_again(lines: Sequence[Line], faults: Sequence[Fault]) -> list[dict[int, Line]]:
    """The notices that each fault seems to have repeated, by id, each with its first copy.

    They are the first notices after the fault, if these repeat the last notices before it in the same order. If a store
    went back in time, older notices may be repeated, before the notice that the connection was lost.
    """
    moves = [line for line in lines if line.notice in _MOVES]
    again: list[dict[int, Line]] = []
    for fault, next_began in zip(faults, (*(each.began for each in faults[1:]), float("inf")), strict=True):
        until = min(fault.ended + AGAIN_S, next_began)  # what the next fault repeats or ends is not this one's
        before = [line for line in moves if fault.began - fault.again_s <= line.at <= fault.began]
        after = [line for line in moves if fault.began < line.at <= until]
        cut = next((number for number, line in enumerate(after) if line.notice is Said.CUT_OFF), None)
        if cut is not None:
            firsts = {_told(line): line for line in before}
            again.append({line.id: firsts[_told(line)] for line in after[:cut] if _told(line) in firsts})
            continue
        for start in range(len(before)):
            rest = before[start:]
            if list(map(_told, rest)) == list(map(_told, after[: len(rest)])):
                again.append({copy.id: line for copy, line in zip(after, rest, strict=False)})
                break
    return [copies for copies in again if copies]


def _is_copy(found: Line, line: Line, faults: Sequence[Fault]) -> bool:
    """Whether a fault explains that a notice comes twice in one chat with the same text."""
    is_explained = any(found.at <= fault.ended and fault.began <= line.at for fault in faults)
    return bool(found.words) and found.words == line.words and is_explained


def _is_undone(line: Line, faults: Sequence[Fault]) -> bool:
    """Whether a notice came so soon after a fault that undoes work that its state may have been undone."""
    return any(fault.again_s and fault.began <= line.at <= fault.ended + AGAIN_S for fault in faults)


def _told(line: Line) -> tuple[Said | None, str]:
    return line.notice, line.words


def _read(lines: Sequence[Line], faults: Sequence[Fault], repeated: Sequence[Mapping[int, Line]]) -> _Phone:
    phone = _Phone(lines)
    again = ChainMap(*map(dict, repeated))
    is_over = False  # whether a notice has said so
    found: Line | None = None
    number, current, left_at = 0, 0, float("-inf")
    fresh = False  # no message from a partner has come since "Partner found"
    blocked = 0  # the chat that a block ended, until a notice shows that the product knows of it
    for line in lines:
        if line.gone:
            blocked, current, left_at, is_over = current, 0, line.at, False
            continue
        if line.notice is not None:
            blocked = 0
        if line.id in again:
            if line.notice is _OPENS:
                phone.found_again.append((again[line.id], line))
        elif line.notice is _OPENS:
            if current and found is not None and (fresh or _is_copy(found, line, faults)):
                phone.found_again.append((found, line))
            else:
                if current:
                    phone.unended.append(current)
                number += 1
                current = number
            found, fresh, is_over = line, True, False
        elif not line.mine:
            fresh = fresh and line.mark is None
            if line.notice in _CLOSES and current:
                current, left_at, is_over = 0, line.at, True
            elif line.notice is Said.SEARCHING and current and not _is_undone(line, faults):
                phone.late_searches.append(line)
        if is_over:
            phone.told_over.add(line.id)
        phone.chat_at[line.id] = current or (blocked if not line.mine else 0)
        phone.left_at[line.id] = left_at
    phone.open = current
    return phone


def _leaving(lines: Sequence[Line], phone: _Phone, commands: Mapping[int, float]) -> None:
    """Messages that a person writes after their own /next or /stop are not meant for that chat any more."""
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
    """`phones` by person; `faults` ascending; `leaves`: the lines of each phone that ask to end a chat."""
    again: dict[int, list[dict[int, Line]]] = {}
    if any(fault.again_s for fault in faults):
        again = {person: _told_again(lines, faults) for person, lines in phones.items()}
    verdict = _judge(phones, faults, leaves, again)
    for person, copies in again.items():
        for each in list(copies):
            if not verdict.may_be_misread:
                return verdict
            others = [other for other in copies if other is not each]
            reread = _judge(phones, faults, leaves, again | {person: others})
            if sum(reread.faults.values()) < sum(verdict.faults.values()):
                verdict, copies[:] = reread, others
    return verdict


def _judge(
    phones: Mapping[int, Sequence[Line]],
    faults: Sequence[Fault],
    leaves: Mapping[int, set[int]],
    again: Mapping[int, Sequence[Mapping[int, Line]]],
) -> Verdict:
    verdict = Verdict()
    read = {person: _read(lines, faults, again.get(person, ())) for person, lines in phones.items()}
    for person, phone in read.items():
        _leaving(phone.lines, phone, {line.id: line.at for line in phone.lines if line.id in leaves.get(person, ())})
    arrivals: dict[str, list[tuple[int, Line]]] = defaultdict(list)
    for person, lines in phones.items():
        for line in lines:
            if line.mark is not None and not line.mine:
                arrivals[line.mark].append((person, line))
    _follow(verdict, read, arrivals)
    _count_duplicates(verdict, read, arrivals, faults)
    causes = {person: _causes(verdict, person, lines, faults) for person, lines in phones.items()}
    for person, phone in read.items():
        _settle(verdict, person, phone, arrivals, faults, causes[person], leaves.get(person, set()))
        verdict.late_searches.extend(f"message {line.id} on the phone of {person}" for line in phone.late_searches)
        _check_order(verdict, person, phone, arrivals)
    return verdict


def _causes(verdict: Verdict, person: int, lines: Sequence[Line], faults: Sequence[Fault]) -> dict[int, Fault]:
    """Each notice that the connection was lost needs a fault of its own, the earliest that may have caused it. Returns
    the faults by notice."""
    left = list(faults)
    causes: dict[int, Fault] = {}
    for line in lines:
        if line.notice is not Said.CUT_OFF:
            continue
        cause = next((each for each in left if each.began <= line.at <= each.ended + CUT_OFF_S), None)
        if cause is None:
            verdict.told_again.append(f"{person} is told that the connection was lost (message {line.id})")
        else:
            causes[line.id] = cause
            left = left[left.index(cause) + 1 :]
    return causes


def _cut_for(
    line: Line,
    phone: _Phone,
    cuts: Sequence[Line],
    causes: Mapping[int, Fault],
    arrivals: Mapping[str, list[tuple[int, Line]]],
    leaves: Collection[int],
) -> Line | None:
    """The one of the notices that the connection was lost that answers this line."""
    cut = next((each for each in cuts if each.id > line.id), None)
    if cut is None or line.mark is not None:
        return cut if cut is not None and cut.at - line.at <= CUT_OFF_S else None
    cause = causes.get(cut.id)
    if cause is None or line.at < cause.began - CUT_OFF_S:
        return None
    later = [each for each in phone.lines if each.mine and line.id < each.id < cut.id]
    replied = {each.reply_to for each in phone.lines if not each.mine and each.at < cause.began}
    arrived = (arrivals.get(each.mark, ()) for each in later if each.mark is not None and line.id in leaves)
    is_delivered = any(copy.at < cause.began for copies in arrived for _, copy in copies)
    return None if is_delivered or any(each.id in replied for each in later) else cut


def _may_answer(notice: Line, line: Line) -> bool:
    """A notice that is a reply answers only that message; if it has a count, also messages after that one."""
    return notice.reply_to is None or (notice.answers > 1 and notice.reply_to < line.id)


def _follow(verdict: Verdict, read: Mapping[int, _Phone], arrivals: Mapping[str, list[tuple[int, Line]]]) -> None:
    """Tie chats by deliveries, and find messages that reached the wrong person."""
    ties: dict[ChatOf, Counter[ChatOf]] = defaultdict(Counter)
    within: list[tuple[str, ChatOf, ChatOf]] = []
    for sender, phone in read.items():
        for line in phone.lines:
            if not line.mine or line.mark is None:
                continue
            mine = (sender, phone.chat_at[line.id])
            for recipient, arrived in arrivals.get(line.mark, ()):
                theirs = (recipient, read[recipient].chat_at[arrived.id])
                if arrived.id in read[recipient].told_over:
                    verdict.after_the_end.append(f"{line.mark}: to {recipient}, who is in no chat any more")
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
            if tied[mine][0] == theirs[0] and theirs[1] > tied[mine][1]:
                verdict.after_the_end.append(f"{marked}: to {theirs[0]}, who is in another chat by now")
    for chat, others in ties.items():
        if len(people := {other for other, _ in others}) > 1:
            verdict.split.append(f"chat {chat} reaches {sorted(people)}")
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
        for before, again in phone.found_again:
            repeated(person, before, again, "Partner found")
    verdict.most_duplicates = max(by_fault.values(), default=0)
    excused = [1, *(fault.duplicates for fault in faults)]
    beyond = (number - excused[last] for (_, last), number in by_fault.items())
    verdict.excess_duplicates = max(0, max(beyond, default=0))


def _begun(faults: Sequence[Fault], at: float) -> int:
    """How many faults had begun by then."""
    return bisect_right(faults, at, key=lambda fault: fault.began)


def _settle(
    verdict: Verdict,
    person: int,
    phone: _Phone,
    arrivals: Mapping[str, list[tuple[int, Line]]],
    faults: Sequence[Fault],
    causes: Mapping[int, Fault],
    leaves: Collection[int],
) -> None:
    """Check that every line a person wrote, commands too, is delivered or has its own answer."""
    ends = [line for line in phone.lines if line.notice in _ENDS_SEARCH]
    answers = [line for line in phone.lines if not line.mine for _ in range(line.answers)]
    of_albums: dict[str, Line] = {}
    gone = [line.id for line in phone.lines if line.gone]
    cuts = [line for line in phone.lines if line.notice is Said.CUT_OFF]
    for line in phone.lines:
        if not line.mine:
            continue
        delivered = arrivals.get(line.mark, []) if line.mark is not None else []
        verdict.sent += line.mark is not None
        if delivered:
            verdict.delivered += 1
            end = delivered[0][1]
        else:
            # Notices after a block answer only messages that were written after it.
            until = next((each for each in gone if each >= line.id), None)
            reply = next((each for each in answers if each.reply_to == line.id), None)
            later = (each for each in answers if each.id > line.id and (until is None or each.id <= until))
            found = reply or next((each for each in later if _may_answer(each, line)), None)
            if line.album is not None:
                found = of_albums.get(line.album, found)
            is_shared = False
            if line.mark is None:
                # With /next, an idle person searches, too.
                kinds = (_OPENS,) if line.id in leaves else _ENDS_SEARCH
                after = (each for each in ends if each.id > line.id and (until is None or each.id <= until))
                over = next((each for each in after if each.notice in kinds), None)
                is_shared = over is not None and (found is None or over.id <= found.id)
                found = over if is_shared else found
            cut = _cut_for(line, phone, cuts, causes, arrivals, leaves)
            if cut is not None and (found is None or (found.reply_to != line.id and found.id > cut.id)):
                found = cut  # a later answer is left for later messages
            if found is None and until is not None:
                verdict.unheard += line.mark is not None
                continue
            if found is None:
                what = f"{line.mark or 'a command'} of {person} (message {line.id})"
                (verdict.lost if line.confirmed else verdict.unresolved).append(what)
                continue
            if found in answers and not is_shared:
                answers.remove(found)
            if line.album is not None:
                of_albums[line.album] = found
            verdict.refused += line.mark is not None
            verdict.cut_off += line.mark is not None and found is cut
            end = found
        verdict.carried_over += _begun(faults, line.at) != _begun(faults, end.at)
    verdict.spare_notices += len(answers)


def _check_order(verdict: Verdict, person: int, phone: _Phone, arrivals: Mapping[str, list[tuple[int, Line]]]) -> None:
    latest: dict[tuple[int, int], int] = {}
    for line in phone.lines:
        if line.mine and line.mark is not None and line.mark in arrivals:
            recipient, first = arrivals[line.mark][0]
            update_queue = (phone.chat_at[line.id], recipient)
            if first.id < latest.get(update_queue, 0):
                verdict.reordered.append(f"{line.mark} of {person} to {recipient}")
            latest[update_queue] = max(first.id, latest.get(update_queue, 0))
