"""Judges what became of every message, after the run, from nothing but the phones and the sandbox's journal.

A person's phone is a list of lines in the order of their message ids. A *chat* begins with a line that says "Partner
found" and ends with the next line that says that the chat is over. The lines that a person writes in between are meant
for that partner. No line says who the partner is. It follows from the deliveries: each ties the sender's chat to the
chat that the recipient was in. A chat may be tied to only one other chat, and that one only to it.

    delivered    once or more on one phone, within the chat that the sender's chat is tied to
    refused      not delivered, and a later notice answers the sender. Each message needs its own notice, with two
                 exceptions: an album has one notice, and a notice with a count answers that many messages
    lost         neither, although its update was confirmed, so that Telegram has forgotten it. Also a missing notice
                 that a chat is over, if it is over for the other side
    unresolved   neither, and Telegram still has it
    misrouted    delivered to its own sender, to somebody in no chat, or into a chat that is tied to another one. Also
                 if it was written in no chat, right after leaving one, and still delivered
    duplicate    a second delivery, or a second "Partner found". Each is counted for one fault between the two. It needs
                 no fault if the first one's sender was not told that it arrived. The first one may come two seconds
                 after the fault: a server still handles what a process wrote before it was killed
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

A search that ends at once has no notice of its own: "Partner found" or the notice of its end answers the command, and
every other command for this search. `/next` is such a command if its writer is in no chat, or if the chat is over
before `/next` arrives.

They may be told the same things twice: after a fault that undoes work (`again_s`), notices that repeat the last ones
before the fault, in order, are duplicates and do not move the person. By chance, new notices can have the words of
older ones. So if taking them for new explains more of what was seen, they are new. The same goes for a second "Partner
found" right after the first one: the first chat may be undone, so that nobody could tell its end.

A person who blocks the bot has left, as soon as the product learns of it. Messages that were written to them before
that may arrive when they are back. They still belong to that chat if no notice comes before them.

Limits: a notice does not say what it answers unless it is a reply, so notices are matched in order. A notice that
arrives twice could therefore hide a missing one. `spare_notices` counts the notices that answered nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from simulated_people.answers import begun, causes_of, settle
from simulated_people.phone_reader import LEAVING_S, Phone, is_undone, mark_leaving, read_phone, told_again
from simulated_people.verdict import Fault, Line, Verdict

HANDLED_S = 2.0
"""A killed process may have written a request that a busy server handles only this long after the fault."""

ChatOf = tuple[int, int]
"""A person, and the number of one of their chats, from 1."""


def judge(phones: Mapping[int, Sequence[Line]], faults: Sequence[Fault]) -> Verdict:
    """`phones` by person; `faults` ascending."""
    again: dict[int, list[dict[int, Line]]] = {}
    if any(fault.again_s for fault in faults):
        again = {person: told_again(lines, faults) for person, lines in phones.items()}
    verdict = _judge(phones, faults, again)
    for person, copies in again.items():
        for each in list(copies):
            if not verdict.may_be_misread:
                return verdict
            others = [other for other in copies if other is not each]
            reread = _judge(phones, faults, again | {person: others})
            if sum(reread.faults.values()) < sum(verdict.faults.values()):
                verdict, copies[:] = reread, others
    new: dict[int, frozenset[int]] = {}
    for person, copies in again.items():
        if not verdict.may_be_misread:
            return verdict
        for _, line in read_phone(phones[person], faults, copies).found_again:
            if not is_undone(line, faults):
                continue
            others_new = new | {person: new.get(person, frozenset()) | {line.id}}
            reread = _judge(phones, faults, again, others_new)
            if sum(reread.faults.values()) < sum(verdict.faults.values()):
                verdict, new = reread, others_new
    return verdict


def _judge(
    phones: Mapping[int, Sequence[Line]],
    faults: Sequence[Fault],
    again: Mapping[int, Sequence[Mapping[int, Line]]],
    new: Mapping[int, Collection[int]] = MappingProxyType({}),
) -> Verdict:
    verdict = Verdict()
    read = {
        person: read_phone(lines, faults, again.get(person, ()), new.get(person, ()))
        for person, lines in phones.items()
    }
    for phone in read.values():
        mark_leaving(phone)
    arrivals: dict[str, list[tuple[int, Line]]] = defaultdict(list)
    for person, lines in phones.items():
        for line in lines:
            if line.mark is not None and not line.mine:
                arrivals[line.mark].append((person, line))
    _follow(verdict, read, arrivals)
    _count_duplicates(verdict, read, arrivals, faults)
    causes = {person: causes_of(verdict, person, lines, faults) for person, lines in phones.items()}
    for person, phone in read.items():
        settle(verdict, person, phone, arrivals, faults, causes[person])
        verdict.late_searches.extend(f"message {line.id} on the phone of {person}" for line in phone.late_searches)
        _check_order(verdict, person, phone, arrivals)
    return verdict


def _follow(verdict: Verdict, read: Mapping[int, Phone], arrivals: Mapping[str, list[tuple[int, Line]]]) -> None:
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
    partner_chat = {chat: others.most_common(1)[0][0] for chat, others in ties.items()}
    for marked, mine, theirs in within:
        if partner_chat[mine] != theirs or partner_chat[theirs] != mine:
            verdict.misrouted.append(f"{marked}: from chat {mine} to {theirs}, not {partner_chat[mine]}")
            if partner_chat[mine][0] == theirs[0] and theirs[1] > partner_chat[mine][1]:
                verdict.after_the_end.append(f"{marked}: to {theirs[0]}, who is in another chat by now")
    for chat, others in ties.items():
        if len(people := {other for other, _ in others}) > 1:
            verdict.split.append(f"chat {chat} reaches {sorted(people)}")
    for (person, number), (other, theirs_number) in partner_chat.items():
        if read[person].open == number:
            verdict.partners[person] = other
            if read[other].open != theirs_number:
                verdict.lost.append(f"the end of chat {number} on the phone of {person}")
    for person, phone in read.items():
        verdict.lost.extend(f"the end of chat {number} on the phone of {person}" for number in phone.unended)


def _count_duplicates(
    verdict: Verdict,
    read: Mapping[int, Phone],
    arrivals: Mapping[str, list[tuple[int, Line]]],
    faults: Sequence[Fault],
) -> None:
    spans: dict[int, list[tuple[int, int]]] = defaultdict(list)  # by person: the first and the last possible fault

    def repeated(person: int, before: Line, again: Line, what: str) -> None:
        verdict.duplicated += 1
        if before.unsure:
            return
        last = begun(faults, again.at)
        first = next((n for n, fault in enumerate(faults[:last], 1) if fault.ended + HANDLED_S >= before.at), None)
        if first is None:
            verdict.unprovoked.append(f"{what} twice on the phone of {person}, {again.at - before.at:.1f} s apart")
        spans[person].append((last, first or last))

    for marked, every in arrivals.items():
        for (person, before), (_, again) in pairwise(every):
            repeated(person, before, again, marked)
    for person, phone in read.items():
        for before, again in phone.found_again:
            repeated(person, before, again, "Partner found")
    excused = [1, *(fault.duplicates for fault in faults)]
    for each in spans.values():
        by_fault: Counter[int] = Counter()
        for last, first in sorted(each):
            free = (n for n in range(first, last + 1) if by_fault[n] < excused[n])
            by_fault[next(free, last)] += 1
        verdict.most_duplicates = max(verdict.most_duplicates, *by_fault.values())
        beyond = max(number - excused[n] for n, number in by_fault.items())
        verdict.excess_duplicates = max(verdict.excess_duplicates, beyond)


def _check_order(verdict: Verdict, person: int, phone: Phone, arrivals: Mapping[str, list[tuple[int, Line]]]) -> None:
    latest: dict[tuple[int, int], int] = {}
    for line in phone.lines:
        if line.mine and line.mark is not None and line.mark in arrivals:
            recipient, first = arrivals[line.mark][0]
            update_queue = (phone.chat_at[line.id], recipient)
            if first.id < latest.get(update_queue, 0):
                verdict.reordered.append(f"{line.mark} of {person} to {recipient}")
            latest[update_queue] = max(first.id, latest.get(update_queue, 0))
